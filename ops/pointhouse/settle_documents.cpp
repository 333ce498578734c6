#include "settle_documents.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "closed_window.hpp"
#include "commands.hpp"
#include "settlement/rendering.hpp"
#include "settlement/ubl.hpp"

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::CommandStep;
using gateway::Console;
using gateway::House;
using gateway::NextStep;
using gateway::SettlementSource;
using settlement::Document;
using settlement::IssuedDocument;

struct Options {
    std::string window;
    std::string folder;
    std::string number;
    std::string answer;
    std::string reason;
    std::string to;
    std::string late_reason;
    std::size_t line = 0; // from 1; 0: the whole document
    std::int64_t points = 0;
    std::string amount;
    bool as_both = false;
};

/// What a closed window comes to.
struct Drafts {
    ledger::Day made_on = 0;
    std::vector<Document> documents;
    std::vector<Document> too_small; // for a document
};

std::shared_ptr<SettlementSource> closed_window(House& house, const Options& options)
{
    auto source = std::make_shared<SettlementSource>(house, read_window(options.window));
    if (!source->is_closed())
        throw CommandFailure{
            fmt::format("{} is not closed; documents are made of closed windows", options.window)};
    return source;
}

/// Works the drafts of a window out, then goes on with them on the house's thread.
CommandStep with_drafts(
    std::shared_ptr<SettlementSource> source,
    std::function<CommandStep(House&, const Drafts&)> next)
{
    return gateway::LongWork{
        [source = std::move(source), next = std::move(next)](Console& console) -> gateway::WorkEnd {
            const auto settlement = source->settle(console);
            Drafts drafts{
                .made_on = source->made_on(),
                .documents = source->drafts(settlement),
                .too_small = source->too_small(settlement)};
            return NextStep{
                [next, drafts = std::move(drafts)](House& house) { return next(house, drafts); }};
        }};
}

std::string summary_of(ledger::Month window, std::span<const Document> drafts)
{
    ledger::Minor sum;
    for (const Document& draft : drafts) sum += draft.total;
    return fmt::format(
        "{} documents of {}, {}",
        drafts.size(),
        ledger::format_month(window),
        drafts.empty() ? "0" : ledger::format_minor(sum, drafts.front().currency));
}

/// The law wants to know who sells to whom, and that a seller agreed to be billed by the buyer.
void require_complete(House& house, std::span<const Document> drafts)
{
    for (const Document& draft : drafts) {
        if (const auto missing = settlement::missing_for_invoice(draft)) {
            throw CommandFailure{
                fmt::format("{}: pointhouse partner set-company, or house set-company", *missing)};
        }
        if (!settlement::is_self_billed(draft.kind) || !is_production(house)) continue;
        const auto* contract = house.registry().find_contract(draft.seller.id);
        const std::string agreed = contract ? contract->company.self_billing_agreed : "";
        const auto agreed_on = ledger::parse_day(agreed);
        if (!agreed_on || *agreed_on > issue_terms(house).today) {
            throw CommandFailure{fmt::format(
                "{} has not agreed that the house writes its invoices: self_billing_agreed of its "
                "company is {}",
                draft.seller.id,
                agreed.empty() ? "empty" : agreed)};
        }
    }
}

ledger::HouseSequence prepare(House& house, ledger::Month window, const Drafts& drafts)
{
    require_complete(house, drafts.documents);
    const auto content =
        require(house.documents().prepare(window, drafts.documents, drafts.too_small));
    const auto* before = house.documents().drafts_of(window);
    if (before && before->documents == drafts.documents) return before->proposal;
    return house.registry().propose_settlement(
        "documents", summary_of(window, drafts.documents), content, house.act());
}

/// Returns how many it issued. The last one uses the permission up.
std::size_t issue_all(
    House& house, const Drafts& drafts, const LateEntry& late, const Permitted& permitted)
{
    std::size_t count = 0;
    const auto& documents = drafts.documents;
    const bool depends_on_day = std::ranges::any_of(documents, [](const Document& document) {
        return document.tax_point() != settlement::TaxPoint::period_end;
    });
    if (depends_on_day && drafts.made_on != issue_terms(house).today)
        throw CommandFailure{"the day of the issue decides on VAT, and it just ended: once more"};
    while (const auto entry =
               require(house.documents().issue_next(late.window, documents, issue_terms(house)))) {
        const bool is_last =
            house.documents().drafts_of(late.window)->issued + 1 == documents.size();
        record_admitted(house, *entry, late, is_last ? permitted : Permitted{});
        ++count;
    }
    return count;
}

/// Prepares the documents of a closed window, and in a sandbox approves and issues them.
void issue_in_one_go(House& house, ledger::Month window, const Drafts& drafts)
{
    require(house.documents().closings().admit(window, {}));
    const auto* before = house.documents().drafts_of(window);
    if (!before || !before->is_approved ||
        house.documents().is_taxed_anew(window, drafts.documents)) {
        const auto id = prepare(house, window, drafts);
        if (const auto approved = house.approve(id, true); !approved)
            throw CommandFailure{approved.error().reason};
    }
    issue_all(house, drafts, {.window = window}, {});
}

