#include "settlement/report_table.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json.hpp>

#include "../csv_row.hpp"

namespace pointhouse::settlement {
namespace {

namespace json = boost::json;

json::value cell_json(const ReportCell& cell)
{
    // NOLINTNEXTLINE(modernize-return-braced-init-list): braces would make it an array of one
    if (const auto* text = std::get_if<std::string>(&cell)) return json::value(*text);
    if (const auto* count = std::get_if<std::int64_t>(&cell)) return *count;
    if (const auto* money = std::get_if<ledger::Micro>(&cell)) return money->count();
    return nullptr;
}

bool is_number(const ReportCell& cell)
{
    return std::holds_alternative<std::int64_t>(cell) ||
           std::holds_alternative<ledger::Micro>(cell);
}

std::string table_in_words(const ReportTable& table)
{
    std::vector<std::size_t> widths;
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
        std::size_t width = table.columns[column].size();
        for (const auto& row : table.rows) width = std::max(width, cell_text(row[column]).size());
        widths.push_back(width);
    }
    std::string text = table.name + "\n";
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
        const bool is_right = !table.rows.empty() && is_number(table.rows.front()[column]);
        text += is_right ? fmt::format("{:>{}}  ", table.columns[column], widths[column])
                         : fmt::format("{:<{}}  ", table.columns[column], widths[column]);
    }
    text += "\n";
    for (const auto& row : table.rows) {
        for (std::size_t column = 0; column < row.size(); ++column)
            text += is_number(row[column])
                        ? fmt::format("{:>{}}  ", cell_text(row[column]), widths[column])
                        : fmt::format("{:<{}}  ", cell_text(row[column]), widths[column]);
        text += "\n";
    }
    return text;
}

} // namespace

std::string cell_text(const ReportCell& cell)
{
    if (const auto* text = std::get_if<std::string>(&cell)) return *text;
    if (const auto* count = std::get_if<std::int64_t>(&cell)) return fmt::format("{}", *count);
    if (const auto* money = std::get_if<ledger::Micro>(&cell)) return format_micro(*money);
    return {};
}

std::string report_json(const Report& report)
{
    json::object shown{{"report", report.name}};
    for (const auto& [name, fact] : report.facts) shown[name] = fact;
    for (const auto& table : report.tables) {
        json::array rows;
        for (const auto& row : table.rows) {
            json::object object;
            for (std::size_t column = 0; column < row.size(); ++column) {
                const bool is_money = std::holds_alternative<ledger::Micro>(row[column]);
                object[table.columns[column] + (is_money ? "_micro" : "")] = cell_json(row[column]);
            }
            rows.push_back(std::move(object));
        }
        shown[table.name] = std::move(rows);
    }
    return json::serialize(shown);
}

std::string report_csv(const Report& report)
{
    std::string text;
    for (const auto& table : report.tables) {
        if (!text.empty()) text += "\n";
        text += fmt::format("{}\n", fmt::join(table.columns, ","));
        for (const auto& row : table.rows) {
            std::vector<std::string> cells;
            for (const auto& cell : row) cells.push_back(csv_cell(cell_text(cell)));
            text += fmt::format("{}\n", fmt::join(cells, ","));
        }
    }
    return text;
}

std::string report_in_words(const Report& report)
{
    std::string text = report.name + "\n";
    for (const auto& [name, fact] : report.facts) text += fmt::format("{}: {}\n", name, fact);
    for (const auto& table : report.tables) text += "\n" + table_in_words(table);
    return text;
}

} // namespace pointhouse::settlement
