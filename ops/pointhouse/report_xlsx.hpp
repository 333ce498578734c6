#pragma once

#include <filesystem>

#include "ledger/time.hpp"
#include "settlement/report_table.hpp"

namespace pointhouse::ops {

/// Writes a report as XLSX, a sheet per table, with `made` as its date: the same report gives the
/// same bytes. A reader sees it whole or not at all. Amounts are cells that a spreadsheet can sum,
/// shown with six places; a spreadsheet counts in binary fractions, so CSV and JSON are what is
/// exact. Throws CommandFailure.
void write_xlsx(
    const std::filesystem::path& file, const settlement::Report& report, ledger::Time made);

} // namespace pointhouse::ops
