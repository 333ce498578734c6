#pragma once

#include "command_line.hpp"

namespace pointhouse::ops {

// Four eyes: what one operator prepared another approves.

/// Puts it in force and books it.
[[nodiscard]] gateway::CommandResult approve_proposal(
    gateway::House& house, ledger::HouseSequence id, bool as_both, const Invocation& typed);

/// What a command says that has just prepared something: it waits, or with --as-both it is done.
[[nodiscard]] gateway::CommandResult await_approval(
    gateway::House& house, ledger::HouseSequence id, bool as_both, const Invocation& typed);

void add_as_both_option(CLI::App& command, bool& as_both);

} // namespace pointhouse::ops
