#include <algorithm>
#include <array>
#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "entry_fields.hpp"
#include "register_objections.hpp"
#include "settlement/register.hpp"

// What partners contest of issued documents, and how it ends.

namespace pointhouse::settlement {

namespace json = boost::json;
using ledger::Minor;

namespace {

std::unexpected<RegisterFault> refused(std::string reason)
{
    return std::unexpected(RegisterFault{std::move(reason)});
}

DisputeStage stage_at(const json::object& content)
{
    constexpr std::array all{DisputeStage::opened, DisputeStage::answered, DisputeStage::escalated};
    const auto name = text_at(content, "stage");
    const auto* found = std::ranges::find(all, name, [](auto stage) { return name_of(stage); });
    if (found == all.end()) throw std::invalid_argument{"there is no such stage of a dispute"};
    return *found;
}

NewEntry stage_entry(
    const Dispute& dispute, DisputeStage stage, ledger::Day act_by, std::string_view words)
{
    return {
        .kind = "dispute_moved",
        .content = json::serialize(json::object{
            {"dispute", dispute.id},
            {"stage", name_of(stage)},
            {"act_by", ledger::format_day(act_by)},
            {"words", words}})};
}

/// What nobody did in time is not done any more: the side that did not have to act relies on it.
std::unexpected<RegisterFault> too_late(const Dispute& dispute)
{
    return refused(fmt::format(
        "the last day to act on {} was {}: it ends with {} agreed",
        dispute.id,
        ledger::format_day(dispute.act_by),
        dispute.default_agreement().count == 0 ? "nothing" : "all of it"));
}

/// How a dispute ends.
struct Outcome {
    const Dispute& dispute;
    Minor agreed;
    std::string_view words;
};

/// The decision and its one correcting document are one entry: neither is there without the other.
Registered<NewEntry> decision_on(
    const Outcome& outcome, const Register& documents, const IssueTerms& terms)
{
    const Dispute& dispute = outcome.dispute;
    json::object content{
        {"dispute", dispute.id}, {"agreed_minor", outcome.agreed.count}, {"words", outcome.words}};
    if (outcome.agreed.count == 0)
        return NewEntry{.kind = "dispute_decided", .content = json::serialize(content)};

    const Document& original = documents.find(dispute.document)->document;
    const auto reason = fmt::format("Dispute {}", dispute.id);
    Registered<NewEntry> entry;
    if (dispute.billed == Billed::too_little) {
        auto further = further_of(original, dispute.line - 1, outcome.agreed, terms.today);
        further.reason = reason;
        entry = documents.issue_further(further, terms);
    } else {
        const std::array<LineCredit, 1> parts{{{.line = dispute.line - 1, .net = outcome.agreed}}};
        auto credit =
            credit_of(original, parts, documents.corrections_of(original.number), terms.today);
        if (!credit) return refused(std::string{words_of(credit.error())});
        credit->reason = reason;
        entry = documents.issue_credit(*credit, terms);
    }
    if (!entry) return entry;
    auto issued = json::parse(entry->content).as_object();
    issued.emplace("dispute", std::move(content));
    entry->content = json::serialize(issued);
    return entry;
}

} // namespace

std::string_view name_of(DisputeStage stage) noexcept
{
    switch (stage) {
    case DisputeStage::opened: return "opened";
    case DisputeStage::answered: return "answered";
    case DisputeStage::escalated: return "escalated";
    case DisputeStage::decided: return "decided";
    }
    return "unknown";
}

std::string_view name_of(Billed billed) noexcept
{
    return billed == Billed::too_little ? "too_little" : "too_much";
}

std::optional<Billed> find_billed(std::string_view name) noexcept
{
    for (const auto billed : {Billed::too_much, Billed::too_little})
        if (name_of(billed) == name) return billed;
    return std::nullopt;
}

bool is_dispute_reason(std::string_view code) noexcept
{
    constexpr std::array<std::string_view, 13> codes{
        "REF", "LEG", "REC", "QUA", "DEL", "PRI", "QTY", "ITM", "PAY", "UNR", "FIN", "PPD", "OTH"};
    return std::ranges::find(codes, code) != codes.end();
}

Registered<NewEntry> Register::open_dispute(const Dispute& dispute, ledger::Day today) const
{
    const auto* issued = find(dispute.document);
    if (!issued) return refused(fmt::format("there is no document {}", dispute.document));
    const Document& document = issued->document;
    if (document.is_prepaid()) return refused("a block was bought and paid: it is not disputed");
    const bool is_self_billed = settlement::is_self_billed(document.kind);
    if ((is_credit(document.kind) && !is_self_billed) ||
        document.kind == DocumentKind::payment_statement)
        return refused("a line of an invoice is disputed, not of a credit note or a statement");
    if (document.corrects)
        return refused(fmt::format(
            "{} is a correction: what is disputed is a line of {}",
            document.number,
            document.corrects->number));
    if (is_self_billed && issued->state == DocumentState::accepted)
        return refused(fmt::format("{} is accepted already", document.number));
    if (const auto last = document.object_by(); last && today > *last)
        return objected_too_late(document);
    const bool is_too_little = dispute.billed == Billed::too_little;
    if (is_too_little && (!is_self_billed || document.total.count == 0))
        return refused("only what the house writes in a partner's name can bill it too little");
    if (dispute.line < 1 || dispute.line > document.lines.size())
        return refused(fmt::format("{} has {} lines", document.number, document.lines.size()));
    if (!is_dispute_reason(dispute.reason))
        return refused("the reason is a code of the Peppol Invoice Response, as QTY, PRI or OTH");
    if (dispute.evidence.empty()) return refused("a dispute says what shows it: evidence");
    const DocumentLine& line = document.lines[dispute.line - 1];
    // What was contested once is not contested twice; what was given up is not either.
    Minor left = line.net;
    for (const auto& [id, other] : disputes_) {
        if (other.document == dispute.document && other.line == dispute.line &&
            other.billed == dispute.billed)
            left -= other.net;
    }
    if (dispute.net.count <= 0) return refused("the amount that is disputed is above zero");
    if (dispute.net > left)
        return refused(fmt::format(
            "line {} of {} has {} left to dispute",
            dispute.line,
            document.number,
            ledger::format_minor(left, document.currency)));
    // What was not billed is not paid: nothing of it can be held back.
    const Minor contested = dispute.net + ledger::tax_of(dispute.net, line.vat.basis_points);
    const Minor held = is_too_little ? Minor{} : contested;
    json::object content{
        {"dispute", fmt::format("D-{:06}", disputes_.size() + 1)},
        {"document", document.number},
        {"line", dispute.line},
        {"net_minor", dispute.net.count},
        {"held_minor", held.count},
        {"reason", dispute.reason},
        {"evidence", dispute.evidence},
        {"act_by", ledger::format_day(today + days_to_answer)}};
    if (is_too_little) content.emplace("billed", name_of(dispute.billed));
    if (!dispute.message_id.empty()) content.emplace("message_id", dispute.message_id);
    return NewEntry{.kind = "dispute_opened", .content = json::serialize(content)};
}

Registered<NewEntry> Register::answer_dispute(
    std::string_view id, std::string_view words, ledger::Day today) const
{
    const auto dispute = disputes_.find(id);
    if (dispute == disputes_.end()) return refused(fmt::format("there is no dispute {}", id));
    if (dispute->second.stage != DisputeStage::opened)
        return refused(fmt::format("{} is {} already", id, name_of(dispute->second.stage)));
    if (dispute->second.is_overdue(today)) return too_late(dispute->second);
    if (words.empty()) return refused("an answer says why the house does not agree");
    return stage_entry(dispute->second, DisputeStage::answered, today + days_to_escalate, words);
}

Registered<NewEntry> Register::escalate_dispute(
    std::string_view id,
    std::string_view words,
    ledger::Day today,
    std::string_view message_id) const
{
    const auto dispute = disputes_.find(id);
    if (dispute == disputes_.end()) return refused(fmt::format("there is no dispute {}", id));
    if (dispute->second.stage != DisputeStage::answered)
        return refused(fmt::format("{} is {}, not answered", id, name_of(dispute->second.stage)));
    if (dispute->second.is_overdue(today)) return too_late(dispute->second);
    auto entry =
        stage_entry(dispute->second, DisputeStage::escalated, today + days_to_decide, words);
    if (message_id.empty()) return entry;
    auto content = json::parse(entry.content).as_object();
    content.emplace("message_id", message_id);
    entry.content = json::serialize(content);
    return entry;
}

const DisputeMessage* Register::find_dispute_message(
    ledger::PartnerId partner, std::string_view message_id) const
{
    const auto found = dispute_messages_.find({partner, std::string{message_id}});
    return found == dispute_messages_.end() ? nullptr : &found->second;
}

Registered<NewEntry> Register::decide_dispute(
    std::string_view id, Minor agreed, std::string_view words, const IssueTerms& terms) const
{
    const auto found = disputes_.find(id);
    if (found == disputes_.end()) return refused(fmt::format("there is no dispute {}", id));
    const Dispute& dispute = found->second;
    if (!dispute.is_open()) return refused(fmt::format("{} is decided already", id));
    if (agreed.count < 0 || agreed > dispute.net) {
        const auto& currency = find(dispute.document)->document.currency;
        return refused(fmt::format(
            "{} is about an amount from 0 to {} {}",
            id,
            ledger::format_minor(dispute.net, currency),
            currency.code));
    }
    // Only where it cannot end as its stage says, because of a cent of VAT, do people decide late.
    const Minor lapsed = dispute.default_agreement();
    if (dispute.is_overdue(terms.today) && agreed != lapsed &&
        decision_on({.dispute = dispute, .agreed = lapsed, .words = words}, *this, terms))
        return too_late(dispute);
    return decision_on({.dispute = dispute, .agreed = agreed, .words = words}, *this, terms);
}

std::vector<std::string> Register::overdue_disputes(ledger::Day today) const
{
    std::vector<std::string> overdue;
    for (const auto& [id, dispute] : disputes_) {
        if (dispute.is_overdue(today)) overdue.push_back(id);
    }
    return overdue;
}

void Register::apply_dispute(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    Dispute dispute{
        .id = text_at(content, "dispute"),
        .document = text_at(content, "document"),
        .line = content.at("line").to_number<std::size_t>(),
        .net = Minor{content.at("net_minor").to_number<std::int64_t>()},
        .held = Minor{content.at("held_minor").to_number<std::int64_t>()},
        .reason = text_at(content, "reason"),
        .evidence = text_at(content, "evidence"),
        .act_by = ledger::parse_day(text_at(content, "act_by")).value()};
    if (content.contains("billed"))
        dispute.billed = find_billed(text_at(content, "billed")).value();
    if (content.contains("message_id")) dispute.message_id = text_at(content, "message_id");
    auto& issued = issued_.find(dispute.document)->second;
    // What a net took is on its way: a credit note will put it right.
    const Minor open = issued.open();
    dispute.held = std::min(dispute.held, std::max(open, -open));
    issued.disputed += dispute.held;
    const std::string id = dispute.id;
    const auto& kept = disputes_.emplace(id, std::move(dispute)).first->second;
    keep_message(kept, content, false);
}

void Register::keep_message(const Dispute& dispute, const Content& content, bool is_escalation)
{
    if (!content.contains("message_id")) return; // an operator's
    const auto partner = issued_document(dispute.document).document.partner;
    dispute_messages_.emplace(
        std::pair{partner, text_at(content, "message_id")},
        DisputeMessage{.is_escalation = is_escalation, .dispute = dispute});
}

void Register::apply_dispute_move(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    auto& dispute = disputes_.find(text_at(content, "dispute"))->second;
    dispute.stage = stage_at(content);
    dispute.act_by = ledger::parse_day(text_at(content, "act_by")).value();
    dispute.words = text_at(content, "words");
    keep_message(dispute, content, true);
}

void Register::apply_decision(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    decide(content, {});
}

void Register::decide(const Content& outcome, std::string_view credit)
{
    auto& dispute = disputes_.find(text_at(outcome, "dispute"))->second;
    dispute.stage = DisputeStage::decided;
    dispute.agreed = Minor{outcome.at("agreed_minor").to_number<std::int64_t>()};
    dispute.words = text_at(outcome, "words");
    dispute.credit = credit;
    issued_.find(dispute.document)->second.disputed -= dispute.held;
}

} // namespace pointhouse::settlement
