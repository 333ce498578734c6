#pragma once

#include <filesystem>

#include "settlement/payment_calendar.hpp"

namespace pointhouse::ops {

/// Reads `calendar set FILE.toml`: one [calendar] table with its first window, `from`, and what
/// differs from the usual terms. Throws CommandFailure naming line and key.
[[nodiscard]] settlement::CalendarTerms read_calendar(const std::filesystem::path& file);

} // namespace pointhouse::ops
