#include <memory>

#include "answers.hpp"
#include "commands.hpp"

namespace pointhouse::ops {

namespace {

struct Options {
    std::string partner;
    std::string file;
    std::string window;
};

} // namespace

void declare_reconcile(CLI::App& app, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    auto& command = declare_in_house(
        app,
        "reconcile",
        "Compare a partner's own record with the journal",
        invocation,
        [options](gateway::House& house, const Invocation&) {
            static_cast<void>(require_partner(house, options->partner));
            return not_yet("reconcile a partner's record with the journal");
        });
    command.add_option("PARTNER", options->partner)->required();
    command.add_option("FILE", options->file)->required();
    command.add_option("--window", options->window, "A month, 2026-06")->required();
    add_json_option(command, invocation);
}

} // namespace pointhouse::ops
