#include "decision.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include "draft.hpp"
#include "ledger/invariant.hpp"

namespace pointhouse::ledger {
namespace {

using Refused = std::optional<Refusal>;
constexpr Refused accepted = std::nullopt;

// The rate of all lines: a lot has one provenance, and which of its points came from which line
// nobody knows. Unknown where a line has none.
std::int32_t vat_rate_of(const Purchase& purchase)
{
    std::int32_t rate = vat_rate_unknown;
    for (const auto& line : purchase.lines) {
        if (line.vat_rate == vat_rate_unknown) return vat_rate_unknown;
        rate = rate == vat_rate_unknown || rate == line.vat_rate ? line.vat_rate : vat_rate_mixed;
    }
    return rate;
}

/// When the points of a lot can be spent; not after `now`: at once.
Time maturity_of(const Message& message, const Tariff& tariff, const Calendar& calendar)
{
    if (message.pending_until) return *message.pending_until;
    // Also for an activity that a fast clock has dated a few minutes ahead.
    if (tariff.pending_days == 0) return Time::min();
    return calendar.start_of(calendar.day_of(message.occurred_at) + tariff.pending_days);
}

/// Whether points would wait until after their last day: nobody could ever spend them.
bool outwaits_expiry(
    Time matures, const Message& message, const FundingParts& parts, const DecisionContext& context)
{
    if (context.was_booked || matures <= context.now) return false;
    const Calendar& calendar = *context.terms->calendar;
    const Day first = calendar.day_of(matures);
    const Day activity = calendar.day_of(message.occurred_at);
    return std::ranges::any_of(parts, [&](const FundingPart& part) {
        return expiry_day(part.dated->expiry, activity) < first;
    });
}

FundingRequest funding_request(
    const Message& message, PartnerId sender, Points points, const DecisionContext& context)
{
    return {
        .partner = sender,
        .message_id = message.message_id,
        .activity = message.occurred_at,
        .now = context.now,
        .points = points,
        .promotion = message.promotion};
}

// One lot for each way in which the points are paid for.
Entry issued_entry(
    const Question& question, const FundingPart& part, Time matures, const DecisionContext& context)
{
    const Message& message = *question.message;
    const Calendar& calendar = *context.terms->calendar;
    const Tariff& tariff = *part.dated;
    const Day activity = tariff.expiry ? calendar.day_of(message.occurred_at) : 0;
    Entry entry{.kind = EntryKind::issued, .points = part.points};
    entry.lot = {
        .activity = message.occurred_at,
        .expires_on = expiry_day(tariff.expiry, activity),
        .tariff = part.tariff,
        .vat_rate = message.purchase ? vat_rate_of(*message.purchase) : vat_rate_unknown,
        .funding = part.funding};
    if (matures > context.now) {
        entry.state = LotState::pending;
        entry.until = matures;
    }
    return entry;
}

/// Who grants the points: the sender, or whom an operator names; null: nobody of that name.
const PartnerTerms* granter_of(const Message& message, const Terms& terms)
{
    if (message.type == MessageType::adjustment) return terms.find_partner(message.funder);
    return &terms.partner(message.partner);
}

Refused decide_accrual(const Question& question, const DecisionContext& context, Record& posting)
{
    const Message& message = *question.message;
    const Terms& terms = *context.terms;
    const PartnerTerms* granter = granter_of(message, terms);
    if (message.type == MessageType::adjustment && question.member == nullptr)
        return Refusal::member_unknown;
    if (granter == nullptr || !granter->may_issue(message.occurred_at))
        return Refusal::role_not_allowed;
    if (const Refused refused = check_status(question.member)) return refused;
    if (const Refused refused = check_time(message, context)) return refused;
    if (message.occurred_at < context.accepted_since) return Refusal::late_window_closed;
    const Result<Points> points = points_of(message, terms);
    if (!points) return points.error();
    const Tariff* tariff = terms.find_tariff(granter->partner, message.occurred_at);
    if (tariff == nullptr) return Refusal::funding_not_agreed;
    const Result<FundingParts> parts =
        fund(funding_request(message, granter->partner, *points, context), terms, *context.funding);
    if (!parts) return parts.error();
    // When points mature is a term of the partner that sends them, whoever funds them.
    const Time matures = maturity_of(message, *tariff, *terms.calendar);
    if (outwaits_expiry(matures, message, *parts, context)) return Refusal::limit_exceeded;

    posting.points = *points;
    posting.tariff = tariff->version;
    if (message.type == MessageType::adjustment) posting.counterparty = granter->partner;
    if (!message.promotion.empty()) posting.promotion = terms.find_promotion(message.promotion)->id;
    if (message.purchase) posting.amount_minor = message.purchase->amount_minor;
    for (std::size_t place = 0; place < parts->size(); ++place) {
        Entry entry = issued_entry(question, (*parts)[place], matures, context);
        entry.lot.key = {.origin = posting.sequence, .position = static_cast<std::uint16_t>(place)};
        posting.entries.push_back(entry);
    }
    const bool is_overdue = std::ranges::any_of(
        posting.entries, [&](const Entry& entry) { return entry.lot.expires_on < context.today; });
    const bool has_debts = question.member != nullptr && !question.member->debts().empty();
    if (is_overdue || has_debts) {
        const std::vector<Entry> issued = std::move(posting.entries);
        posting.entries.clear();
        Draft draft{question.member, context, posting};
        for (const Entry& entry : issued) draft.add(entry);
        draft.settle();
    }
    return accepted;
}

Wide micros_of(const MoneyValue& value, const Terms& terms)
{
    return Wide{value.amount_minor} * micro_per_minor(terms.currency);
}

/// The points of a redemption by value: what buys it at face value, rounded up.
Result<Points> points_for_value(const MoneyValue& value, const Terms& terms)
{
    if (value.currency != terms.currency.code)
        return std::unexpected(Refusal::currency_unsupported);
    invariant(terms.face_value > Micro{0}, "a point has a face value");
    const Wide micros = micros_of(value, terms);
    const Wide face = terms.face_value.count();
    const Wide points = (micros + face - 1) / face;
    if (points < 1 || points > points_per_message_max.count())
        return std::unexpected(Refusal::points_out_of_range);
    return Points{static_cast<std::int64_t>(points)};
}

/// What is drawn: so many points, each entry like this one. `rounded`: what the member gets for
/// all of them, in micro-units, where rounding up to whole points made that less than their face
/// value; no tariff promises more than that. Lots that were promised more are passed over.
struct Drawing {
    Points wanted;
    Entry like;
    std::optional<Wide> rounded{};

