#include <algorithm>
#include <map>
#include <optional>
#include <ranges>
#include <vector>

#include "decision.hpp"
#include "draft.hpp"
#include "ledger/invariant.hpp"
#include "lot_past.hpp"

namespace pointhouse::ledger {
namespace {

using Refused = std::optional<Refusal>;
constexpr Refused accepted = std::nullopt;

/// Points of a lot that is not open any more, and where they went.
struct Spent {
    TariffVersion redeemer;
    Points points;
};

/// Takes points back: out of lots, then as debts that the member's other available points repay.
class Clawback {
public:
    Clawback(const Question& question, const DecisionContext& context, Record& posting)
        : question_{question}, context_{context}, posting_{posting},
          draft_{question.member, context, posting}
    {}

    /// A return that names no purchase: from all of the issuer's own lots.
    void take_unnamed()
    {
        const Part part{
            .tariff = posting_.tariff,
            .points = allowed(posting_.points, question_.message->partner)};
        posting_.points = part.points;
        take_back(part);
        draft_.settle();
    }

    /// The return of an accrual: each funder's part from its own lot, the last of the funding list
    /// first, past the points that earlier reversals asked for. What a funder may not be credited
    /// is forfeited: the next reversal does not ask for it again.
    void take_from(const Record& accrual, Points already)
    {
        std::vector<Entry> issued;
        for (const Entry& entry : accrual.entries)
            if (entry.kind == EntryKind::issued) issued.push_back(entry);
        Points left = posting_.points;
        for (const Entry& entry : std::views::reverse(issued)) {
            const Points skipped = std::min(already, entry.points);
            already -= skipped;
            const Points points = std::min(left, entry.points - skipped);
            left -= points;
            const Points taken = allowed(points, issuer_of(entry.lot.tariff));
            posting_.points -= points - taken;
            take_back({.tariff = entry.lot.tariff, .points = taken, .lot = entry.lot.key});
        }
        draft_.settle();
    }

private:
    /// What is owed at the prices of one tariff, and out of which lots.
    struct Part {
        TariffVersion tariff;
        Points points;
        std::optional<LotKey> lot{}; // of a named accrual; else all of the issuer's
    };

    [[nodiscard]] PartnerId issuer_of(TariffVersion tariff) const
    {
        return context_.terms->tariff(tariff).partner;
    }

    [[nodiscard]] bool is_own(const Provenance& lot, const Part& part) const
    {
        return part.lot ? lot.key == *part.lot : issuer_of(lot.tariff) == issuer_of(part.tariff);
    }

    // Where the contract allows no excess, it takes no points.
    [[nodiscard]] Points allowed(Points points, PartnerId issuer) const
    {
        const bool is_excess_allowed =
            context_.took_whole || context_.terms->partner(issuer).excess_clawbacks_allowed;
        return is_excess_allowed ? points : std::min(points, draft_.member().creditable(issuer));
    }

    // An issuer is credited only what it issued to this member and has not had credited.
    void take_back(const Part& part)
    {
        left_ = std::min(part.points, draft_.member().creditable(issuer_of(part.tariff)));
        const Points excess = part.points - left_;
        take_pending(part);
        take_active(part);
        past_ = {};
        if (part.lot && !left_.is_zero()) {
            past_ = past_of_lot(question_.past, *part.lot, part.tariff);
            take_folded();
            take_expired(*part.lot, left_);
            for (const LotPast::Fold& fold : past_.folds) take_expired(fold.key, fold.points);
        }
        incur_debts(part);
        incur(excess, {.tariff = part.tariff, .kind = DebtKind::excess});
    }

    Points take(Entry entry, Points most)
    {
        entry.points = std::min(most, left_);
        if (entry.points.is_zero()) return {};
        left_ -= entry.points;
        draft_.add(entry);
        return entry.points;
    }

    // Latest earned first: what is returned is what was bought last.
    static bool is_later(const Provenance& left, const Provenance& right)
    {
        if (left.activity != right.activity) return left.activity > right.activity;
        if (left.key != right.key) return left.key > right.key;
        return left.expires_on < right.expires_on; // parts of one lot
    }

    void take_pending(const Part& part)
    {
        std::vector<PendingLot> own;
        for (const PendingLot& one : draft_.member().pending())
            if (is_own(one.lot.provenance, part)) own.push_back(one);
        std::ranges::sort(own, [](const PendingLot& left, const PendingLot& right) {
            return is_later(left.lot.provenance, right.lot.provenance);
        });
        for (const PendingLot& one : own) {
            take(
                {.kind = EntryKind::clawed_back,
                 .lot = one.lot.provenance,
                 .state = LotState::pending,
                 .until = one.until},
                one.lot.remaining);
        }
    }

