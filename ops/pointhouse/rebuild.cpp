#include <fmt/format.h>
#include <memory>

#include <boost/json/object.hpp>

#include "answers.hpp"
#include "commands.hpp"
#include "gateway/projector.hpp"

namespace pointhouse::ops {

namespace {

using gateway::CommandResult;
using gateway::CommandStep;
using gateway::House;

CommandStep rebuild(House& house, const Invocation& typed)
{
    house.discard_books();
    auto& projector = house.projector();
    auto& books = house.books();
    return [&projector, &books, typed](gateway::Console& console) {
        projector.rebuild(console);
        const auto projected = books.projected().value();
        return report(
            typed,
            {{"projected", projected}},
            fmt::format("the books hold all {} records of the journal\n", projected));
    };
}

} // namespace

void declare_rebuild(CLI::App& app, Invocation& invocation)
{
    auto& command = declare_in_house(
        app,
        "rebuild",
        "Drop the books and derive them from the journal again",
        invocation,
        rebuild);
    add_json_option(command, invocation);
}

} // namespace pointhouse::ops