    [[nodiscard]] bool may_take(const PackedLot& lot, const DecisionContext& context) const
    {
        if (lot.expires_on() < context.today) return false;
        if (!rounded) return true;
        const Micro promised = context.terms->tariff(lot.tariff()).minimum_burn_value;
        return Wide{promised.count()} * wanted.count() <= *rounded;
    }
};

/// False: there are too few points.
[[nodiscard]] bool draw(
    const Member& member, const Drawing& drawing, const DecisionContext& context, Record& posting)
{
    Points wanted = drawing.wanted;
    if (member.balance(context.today).available < wanted) return false;
    Entry like = drawing.like;
    const LotList& lots = member.lots();
    for (std::size_t place = 0; place < lots.size() && !wanted.is_zero(); ++place) {
        const PackedLot& lot = lots[place];
        if (!drawing.may_take(lot, context)) continue;
        like.points = std::min(lot.remaining(), wanted);
        like.lot = lot.provenance();
        wanted -= like.points;
        posting.entries.push_back(like);
    }
    if (wanted.is_zero()) return true;
    invariant(drawing.rounded.has_value(), "what is available can be drawn");
    posting.entries.clear();
    return false;
}

Refused decide_spend(const Question& question, const DecisionContext& context, Record& posting)
{
    const Message& message = *question.message;
    const Member* member = question.member;
    const Terms& terms = *context.terms;
    if (member == nullptr) return Refusal::member_unknown;
    if (!terms.partner(message.partner).may_redeem(message.occurred_at))
        return Refusal::role_not_allowed;
    if (const Refused refused = check_status(member)) return refused;
    Drawing drawing{.wanted = {}, .like = {.kind = EntryKind::redeemed}};
    if (message.type == MessageType::donation) {
        const PartnerTerms* charity = terms.find_partner(message.charity);
        if (charity == nullptr || !charity->roles.charity || charity->has_left(message.occurred_at))
            return Refusal::role_not_allowed;
        posting.counterparty = charity->partner;
        drawing.like.kind = EntryKind::donated;
    }
    if (const Refused refused = check_time(message, context)) return refused;
    const Result<Points> points =
        message.value ? points_for_value(*message.value, terms) : message.points.value_or(Points{});
    if (!points) return points.error();
    drawing.wanted = *points;
    if (message.type == MessageType::redemption) {
        if (message.value &&
            micros_of(*message.value, terms) < Wide{terms.face_value.count()} * points->count()) {
            drawing.rounded = micros_of(*message.value, terms);
            posting.amount_minor = message.value->amount_minor;
        }
        // An old redemption is judged, and paid, at the house's time.
        const Tariff* tariff = terms.find_tariff(message.partner, context.now);
        if (tariff == nullptr) return Refusal::funding_not_agreed;
        posting.tariff = tariff->version;
        drawing.like.counterpart = tariff->version;
    }
    if (!draw(*member, drawing, context, posting)) return Refusal::insufficient_points;
    posting.points = *points;
    return accepted;
}

Refused decide_transfer(const Question& question, const DecisionContext& context, Record& posting)
{
    const Message& message = *question.message;
    const Terms& terms = *context.terms;
    if (question.member == nullptr || question.receiver == nullptr) return Refusal::member_unknown;
    posting.other_member = question.receiver->number();
    if (question.member->number() == question.receiver->number()) return Refusal::already_merged;
    if (!terms.partner(message.partner).may_redeem(message.occurred_at))
        return Refusal::role_not_allowed;
    for (const Member* member : {question.member, question.receiver})
        if (const Refused refused = check_status(member)) return refused;
    if (const Refused refused = check_time(message, context)) return refused;
    const Drawing drawing{
        .wanted = message.points.value_or(Points{}), .like = {.kind = EntryKind::moved_out}};
    if (!draw(*question.member, drawing, context, posting)) return Refusal::insufficient_points;
    posting.points = drawing.wanted;
    return accepted;
}

Refused check_points(const Message& message)
{
    if (!carries_points(message.type) || !message.points) return accepted;
    const bool is_in_range =
        *message.points > Points{} && *message.points <= points_per_message_max;
    return is_in_range ? accepted : Refused{Refusal::points_out_of_range};
}

} // namespace

void DecisionContext::move_to(Time time, const Terms& under)
{
    const bool is_same_day = terms == &under && time >= now && time < day_ends;
    terms = &under;
    now = time;
    if (is_same_day) return;
    const Calendar& calendar = *under.calendar;
    today = calendar.day_of(time);
    day_ends = calendar.start_of(today + 1);
    accepted_since = calendar.start_of(today - under.late_window_days);
}

std::optional<Refusal> check_time(const Message& message, const DecisionContext& context)
{
    const bool is_ahead = message.occurred_at > context.now + ahead_max;
    return is_ahead && !context.may_lie_ahead ? Refused{Refusal::occurred_in_future} : accepted;
}

Result<Points> points_of(const Message& message, const Terms& terms)
{
    if (!message.purchase) return message.points.value_or(Points{});
    if (message.purchase->currency != terms.currency.code)
        return std::unexpected(Refusal::currency_unsupported);
    const std::int64_t points = base_points(message.purchase->amount_minor, terms.currency);
    if (points > points_per_message_max.count())
        return std::unexpected(Refusal::points_out_of_range);
    return Points{points};
}

std::optional<Refusal> decide(
    const Question& question, const DecisionContext& context, Record& posting)
{
    posting.type = question.message->type;
    switch (posting.type) {
    case MessageType::accrual: return decide_accrual(question, context, posting);
    case MessageType::redemption:
    case MessageType::donation: return decide_spend(question, context, posting);
    case MessageType::reversal: return decide_reversal(question, context, posting);
    case MessageType::clawback: return decide_clawback(question, context, posting);
    case MessageType::enrolment:
    case MessageType::identification: return decide_identification(question, context, posting);
    case MessageType::hold: return decide_hold(question, context, posting);
    case MessageType::capture:
    case MessageType::hold_release: return decide_hold_end(question, context, posting);
    case MessageType::accrual_release: return decide_accrual_release(question, context, posting);
    case MessageType::transfer: return decide_transfer(question, context, posting);
    case MessageType::adjustment: return decide_accrual(question, context, posting);
    case MessageType::reinstatement: return decide_reinstatement(question, context, posting);
    case MessageType::block:
    case MessageType::unblock:
    case MessageType::close: return decide_status(question, context, posting);
    case MessageType::merge: return decide_merge(question, context, posting);
    case MessageType::maturity:
    case MessageType::expiry:
    case MessageType::hold_end:
    case MessageType::transfer_in:
    case MessageType::merge_in:
    case MessageType::fold:
    case MessageType::cut:
    case MessageType::drained:
    case MessageType::clock:
    case MessageType::house_entry:
    case MessageType::unwritten:
    case MessageType::opening: break;
    }
    invariant(false, "only messages are decided");
    return std::nullopt;
}

std::optional<Refusal> decide_within_bounds(
    const Question& question, const DecisionContext& context, Record& posting)
{
    if (const Refused impossible = check_points(*question.message)) return impossible;
    if (const Refused refused = decide(question, context, posting)) return refused;
    if (context.funding->has_room_for(posting, *context.terms)) return accepted;
    auto entries = std::move(posting.entries); // keeps its capacity
    entries.clear();
    posting = Record{.sequence = posting.sequence, .type = posting.type};
    posting.entries = std::move(entries);
    return Refusal::limit_exceeded;
}

std::int64_t base_points(std::int64_t amount_minor, const Currency& currency)
{
    std::int64_t minor_per_unit = 1;
    for (int digit = 0; digit < currency.minor_digits; ++digit) minor_per_unit *= 10;
    return amount_minor / minor_per_unit;
}

Day expiry_day(const std::optional<ExpiryPolicy>& policy, Day activity)
{
    if (!policy) return never;
    const Day same_day = months_after(activity, policy->months);
    return policy->at_month_end ? last_of_month(same_day) : same_day;
}

} // namespace pointhouse::ledger
