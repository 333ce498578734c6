#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "document_record.hpp"
#include "register_lines.hpp"
#include "register_objections.hpp"
#include "settlement/block_invoice.hpp"
#include "settlement/register.hpp"

// How documents come about: prepared by one person, approved by another, numbered one by one.

namespace pointhouse::settlement {

namespace json = boost::json;
using ledger::Account;
using ledger::AccountLine;
using ledger::Minor;

namespace {

std::unexpected<RegisterFault> refused(std::string reason)
{
    return std::unexpected(RegisterFault{std::move(reason)});
}

void drop_earlier(Document& document)
{
    for (auto& line : document.lines) line.earlier.clear();
}

/// Whose number, dates and exact amounts do not matter: two drafts of the same postings.
bool bills_the_same(Document draft, Document recomputed)
{
    // Notes, not figures: what a month booked may have been billed since the draft was approved.
    drop_earlier(draft);
    drop_earlier(recomputed);
    draft.objection_days = recomputed.objection_days; // a term, not a figure
    // Two people said yes to the names and accounts of the draft; those of today are for the next.
    draft.seller = recomputed.seller;
    draft.buyer = recomputed.buyer;
    return json::serialize(record_of(draft)) == json::serialize(record_of(recomputed));
}

bool is_draft_of(Document draft, const Document& issued)
{
    draft.number = issued.number;
    draft.issued_on = issued.issued_on;
    draft.due_on = issued.due_on;
    return bills_the_same(std::move(draft), issued);
}

/// What drafts bill, whatever tax there is on it: exact amounts and points, above zero where a
/// statement has them so.
using ExactAndPoints = std::pair<ledger::Micro, std::int64_t>;
std::map<StatementLineKey, ExactAndPoints> untaxed(std::span<const Document> drafts)
{
    std::map<StatementLineKey, ExactAndPoints> billed;
    for (const Document& draft : drafts) {
        const bool is_turned = is_credit(draft.kind);
        for (const auto& line : draft.lines) {
            auto& [exact, points] = billed[{draft.partner, draft.supply, line.tariff, line.charge}];
            exact += is_turned ? -line.exact : line.exact;
            points += is_turned ? -line.points : line.points;
        }
    }
    return billed;
}

/// Service fee that an issuer's document takes from the unbilled: a credit limit counts it with
/// VAT of its own.
ledger::Micro billed_fee(const Document& document)
{
    if (document.supply != StatementType::issuance) return {};
    ledger::Micro fee;
    for (const DocumentLine& line : document.lines)
        if (line.charge == Charge::fee) fee += line.exact;
    if (document.booked) fee = document.booked->fee;
    return is_credit(document.kind) ? -fee : fee;
}

/// A closed window takes nothing more: a correction belongs to the one of the day.
Document dated(Document correction, ledger::Day today)
{
    correction.window = ledger::parse_month(ledger::format_day(today).substr(0, 7)).value();
    return correction;
}

bool is_final(DocumentState answer)
{
    return answer == DocumentState::accepted || answer == DocumentState::rejected;
}

} // namespace

std::string series_of(const Document& document)
{
    switch (document.kind) {
    case DocumentKind::invoice: return "INV";
    case DocumentKind::credit_note: return "CN";
    case DocumentKind::payment_statement: return "PS";
    // The supplier's numbers, which the house gives out for it.
    case DocumentKind::self_billed_invoice: return "SB-" + document.seller.id;
    case DocumentKind::self_billed_credit_note: return "SC-" + document.seller.id;
    }
    return {};
}

std::vector<AccountLine> lines_of(const Document& document, const ledger::Currency& currency)
{
    // Booked when it was bought; what goes back of it is booked with its document.
    if (document.is_prepaid())
        return document.corrects ? lines_of_block_credit(document, currency)
                                 : std::vector<AccountLine>{};
    const bool is_issuance = document.supply == StatementType::issuance;
    const bool is_houses = document.seller.id == "house";
    const std::int64_t scale = ledger::micro_per_minor(currency);
    // By its kind, not by its total: that may round to nothing in the currency of the document.
    const std::int64_t sign = is_houses != is_credit(document.kind) ? 1 : -1;
    const auto& booked = document.booked;
    const Minor total = booked ? booked->total : document.total;
    const Minor tax_due = booked ? booked->tax : document.tax;
    // What the exact amounts were rounded to: prices that hold the tax come to the whole total.
    const std::int64_t rounded = (document.is_gross() ? total : total - tax_due).count * scale;
    const std::int64_t exact = booked ? booked->exact.count() : rounded - document.rounding.count();
    // What rounding made, or rounding in another currency and back.
    const Account difference = booked ? Account::exchange : Account::rounding;

    Account accrued = Account::accrued_redemption;
    if (is_issuance) accrued = Account::unbilled;
    if (document.supply == StatementType::breakage) accrued = Account::accrued_breakage_share;
    // What a correction takes back nobody bills again: it is given up, or gained.
    if (document.corrects) accrued = Account::write_off;
    const auto owner = document.corrects ? ledger::PartnerId{} : document.partner;
    const TaxInPrices within = tax_in_prices(document);
    const Account control = is_issuance ? Account::receivable : Account::payable;
    const Account tax = is_houses ? Account::vat_output : Account::vat_input;
    std::vector<AccountLine> lines{
        {.account = control, .partner = document.partner, .amount = sign * total.count * scale},
        {.account = accrued, .partner = owner, .amount = -sign * exact},
        {.account = tax, .amount = -sign * tax_due.count * scale},
        {.account = document.corrects ? accrued : Account::service_fee,
         .amount = sign * within.fee.count * scale},
        {.account = document.corrects ? accrued : Account::redemption_margin,
         .amount = sign * within.other.count * scale},
        {.account = difference, .amount = -sign * (rounded - exact)}};
    std::erase_if(lines, [](const AccountLine& line) { return line.amount == 0; });
    return lines;
}

Registered<std::string> Register::prepare(
    ledger::Month window,
    std::span<const Document> drafts,
    std::span<const Document> too_small) const
{
    if (auto admitted = closings_.admit(window); !admitted)
        return std::unexpected(admitted.error());
    const auto* before = drafts_of(window);
    if (before && before->is_approved && !is_taxed_anew(window, drafts)) {
        return refused(fmt::format(
            "the documents of {} are approved; what is wrong with one is corrected by a credit "
            "note",
            ledger::format_month(window)));
    }
    // What is issued stays; drafts of before it was are gone where a proposal was turned down.
    std::size_t place = 0;
    for (const auto* issued : documents_of(window)) {
        if (issued->document.corrects) continue;
        const bool is_there = place < drafts.size() && is_draft_of(drafts[place], issued->document);
        ++place;
        if (!is_there)
            return refused(fmt::format(
                "{} is issued, and the journal gives another document", issued->document.number));
    }
    json::object content{{"window", ledger::format_month(window)}};
    const auto add = [&](std::string_view key, std::span<const Document> prepared) -> std::string {
        json::array records;
        for (const Document& draft : prepared) {
            if (!is_in_range(draft)) {
                return fmt::format(
                    "{} {} of {} comes to more than a document can: {} {}",
                    name_of(draft.kind),
                    draft.seller.id == "house" ? draft.buyer.id : draft.seller.id,
                    ledger::format_month(window),
                    ledger::format_micro(
                        ledger::Micro{static_cast<std::int64_t>(document_amount_max)}),
                    draft.currency.code);
            }
            records.push_back(record_of(draft));
        }
        content.emplace(key, std::move(records));
        return {};
    };
    if (auto fault = add("documents", drafts); !fault.empty()) return refused(std::move(fault));
    if (auto fault = add("too_small", too_small); !fault.empty()) return refused(std::move(fault));
    return json::serialize(content);
}

bool Register::is_taxed_anew(ledger::Month window, std::span<const Document> recomputed) const
{
    const auto* drafts = drafts_of(window);
    if (!drafts || !drafts->is_approved) return false;
    const std::span<const Document> approved{drafts->documents};
    const std::size_t issued = drafts->issued;
    if (issued == approved.size() || recomputed.size() < issued) return false;
    const auto is_same = [](const Document& left, const Document& right) {
        return bills_the_same(left, right);
    };
    if (!std::ranges::equal(approved.first(issued), recomputed.first(issued), is_same))
        return false;
    const auto left = approved.subspan(issued);
    const auto now = recomputed.subspan(issued);
    return !std::ranges::equal(left, now, is_same) && untaxed(left) == untaxed(now);
}

Registered<std::optional<NewEntry>> Register::issue_next(
    ledger::Month window, std::span<const Document> recomputed, const IssueTerms& terms) const
{
    if (auto admitted = closings_.admit(window); !admitted)
        return std::unexpected(admitted.error());
    const auto* drafts = drafts_of(window);
    if (!drafts) return refused(fmt::format("{} has no drafts yet", ledger::format_month(window)));
    if (!drafts->is_approved)
        return refused(fmt::format(
            "the documents of {} wait for approval: {}",
            ledger::format_month(window),
            drafts->proposal.value()));
    const std::size_t next = drafts->issued;
    if (next == drafts->documents.size()) return std::nullopt;
    const Document& draft = drafts->documents[next];
    if (recomputed.size() != drafts->documents.size() || !bills_the_same(draft, recomputed[next])) {
        if (is_taxed_anew(window, recomputed))
            return refused(fmt::format(
                "the VAT of {} is another on the day of its issue than it was approved with: the "
                "documents are prepared and approved anew",
                ledger::format_month(window)));
        return refused(fmt::format(
            "the journal gives other figures than the approved draft {} of {}: {} {}",
            next + 1,
            ledger::format_month(window),
            name_of(draft.kind),
            draft.seller.id == "house" ? draft.buyer.id : draft.seller.id));
    }
    return issue_entry(draft, terms);
}

std::vector<Document> Register::corrections_of(std::string_view number) const
{
    std::vector<Document> corrections;
    for (const auto* issued : documents()) {
        const auto& corrects = issued->document.corrects;
        if (corrects && corrects->number == number &&
            !adds_to(issued->document, issued_document(number).document))
            corrections.push_back(issued->document);
    }
    return corrections;
}

Registered<NewEntry> Register::issue_credit(const Document& credit, const IssueTerms& terms) const
{
    const auto* original = credit.corrects ? find(credit.corrects->number) : nullptr;
    if (!original) return refused("there is no such document to credit");
    if (original->document.corrects) return refused("a correction is not corrected");
    if (original->document.is_prepaid())
        return refused("a block was bought and paid: it is not credited");
    const Minor left = magnitude(original->document.total) - original->credited;
    // Of its own kind, with the other sign, is only what corrects a payment statement.
    const bool is_negated = credit.kind == original->document.kind;
    const bool takes_back = is_negated ? credit.total.count * original->document.total.count < 0
                                       : credit.total.count > 0;
    if (!takes_back || magnitude(credit.total) > left)
        return refused(fmt::format(
            "{} has {} left to credit",
            original->document.number,
            ledger::format_minor(left, credit.currency)));
    return issue_entry(dated(credit, terms.today), terms);
}

Registered<NewEntry> Register::issue_further(const Document& further, const IssueTerms& terms) const
{
    const auto* original = further.corrects ? find(further.corrects->number) : nullptr;
    if (!original || !is_self_billed(further.kind) || !adds_to(further, original->document))
        return refused("there is no self-billed document that bills too little");
    if (original->document.corrects) return refused("a correction is not corrected");
    if (further.total.count <= 0) return refused("a further document bills more than nothing");
    return issue_entry(dated(further, terms.today), terms);
}

NewEntry Register::issue_entry(Document document, const IssueTerms& terms) const
{
    const std::string day = ledger::format_day(terms.today);
    const std::string series = series_of(document) + "-" + day.substr(0, 4);
    const auto last = last_numbers_.find(series);
    const std::int64_t place = last == last_numbers_.end() ? 1 : last->second + 1;
    document.number = fmt::format("{}-{:06}", series, place);
    document.issued_on = terms.today;
    if (!document.is_prepaid()) {
        const auto& program = document.program;
        const ledger::Day due_on = calendar_.dates_of(document.window, program).due_on;
        // Nothing is due before it is billed: what comes late has its days from then on.
        const bool counts_anew = document.corrects.has_value() || due_on < terms.today;
        document.due_on = counts_anew ? calendar_.due_on(terms.today, program) : due_on;
    }
    const auto lines = lines_of(document, terms.terms->currency);
    json::object content{{"series", series}, {"place", place}, {"document", record_of(document)}};
    if (!document.is_prepaid() || document.corrects)
        content.emplace("lines_micro", lines_object(lines, *terms.terms));
    if (const auto fee = billed_fee(document); fee.count() != 0 && !document.corrects)
        content.emplace("fee_micro", fee.count());
    return {.kind = "document_issued", .content = json::serialize(content)};
}

Registered<NewEntry> Register::mark_sent(std::string_view number, std::string_view to) const
{
    const auto* issued = find(number);
    if (!issued) return refused(fmt::format("there is no document {}", number));
    if (!issued->waits_to_be_sent())
        return refused(fmt::format("{} is {} already", number, name_of(issued->state)));
    return NewEntry{
        .kind = "document_sent",
        .content = json::serialize(json::object{{"number", number}, {"to", to}})};
}

Registered<NewEntry> Register::take_answer(const DocumentAnswer& answer, ledger::Day today) const
{
    const auto& [number, state, reason, message_id] = answer;
    const auto* issued = find(number);
    if (!issued) return refused(fmt::format("there is no document {}", number));
    if (state == DocumentState::issued || state == DocumentState::sent)
        return refused("an answer is accepted, queried or rejected");
    if (is_final(issued->state))
        return refused(fmt::format("{} is {} already", number, name_of(issued->state)));
    if (state != DocumentState::accepted && reason.empty())
        return refused("a document is queried or rejected for a reason");
    // What was queried in time may still be accepted.
    const bool ends_a_query = !issued->answer().empty() && state == DocumentState::accepted;
    const auto last = issued->document.object_by();
    if (last && today > *last && !ends_a_query) return objected_too_late(issued->document);
    json::object content{{"number", number}, {"answer", name_of(state)}, {"reason", reason}};
    if (!message_id.empty()) content.emplace("message_id", message_id);
    return NewEntry{.kind = "document_answered", .content = json::serialize(content)};
}

const DocumentAnswer* Register::find_answer_message(
    ledger::PartnerId partner, std::string_view message_id) const
{
    const auto found = answer_messages_.find({partner, std::string{message_id}});
    return found == answer_messages_.end() ? nullptr : &found->second;
}

std::vector<NewEntry> Register::count_as_accepted(ledger::Day today) const
{
    std::set<std::string_view> contested;
    for (const auto& [id, dispute] : disputes_)
        if (dispute.is_open()) contested.insert(dispute.document);
    std::vector<NewEntry> lapsed;
    for (const auto& [number, issued] : issued_) {
        const auto last = issued.document.object_by();
        if (!last || today <= *last || !issued.answer().empty() || contested.contains(number))
            continue;
        const auto reason = fmt::format("no objection until {}", ledger::format_day(*last));
        lapsed.push_back(
            {.kind = "document_answered",
             .content = json::serialize(json::object{
                 {"number", number},
                 {"answer", name_of(DocumentState::accepted)},
                 {"reason", reason},
                 {"lapsed", true}})});
    }
    return lapsed;
}

} // namespace pointhouse::settlement
