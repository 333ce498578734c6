#include <filesystem>
#include <fmt/format.h>
#include <memory>

#include "answers.hpp"
#include "commands.hpp"
#include "gateway/backup.hpp"
#include "terminal.hpp"
#include "verification.hpp"

namespace pointhouse::ops {

namespace {

struct Options {
    std::string folder;
    std::string store; // empty: where it was
};

gateway::CommandResult verified(const Invocation& typed, gateway::Console& console)
{
    gateway::House house{typed.data};
    return std::get<gateway::CommandResult>(verification_of(house, false, typed)(console));
}

int restore(const Options& options, const Invocation& typed)
{
    Terminal terminal;
    const auto store =
        gateway::copy_backup(typed.path(options.folder), typed.data, options.store, terminal);
    // Nobody shall find a house there that was not sound.
    try {
        const auto result = verified(typed, terminal);
        if (result.exit_code != 0)
            gateway::discard_house(typed.data, store);
        else if (!typed.json)
            terminal.print(fmt::format("restored to {}\n", typed.data.string()));
        return terminal.finish(result);
    } catch (...) {
        gateway::discard_house(typed.data, store);
        throw;
    }
}

} // namespace

void declare_restore(CLI::App& app, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    auto& command = declare_alone(
        app,
        "restore",
        "Make a house from a backup, and verify it",
        invocation,
        [options](const Invocation& typed) { return restore(*options, typed); });
    add_data_option(command, invocation);
    command.add_option("--from", options->folder, "The backup")->required()->type_name("DIR");
    command.add_option("--store", options->store, "Another database than the one it was in")
        ->type_name("postgres://…");
    add_json_option(command, invocation);
}

} // namespace pointhouse::ops
