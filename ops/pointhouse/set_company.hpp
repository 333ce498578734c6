#pragma once

#include "command_line.hpp"

namespace pointhouse::ops {

/// Changes who a partner is before the law and to its bank, by a file with one [company] table;
/// none: the house. In a production house another operator approves it.
[[nodiscard]] gateway::CommandResult set_company(
    gateway::House& house,
    ledger::PartnerId partner,
    const std::string& file,
    const Invocation& typed);

} // namespace pointhouse::ops
