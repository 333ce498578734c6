#include <fmt/format.h>
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "commands.hpp"
#include "estimates_file.hpp"
#include "settle_documents.hpp"

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::House;
using settlement::RecordedEstimate;

struct Options {
    std::string file;
    std::string issuer; // whose version is taken back
    std::int32_t version = 0;
    std::string reason;
};

std::string rate_text(std::int32_t millionths)
{
    return ledger::format_micro(ledger::Micro{millionths});
}

json::object row_of(const RecordedEstimate& estimate, const ledger::Terms& terms)
{
    json::object row{
        {"issuer", terms.partner(estimate.issuer).name},
        {"version", estimate.version},
        {"as_of", ledger::format_day(estimate.as_of)},
        {"ultimate_redemption_rate", rate_text(estimate.redemption_rate_millionths)},
        {"known_at", ledger::format_time(estimate.known_at)}};
    if (!estimate.withdrawn_at) return row;
    row.emplace("withdrawn_at", ledger::format_time(*estimate.withdrawn_at));
    row.emplace("withdrawn", estimate.reason);
    return row;
}

CommandResult list(House& house, const Invocation& typed)
{
    const auto terms = house.registry().terms();
    json::array rows;
    std::string text;
    for (const auto& estimate : house.documents().estimates()) {
        rows.push_back(row_of(estimate, *terms));
        text += fmt::format(
            "{} version {}, as of {}: {}, known at {}{}{}\n",
            terms->partner(estimate.issuer).name,
            estimate.version,
            ledger::format_day(estimate.as_of),
            rate_text(estimate.redemption_rate_millionths),
            ledger::format_time(estimate.known_at),
            estimate.withdrawn_at ? "; taken back: " : "",
            estimate.reason);
    }
    if (text.empty()) text = "nothing is estimated\n";
    return report(typed, rows, text);
}

/// What the file says, judged one after the other as they will be recorded; all or none.
std::vector<settlement::NewEntry> entries_of(
    House& house, std::span<const NamedEstimate> named, ledger::Time now)
{
    const auto terms = house.registry().terms();
    auto documents = house.documents();
    std::vector<settlement::NewEntry> entries;
    for (const auto& each : named) {
        const auto entry = require(documents.estimate(
            {.issuer = require_partner(house, each.issuer).partner,
             .as_of = each.as_of,
             .redemption_rate_millionths = each.ultimate_redemption_rate.numerator,
             .known_at = now,
             .reason = {}},
            *terms));
        documents.apply({.kind = entry.kind, .content = entry.content});
        entries.push_back(entry);
    }
    if (entries.empty()) throw CommandFailure{"the file has no [[estimate]]"};
    return entries;
}

std::string act_of(std::span<const NamedEstimate> named)
{
    std::string act = "estimate";
    for (const auto& each : named) {
        act += fmt::format(
            "{} {} {} as of {}",
            act == "estimate" ? "" : ",",
            each.issuer,
            rate_text(each.ultimate_redemption_rate.numerator),
            ledger::format_day(each.as_of));
    }
    return act;
}

CommandResult add(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "estimates breakage");
    const auto named = read_estimates(typed.path(options.file));
    const auto entries = entries_of(house, named, house.ledger().house_time());
    const auto permitted = ask_permission(house, act_of(named), typed);
    if (permitted.waiting) return *permitted.waiting;
    // The last one uses the permission up.
    for (const auto& entry : entries)
        record_permitted(house, entry, &entry == &entries.back() ? permitted : Permitted{});
    return list(house, typed);
}

CommandResult withdraw(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "takes estimates back");
    const auto& issuer = require_partner(house, options.issuer);
    const auto entry = require(house.documents().withdraw_estimate(
        {.issuer = issuer.partner, .version = options.version, .reason = {}},
        options.reason,
        house.ledger().house_time()));
    const auto permitted = ask_permission(
        house,
        fmt::format(
            "take version {} of {}'s estimate back: {}",
            options.version,
            options.issuer,
            options.reason),
        typed);
    if (permitted.waiting) return *permitted.waiting;
    record_permitted(house, entry, permitted);
    return list(house, typed);
}

} // namespace

void declare_estimate(CLI::App& app, Invocation& invocation)
{
    auto& group = declare_group(
        app, "estimate", "How many points will be redeemed: versions of what the house expects");
    const auto options = std::make_shared<Options>();
    auto& adding = declare_in_house(
        group,
        "add",
        "Record further versions of the estimate; two people do",
        invocation,
        [options](House& house, const Invocation& typed) { return add(house, *options, typed); });
    adding.add_option("FILE", options->file, "With [[estimate]] tables")
        ->required()
        ->type_name("FILE.toml");
    add_json_option(adding, invocation);

    auto& withdrawing = declare_in_house(
        group,
        "withdraw",
        "Take the newest version of an issuer back; two people do",
        invocation,
        [options](House& house, const Invocation& typed) {
            return withdraw(house, *options, typed);
        });
    withdrawing.add_option("ISSUER", options->issuer, "The partner's id")->required();
    withdrawing.add_option("VERSION", options->version, "As estimate list has it")->required();
    withdrawing.add_option("--reason", options->reason, "Why")->required()->check(has_words());
    add_json_option(withdrawing, invocation);

    auto& listing = declare_in_house(
        group, "list", "All versions", invocation, [](House& house, const Invocation& typed) {
            return list(house, typed);
        });
    add_json_option(listing, invocation);
}

} // namespace pointhouse::ops
