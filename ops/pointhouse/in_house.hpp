#pragma once

#include "command_line.hpp"

namespace pointhouse::ops {

/// Does a command on a house: in this process when nobody has the house open, else in the process
/// that serves it. What it throws is for the person at the keyboard.
[[nodiscard]] gateway::CommandResult run_in_house(
    const Invocation& invocation,
    const gateway::CommandRequest& request,
    gateway::Console& console);

/// The first step of a command that was understood, in the name of who acts. On the house's thread.
/// Throws CommandFailure when who acts may not.
[[nodiscard]] gateway::CommandStep begin_in_house(
    gateway::House& house, const Invocation& invocation);

/// The first step of a command that came to a serving house. On the house's thread.
[[nodiscard]] gateway::CommandStep interpret(
    gateway::House& house, const gateway::CommandRequest& request);

} // namespace pointhouse::ops
