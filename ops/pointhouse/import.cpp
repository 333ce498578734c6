#include <fmt/format.h>
#include <memory>

#include "answers.hpp"
#include "approvals.hpp"
#include "commands.hpp"
#include "partners/opening.hpp"

namespace pointhouse::ops {

namespace {

using gateway::CommandResult;
using gateway::House;

struct Options {
    std::string file;
    bool as_both = false;
};

CommandResult import_opening(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "moves in");
    auto& registry = house.registry();
    const auto terms = registry.terms();
    const auto text = read_text(typed.path(options.file));
    const auto opening = partners::parse_opening(text, *terms);
    if (!opening) return refused(fmt::format("{}: {}", options.file, opening.error().reason));
    if (house.clock_kind() == gateway::ClockKind::system &&
        terms->calendar->start_of(opening->as_of) > house.ledger().house_time())
        return refused("as_of lies ahead of the house's time");
    const auto proposed =
        registry.propose_opening(*opening, partners::digest_of(text), house.act());
    if (!proposed) return refused(proposed.error().reason);
    gateway::keep_proposal(house.folder(), *proposed, text);
    return await_approval(house, *proposed, options.as_both, typed);
}

} // namespace

void declare_import(CLI::App& app, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    auto& group = declare_group(app, "import", "Opening balances");
    auto& opening = declare_in_house(
        group,
        "opening",
        "Take over lots, blocks and balances as one balanced record",
        invocation,
        [options](House& house, const Invocation& typed) {
            return import_opening(house, *options, typed);
        });
    opening.add_option("FILE", options->file)->required()->type_name("FILE.json");
    add_as_both_option(opening, options->as_both);
    add_json_option(opening, invocation);
}

} // namespace pointhouse::ops