CommandStep draft(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "prepares documents");
    return with_drafts(
        closed_window(house, options),
        [options, typed](House& served, const Drafts& drafts) -> CommandStep {
            const auto id = prepare(served, read_window(options.window), drafts);
            return await_approval(served, id, options.as_both, typed);
        });
}

CommandStep issue(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "issues documents");
    return with_drafts(
        closed_window(house, options),
        [options, typed](House& served, const Drafts& drafts) -> CommandStep {
            require_complete(served, drafts.documents);
            const LateEntry late{
                .window = read_window(options.window),
                .act = "issue " + options.window,
                .reason = options.late_reason};
            const auto admitted = admit_late(served, late, typed);
            if (admitted.waiting) return *admitted.waiting;
            const auto count = issue_all(served, drafts, late, admitted);
            return report(
                typed,
                {{"window", options.window}, {"issued", count}},
                fmt::format("{} documents of {} issued\n", count, options.window));
        });
}

CommandStep write_issued(House& house, const Options& options, const Invocation& typed)
{
    std::vector<Document> documents;
    std::map<std::string, partners::Logo> logos;
    for (const auto* issued : house.documents().documents_of(read_window(options.window))) {
        documents.push_back(issued->document);
        logos.emplace(issued->document.number, house.registry().logo_at(issued->entry));
    }
    const auto folder = typed.path(options.folder);
    return gateway::LongWork{
        [documents = std::move(documents), logos = std::move(logos), folder, typed](Console&) {
            const auto logo_of = [&](const Document& document) {
                return logos.at(document.number).png();
            };
            json::array files;
            std::string text;
            for (const auto& file : settlement::write_documents(folder, documents, logo_of)) {
                files.emplace_back(file.string());
                text += file.string() + "\n";
            }
            if (text.empty()) text = "no money moved: there is nothing to invoice\n";
            return report(typed, files, text);
        }};
}

CommandStep invoices(House& house, const Options& options, const Invocation& typed)
{
    auto source = closed_window(house, options);
    if (house.documents().is_issued(read_window(options.window)))
        return write_issued(house, options, typed);
    if (is_production(house))
        throw CommandFailure{fmt::format(
            "the documents of {} are not issued: pointhouse settle draft, approve, settle issue",
            options.window)};
    return with_drafts(
        std::move(source), [options, typed](House& served, const Drafts& drafts) -> CommandStep {
            issue_in_one_go(served, read_window(options.window), drafts);
            return write_issued(served, options, typed);
        });
}

json::value object_by_of(const Document& document)
{
    const auto last = document.object_by();
    return last ? json::value(ledger::format_day(*last)) : json::value{};
}

std::string words_of_standing(const settlement::Register& documents, const IssuedDocument& issued)
{
    std::string words{settlement::name_of(documents.standing_of(issued))};
    const auto last = issued.document.object_by();
    if (!last) return words;
    if (issued.answer().empty()) return words + ", object by " + ledger::format_day(*last);
    return issued.answer() == "lapsed" ? words + ", nobody objected" : words;
}

json::object row_of(const settlement::Register& documents, const IssuedDocument& issued)
{
    const Document& document = issued.document;
    json::array netted;
    for (const auto& [window, taken] : issued.netted)
        netted.emplace_back(ledger::format_month(window));
    return {
        {"number", document.number},
        {"type", settlement::name_of(document.kind)},
        {"window", ledger::format_month(document.window)},
        {"seller", document.seller.id},
        {"buyer", document.buyer.id},
        {"issued_on", ledger::format_day(document.issued_on)},
        {"due_on", ledger::format_day(document.due_on)},
        {"total_minor", document.total.count},
        {"credited_minor", issued.credited.count},
        {"disputed_minor", issued.disputed.count},
        {"open_minor", issued.open().count},
        {"state", settlement::name_of(documents.standing_of(issued))},
        {"answer", issued.answer()},
        {"object_by", object_by_of(document)},
        {"netted_in", netted}};
}

CommandResult list_documents(House& house, const Options& options, const Invocation& typed)
{
    static_cast<void>(house.ledger());
    house.tend(); // what nobody objected to in time counts as accepted
    const auto& documents = house.documents();
    json::array rows;
    std::string text;
    for (const auto* issued : options.window.empty()
                                  ? documents.documents()
                                  : documents.documents_of(read_window(options.window))) {
        const Document& document = issued->document;
        rows.push_back(row_of(documents, *issued));
        text += fmt::format(
            "{:<22} {:<24} {:<8} {:>14} {} {}\n",
            document.number,
            settlement::name_of(document.kind),
            document.seller.id == "house" ? document.buyer.id : document.seller.id,
            ledger::format_minor(document.total, document.currency),
            document.currency.code,
            words_of_standing(documents, *issued));
    }
    if (text.empty()) text = "no document was issued\n";
    return report(typed, rows, text);
}

