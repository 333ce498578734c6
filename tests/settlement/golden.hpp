#pragma once

#include <string>

namespace pointhouse::settlement {

/// The text of a file below tests/golden/settlement; empty when there is none.
[[nodiscard]] std::string golden(const std::string& name);

/// Compares with the golden file; UPDATE_GOLDEN=1 rewrites it for a person to review.
void expect_golden(const std::string& name, const std::string& text);

} // namespace pointhouse::settlement
