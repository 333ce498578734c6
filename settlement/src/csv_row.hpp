#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pointhouse::settlement {

/// A cell of RFC 4180, in quotation marks where it must be.
[[nodiscard]] std::string csv_cell(std::string_view cell);
/// A row of cells with its end. Pre: at least one cell.
[[nodiscard]] std::string csv_row(std::span<const std::string_view> cells);

} // namespace pointhouse::settlement
