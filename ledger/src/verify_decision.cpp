#include "verify_decision.hpp"

#include <chrono>
#include <functional>

#include "member_chains.hpp"
#include "verify_fault.hpp"

namespace pointhouse::ledger {
namespace {

// What comes back is named by its entries, which are the first: what repays a debt follows.
void name_reinstated(const Record& record, Message& message)
{
    const Entry& first = record.entries.front();
    message.expires_on = first.lot.expires_on;
    if (first.kind == EntryKind::reinstated_by_house) message.funder = house_as_funder;
}

// The times that a message named stand in what it made.
void name_times(const Record& record, Message& message)
{
    for (const Entry& entry : record.entries) {
        // Active at once though the tariff says otherwise: the message named a time gone by.
        if (record.type == MessageType::accrual && entry.kind == EntryKind::issued)
            message.pending_until =
                entry.state == LotState::pending ? entry.until : record.posted_at;
        if (record.type == MessageType::hold)
            message.expires_in_seconds =
                std::chrono::duration_cast<std::chrono::seconds>(entry.until - record.posted_at)
                    .count();
    }
}

bool is_same(const Record& again, const Record& record)
{
    return again.points == record.points && again.tariff == record.tariff &&
           again.counterparty == record.counterparty && again.promotion == record.promotion &&
           again.original == record.original && again.other_member == record.other_member &&
           again.amount_minor == record.amount_minor &&
           again.reversal_before == record.reversal_before &&
           again.reversed_so_far == record.reversed_so_far && again.entries == record.entries;
}

} // namespace

void SecondDecision::note(const Record& record)
{
    if (record.type != MessageType::reversal || record.refusal) return;
    reversals_[record.original.value()] = {
        .newest = record.sequence,
        .reversed = record.reversed_so_far,
        .returned_minor = record.amount_minor};
}

void SecondDecision::require_same(const Record& record, const Terms& terms)
{
    const bool has_original = !record.original.is_none();
    const Reversals before = has_original ? reversals_[record.original.value()] : Reversals{};
    const Message message = message_of(record, before, terms);
    Record original_record;
    if (has_original) blocks_.read(record.original, original_record, record);
    const Original original{
        .posting = &original_record,
        .newest_reversal = before.newest,
        .reversed = before.reversed,
        .returned_minor = before.returned_minor};
    const Member* member = record.member.is_none() ? nullptr : &members_.member(record.member);
    if (member != nullptr && !member->is_enrolled()) member = nullptr;
    const Member* receiver =
        record.other_member.is_none() ? nullptr : &members_.member(record.other_member);
    const Question question{
        .message = &message,
        .member = member,
        .receiver = receiver,
        .original = has_original ? &original : nullptr,
        .past = past_of(record)};
    move_context(record, before, terms);
    Record again{.sequence = record.sequence};
    const auto refusal = decide(question, context_, again);
    require(
        !refusal && is_same(again, record),
        "{}: decided again, it comes out differently",
        Named{record});
}

Points SecondDecision::points_asked(const Record& record, const Reversals& before)
{
    return record.type == MessageType::reversal ? record.reversed_so_far - before.reversed
                                                : record.points;
}

Message SecondDecision::message_of(
    const Record& record, const Reversals& before, const Terms& terms)
{
    Message message{
        .type = record.type,
        .partner = record.partner,
        .message_id = record.message_id,
        .occurred_at = record.occurred_at};
    ask_for_amount(record, before, terms, message);
    if (!record.counterparty.is_none()) {
        const std::string_view name = terms.partner(record.counterparty).name;
        (record.type == MessageType::adjustment ? message.funder : message.charity) = name;
    }
    if (record.type == MessageType::reinstatement) name_reinstated(record, message);
    if (!record.promotion.is_none()) message.promotion = terms.promotion(record.promotion).name;
    name_times(record, message);
    return message;
}

void SecondDecision::ask_for_amount(
    const Record& record, const Reversals& before, const Terms& terms, Message& message)
{
    const bool is_accrual = record.type == MessageType::accrual;
    const std::int64_t amount =
        is_accrual ? record.amount_minor : record.amount_minor - before.returned_minor;
    lines_.clear();
    if (is_accrual && !record.entries.empty())
        lines_.push_back({.vat_rate = record.entries.front().lot.vat_rate});
    const Points asked = points_asked(record, before);
    // A reversal of no points cannot be asked for by number. Whether nothing was returned or
    // nothing was left to credit: it comes out of a returned purchase of no amount as well.
    const bool asked_nothing = record.type == MessageType::reversal && asked.is_zero();
    if (amount != 0 && record.type == MessageType::redemption)
        message.value = MoneyValue{.amount_minor = amount, .currency = terms.currency.code};
    else if ((amount != 0 && record.type != MessageType::clawback) || asked_nothing)
        message.purchase =
            Purchase{.amount_minor = amount, .currency = terms.currency.code, .lines = lines_};
    else
        message.points = asked;
}

void SecondDecision::move_context(const Record& record, const Reversals& before, const Terms& terms)
{
    context_.may_lie_ahead = true;
    context_.was_booked = true;
    context_.took_whole.reset();
    const Points asked = points_asked(record, before);
    if (record.type == MessageType::reversal && asked == record.points) context_.took_whole = asked;
    context_.move_to(record.posted_at, terms);
}

MemberPast SecondDecision::past_of(const Record& record)
{
    return [this, &record](const std::function<bool(const Record&)>& visit) {
        Record past;
        MemberChains chains{record.previous};
        while (!chains.next().is_none()) {
            blocks_.read(chains.next(), past, record);
            if (!visit(past)) return;
            chains.pass(past);
        }
    };
}

} // namespace pointhouse::ledger