    void take_active(const Part& part)
    {
        std::vector<Lot> own;
        const LotList& lots = draft_.member().lots();
        for (std::size_t place = 0; place < lots.size(); ++place)
            if (is_own(lots[place].provenance(), part)) own.push_back(lots[place].lot());
        std::ranges::sort(own, [](const Lot& left, const Lot& right) {
            return is_later(left.provenance, right.provenance);
        });
        for (const Lot& lot : own)
            take({.kind = EntryKind::clawed_back, .lot = lot.provenance}, lot.remaining);
    }

    // What folded away is in the fold, as far as that has so much left.
    void take_folded()
    {
        for (LotPast::Fold& fold : past_.folds) {
            const auto own = draft_.member().lots().all();
            std::vector<Lot> lots;
            for (const PackedLot& lot : own)
                if (lot.key() == fold.key) lots.push_back(lot.lot());
            for (const Lot& lot : lots)
                fold.points -= take(
                    {.kind = EntryKind::clawed_back, .lot = lot.provenance},
                    std::min(lot.remaining, fold.points));
        }
    }

    // What expired of a lot and did not come back: breakage is undone, so that it can be clawed
    // back.
    void take_expired(LotKey key, Points most)
    {
        const auto found = past_.expired.find(key);
        if (found == past_.expired.end()) return;
        const auto& [lot, expired] = found->second;
        const Points taken = std::min({Points{expired}, most, left_});
        if (taken.is_zero()) return;
        draft_.add({.kind = EntryKind::expiry_undone, .points = taken, .lot = lot});
        take({.kind = EntryKind::clawed_back, .lot = lot}, taken);
    }

    /// What the lots could not give, borne by the shares of the issuer's contract.
    void incur_debts(const Part& part)
    {
        const PartnerTerms& issuer = context_.terms->partner(issuer_of(part.tariff));
        DebtParts parts = split(left_, issuer.debt_shares);
        DebtKey debt{.tariff = part.tariff, .kind = DebtKind::redeemer_bears};
        for (const Spent& spent : spent_at_redeemers(part, parts.redeemer)) {
            const Points borne = std::min(spent.points, parts.redeemer);
            incur(borne, debt, spent.redeemer);
            parts.redeemer -= borne;
        }
        // What a charity took, or nobody, is borne by the issuer.
        debt.kind = DebtKind::issuer_bears;
        incur(parts.issuer + parts.redeemer, debt);
        debt.kind = DebtKind::house_bears;
        incur(parts.house, debt);
    }

    void incur(Points points, DebtKey debt, TariffVersion redeemer = {})
    {
        if (points.is_zero()) return;
        debt.origin = posting_.sequence;
        draft_.add(
            {.kind = EntryKind::debt_incurred,
             .points = points,
             .counterpart = redeemer,
             .debt = debt});
    }

    /// What is not to be borne any more, by redeemer: refunded, or borne already.
    using Undone = std::map<TariffVersion, Points>;

    static Points without(Points points, Undone& undone, TariffVersion redeemer)
    {
        Points& back = undone[redeemer];
        const Points less = std::min(points, back);
        back -= less;
        return points - less;
    }

    /// Those who took the points of the own lots, latest first, without what was refunded and what
    /// they bear already; one row for each redeemer's tariff.
    std::vector<Spent> spent_at_redeemers(const Part& part, Points wanted)
    {
        std::vector<Spent> spent;
        Undone undone;
        Undone borne;
        Undone undone_of_folds; // also what they bear for others whose points folded with these
        Points found;
        if (wanted.is_zero()) return spent;
        const auto others = folded_into(past_.folds, question_.past, part.tariff);
        question_.past([&](const Record& record) {
            for (auto entry = record.entries.rbegin(); entry != record.entries.rend(); ++entry) {
                const TariffVersion redeemer = entry->counterpart;
                const bool is_spent = entry->kind == EntryKind::redeemed;
                if (entry->kind == EntryKind::debt_incurred) {
                    const auto other = others.find(record.original);
                    // What another owes since it folded with these is borne for the fold's first.
                    const bool is_of_fold = other != others.end() &&
                                            record.sequence > other->second &&
                                            entry->debt.kind == DebtKind::redeemer_bears &&
                                            entry->debt.tariff == part.tariff;
                    if (is_own_debt(record, *entry, part))
                        borne[redeemer] += entry->points;
                    else if (is_of_fold)
                        undone_of_folds[redeemer] += entry->points;
                }
                if (!is_spent && entry->kind != EntryKind::refunded) continue;
                const bool is_own_lot = is_own(entry->lot, part);
                if (!is_own_lot && !is_fold(entry->lot.key)) continue;
                Undone& refunded = is_own_lot ? undone : undone_of_folds;
                if (!is_spent) {
                    refunded[redeemer] += entry->points;
                    continue;
                }
                const Points net =
                    without(without(entry->points, refunded, redeemer), borne, redeemer);
                if (net.is_zero()) continue;
                found += net;
                const auto same = std::ranges::find(spent, entry->counterpart, &Spent::redeemer);
                if (same == spent.end())
                    spent.push_back({.redeemer = entry->counterpart, .points = net});
                else
                    same->points += net;
            }
            return found < wanted && (!part.lot || record.sequence > part.lot->origin);
        });
        return spent;
    }

