#include "gateway/backup.hpp"

#include <fmt/format.h>
#include <memory>

#include <boost/json/object.hpp>

#include "answers.hpp"
#include "commands.hpp"

namespace pointhouse::ops {

namespace {

using gateway::CommandStep;
using gateway::Console;
using gateway::House;

struct Options {
    std::string folder;
};

CommandStep back_up(House& house, const Options& options, const Invocation& typed)
{
    const auto to = typed.path(options.folder);
    auto snapshot = std::make_shared<const gateway::HouseSnapshot>(house);
    return [snapshot, to, typed](Console& console) {
        snapshot->write_to(to, console);
        return report(
            typed,
            {{"backup", to.string()}},
            fmt::format(
                "backed up to {}\nit holds the house's keys: guard it like them\n", to.string()));
    };
}

} // namespace

void declare_backup(CLI::App& app, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    auto& command = declare_in_house(
        app,
        "backup",
        "Copy the whole house as it is at one moment, also while it serves",
        invocation,
        [options](House& house, const Invocation& typed) {
            return back_up(house, *options, typed);
        });
    command.add_option("--out", options->folder, "A folder that is missing or empty")
        ->required()
        ->type_name("DIR");
    add_json_option(command, invocation);
}

} // namespace pointhouse::ops
