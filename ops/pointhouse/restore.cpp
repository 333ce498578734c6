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
};

gateway::CommandResult verified(const Invocation& typed, gateway::Console& console)
{
    gateway::House house{typed.data};
    return verification_of(house, false, typed)(console);
}

/// Nobody shall find a house there that was not sound.
void discard(const std::filesystem::path& data)
{
    for (const auto& entry : std::filesystem::directory_iterator{data})
        std::filesystem::remove_all(entry);
}

int restore(const Options& options, const Invocation& typed)
{
    Terminal terminal;
    gateway::copy_backup(typed.path(options.folder), typed.data, terminal);
    try {
        const auto result = verified(typed, terminal);
        if (result.exit_code != 0)
            discard(typed.data);
        else if (!typed.json)
            terminal.print(fmt::format("restored to {}\n", typed.data.string()));
        return terminal.finish(result);
    } catch (...) {
        discard(typed.data);
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
    add_json_option(command, invocation);
}

} // namespace pointhouse::ops
