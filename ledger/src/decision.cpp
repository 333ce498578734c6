#include "decision.hpp"

#include <algorithm>
#include <chrono>

#include "ledger/invariant.hpp"

namespace pointhouse::ledger {
namespace {

using Refused = std::optional<Refusal>;
constexpr Refused accepted = std::nullopt;

/// Lots as they stand in the middle of a posting: a copy, of which points are taken.
class WorkingLots {
public:
    WorkingLots(const Member* member, Day today) : today_{today}
    {
        if (member == nullptr) return;
        for (const PackedLot& lot : member->lots().all()) lots_.push_back(lot.lot());
    }

    void add(const Provenance& provenance, Points points)
    {
        const auto same = [&](const Lot& lot) { return lot.provenance.key == provenance.key; };
        if (const auto held = std::ranges::find_if(lots_, same); held != lots_.end()) {
            held->remaining += points;
            return;
        }
        const Lot added{.provenance = provenance, .remaining = points};
        const auto at =
            std::ranges::upper_bound(lots_, provenance, drawn_before, [](const Lot& lot) -> auto& {
                return lot.provenance;
            });
        lots_.insert(at, added);
    }

    /// Takes up to `wanted` from the lots for which `is_meant`, in draw order or, for an issuer's
    /// own clawback, latest earned first. Returns what it could not take.
    template <class IsMeant, class Take>
    Points take_latest_first(Points wanted, IsMeant is_meant, Take take)
    {
        std::vector<Lot*> meant;
        for (Lot& lot : lots_)
            if (is_meant(lot.provenance)) meant.push_back(&lot);
        std::ranges::sort(meant, [](const Lot* left, const Lot* right) {
            const Provenance& l = left->provenance;
            const Provenance& r = right->provenance;
            return l.activity != r.activity ? l.activity > r.activity : l.key > r.key;
        });
        for (Lot* lot : meant) take_from(*lot, wanted, take);
        return wanted;
    }

    template <class Take>
    Points take_available(Points wanted, Take take)
    {
        for (Lot& lot : lots_)
            if (lot.provenance.expires_on >= today_) take_from(lot, wanted, take);
        return wanted;
    }

private:
    template <class Take>
    static void take_from(Lot& lot, Points& wanted, Take& take)
    {
        const Points taken = std::min(lot.remaining, wanted);
        if (taken.is_zero()) return;
        lot.remaining -= taken;
        wanted -= taken;
        take(lot.provenance, taken);
    }

