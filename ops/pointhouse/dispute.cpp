#include <fmt/format.h>
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "commands.hpp"
#include "settle_documents.hpp"
#include "settlement/dispute_json.hpp"

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::House;
using settlement::Dispute;

struct Options {
    std::string id;
    std::string document;
    std::size_t line = 1;
    std::string amount;
    std::string billed = "too_much";
    std::string reason;
    std::string words;
};

/// Of an open one until when somebody is to act; of a decided one the document that it came to.
std::string what_comes(const settlement::Dispute& dispute, ledger::Day today)
{
    if (!dispute.is_open()) {
        const std::string_view done =
            dispute.billed == settlement::Billed::too_little ? "billed" : "credited";
        return dispute.credit.empty() ? fmt::format(", nothing is {}", done)
                                      : fmt::format(", {} by {}", done, dispute.credit);
    }
    return fmt::format(
        ", to be acted on by {}{}",
        ledger::format_day(dispute.act_by),
        dispute.is_overdue(today)    ? ", overdue"
        : dispute.is_due_soon(today) ? ", due soon"
                                     : "");
}

/// In which a document is, and so all that is contested of it; the house's of one that is not
/// there.
const ledger::Currency& currency_of(House& house, std::string_view document)
{
    const auto* issued = house.documents().find(document);
    return issued ? issued->document.currency : house.registry().terms()->currency;
}

ledger::Day today_of(House& house)
{
    return issue_terms(house).today;
}

CommandResult show(House& house, std::string_view id, const Invocation& typed)
{
    const auto& dispute = house.documents().disputes().find(id)->second;
    return report(
        typed,
        settlement::dispute_json(dispute, today_of(house)),
        fmt::format(
            "{} about line {} of {} is {}{}\n",
            dispute.id,
            dispute.line,
            dispute.document,
            settlement::name_of(dispute.stage),
            what_comes(dispute, today_of(house))));
}

CommandResult open(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "opens disputes");
    const auto billed = settlement::find_billed(options.billed);
    if (!billed) throw CommandFailure{"a line bills too_much or too_little"};
    house.record(require(house.documents().open_dispute(
        {.document = options.document,
         .line = options.line,
         .billed = *billed,
         .net = read_amount(options.amount, currency_of(house, options.document)),
         .reason = options.reason,
         .evidence = options.words},
        today_of(house))));
    return show(house, house.documents().disputes().rbegin()->first, typed);
}

CommandResult answer(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "answers disputes");
    house.record(
        require(house.documents().answer_dispute(options.id, options.words, today_of(house))));
    return show(house, options.id, typed);
}

CommandResult escalate(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "escalates disputes");
    house.record(
        require(house.documents().escalate_dispute(options.id, options.words, today_of(house))));
    return show(house, options.id, typed);
}

CommandResult decide(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "decides disputes");
    const auto& disputes = house.documents().disputes();
    const auto found = disputes.find(options.id);
    const auto& currency =
        currency_of(house, found == disputes.end() ? "" : found->second.document);
    const auto entry = require(house.documents().decide_dispute(
        options.id, read_amount(options.amount, currency), options.words, issue_terms(house)));
    const auto permitted = ask_permission(
        house,
        fmt::format("decide {} with {}: {}", options.id, options.amount, options.words),
        typed);
    if (permitted.waiting) return *permitted.waiting;
    record_permitted(house, entry, permitted);
    return show(house, options.id, typed);
}

/// What nobody acted on in time ends as its stage says: a house that serves does it by itself.
CommandResult lapse(House& house, const Options& /*options*/, const Invocation& typed)
{
    require_operator(house, typed, "ends disputes");
    json::array ended;
    const auto today = today_of(house);
    const auto overdue = house.documents().overdue_disputes(today);
    house.tend();
    for (const auto& id : overdue)
        ended.push_back(
            settlement::dispute_json(house.documents().disputes().find(id)->second, today));
    const auto text = fmt::format("{} disputes ended because nobody acted in time\n", ended.size());
    return report(typed, ended, text);
}

CommandResult list(House& house, const Options& /*options*/, const Invocation& typed)
{
    json::array rows;
    std::string text;
    const auto today = today_of(house);
    for (const auto& [id, dispute] : house.documents().disputes()) {
        rows.push_back(settlement::dispute_json(dispute, today));
        const auto& currency = currency_of(house, dispute.document);
        text += fmt::format(
            "{} {} line {} {:>10} {} {}{}\n",
            id,
            dispute.document,
            dispute.line,
            ledger::format_minor(dispute.net, currency),
            currency.code,
            settlement::name_of(dispute.stage),
            what_comes(dispute, today));
    }
    if (text.empty()) text = "nothing is disputed\n";
    return report(typed, rows, text);
}

} // namespace

void declare_dispute(CLI::App& app, Invocation& invocation)
{
    auto& group = declare_group(app, "dispute", "What partners contest of their documents");
    const auto options = std::make_shared<Options>();
    const auto declare = declarer_of(group, invocation, options);
    auto& opening = declare("open", "Contest a part of a line; only that is held back", open);
    opening.add_option("NUMBER", options->document, "Of the document")->required();
    opening.add_option("--line", options->line, "From 1")->capture_default_str();
    opening.add_option("--amount", options->amount, "Net of VAT")->required();
    opening
        .add_option(
            "--billed", options->billed, "too_much, or, of a self-billed document, too_little")
        ->capture_default_str();
    opening.add_option("--reason", options->reason, "A Peppol code: QTY, PRI, OTH, …")->required();
    opening.add_option("--evidence", options->words, "What shows it")->required();
    auto& answering = declare("answer", "Say that the house does not agree, and why", answer);
    answering.add_option("DISPUTE", options->id)->required();
    answering.add_option("--words", options->words)->required();
    auto& escalating = declare("escalate", "The partner insists", escalate);
    escalating.add_option("DISPUTE", options->id)->required();
    escalating.add_option("--words", options->words)->required();
    auto& deciding = declare("decide", "End it; what is agreed is one correcting document", decide);
    deciding.add_option("DISPUTE", options->id)->required();
    deciding.add_option("--agreed", options->amount, "Net of VAT; 0: nothing")->required();
    deciding.add_option("--words", options->words)->required();
    declare("lapse", "End what nobody acted on in time, as its stage says", lapse);
    declare("list", "All disputes", list);
}

} // namespace pointhouse::ops
