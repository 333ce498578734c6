#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pointhouse::settlement {

/// A row of RFC 4180 with its end. A cell is quoted where it must be. Pre: at least one cell.
[[nodiscard]] std::string csv_row(std::span<const std::string_view> cells);

} // namespace pointhouse::settlement
