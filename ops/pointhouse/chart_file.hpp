#pragma once

#include <string>
#include <string_view>

#include "settlement/general_ledger.hpp"

namespace pointhouse::ops {

/// The chart that is used where no other is given, as a person would write it.
[[nodiscard]] std::string_view usual_chart();

/// Reads a chart (ops/manual/finance/reports.md). `name` is that of its file. Throws
/// CommandFailure naming what is wrong first.
[[nodiscard]] settlement::Chart read_chart(
    std::string_view toml, std::string_view name, const ledger::Terms& terms);

} // namespace pointhouse::ops
