#pragma once

#include "command_line.hpp"
#include "gateway/house.hpp"
#include "settlement/window_net.hpp"

namespace pointhouse::ops {

// Which net a command is about: of a window, and of one of its programs.

/// `--program`, of commands about a net.
void add_program_option(CLI::App& command, std::string& program);

/// As a person writes it: "none" of partners without one.
[[nodiscard]] std::string read_program(const std::string& typed);
[[nodiscard]] std::string program_in_words(const settlement::NetKey& key);
/// " --program travel", for the next command; empty: it needs none.
[[nodiscard]] std::string program_typed(const settlement::NetKey& key);

/// The net of that program, else the window's only one. Throws CommandFailure when it has several.
[[nodiscard]] settlement::NetKey named_net(
    gateway::House& house, ledger::Month window, const std::string& program);
/// The same, of those in which the partner pays or is paid.
[[nodiscard]] settlement::NetKey named_net_of(
    gateway::House& house,
    ledger::Month window,
    const std::string& program,
    ledger::PartnerId partner);

} // namespace pointhouse::ops
