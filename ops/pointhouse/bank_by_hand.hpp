#pragma once

#include "command_line.hpp"

namespace pointhouse::ops {

/// The commands by which a person says what a row of the bank is: assign, write-off.
void declare_bank_by_hand(CLI::App& bank, Invocation& invocation);

} // namespace pointhouse::ops
