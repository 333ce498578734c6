#pragma once

#include "command_line.hpp"

namespace pointhouse::ops {

// Four eyes: what one operator prepared another approves.

/// The operator whose certificate the command line names; empty: none. Throws CommandFailure when
/// it is none of this house's, was revoked, or is a partner's.
[[nodiscard]] std::string operator_of(gateway::House& house, const Invocation& typed);

/// Throws CommandFailure in a production house, which `what` only as an operator, where none is
/// named.
void require_operator(gateway::House& house, const Invocation& typed, std::string_view what);

/// The act of a command that changes terms or money: in a production house it only prepares.
[[nodiscard]] partners::Registry::Act terms_act(
    gateway::House& house, const Invocation& typed, std::string_view what);

/// Puts it in force and books it.
[[nodiscard]] gateway::CommandResult approve_proposal(
    gateway::House& house, ledger::HouseSequence id, bool as_both, const Invocation& typed);

/// What the ledger refused of a message that was approved; none: it is booked, or no message.
[[nodiscard]] std::optional<gateway::CommandResult> fault_of_approved(
    gateway::House& house, ledger::HouseSequence id);

/// What a command says that has just prepared something: it waits, or with --as-both it is done.
[[nodiscard]] gateway::CommandResult await_approval(
    gateway::House& house, ledger::HouseSequence id, bool as_both, const Invocation& typed);

/// What it says in a production house, where its change was only prepared.
[[nodiscard]] gateway::CommandResult await_newest(gateway::House& house, const Invocation& typed);

void add_as_both_option(CLI::App& command, bool& as_both);

} // namespace pointhouse::ops
