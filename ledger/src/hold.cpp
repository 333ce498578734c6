#include <algorithm>

#include "draft.hpp"
#include "ledger/invariant.hpp"
#include "timed_events.hpp"

namespace pointhouse::ledger {
namespace {

using Refused = std::optional<Refusal>;
constexpr Refused accepted = std::nullopt;

Entry held_entry(EntryKind kind, const Hold& hold, const Lot& lot)
{
    return {
        .kind = kind,
        .points = lot.remaining,
        .lot = lot.provenance,
        .counterpart = hold.redeemer,
        .state = LotState::held,
        .until = hold.until,
        .hold = hold.origin};
}

} // namespace

Refused decide_hold(const Question& question, const DecisionContext& context, Record& posting)
{
    const Message& message = *question.message;
    const Terms& terms = *context.terms;
    if (question.member == nullptr) return Refusal::member_unknown;
    if (!terms.partner(message.partner).may_redeem(message.occurred_at))
        return Refusal::role_not_allowed;
    if (const Refused refused = check_status(question.member)) return refused;
    if (const Refused refused = check_time(message, context)) return refused;
    const Tariff* tariff = terms.find_tariff(message.partner, context.now);
    if (tariff == nullptr) return Refusal::funding_not_agreed;
    const Points points = message.points.value_or(Points{});
    if (question.member->balance(context.today).available < points)
        return Refusal::insufficient_points;

    posting.points = points;
    posting.tariff = tariff->version;
    Draft draft{question.member, context, posting};
    const Points left = draft.take_available(
        points,
        {.kind = EntryKind::held,
         .counterpart = tariff->version,
         .state = LotState::held,
         .until = context.now + std::chrono::seconds{message.expires_in_seconds},
         .hold = posting.sequence});
    invariant(left.is_zero(), "what is available can be held");
    return accepted;
}

void release_hold(const Hold& hold, Draft& draft)
{
    for (const Lot& lot : hold.lots) draft.add(held_entry(EntryKind::released, hold, lot));
}

Refused decide_hold_end(const Question& question, const DecisionContext& context, Record& posting)
{
    const Message& message = *question.message;
    const Original* original = question.original;
    if (original == nullptr || question.member == nullptr) return Refusal::hold_unknown;
    if (const Refused refused = check_time(message, context)) return refused;
    posting.original = original->posting->sequence;
    const Hold* open = question.member->find_hold(posting.original);
    if (open == nullptr) return Refusal::hold_not_open;
    const Hold hold = *open;

    const bool is_capture = message.type == MessageType::capture;
    Entry like{.kind = EntryKind::redeemed};
    if (is_capture) {
        const Tariff* tariff = context.terms->find_tariff(message.partner, context.now);
        if (tariff == nullptr) return Refusal::funding_not_agreed;
        posting.tariff = tariff->version;
        like.counterpart = tariff->version;
        if (message.points.value_or(Points{}) > hold.points()) return Refusal::insufficient_points;
    }

    posting.points = is_capture ? message.points.value_or(hold.points()) : hold.points();
    Draft draft{question.member, context, posting};
    release_hold(hold, draft);
    Points left = is_capture ? posting.points : Points{};
    // What was held in time is captured in full, also when its last day has passed since.
    for (const Lot& lot : hold.lots) {
        if (left.is_zero()) break;
        like.points = std::min(lot.remaining, left);
        like.lot = lot.provenance;
        left -= like.points;
        draft.add(like);
    }
    draft.settle();
    return accepted;
}

Refused decide_accrual_release(
    const Question& question, const DecisionContext& context, Record& posting)
{
    const Original* original = question.original;
    if (original == nullptr || question.member == nullptr) return Refusal::message_unknown;
    const Record& accrual = *original->posting;
    if (accrual.type != MessageType::accrual || accrual.refusal) return Refusal::message_unknown;
    if (const Refused refused = check_time(*question.message, context)) return refused;

    posting.original = accrual.sequence;
    posting.tariff = accrual.tariff;
    Draft draft{question.member, context, posting};
    for (const PendingLot& one : question.member->pending()) {
        if (one.lot.provenance.key.origin != accrual.sequence) continue;
        posting.points += one.lot.remaining;
        draft.add(matured_entry(one));
    }
    draft.settle();
    return accepted;
}

} // namespace pointhouse::ledger
