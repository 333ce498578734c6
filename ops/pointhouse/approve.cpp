#include <fmt/format.h>
#include <memory>

#include <boost/json/array.hpp>

#include "answers.hpp"
#include "commands.hpp"

namespace pointhouse::ops {

namespace {

using gateway::House;

struct Options {
    std::string what; // "list", or the id of what waits
};

} // namespace

void declare_approve(CLI::App& app, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    // Nothing waits in a sandbox, and a production house refuses what would have to wait.
    auto& command = declare_in_house(
        app,
        "approve",
        "Approve what another operator prepared",
        invocation,
        [options](House&, const Invocation& typed) {
            if (options->what == "list")
                return report(typed, boost::json::array{}, "nothing waits for approval\n");
            return refused(fmt::format("nothing waits for approval under {}", options->what));
        });
    command.add_option("ID", options->what, "The id of what waits, or `list`")->required();
    add_json_option(command, invocation);
}

} // namespace pointhouse::ops