/// The credit note that is asked for: over everything, or over a part of one line.
Document credit_note(
    House& house, const Document& original, const Options& options, ledger::Day day)
{
    if (options.line == 0) {
        if (options.points != 0 || !options.amount.empty())
            throw CommandFailure{"points or an amount are credited of a line: --line"};
        return settlement::full_credit_of(original, day);
    }
    if ((options.points != 0) == !options.amount.empty())
        throw CommandFailure{"of a line either --points or an --amount are credited"};
    const std::array parts{settlement::LineCredit{
        .line = options.line - 1,
        .points = options.points,
        .net = options.amount.empty() ? ledger::Minor{}
                                      : read_amount(options.amount, original.currency)}};
    auto note = settlement::credit_of(
        original, parts, house.documents().corrections_of(original.number), day);
    if (!note)
        throw CommandFailure{
            fmt::format("{}: {}", original.number, settlement::words_of(note.error()))};
    return std::move(*note);
}

CommandResult credit(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "credits documents");
    if (options.reason.empty()) throw CommandFailure{"a credit note has a reason: --reason"};
    const auto* issued = house.documents().find(options.number);
    if (!issued) throw CommandFailure{fmt::format("there is no document {}", options.number)};
    const auto terms = issue_terms(house);
    auto note = credit_note(house, issued->document, options, terms.today);
    note.reason = options.reason;
    const auto entry = require(house.documents().issue_credit(note, terms));
    const auto permitted = ask_permission(
        house,
        fmt::format(
            "credit {} {} of {}: {}",
            ledger::format_minor(note.total, note.currency),
            note.currency.code,
            options.number,
            options.reason),
        typed);
    if (permitted.waiting) return *permitted.waiting;
    record_permitted(house, entry, permitted);
    const auto& made = house.documents().documents().back()->document;
    return report(
        typed,
        {{"number", made.number}, {"corrects", options.number}, {"total_minor", made.total.count}},
        fmt::format("{} credits {}\n", made.number, options.number));
}

CommandResult sent(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "sends documents");
    house.record(require(house.documents().mark_sent(options.number, options.to)));
    return report(
        typed, {{"number", options.number}, {"state", "sent"}}, options.number + " is sent\n");
}

CommandResult answer(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "takes answers to documents");
    const auto state = settlement::find_document_state(options.answer);
    if (!state) throw CommandFailure{"an answer is accepted, queried or rejected"};
    house.record(require(house.documents().take_answer(
        {.number = options.number, .state = *state, .reason = options.reason},
        issue_terms(house).today)));
    return report(
        typed,
        {{"number", options.number}, {"state", options.answer}},
        fmt::format("{} is {}\n", options.number, options.answer));
}

} // namespace

bool is_production(House& house)
{
    return house.registry().founding().production;
}

settlement::IssueTerms issue_terms(House& house)
{
    // The terms outlive the step: the registry keeps the newest.
    const auto terms = house.registry().terms();
    return {.today = terms->calendar->day_of(house.ledger().house_time()), .terms = terms};
}

void declare_settle_documents(CLI::App& settle, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    const auto declare = declarer_of(settle, invocation, options);
    const auto with_window = [&](CLI::App& command, bool required = true) -> CLI::App& {
        auto* option = command.add_option("WINDOW", options->window, "A month, 2026-06");
        if (required) option->required();
        return command;
    };
    const auto with_number = [&](CLI::App& command) -> CLI::App& {
        command.add_option("NUMBER", options->number, "Of the document")->required();
        return command;
    };

    auto& drafting = with_window(
        declare("draft", "Prepare the documents of a closed window for approval", draft));
    add_as_both_option(drafting, options->as_both);
    add_late_option(
        with_window(
            declare("issue", "Number the approved documents of a window and book them", issue)),
        options->late_reason);
    with_window(declare(
                    "invoices",
                    "Write the issued documents of a window: UBL, PDF, JSON, CSV (a sandbox issues "
                    "them first)",
                    invoices))
        .add_option("--out", options->folder)
        ->required()
        ->type_name("DIR");
    with_window(declare("documents", "Issued documents and their states", list_documents), false);
    auto& crediting = with_number(
        declare("credit", "Issue a credit note over a document, or over a part of a line", credit));
    crediting.add_option("--line", options->line, "From 1; else the whole document");
    crediting.add_option("--points", options->points, "Of the line, at its price");
    crediting.add_option("--amount", options->amount, "Of the line, net of VAT");
    crediting.add_option("--reason", options->reason, "Why; the credit note says it");
    with_number(declare("sent", "Note that a document went out", sent))
        .add_option("--to", options->to, "Where it went");
    auto& answering =
        with_number(declare("answer", "Note what the receiver of a document said", answer));
    answering.add_option("ANSWER", options->answer, "accepted, queried or rejected")->required();
    answering.add_option("--reason", options->reason);
}

} // namespace pointhouse::ops
