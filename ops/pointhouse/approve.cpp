#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "certs/presented.hpp"
#include "commands.hpp"

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::House;

struct Options {
    std::string what; // "list", "show", or the id of what waits
    std::string shown;
    bool as_both = false;
};

json::object row_of(const partners::Proposal& proposal)
{
    return {
        {"id", proposal.id.value()},
        {"kind", proposal.kind},
        {"summary", proposal.summary},
        {"prepared_by", proposal.actor},
        {"prepared_at", ledger::format_time(proposal.at)}};
}

CommandResult list(House& house, const Invocation& typed)
{
    json::array waiting;
    std::string text;
    for (const auto& proposal : house.registry().proposals()) {
        waiting.push_back(row_of(proposal));
        text += fmt::format(
            "{:<6} {}, prepared by {}\n", proposal.id.value(), proposal.summary, proposal.actor);
    }
    if (text.empty()) text = "nothing waits for approval\n";
    return report(typed, waiting, text);
}

/// Why a proposal could not be approved, as the wire says it.
std::string_view code_of_refusal(House& house, ledger::HouseSequence id)
{
    const auto waiting = house.registry().proposals();
    const auto found = std::ranges::find(waiting, id, &partners::Proposal::id);
    if (found == waiting.end()) return "proposal_unknown";
    return found->actor == house.act().actor ? "forbidden" : "";
}

CommandResult nothing_waits(std::string_view id)
{
    return {
        .exit_code = 1,
        .complaint = fmt::format("pointhouse: nothing waits for approval under {}\n", id),
        .code = "proposal_unknown"};
}

/// None: it is no id.
ledger::HouseSequence id_of(const std::string& typed)
{
    std::uint64_t id = 0;
    const auto* const end = typed.data() + typed.size();
    const auto [stop, error] = std::from_chars(typed.data(), end, id);
    return ledger::HouseSequence{error != std::errc{} || stop != end ? 0 : id};
}

/// What a person approves: also the message that names a member, which the record does not have.
CommandResult show(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "shows what waits");
    const auto waiting = house.registry().proposals();
    const auto found = std::ranges::find(waiting, id_of(options.shown), &partners::Proposal::id);
    if (found == waiting.end()) return nothing_waits(options.shown);
    auto shown = row_of(*found);
    const auto file = house.folder().proposal(found->id);
    const bool is_message = !found->digest.empty() && found->kind != "opening";
    shown.emplace("content", json::parse(is_message ? read_text(file) : found->content));
    return report(
        typed,
        shown,
        fmt::format(
            "{}, prepared by {}\n{}\n",
            found->summary,
            found->actor,
            json::serialize(shown.at("content"))));
}

CommandResult approve(House& house, const Options& options, const Invocation& typed)
{
    if (options.what == "show") return show(house, options, typed);
    if (!options.shown.empty()) throw CommandFailure{"give one ID, list, or show ID"};
    if (options.what == "list") return list(house, typed);
    const auto id = id_of(options.what);
    if (id.is_none()) return nothing_waits(options.what);
    return approve_proposal(house, id, options.as_both, typed);
}

} // namespace

std::string operator_of(House& house, const Invocation& typed)
{
    if (!typed.operator_name.empty()) return typed.operator_name;
    if (typed.operator_certificate.empty()) return {};
    const auto identity = certs::identity_of_files(
        house.folder().certificates(), typed.operator_certificate, ledger::SystemClock{}.now());
    const auto& certificates = house.registry().certificates();
    const auto found = certificates.find(identity.serial);
    if (identity.kind != certs::Identity::Kind::house_operator || found == certificates.end() ||
        found->second.revoked)
        throw CommandFailure{fmt::format(
            "{} is no operator's certificate in force", typed.operator_certificate.string())};
    return identity.name;
}

void require_operator(House& house, const Invocation& typed, std::string_view what)
{
    if (!house.registry().founding().production) return;
    if (!typed.operator_certificate.empty() || !typed.operator_name.empty()) return;
    throw CommandFailure{
        fmt::format("a production house {} as an operator: --operator CERT", what)};
}

partners::Registry::Act terms_act(House& house, const Invocation& typed, std::string_view what)
{
    require_operator(house, typed, what);
    auto act = house.act();
    act.prepares = house.registry().founding().production;
    return act;
}

CommandResult await_newest(House& house, const Invocation& typed)
{
    return await_approval(house, house.registry().proposals().back().id, false, typed);
}

CommandResult approve_proposal(
    House& house, ledger::HouseSequence id, bool as_both, const Invocation& typed)
{
    require_operator(house, typed, "approves");
    const auto approved = house.approve(id, as_both);
    if (!approved) {
        auto result = refused(approved.error().reason);
        result.code = code_of_refusal(house, id);
        return result;
    }
    return report(
        typed,
        {{"id", id.value()}, {"approved", true}},
        fmt::format("{} is approved and in force\n", id.value()));
}

CommandResult await_approval(
    House& house, ledger::HouseSequence id, bool as_both, const Invocation& typed)
{
    if (as_both) return approve_proposal(house, id, true, typed);
    auto result = report(
        typed,
        {{"id", id.value()}, {"approved", false}},
        fmt::format(
            "prepared; it waits for another operator: pointhouse approve {} --data {}\n",
            id.value(),
            typed.data.string()));
    result.proposal = id.value();
    return result;
}

void add_as_both_option(CLI::App& command, bool& as_both)
{
    command.add_flag("--as-both", as_both, "Sandbox: approve it oneself");
}

void declare_approve(CLI::App& app, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    auto& command = declare_in_house(
        app,
        "approve",
        "Approve what another operator prepared",
        invocation,
        [options](House& house, const Invocation& typed) {
            return approve(house, *options, typed);
        });
    command.add_option("ID", options->what, "The id of what waits, or `list`, or `show`")
        ->required();
    command.add_option("SHOWN", options->shown, "With `show`: the id of what is shown in full");
    add_as_both_option(command, options->as_both);
    add_json_option(command, invocation);
}

} // namespace pointhouse::ops
