#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ledger/money.hpp"

namespace pointhouse::settlement {

/// A cell: nothing, words, a count of points or other things, or money in micro-units.
using ReportCell = std::variant<std::monostate, std::string, std::int64_t, ledger::Micro>;

/// A table of a report: what all its forms are written from. Each row has a cell for each column.
struct ReportTable {
    std::string name{};                 // "liability", also of the sheet
    std::vector<std::string> columns{}; // snake_case, with its unit: "opening_points"
    std::vector<std::vector<ReportCell>> rows{};
};

/// A report as its makers leave it, for people and programs.
struct Report {
    std::string name{};                                       // "roll_forward"
    std::vector<std::pair<std::string, std::string>> facts{}; // what it is of, "as_of", "currency"
    std::vector<ReportTable> tables{};
};

/// {"report", each fact, each table by its name as a list of objects}; money as `…_micro`, a whole
/// number of micro-units, everywhere else a decimal. One line without its end. Pure.
[[nodiscard]] std::string report_json(const Report& report);
/// RFC 4180: each table with its header, an empty line between them. Pure.
[[nodiscard]] std::string report_csv(const Report& report);
/// Columns for a terminal. Pure.
[[nodiscard]] std::string report_in_words(const Report& report);

/// A cell as CSV and terminals have it: money with six places.
[[nodiscard]] std::string cell_text(const ReportCell& cell);

} // namespace pointhouse::settlement
