#include <fmt/format.h>
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "commands.hpp"

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::House;

struct Options {
    std::string file;
    std::string id;
    bool as_both = false;
};

json::object as_json(const partners::PromotionTerms& promotion)
{
    json::object funders;
    for (const auto& [partner, share] : promotion.funders) funders.emplace(partner, share);
    return {
        {"id", promotion.id},
        {"funders", std::move(funders)},
        {"from", ledger::format_day(promotion.from)},
        {"to", ledger::format_day(promotion.to)},
        {"cap_points", promotion.cap_points}};
}

CommandResult add(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "agrees on a promotion");
    auto& registry = house.registry();
    const auto read = partners::parse_promotions(
        read_text(typed.path(options.file)), *registry.terms()->calendar);
    if (!read) return refused(fmt::format("{}: {}", options.file, read.error().reason));
    json::array prepared;
    std::string text;
    std::uint64_t waiting = 0;
    for (const auto& promotion : *read) {
        const auto proposed = registry.propose_promotion(promotion, house.act());
        if (!proposed) return refused(proposed.error().reason);
        const auto result = await_approval(house, *proposed, options.as_both, typed);
        if (result.exit_code != 0) return result;
        prepared.push_back(
            {{"id", proposed->value()},
             {"promotion", promotion.id},
             {"approved", options.as_both}});
        text += result.output;
        waiting = result.proposal;
    }
    auto answer = report(typed, prepared, text);
    if (prepared.size() == 1) answer.proposal = waiting; // of several, the list says all
    return answer;
}

CommandResult list(House& house, const Invocation& typed)
{
    json::array all;
    std::string text;
    for (const auto& promotion : house.registry().promotions()) {
        all.push_back(as_json(promotion));
        text += fmt::format(
            "{:<32} {} to {}\n",
            promotion.id,
            ledger::format_day(promotion.from),
            ledger::format_day(promotion.to));
    }
    if (text.empty()) text = "no promotion is in force\n";
    return report(typed, all, text);
}

CommandResult approve(House& house, const Options& options, const Invocation& typed)
{
    const auto summary = fmt::format("promotion {} ", options.id);
    for (const auto& proposal : house.registry().proposals()) {
        if (proposal.kind == "promotion" && proposal.summary.starts_with(summary))
            return approve_proposal(house, proposal.id, options.as_both, typed);
    }
    return refused(fmt::format("no promotion {} waits for approval", options.id));
}

} // namespace

void declare_promotion(CLI::App& app, Invocation& invocation)
{
    auto& group = declare_group(app, "promotion", "Who funds the points of a promotion");
    const auto options = std::make_shared<Options>();
    auto& adding = declare_in_house(
        group,
        "add",
        "Prepare the promotions of a file for approval",
        invocation,
        [options](House& house, const Invocation& typed) { return add(house, *options, typed); });
    adding.add_option("FILE", options->file, "With [[promotion]] tables")
        ->required()
        ->type_name("FILE.toml");
    add_as_both_option(adding, options->as_both);
    add_json_option(adding, invocation);

    auto& listing = declare_in_house(
        group,
        "list",
        "Promotions in force",
        invocation,
        [](House& house, const Invocation& typed) { return list(house, typed); });
    add_json_option(listing, invocation);

    auto& approving = declare_in_house(
        group,
        "approve",
        "Approve a promotion that another operator prepared",
        invocation,
        [options](House& house, const Invocation& typed) {
            return approve(house, *options, typed);
        });
    approving.add_option("ID", options->id)->required();
    add_as_both_option(approving, options->as_both);
    add_json_option(approving, invocation);
}

} // namespace pointhouse::ops
