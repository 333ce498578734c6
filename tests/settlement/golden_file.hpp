#pragma once

#include <string>

namespace pointhouse::settlement {

/// Compares with a file of tests/golden/settlement; UPDATE_GOLDEN=1 rewrites it for a person to
/// review.
void expect_golden(const std::string& name, const std::string& text);

} // namespace pointhouse::settlement