    Day today_;
    std::vector<Lot> lots_;
};

/// Repays the member's debts, oldest first, from whatever is available now.
void repay_debts(std::vector<Debt> debts, WorkingLots& lots, Record& posting)
{
    for (const Debt& debt : debts) {
        const Points left =
            lots.take_available(debt.points, [&](const Provenance& lot, Points taken) {
                posting.entries.push_back(
                    {.kind = EntryKind::recovered,
                     .points = taken,
                     .lot = lot,
                     .counterpart = debt.counterpart,
                     .debt = debt.key});
            });
        if (!left.is_zero()) return;
    }
}

Refused check_time(const Message& message, const DecisionContext& context)
{
    const bool is_ahead = message.occurred_at > context.now + ahead_max;
    return is_ahead && !context.may_lie_ahead ? Refused{Refusal::occurred_in_future} : accepted;
}

// One rate for all lines, or unknown: a lot has one provenance.
std::int32_t vat_rate_of(const Purchase& purchase)
{
    if (purchase.lines.empty()) return vat_rate_unknown;
    const std::int32_t rate = purchase.lines.front().vat_rate;
    const bool is_one = std::ranges::all_of(
        purchase.lines, [rate](const auto& line) { return line.vat_rate == rate; });
    return is_one ? rate : vat_rate_unknown;
}

/// The points that a message asks for, by number or by purchase.
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

FundingRequest funding_request(
    const Message& message, Points points, const DecisionContext& context)
{
    return {
        .partner = message.partner,
        .message_id = message.message_id,
        .activity = message.occurred_at,
        .now = context.now,
        .points = points,
        .promotion = message.promotion};
}

// One lot for each way in which the points are paid for.
void issue_lot(const Message& message, const FundingPart& part, const Terms& terms, Record& posting)
{
    const std::optional<ExpiryPolicy>& expiry = part.dated->expiry;
    const Day activity = expiry ? terms.calendar->day_of(message.occurred_at) : 0;
    const Provenance lot{
        .key =
            {.origin = posting.sequence,
             .position = static_cast<std::uint16_t>(posting.entries.size())},
        .activity = message.occurred_at,
        .expires_on = expiry_day(expiry, activity),
        .tariff = part.tariff,
        .vat_rate = message.purchase ? vat_rate_of(*message.purchase) : vat_rate_unknown,
        .funding = part.funding};
    posting.entries.push_back({.kind = EntryKind::issued, .points = part.points, .lot = lot});
}

Refused decide_accrual(
    const Message& message, const Member* member, const DecisionContext& context, Record& posting)
{
    const Terms& terms = *context.terms;
    if (!terms.partner(message.partner).roles.issuer) return Refusal::role_not_allowed;
    if (const Refused refused = check_time(message, context)) return refused;
    if (message.occurred_at < context.accepted_since) return Refusal::late_window_closed;
    const Result<Points> points = points_of(message, terms);
    if (!points) return points.error();
    const Tariff* tariff = terms.find_tariff(message.partner, message.occurred_at);
    if (tariff == nullptr) return Refusal::funding_not_agreed;
    const Result<FundingParts> parts =
        fund(funding_request(message, *points, context), terms, *context.funding);
    if (!parts) return parts.error();

    posting.points = *points;
    posting.tariff = tariff->version;
    if (!message.promotion.empty()) posting.promotion = terms.find_promotion(message.promotion)->id;
    if (message.purchase) posting.amount_minor = message.purchase->amount_minor;
    for (const FundingPart& part : *parts) issue_lot(message, part, terms, posting);
    if (!posting.entries.empty() && member != nullptr && !member->debts().empty()) {
        WorkingLots lots{member, context.today};
        for (const Entry& issued : posting.entries) lots.add(issued.lot, issued.points);
        repay_debts(member->debts(), lots, posting);
    }
    return accepted;
}

/// The points of a redemption by value: what buys it at face value, rounded up.
Result<Points> points_for_value(const MoneyValue& value, const Terms& terms)
{
    if (value.currency != terms.currency.code)
        return std::unexpected(Refusal::currency_unsupported);
    invariant(terms.face_value > Micro{0}, "a point has a face value");
    const Wide micros = Wide{value.amount_minor} * micro_per_minor(terms.currency);
    const Wide face = terms.face_value.count();
    const Wide points = (micros + face - 1) / face;
    if (points < 1 || points > points_per_message_max.count())
        return std::unexpected(Refusal::points_out_of_range);
    return Points{static_cast<std::int64_t>(points)};
}

void draw(
    const Member& member,
    Points wanted,
    const DecisionContext& context,
    Entry like,
    Record& posting)
{
    for (const PackedLot& lot : member.lots().all()) {
        if (wanted.is_zero()) return;
        if (lot.expires_on() < context.today) continue;
        like.points = std::min(lot.remaining(), wanted);
        like.lot = lot.provenance();
        wanted -= like.points;
        posting.entries.push_back(like);
    }
    invariant(wanted.is_zero(), "what is available can be drawn");
}

Refused decide_spend(
    const Message& message, const Member* member, const DecisionContext& context, Record& posting)
{
    const Terms& terms = *context.terms;
    if (member == nullptr) return Refusal::member_unknown;
    if (!terms.partner(message.partner).roles.redeemer) return Refusal::role_not_allowed;
    Entry like{.kind = EntryKind::redeemed};
    if (message.type == MessageType::donation) {
        const PartnerTerms* charity = terms.find_partner(message.charity);
        if (charity == nullptr || !charity->roles.charity) return Refusal::role_not_allowed;
        posting.counterparty = charity->partner;
        like.kind = EntryKind::donated;
    }
    if (const Refused refused = check_time(message, context)) return refused;
    const Result<Points> points =
        message.value ? points_for_value(*message.value, terms) : message.points.value_or(Points{});
    if (!points) return points.error();
    if (message.type == MessageType::redemption) {
        // An old redemption is judged, and paid, at the house's time.
        const Tariff* tariff = terms.find_tariff(message.partner, context.now);
        if (tariff == nullptr) return Refusal::funding_not_agreed;
        posting.tariff = tariff->version;
        like.counterpart = tariff->version;
    }
    if (member->balance(context.today).available < *points) return Refusal::insufficient_points;

    posting.points = *points;
    draw(*member, *points, context, like, posting);
    return accepted;
}

/// Takes points back: out of the lots that `is_own`, up to what the issuer can still be credited,
/// then as a debt that the member's other available points repay at once.
template <class IsOwn>
void claw_back(
    const Message& message,
    const Member& member,
    TariffVersion tariff,
    IsOwn is_own,
    const DecisionContext& context,
    Record& posting)
{
    const PartnerTerms& issuer = context.terms->partner(message.partner);
    WorkingLots lots{&member, context.today};
    const Points creditable = member.creditable(message.partner);
    const Points own_wanted = std::min(posting.points, creditable);
    const Points own_left =
        lots.take_latest_first(own_wanted, is_own, [&](const Provenance& lot, Points taken) {
            posting.entries.push_back(
                {.kind = EntryKind::clawed_back, .points = taken, .lot = lot});
        });

    // `own_left` is beyond the lots but within the credit; the rest is beyond what was issued.
    std::vector<Debt> debts = member.debts();
    const auto incur = [&](Points points, DebtKind kind) {
        if (points.is_zero()) return;
        const DebtKey key{.origin = posting.sequence, .tariff = tariff, .kind = kind};
        posting.entries.push_back(
            {.kind = EntryKind::debt_incurred, .points = points, .debt = key});
        debts.push_back({.key = key, .counterpart = TariffVersion{}, .points = points});
    };
    incur(
        own_left,
        issuer.debt_bearer == DebtBearer::house ? DebtKind::house_bears : DebtKind::issuer_bears);
    const Points excess = posting.points - own_wanted;
    if (issuer.excess_clawbacks_allowed) {
        incur(excess, DebtKind::excess);
    } else {
        posting.points -= excess;
    }
    repay_debts(std::move(debts), lots, posting);
}

Refused decide_clawback(
    const Message& message, const Member* member, const DecisionContext& context, Record& posting)
{
    const Terms& terms = *context.terms;
    if (member == nullptr) return Refusal::member_unknown;
    if (!terms.partner(message.partner).roles.issuer) return Refusal::role_not_allowed;
    if (const Refused refused = check_time(message, context)) return refused;
    const Result<Points> points = points_of(message, terms);
    if (!points) return points.error();
    const Tariff* tariff = terms.find_tariff(message.partner, message.occurred_at);
    if (tariff == nullptr) return Refusal::funding_not_agreed;

    posting.points = *points;
    posting.tariff = tariff->version;
    const auto is_own = [&](const Provenance& lot) {
        return terms.tariff(lot.tariff).partner == message.partner;
    };
    claw_back(message, *member, tariff->version, is_own, context, posting);
    return accepted;
}

/// What a reversal takes: as asked, as the returned purchase says, or all that is left.
Result<Points> reversal_points(
    const Message& message, const Original& original, const Terms& terms, Record& posting)
{
    const Record& reversed = *original.posting;
    const Points left = reversed.points - original.reversed;
    Points wanted = message.points.value_or(left);
    if (message.purchase) {
        if (message.purchase->currency != terms.currency.code)
            return std::unexpected(Refusal::currency_unsupported);
        const std::int64_t returned = original.returned_minor + message.purchase->amount_minor;
        if (reversed.type != MessageType::accrual || returned > reversed.amount_minor)
            return std::unexpected(Refusal::reversal_exceeds_original);
        // Clawed back = earned − what the rest would earn, over all returns of this purchase.
        const std::int64_t rest = base_points(reversed.amount_minor - returned, terms.currency);
        const std::int64_t target = reversed.points.count() - rest;
        wanted = Points{std::max<std::int64_t>(0, target - original.reversed.count())};
        posting.amount_minor = returned;
    } else {
        posting.amount_minor = original.returned_minor;
        if (wanted.is_zero()) return std::unexpected(Refusal::reversal_exceeds_original);
    }
    if (wanted > left) return std::unexpected(Refusal::reversal_exceeds_original);
    return wanted;
}

/// Puts points back into the lots that a spend drew, last drawn first, past what went back before.
void refund(const Record& spend, Points already, Points wanted, WorkingLots& lots, Record& posting)
{
    for (auto entry = spend.entries.rbegin(); entry != spend.entries.rend(); ++entry) {
        if (entry->kind != EntryKind::redeemed && entry->kind != EntryKind::donated) continue;
        const Points skipped = std::min(already, entry->points);
        already -= skipped;
        const Points restored = std::min(entry->points - skipped, wanted);
        if (restored.is_zero()) continue;
        wanted -= restored;
        posting.entries.push_back(
            {.kind = EntryKind::refunded,
             .points = restored,
             .lot = entry->lot,
             .counterpart = entry->counterpart});
        lots.add(entry->lot, restored);
    }
    invariant(wanted.is_zero(), "a spend can be refunded whole");
}

Refused decide_reversal(
    const Message& message,
    const Member* member,
    const Original* original,
    const DecisionContext& context,
    Record& posting)
{
    if (original == nullptr || member == nullptr) return Refusal::message_unknown;
    const Record& reversed = *original->posting;
    if (const Refused refused = check_time(message, context)) return refused;
    const bool is_spend =
        reversed.type == MessageType::redemption || reversed.type == MessageType::donation;
    if (reversed.refusal || !(is_spend || reversed.type == MessageType::accrual))
        return Refusal::reversal_exceeds_original;
    const Result<Points> points = reversal_points(message, *original, *context.terms, posting);
    if (!points) {
        posting.amount_minor = 0;
        return points.error();
    }

    posting.points = *points;
    posting.tariff = reversed.tariff;
    posting.counterparty = reversed.counterparty;
    posting.original = reversed.sequence;
    posting.reversal_before = original->newest_reversal;
    if (is_spend) {
        WorkingLots lots{member, context.today};
        refund(reversed, original->reversed, *points, lots, posting);
        repay_debts(member->debts(), lots, posting);
    } else {
        const auto is_own = [&](const Provenance& lot) {
            return lot.key.origin == reversed.sequence;
        };
        claw_back(message, *member, reversed.tariff, is_own, context, posting);
    }
    posting.reversed_so_far = original->reversed + posting.points;
    return accepted;
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

std::optional<Refusal> decide(
    const Message& message,
    const Member* member,
    const Original* original,
    const DecisionContext& context,
    Record& posting)
{
    switch (message.type) {
    case MessageType::accrual: return decide_accrual(message, member, context, posting);
    case MessageType::redemption:
    case MessageType::donation: return decide_spend(message, member, context, posting);
    case MessageType::reversal: return decide_reversal(message, member, original, context, posting);
    case MessageType::clawback: return decide_clawback(message, member, context, posting);
    case MessageType::enrolment: return check_time(message, context);
    case MessageType::cut:
    case MessageType::drained:
    case MessageType::clock:
    case MessageType::house_entry:
    case MessageType::opening: break;
    }
    invariant(false, "only messages are decided");
    return std::nullopt;
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
    using namespace std::chrono;
    const year_month_day from{sys_days{days{activity}}};
    const year_month target = from.year() / from.month() + months{policy->months};
    const year_month_day_last last = target / std::chrono::last;
    const day day_of_month = policy->at_month_end ? last.day() : std::min(from.day(), last.day());
    return static_cast<Day>(sys_days{target / day_of_month}.time_since_epoch().count());
}

} // namespace pointhouse::ledger
