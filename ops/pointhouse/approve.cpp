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
    std::string what; // "list", "show", "reject", or the id of what waits
    std::string id;   // of what is shown or rejected
    std::string reason;
    bool as_both = false;
};

/// A value of JSON for people: a line for each figure.
void append_tree(const json::value& value, std::size_t depth, std::string& text)
{
    const auto append = [&](std::string_view name, const json::value& each) {
        text += fmt::format("{:{}}{}:", "", depth, name);
        if (!each.is_structured()) {
            const auto words =
                each.is_string() ? std::string{each.get_string()} : json::serialize(each);
            // A file in base64 is not for people, who have its SHA-256 beside it.
            text += name == "png" ? fmt::format(" {} characters; --json has them\n", words.size())
                                  : fmt::format(" {}\n", words);
            return;
        }
        text += '\n';
        append_tree(each, depth + 2, text);
    };
    if (const auto* object = value.if_object())
        for (const auto& [name, each] : *object) append(name, each);
    if (const auto* array = value.if_array())
        for (std::size_t place = 0; place < array->size(); ++place)
            append(std::to_string(place + 1), (*array)[place]);
}

json::object proposal_as_json(const partners::Proposal& proposal)
{
    return {
        {"id", proposal.id.value()},
        {"kind", proposal.kind},
        {"summary", proposal.summary},
        {"prepared_by", proposal.actor},
        {"prepared_at", ledger::format_time(proposal.at)},
        {"state", "waiting"},
        {"content", json::parse(proposal.content)}};
}

CommandResult list(House& house, const Invocation& typed)
{
    json::array waiting;
    std::string text;
    for (const auto& proposal : house.registry().proposals()) {
        waiting.push_back(proposal_as_json(proposal));
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

CommandResult nothing_waits_under(std::string_view id)
{
    return {
        .exit_code = 1,
        .complaint = fmt::format("pointhouse: nothing waits for approval under {}\n", id),
        .code = "proposal_unknown"};
}

CommandResult nothing_waits_under(House& house, ledger::HouseSequence id)
{
    auto result = nothing_waits_under(std::to_string(id.value()));
    if (const auto* decided = house.registry().find_decided(id))
        result.complaint = fmt::format(
            "pointhouse: nothing waits for approval under {}: {}\n",
            id.value(),
            gateway::words_of(id, *decided));
    return result;
}

/// What the ledger made of an operator's message; none: nothing yet, or it keeps no trace of it.
std::optional<ledger::Outcome> outcome_of(House& house, const partners::DecidedProposal& decided)
{
    ledger::Outcome outcome;
    if (decided.message_id.empty() ||
        !house.ledger().find_outcome(ledger::PartnerId{}, decided.message_id, outcome))
        return std::nullopt;
    return outcome;
}

// What it said is gone where it named a member; what became of it stays.
CommandResult show_decided(
    House& house,
    ledger::HouseSequence id,
    const partners::DecidedProposal& decided,
    const Invocation& typed)
{
    json::object shown{
        {"id", id.value()},
        {"kind", decided.kind},
        {"summary", decided.summary},
        {"prepared_by", decided.prepared_by},
        {"prepared_at", ledger::format_time(decided.prepared_at)},
        {"state", decided.is_approved ? "approved" : "rejected"},
        {"decided_by", decided.decided_by},
        {"decided_at", ledger::format_time(decided.decided_at)}};
    if (!decided.reason.empty()) shown.emplace("reason", decided.reason);
    auto text = fmt::format(
        "{}, prepared by {} at {}\n  {}, at {}\n",
        decided.summary,
        decided.prepared_by,
        ledger::format_time(decided.prepared_at),
        gateway::words_of(id, decided),
        ledger::format_time(decided.decided_at));
    const auto outcome = decided.is_approved ? outcome_of(house, decided) : std::nullopt;
    if (outcome && outcome->record.refusal) {
        const auto code = ledger::code_of(*outcome->record.refusal);
        shown["state"] = "refused";
        shown.emplace("code", code);
        text += fmt::format("  the ledger refused it: {}\n", code);
    }
    return report(typed, std::move(shown), text);
}

// Who approves sees all of what he approves, also the message that names a member, which the
// house's record does not have.
CommandResult show(House& house, ledger::HouseSequence id, const Invocation& typed)
{
    require_operator(house, typed, "shows what waits");
    const auto waiting = house.registry().proposals();
    const auto found = std::ranges::find(waiting, id, &partners::Proposal::id);
    if (found == waiting.end()) {
        const auto* const decided = house.registry().find_decided(id);
        return decided ? show_decided(house, id, *decided, typed) : nothing_waits_under(house, id);
    }
    std::string text = fmt::format(
        "{}, prepared by {} at {}\n", found->summary, found->actor, ledger::format_time(found->at));
    auto shown = proposal_as_json(*found);
    const bool is_message = !found->digest.empty() && found->kind != "opening";
    if (is_message) shown["content"] = json::parse(read_text(house.folder().proposal(id)));
    append_tree(shown.at("content"), 2, text);
    return report(typed, std::move(shown), text);
}

CommandResult reject(
    House& house, ledger::HouseSequence id, const std::string& reason, const Invocation& typed)
{
    require_operator(house, typed, "turns proposals down");
    const auto rejected = house.reject(id, reason);
    if (!rejected) return nothing_waits_under(house, id);
    return report(
        typed,
        {{"id", id.value()}, {"rejected", true}},
        fmt::format("{} is turned down and waits no more\n", id.value()));
}

CommandResult approve(House& house, const Options& options, const Invocation& typed)
{
    if (options.what == "list") return list(house, typed);
    const bool is_other = options.what == "show" || options.what == "reject";
    const std::string& typed_id = is_other ? options.id : options.what;
    std::uint64_t number = 0;
    const auto* const end = typed_id.data() + typed_id.size();
    const auto [stop, error] = std::from_chars(typed_id.data(), end, number);
    if (error != std::errc{} || stop != end || number == 0) return nothing_waits_under(typed_id);
    const ledger::HouseSequence id{number};
    if (options.what == "show") return show(house, id, typed);
    if (options.what == "reject") return reject(house, id, options.reason, typed);
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

std::optional<CommandResult> fault_of_approved(House& house, ledger::HouseSequence id)
{
    const auto* const decided = house.registry().find_decided(id);
    if (!decided) return std::nullopt;
    const auto outcome = outcome_of(house, *decided);
    if (!outcome || !outcome->record.refusal) return std::nullopt;
    const auto code = ledger::code_of(*outcome->record.refusal);
    auto result = refused(fmt::format("approved; but it was refused: {}", code));
    result.code = code;
    result.is_replayed = true;
    return result;
}

CommandResult await_newest(House& house, const Invocation& typed)
{
    return await_approval(house, house.registry().proposals().back().id, false, typed);
}

CommandResult approve_proposal(
    House& house, ledger::HouseSequence id, bool as_both, const Invocation& typed)
{
    require_operator(house, typed, "approves");
    if (house.registry().find_decided(id)) return nothing_waits_under(house, id);
    const auto approved = house.approve(id, as_both);
    if (!approved) {
        auto result = refused(approved.error().reason);
        const auto code = approved.error().code;
        result.code = code.empty() ? code_of_refusal(house, id) : code;
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
    command
        .add_option("ID", options->what, "The id of what waits; or `list`, `show ID`, `reject ID`")
        ->required();
    command.add_option("OF", options->id, "The id of what is shown or rejected");
    command.add_option("--reason", options->reason, "Why it is rejected");
    add_as_both_option(command, options->as_both);
    add_json_option(command, invocation);
}

} // namespace pointhouse::ops
