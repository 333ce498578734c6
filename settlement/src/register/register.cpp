#include "settlement/register.hpp"

#include <algorithm>
#include <stdexcept>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "document_record.hpp"
#include "entry_fields.hpp"
#include "ledger/invariant.hpp"

namespace pointhouse::settlement {

namespace json = boost::json;
using ledger::Minor;

struct Register::Kind {
    std::string_view name;
    Apply apply;
};

constexpr std::array<Register::Kind, 33> Register::kinds{
    {{"proposal_made", &Register::apply_proposal},
     {"documents_approved", &Register::apply_approval},
     {"proposal_rejected", &Register::apply_rejection},
     {"document_issued", &Register::apply_issue},
     {"document_sent", &Register::apply_sending},
     {"document_answered", &Register::apply_answer},
     {"window_netted", &Register::apply_net},
     {"net_paid", &Register::apply_payment},
     {"fx_rate_set", &Register::apply_rate},
     {"fx_rate_withdrawn", &Register::apply_rate_withdrawal},
     {"collateral_moved", &Register::apply_collateral},
     {"payer_defaulted", &Register::apply_default},
     {"settlement_act_approved", &Register::apply_permission},
     {"payments_ordered", &Register::apply_order},
     {"dispute_opened", &Register::apply_dispute},
     {"dispute_moved", &Register::apply_dispute_move},
     {"dispute_decided", &Register::apply_decision},
     {"statement_imported", &Register::apply_statement},
     {"bank_matched", &Register::apply_match},
     {"match_reversed", &Register::apply_match_reversal},
     {"trust_released", &Register::apply_nothing},
     {"certificate_issued", &Register::apply_nothing},
     {"certificate_revoked", &Register::apply_nothing},
     {"calendar_set", &Register::apply_calendar},
     {"calendar_withdrawn", &Register::apply_calendar_withdrawal},
     {"window_closed", &Register::apply_closing},
     {"window_soft_closed", &Register::apply_closing},
     {"window_reopened", &Register::apply_closing},
     {"window_hard_closed", &Register::apply_closing},
     {"document_reminded", &Register::apply_reminder},
     {"breakage_estimated", &Register::apply_estimate},
     {"estimate_withdrawn", &Register::apply_estimate_withdrawal},
     {"window_restated", &Register::apply_restatement}}};

namespace {} // namespace

std::string_view name_of(DocumentState state) noexcept
{
    switch (state) {
    case DocumentState::issued: return "issued";
    case DocumentState::sent: return "sent";
    case DocumentState::accepted: return "accepted";
    case DocumentState::queried: return "queried";
    case DocumentState::rejected: return "rejected";
    case DocumentState::paid: return "paid";
    case DocumentState::credited: return "credited";
    }
    return "unknown";
}

std::optional<DocumentState> find_document_state(std::string_view name) noexcept
{
    constexpr std::array all{
        DocumentState::issued,
        DocumentState::sent,
        DocumentState::accepted,
        DocumentState::queried,
        DocumentState::rejected};
    const auto* found = std::ranges::find(all, name, [](auto state) { return name_of(state); });
    return found == all.end() ? std::nullopt : std::optional{*found};
}

std::string_view IssuedDocument::answer() const
{
    if (state == DocumentState::issued || state == DocumentState::sent) return {};
    return is_lapsed ? "lapsed" : name_of(state);
}

bool IssuedDocument::waits_to_be_sent() const
{
    return !is_sent && (state == DocumentState::issued || is_lapsed);
}

Minor IssuedDocument::open() const
{
    if (is_set_off || document.is_prepaid()) return {};
    const Minor owed = document.owed_by_partner();
    const Minor less = set_off + disputed;
    Minor left = owed.count < 0 ? owed + less : owed - less;
    for (const auto& [window, taken] : netted) left -= taken;
    return left;
}

Minor IssuedDocument::claim() const
{
    const Minor owed = document.owed_by_partner();
    if (!document.booked) return owed;
    return owed == document.total ? document.booked->total : -document.booked->total;
}

Minor IssuedDocument::claimed_in(ledger::Month window) const
{
    return document.booked ? claimed.at(window) : netted.at(window);
}

Minor IssuedDocument::open_claim() const
{
    if (!document.booked || is_set_off || document.is_prepaid()) return open();
    if (disputed.count != 0) {
        const ledger::Wide product = ledger::Wide{claim().count} * open().count;
        return Minor{static_cast<std::int64_t>(product / document.owed_by_partner().count)};
    }
    Minor left = claim().count < 0 ? claim() + set_off_claim : claim() - set_off_claim;
    for (const auto& [window, taken] : claimed) left -= taken;
    return left;
}

void Register::apply(const ledger::HouseEntry& entry)
{
    through_ = entry.sequence;
    const auto* kind = std::ranges::find(kinds, entry.kind, &Kind::name);
    if (kind == kinds.end()) return;
    const auto content = json::parse(entry.content).as_object();
    (this->*kind->apply)(entry, content);
    // Drafts may be made anew at another rate; what was issued and booked stands.
    if (entry.kind != "proposal_made" && entry.content.find(R"("rate_id)") != std::string::npos)
        note_rates(content);
    if (const auto* permitted = content.if_contains("permitted_by")) {
        const ledger::HouseSequence proposal{permitted->to_number<std::uint64_t>()};
        std::erase_if(permissions_, [&](const auto& each) { return each.proposal == proposal; });
    }
}

void Register::apply_proposal(const ledger::HouseEntry& entry, const Content& content)
{
    const auto& prepared = content.at("content").as_object();
    const auto what = text_at(content, "what");
    if (what == "settlement_act")
        permissions_.push_back({.proposal = entry.sequence, .act = text_at(prepared, "act")});
    if (what != "documents") return;
    DraftSet drafts{.proposal = entry.sequence, .prepared_by = entry.actor};
    for (const auto& document : prepared.at("documents").as_array())
        drafts.documents.push_back(document_from(document.as_object()));
    if (const auto* too_small = prepared.if_contains("too_small")) {
        drafts.too_small.emplace();
        for (const auto& document : too_small->as_array())
            drafts.too_small->push_back(document_from(document.as_object()));
    }
    // Approved ones may be prepared anew when some of them are issued.
    const auto window = window_at(prepared);
    for (const auto* issued : documents_of(window))
        if (!issued->document.corrects) ++drafts.issued;
    drafts_.insert_or_assign(window, std::move(drafts));
}

void Register::apply_approval(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    const ledger::HouseSequence proposal{content.at("proposal").to_number<std::uint64_t>()};
    for (auto& [window, drafts] : drafts_) {
        if (drafts.proposal == proposal) drafts.is_approved = true;
    }
}

void Register::apply_rejection(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    const ledger::HouseSequence proposal{content.at("proposal").to_number<std::uint64_t>()};
    std::erase_if(drafts_, [&](const auto& of_window) {
        return of_window.second.proposal == proposal && !of_window.second.is_approved;
    });
    // Else the act could never be asked for again.
    std::erase_if(permissions_, [&](const auto& each) { return each.proposal == proposal; });
}

void Register::apply_issue(const ledger::HouseEntry& entry, const Content& content)
{
    IssuedDocument issued{
        .document = document_from(content.at("document").as_object()), .entry = entry.sequence};
    const Document& document = issued.document;
    if (const auto* outcome = content.if_contains("dispute"))
        decide(outcome->as_object(), document.number);
    if (document.corrects) {
        auto& original = issued_.find(document.corrects->number)->second;
        const bool is_more = adds_to(document, original.document);
        if (!is_more) original.credited += magnitude(document.total);
        // What is on its way already is put right by the credit note itself.
        issued.is_set_off = !is_more && magnitude(original.open()) >= magnitude(document.total);
        if (issued.is_set_off) {
            original.set_off += magnitude(document.total);
            if (document.booked) original.set_off_claim += magnitude(document.booked->total);
        }
    } else {
        ++drafts_.at(document.window).issued;
    }
    last_numbers_.insert_or_assign(
        text_at(content, "series"), content.at("place").to_number<std::int64_t>());
    order_.push_back(document.number);
    const std::string number = document.number;
    issued_.emplace(number, std::move(issued));
}

void Register::apply_sending(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    auto& issued = issued_.find(text_at(content, "number"))->second;
    issued.is_sent = true;
    if (issued.state == DocumentState::issued) issued.state = DocumentState::sent;
}

void Register::apply_answer(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    auto& issued = issued_.find(text_at(content, "number"))->second;
    issued.state = find_document_state(text_at(content, "answer")).value();
    issued.reason = text_at(content, "reason");
    issued.is_lapsed = content.contains("lapsed");
    if (!content.contains("message_id")) return; // an operator's, or nobody's
    answer_messages_.emplace(
        std::pair{issued.document.partner, text_at(content, "message_id")},
        DocumentAnswer{
            .number = issued.document.number,
            .state = issued.state,
            .reason = issued.reason,
            .message_id = text_at(content, "message_id")});
}

void Register::apply_net(const ledger::HouseEntry& entry, const Content& content)
{
    const NetKey key = net_at(content);
    WindowNet net{.entry = entry.sequence};
    // Windows that were netted before there was a choice have no method.
    if (content.contains("method"))
        net.method = find_netting_method(text_at(content, "method")).value();
    for (const auto& each : content.at("documents").as_array()) {
        const auto& row = each.as_object();
        net.documents.push_back(text_at(row, "number"));
        auto& issued = issued_.find(net.documents.back())->second;
        issued.netted.emplace(key.window, minor_at(row, "owed_minor"));
        issued.held_back.emplace(key.window, issued.disputed);
        if (row.contains("claim_minor"))
            issued.claimed.emplace(key.window, minor_at(row, "claim_minor"));
    }
    for (const auto& each : content.at("nets").as_array()) {
        const auto& row = each.as_object();
        NetPayment payment{
            .net = minor_at(row, "net_minor"), .reference = text_at(row, "reference")};
        if (row.contains("foreign_minor")) {
            // Of the window where all nets are converted, else of the partner's documents.
            const auto& named = row.contains("rate_id") ? row : content;
            payment.foreign = ForeignNet{
                .rate = stored_rate(text_at(named, "rate_id"), text_at(named, "pay_in")).value(),
                .net = minor_at(row, "foreign_minor"),
                .is_of_documents = row.contains("rate_id")};
        }
        net.payments.emplace(partner_at(row), std::move(payment));
    }
    nets_.emplace(key, std::move(net));
}

void Register::apply_payment(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    settle_net(content);
}

void Register::settle_net(const Content& row)
{
    auto& net = nets_.at(net_at(row));
    auto [found, end] = net.payments.equal_range(partner_at(row));
    // The older form names no payment: then the partner has one alone.
    if (const auto* reference = row.if_contains("reference")) {
        const std::string_view wanted = reference->as_string();
        while (found != end && found->second.reference != wanted) ++found;
    }
    if (found == end) throw std::invalid_argument{"the net has no such payment"};
    NetPayment& payment = found->second;
    payment.settled += minor_at(row, "paid_minor");
    payment.is_on_one_side = true;
    if (payment.foreign) payment.foreign->settled += minor_at(row, "foreign_minor");
}

void Register::apply_permission(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    const ledger::HouseSequence proposal{content.at("proposal").to_number<std::uint64_t>()};
    for (Permission& permission : permissions_) {
        if (permission.proposal == proposal) permission.is_given = true;
    }
}

void Register::apply_order(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    const NetKey key = net_at(content);
    const auto& payments = content.at("payments").as_array();
    std::string currency;
    if (const auto* named = content.if_contains("currency")) {
        currency = std::string_view{named->as_string()};
    } else if (!payments.empty()) {
        // Before there was a file for each currency, all was in that of the window.
        const auto* net = net_of(key)->find(partner_at(payments.front().as_object()), true);
        currency = net->currency();
    }
    auto& file = files_[{key, currency}];
    file.currency = currency;
    ++file.issues;
    if (file.issues > 1) {
        file.reasons.push_back(text_at(content, "reason"));
        return;
    }
    file.message_id = text_at(content, "message_id");
    file.created_at = ledger::parse_time(text_at(content, "created_at")).value();
    file.execute_on = ledger::parse_day(text_at(content, "execute_on")).value();
    for (const auto& each : payments) {
        const auto& row = each.as_object();
        file.amounts.emplace(partner_at(row), minor_at(row, "amount_minor"));
    }
}

const IssuedDocument* Register::find(std::string_view number) const
{
    const auto found = issued_.find(number);
    return found == issued_.end() ? nullptr : &found->second;
}

const IssuedDocument& Register::issued_document(std::string_view number) const
{
    const auto* found = find(number);
    ledger::invariant(found != nullptr, "what was issued stays in the register");
    return *found;
}

DocumentState Register::standing_of(const IssuedDocument& issued) const
{
    const Document& document = issued.document;
    if (issued.credited.count != 0 && issued.credited == magnitude(document.total))
        return DocumentState::credited;
    const bool is_out = document.owed_by_partner().count < 0;
    const bool is_paid = std::ranges::all_of(issued.netted, [&](const auto& taken) {
        const auto* net = net_of({taken.first, document.program});
        const auto* payment = net->find(document.partner, is_out);
        return payment && payment->is_settled();
    });
    const bool is_open = issued.open().count != 0 || issued.disputed.count != 0;
    return is_paid && !is_open ? DocumentState::paid : issued.state;
}

std::vector<const IssuedDocument*> Register::documents() const
{
    std::vector<const IssuedDocument*> all;
    all.reserve(order_.size());
    for (const std::string& number : order_) all.push_back(&issued_document(number));
    return all;
}

std::vector<const IssuedDocument*> Register::documents_of(ledger::Month window) const
{
    auto all = documents();
    std::erase_if(all, [&](const auto* issued) { return issued->document.window != window; });
    return all;
}

const DraftSet* Register::drafts_of(ledger::Month window) const
{
    const auto found = drafts_.find(window);
    return found == drafts_.end() ? nullptr : &found->second;
}

bool Register::is_issued(ledger::Month window) const
{
    const auto* drafts = drafts_of(window);
    return drafts && drafts->is_approved && drafts->issued == drafts->documents.size();
}

const WindowNet* Register::net_of(const NetKey& key) const
{
    const auto found = nets_.find(key);
    return found == nets_.end() ? nullptr : &found->second;
}

std::vector<NetKey> Register::nets_of(ledger::Month window) const
{
    std::vector<NetKey> keys;
    for (auto each = nets_.lower_bound(window); each != nets_.end(); ++each) {
        if (each->first.window != window) break;
        keys.push_back(each->first);
    }
    return keys;
}

std::vector<NetKey> Register::nets_to_come(ledger::Month window, ledger::Month since) const
{
    std::set<NetKey> keys;
    for (const auto& [number, issued] : issued_) {
        const auto& document = issued.document;
        const bool is_open = issued.open().count != 0 || issued.open_claim().count != 0;
        if (document.window >= since && document.window <= window && is_open)
            keys.emplace(window, document.program);
    }
    std::erase_if(keys, [&](const NetKey& key) { return nets_.contains(key); });
    if (keys.empty() && nets_of(window).empty()) keys.emplace(window);
    return {keys.begin(), keys.end()};
}

const PaymentFile* Register::find_payment_file(const NetKey& key, std::string_view currency) const
{
    const auto found = files_.find({key, std::string{currency}});
    return found == files_.end() ? nullptr : &found->second;
}

bool Register::is_ordered(const NetKey& key, ledger::PartnerId partner) const
{
    return std::ranges::any_of(files_, [&](const auto& each) {
        return each.first.first == key && each.second.amounts.contains(partner);
    });
}

const Permission* Register::find_permission(std::string_view act) const
{
    const auto found = std::ranges::find(permissions_, act, &Permission::act);
    return found == permissions_.end() ? nullptr : &*found;
}

} // namespace pointhouse::settlement
