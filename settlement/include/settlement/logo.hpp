#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace pointhouse::settlement {

inline constexpr std::size_t drawn_logo_bytes_max = 131'072;

/// How many bytes a PDF has that shows a PNG and nothing else; none: it cannot be drawn. Each PDF
/// packs the picture anew, into more than the PNG had. It is unpacked for that, so bound what it
/// unpacks to before. Any thread.
[[nodiscard]] std::optional<std::size_t> drawn_bytes(std::string_view png);

} // namespace pointhouse::settlement
