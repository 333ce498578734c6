#include "csv_row.hpp"

namespace pointhouse::settlement {

std::string csv_cell(std::string_view cell)
{
    if (cell.find_first_of(",\"\r\n") == std::string_view::npos) return std::string{cell};
    std::string text{"\""};
    for (const char character : cell) {
        if (character == '"') text += '"';
        text += character;
    }
    return text += '"';
}

std::string csv_row(std::span<const std::string_view> cells)
{
    std::string text = csv_cell(cells.front());
    for (const std::string_view cell : cells.subspan(1)) text += ',' + csv_cell(cell);
    return text += "\r\n";
}

} // namespace pointhouse::settlement
