#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pointhouse::partners {

/// RFC 4648, with padding and without line breaks.
[[nodiscard]] std::string as_base64(std::string_view bytes);
/// The same back; none: it is not that.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

} // namespace pointhouse::partners
