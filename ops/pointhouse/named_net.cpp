#include "named_net.hpp"

#include <fmt/format.h>
#include <vector>

namespace pointhouse::ops {

using settlement::NetKey;

namespace {

NetKey only_one(const std::vector<NetKey>& nets, ledger::Month window)
{
    if (nets.empty()) return window;
    if (nets.size() == 1) return nets.front();
    std::string programs;
    for (const auto& key : nets) programs += (programs.empty() ? "" : ", ") + program_in_words(key);
    throw CommandFailure{fmt::format(
        "{} has a net for each of {}: --program says which",
        ledger::format_month(window),
        programs)};
}

} // namespace

void add_program_option(CLI::App& command, std::string& program)
{
    command.add_option(
        "--program", program, "Which of the house's; \"none\": of partners without one");
}

std::string read_program(const std::string& typed)
{
    return typed == "none" ? std::string{} : typed;
}

std::string program_in_words(const NetKey& key)
{
    return key.program.empty() ? "none" : key.program;
}

std::string program_typed(const NetKey& key)
{
    return key.program.empty() ? std::string{} : " --program " + key.program;
}

NetKey named_net(gateway::House& house, ledger::Month window, const std::string& program)
{
    if (!program.empty()) return {window, read_program(program)};
    return only_one(house.documents().nets_of(window), window);
}

NetKey named_net_of(
    gateway::House& house,
    ledger::Month window,
    const std::string& program,
    ledger::PartnerId partner)
{
    if (!program.empty()) return {window, read_program(program)};
    const auto nets = house.documents().nets_of(window);
    std::vector<NetKey> own;
    for (const auto& key : nets)
        if (house.documents().net_of(key)->payments.contains(partner)) own.push_back(key);
    // It is in none: any of them says so.
    if (own.empty() && !nets.empty()) return nets.front();
    return only_one(own, window);
}

} // namespace pointhouse::ops
