#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pointhouse::partners {

/// The first key that an object of the text has twice, of which a parser would silently keep the
/// last (SECURITY section 1). None: there is none, or the text is no JSON. Pure.
[[nodiscard]] std::optional<std::string> first_duplicate_key(std::string_view json);

} // namespace pointhouse::partners
