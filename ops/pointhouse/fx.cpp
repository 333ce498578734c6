#include <algorithm>
#include <fmt/format.h>
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "commands.hpp"
#include "settle_documents.hpp"

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::House;

struct Options {
    std::string day;
    std::string from;
    std::string to;
    std::string rate;
    std::string id; // of what is taken back
    std::string reason;
};

ledger::Currency read_currency(const std::string& typed)
{
    const auto currency = ledger::find_currency(typed);
    if (!currency) throw CommandFailure{fmt::format("the house does not know \"{}\"", typed)};
    return *currency;
}

settlement::DailyRate read_rate(const Options& options)
{
    const auto day = ledger::parse_day(options.day);
    if (!day) throw CommandFailure{fmt::format("{} is no day, as 2026-06-30", options.day)};
    const auto rate = ledger::parse_micro(options.rate);
    if (!rate || rate->count() <= 0)
        throw CommandFailure{"a rate is a decimal above zero of at most six places, as 0.85"};
    return {
        .day = *day,
        .rate = {
            .from = read_currency(options.from),
            .to = read_currency(options.to),
            .numerator = rate->count(),
            .denominator = 1'000'000}};
}

CommandResult list_rates(House& house, const Invocation& typed)
{
    json::array rows;
    std::string text;
    const auto add = [&](const settlement::DailyRate& daily, std::string_view withdrawn) {
        const auto rate = ledger::format_micro(ledger::Micro{daily.rate.numerator});
        rows.push_back(json::object{
            {"id", daily.rate.id},
            {"day", ledger::format_day(daily.day)},
            {"from", daily.rate.from.code},
            {"to", daily.rate.to.code},
            {"rate", rate}});
        if (!withdrawn.empty()) rows.back().as_object().emplace("withdrawn", withdrawn);
        text += fmt::format(
            "{:<20} one {} is {} {}{}{}\n",
            daily.rate.id,
            daily.rate.from.code,
            rate,
            daily.rate.to.code,
            withdrawn.empty() ? "" : "; taken back: ",
            withdrawn);
    };
    for (const auto& [id, daily] : house.documents().rates()) add(daily, {});
    for (const auto& [daily, reason] : house.documents().withdrawn_rates()) add(daily, reason);
    if (text.empty()) text = "no rate is recorded\n";
    return report(typed, rows, text);
}

CommandResult set_rate(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "records rates");
    const auto rate = read_rate(options);
    // A sandbox's clock may lie behind the days whose rates are known.
    const auto now = std::max(house.ledger().house_time(), ledger::SystemClock{}.now());
    if (rate.day > house.registry().terms()->calendar->day_of(now))
        throw CommandFailure{fmt::format("{} has not come yet: it has no rate", options.day)};
    const auto entry = require(house.documents().set_rate(rate));
    const auto permitted = ask_permission(
        house,
        fmt::format(
            "record that one {} is {} {} on {}",
            options.from,
            options.rate,
            options.to,
            options.day),
        typed);
    if (permitted.waiting) return *permitted.waiting;
    record_permitted(house, entry, permitted);
    return list_rates(house, typed);
}

CommandResult withdraw_rate(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "takes rates back");
    const auto entry = require(house.documents().withdraw_rate(options.id, options.reason));
    const auto permitted = ask_permission(
        house, fmt::format("take the rate {} back: {}", options.id, options.reason), typed);
    if (permitted.waiting) return *permitted.waiting;
    record_permitted(house, entry, permitted);
    return list_rates(house, typed);
}

} // namespace

void declare_fx(CLI::App& app, Invocation& invocation)
{
    auto& group = declare_group(app, "fx", "What currencies are worth in others, day by day");
    const auto options = std::make_shared<Options>();
    auto& setting = declare_in_house(
        group,
        "set",
        "Record the rate of a day",
        invocation,
        [options](House& house, const Invocation& typed) {
            return set_rate(house, *options, typed);
        });
    setting.add_option("DAY", options->day, "2026-06-30")->required();
    setting.add_option("FROM", options->from, "EUR")->required();
    setting.add_option("TO", options->to, "USD")->required();
    setting.add_option("RATE", options->rate, "Units of TO for one of FROM, 1.0850")->required();
    add_json_option(setting, invocation);
    auto& withdrawing = declare_in_house(
        group,
        "withdraw",
        "Take a rate back that nothing was issued or booked at",
        invocation,
        [options](House& house, const Invocation& typed) {
            return withdraw_rate(house, *options, typed);
        });
    withdrawing.add_option("ID", options->id, "As fx list has it, EUR-USD-2026-06-30")->required();
    withdrawing.add_option("--reason", options->reason, "Why")->required()->check(has_words());
    add_json_option(withdrawing, invocation);
    auto& listing = declare_in_house(
        group, "list", "All rates", invocation, [](House& house, const Invocation& typed) {
            return list_rates(house, typed);
        });
    add_json_option(listing, invocation);
}

} // namespace pointhouse::ops
