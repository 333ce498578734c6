#pragma once

#include <string>
#include <vector>

#include "gateway/house.hpp"
#include "report_source.hpp"

namespace pointhouse::ops {

/// [id - 1]: the program of each partner's contract at the end of what a report is of. Of a window
/// that is closed, as it was closed. On the house's thread.
[[nodiscard]] std::vector<std::string> programs_at_end(
    gateway::House& house, const ReportSource& source);

} // namespace pointhouse::ops
