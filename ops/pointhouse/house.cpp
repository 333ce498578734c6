#include <fmt/format.h>
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "commands.hpp"
#include "house_logo.hpp"
#include "set_company.hpp"

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::House;

struct Options {
    std::string file;
    std::string reason;
    bool as_both = false;
};

CommandResult set_terms(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "changes its terms");
    auto& registry = house.registry();
    const auto table = partners::parse_house_terms(
        read_text(typed.path(options.file)), *registry.terms()->calendar);
    if (!table) return refused(fmt::format("{}: {}", options.file, table.error().reason));
    const auto proposed = registry.propose_house_terms(*table, house.act());
    if (!proposed) return refused(proposed.error().reason);
    return await_approval(house, *proposed, options.as_both, typed);
}

CommandResult show(House& house, const Invocation& typed)
{
    const auto& founding = house.registry().founding();
    const auto& terms = house.registry().terms()->house;
    json::value approval;
    if (terms.approval_above) approval = terms.approval_above->count();
    json::array approval_of;
    for (const auto act : terms.approval_of) approval_of.emplace_back(ledger::name_of(act));
    json::object shown{
        {"currency", founding.currency},
        {"time_zone", founding.time_zone},
        {"face_value", founding.face_value},
        {"late_window_days", founding.late_window_days},
        {"production", founding.production},
        {"refund_grace_days", terms.refund_grace_days},
        {"inactivity_months", terms.inactivity_months},
        {"approval_above_points", approval},
        {"approval_of", approval_of},
        {"logo", logo_as_json(house.registry().logo())}};
    const auto& programs = house.registry().programs();
    if (!programs.empty()) shown.emplace("programs", json::array(programs.begin(), programs.end()));
    std::string text;
    for (const auto& [key, value] : shown)
        text += fmt::format("{:<22} {}\n", std::string_view{key}, json::serialize(value));
    return report(typed, shown, text);
}

} // namespace

void declare_house(CLI::App& app, Invocation& invocation)
{
    auto& group = declare_group(app, "house", "The terms of the house as a whole");
    const auto options = std::make_shared<Options>();
    auto& setting = declare_in_house(
        group,
        "set-terms",
        "Prepare a change of the terms in a file's [house] table for approval",
        invocation,
        [options](House& house, const Invocation& typed) {
            return set_terms(house, *options, typed);
        });
    setting.add_option("FILE", options->file, "With a [house] table")
        ->required()
        ->type_name("FILE.toml");
    add_as_both_option(setting, options->as_both);
    add_json_option(setting, invocation);

    auto& company = declare_in_house(
        group,
        "set-company",
        "Say who the house is before the law and to its bank",
        invocation,
        [options](House& house, const Invocation& typed) {
            return set_company(house, {}, options->file, typed);
        });
    company.add_option("FILE", options->file, "With one [company] table")
        ->required()
        ->type_name("FILE.toml");
    add_json_option(company, invocation);

    auto& logo = declare_in_house(
        group,
        "set-logo",
        "Give the house a logo, on what it issues from now on",
        invocation,
        [options](House& house, const Invocation& typed) {
            return set_logo(house, options->file, typed);
        });
    logo.add_option("FILE", options->file, "A PNG of at most 64 KiB, 1000 pixels wide and 300 high")
        ->required()
        ->type_name("FILE.png");
    add_json_option(logo, invocation);

    auto& withdrawing = declare_in_house(
        group,
        "withdraw-logo",
        "Have the drawn mark again, on what is issued from now on",
        invocation,
        [options](House& house, const Invocation& typed) {
            return withdraw_logo(house, options->reason, typed);
        });
    withdrawing.add_option("--reason", options->reason, "Why")->required()->check(has_words());
    add_json_option(withdrawing, invocation);

    auto& showing = declare_in_house(
        group,
        "show",
        "The terms in force, and whether there is a logo",
        invocation,
        [](House& house, const Invocation& typed) { return show(house, typed); });
    add_json_option(showing, invocation);
}

} // namespace pointhouse::ops