    [[nodiscard]] bool is_own_debt(const Record& record, const Entry& entry, const Part& part) const
    {
        if (entry.debt.kind != DebtKind::redeemer_bears) return false;
        if (part.lot)
            return record.original == part.lot->origin && entry.debt.tariff == part.tariff;
        return issuer_of(entry.debt.tariff) == issuer_of(part.tariff);
    }

    [[nodiscard]] bool is_fold(LotKey lot) const
    {
        return std::ranges::find(past_.folds, lot, &LotPast::Fold::key) != past_.folds.end();
    }

    const Question& question_;
    const DecisionContext& context_;
    Record& posting_;
    Draft draft_;
    LotPast past_; // of the part's lot, where it did not have enough
    Points left_;  // of the part, to take from the issuer's own
};

/// What a reversal takes: as asked, as the returned purchase says, or all that is left.
Result<Points> reversal_points(
    const Message& message,
    const Original& original,
    const DecisionContext& context,
    Record& posting)
{
    const Terms& terms = *context.terms;
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
        wanted = std::min(wanted, context.took_whole.value_or(wanted));
        posting.amount_minor = returned;
    } else {
        posting.amount_minor = original.returned_minor;
        if (wanted.is_zero()) return std::unexpected(Refusal::reversal_exceeds_original);
    }
    if (wanted > left) return std::unexpected(Refusal::reversal_exceeds_original);
    return wanted;
}

/// A lot into which points go back: when its last day has passed, the house's terms may give them
/// some more.
Provenance with_grace(Provenance lot, const DecisionContext& context)
{
    const std::int32_t days = context.terms->house.refund_grace_days;
    if (days > 0 && lot.expires_on < context.today) lot.expires_on = context.today + days;
    return lot;
}

/// Puts points back into the lots that a spend drew, last drawn first, past what went back before.
void refund(
    const Record& spend,
    Points already,
    Points wanted,
    const DecisionContext& context,
    Draft& draft)
{
    for (const Entry& entry : std::views::reverse(spend.entries)) {
        if (entry.kind != EntryKind::redeemed && entry.kind != EntryKind::donated) continue;
        const Points skipped = std::min(already, entry.points);
        already -= skipped;
        const Points restored = std::min(entry.points - skipped, wanted);
        if (restored.is_zero()) continue;
        wanted -= restored;
        draft.add(
            {.kind = EntryKind::refunded,
             .points = restored,
             .lot = with_grace(entry.lot, context),
             .counterpart = entry.counterpart});
    }
    invariant(wanted.is_zero(), "a spend can be refunded whole");
    draft.settle();
}

bool is_spend(MessageType type)
{
    return type == MessageType::redemption || type == MessageType::donation ||
           type == MessageType::capture;
}

} // namespace

Refused decide_clawback(const Question& question, const DecisionContext& context, Record& posting)
{
    const Message& message = *question.message;
    const Terms& terms = *context.terms;
    if (question.member == nullptr) return Refusal::member_unknown;
    if (!terms.partner(message.partner).roles.issuer) return Refusal::role_not_allowed;
    if (const Refused refused = check_time(message, context)) return refused;
    const Result<Points> points = points_of(message, terms);
    if (!points) return points.error();
    const Tariff* tariff = terms.find_tariff(message.partner, message.occurred_at);
    if (tariff == nullptr) return Refusal::funding_not_agreed;

    posting.points = *points;
    posting.tariff = tariff->version;
    Clawback{question, context, posting}.take_unnamed();
    return accepted;
}

Refused decide_reversal(const Question& question, const DecisionContext& context, Record& posting)
{
    const Message& message = *question.message;
    const Original* original = question.original;
    if (original == nullptr || question.member == nullptr) return Refusal::message_unknown;
    const Record& reversed = *original->posting;
    if (const Refused refused = check_time(message, context)) return refused;
    if (reversed.refusal || !(is_spend(reversed.type) || reversed.type == MessageType::accrual))
        return Refusal::reversal_exceeds_original;
    const Result<Points> points = reversal_points(message, *original, context, posting);
    if (!points) {
        posting.amount_minor = 0;
        return points.error();
    }

    posting.points = *points;
    posting.tariff = reversed.tariff;
    posting.counterparty = reversed.counterparty;
    posting.original = reversed.sequence;
    posting.reversal_before = original->newest_reversal;
    if (is_spend(reversed.type)) {
        Draft draft{question.member, context, posting};
        refund(reversed, original->reversed, *points, context, draft);
    } else {
        Clawback{question, context, posting}.take_from(reversed, original->reversed);
    }
    posting.reversed_so_far = original->reversed + *points;
    return accepted;
}

} // namespace pointhouse::ledger
