#include <algorithm>
#include <map>
#include <vector>

#include "decision.hpp"
#include "draft.hpp"
#include "ledger/invariant.hpp"

namespace pointhouse::ledger {
namespace {

using Refused = std::optional<Refusal>;
constexpr Refused accepted = std::nullopt;

/// Points of a lot that is not open any more, and where they went.
struct Spent {
    TariffVersion redeemer;
    Points points;
};

/// Takes points back, step by step, until none are left to take.
class Clawback {
public:
    /// `accrual`: the one that is reversed; null: a return that names no purchase.
    Clawback(
        const Question& question,
        const Record* accrual,
        const DecisionContext& context,
        Record& posting)
        : question_{question}, accrual_{accrual}, context_{context}, posting_{posting},
          draft_{question.member, context, posting}
    {}

    /// `posting.points` from the issuer's own lots, then as a debt that the member's other
    /// available points repay at once.
    void run()
    {
        const PartnerTerms& issuer = context_.terms->partner(question_.message->partner);
        const Points creditable = question_.member->creditable(issuer.partner);
        left_ = std::min(posting_.points, creditable);
        const Points excess = posting_.points - left_;
        take_pending();
        take_active();
        if (accrual_ != nullptr) take_expired();
        incur_debts(issuer.debt_bearer);
        if (issuer.excess_clawbacks_allowed)
            incur(excess, DebtKind::excess);
        else
            posting_.points -= excess;
        draft_.settle();
    }

private:
    [[nodiscard]] bool is_own(const Provenance& lot) const
    {
        if (accrual_ != nullptr) return lot.key.origin == accrual_->sequence;
        return context_.terms->tariff(lot.tariff).partner == question_.message->partner;
    }

    void take(Entry entry, Points most)
    {
        entry.points = std::min(most, left_);
        if (entry.points.is_zero()) return;
        left_ -= entry.points;
        draft_.add(entry);
    }

    // Latest earned first: what is returned is what was bought last.
    static bool is_later(const Provenance& left, const Provenance& right)
    {
        return left.activity != right.activity ? left.activity > right.activity
                                               : left.key > right.key;
    }

    void take_pending()
    {
        std::vector<PendingLot> own;
        for (const PendingLot& one : draft_.member().pending())
            if (is_own(one.lot.provenance)) own.push_back(one);
        std::ranges::sort(own, [](const PendingLot& left, const PendingLot& right) {
            return is_later(left.lot.provenance, right.lot.provenance);
        });
        for (const PendingLot& one : own)
            take(
                {.kind = EntryKind::clawed_back,
                 .lot = one.lot.provenance,
                 .state = LotState::pending,
                 .until = one.until},
                one.lot.remaining);
    }

    void take_active()
    {
        std::vector<Lot> own;
        const LotList& lots = draft_.member().lots();
        for (std::size_t place = 0; place < lots.size(); ++place)
            if (is_own(lots[place].provenance())) own.push_back(lots[place].lot());
        std::ranges::sort(own, [](const Lot& left, const Lot& right) {
            return is_later(left.provenance, right.provenance);
        });
        for (const Lot& lot : own)
            take({.kind = EntryKind::clawed_back, .lot = lot.provenance}, lot.remaining);
    }

    // What expired of the accrual's own lots comes back to be clawed back: breakage is undone.
    void take_expired()
    {
        if (left_.is_zero()) return;
        std::map<LotKey, std::pair<Provenance, std::int64_t>> expired;
        question_.past([&](const Record& record) {
            for (const Entry& entry : record.entries) {
                const bool is_undone = entry.kind == EntryKind::expiry_undone;
                if ((entry.kind != EntryKind::expired && !is_undone) || !is_own(entry.lot))
                    continue;
                auto& [lot, points] = expired[entry.lot.key];
                lot = entry.lot;
                points += is_undone ? -entry.points.count() : entry.points.count();
            }
            return record.sequence > accrual_->sequence;
        });
        for (const auto& [key, lot] : expired) {
            const Points taken = std::min(Points{lot.second}, left_);
            if (taken.is_zero()) continue;
            draft_.add({.kind = EntryKind::expiry_undone, .points = taken, .lot = lot.first});
            take({.kind = EntryKind::clawed_back, .lot = lot.first}, taken);
        }
    }

    void incur_debts(DebtBearer bearer)
    {
        switch (bearer) {
        case DebtBearer::issuer: return incur(left_, DebtKind::issuer_bears);
        case DebtBearer::house: return incur(left_, DebtKind::house_bears);
        case DebtBearer::redeemer: break;
        }
        for (const Spent& spent : spent_at_redeemers()) {
            const Points borne = std::min(spent.points, left_);
            incur(borne, DebtKind::redeemer_bears, spent.redeemer);
            left_ -= borne;
        }
        // What a charity took, or nobody, is borne by the issuer.
        incur(left_, DebtKind::issuer_bears);
    }

    void incur(Points points, DebtKind kind, TariffVersion redeemer = {})
    {
        if (points.is_zero()) return;
        const DebtKey key{.origin = posting_.sequence, .tariff = posting_.tariff, .kind = kind};
        draft_.add(
            {.kind = EntryKind::debt_incurred,
             .points = points,
             .counterpart = redeemer,
             .debt = key});
    }

    /// Those who took the points of the own lots, latest first, without what was refunded and what
    /// they bear already; one row for each redeemer's tariff.
    std::vector<Spent> spent_at_redeemers()
    {
        std::vector<Spent> spent;
        std::map<TariffVersion, Points> undone;
        Points found;
        if (left_.is_zero()) return spent;
        question_.past([&](const Record& record) {
            for (auto entry = record.entries.rbegin(); entry != record.entries.rend(); ++entry) {
                if (entry->kind == EntryKind::debt_incurred && is_own_debt(record, *entry))
                    undone[entry->counterpart] += entry->points;
                if (entry->kind == EntryKind::refunded && is_own(entry->lot))
                    undone[entry->counterpart] += entry->points;
                if (entry->kind != EntryKind::redeemed || !is_own(entry->lot)) continue;
                Points& back = undone[entry->counterpart];
                const Points net = entry->points - std::min(entry->points, back);
                back -= entry->points - net;
                if (net.is_zero()) continue;
                found += net;
                const auto same = std::ranges::find(spent, entry->counterpart, &Spent::redeemer);
                if (same == spent.end())
                    spent.push_back({.redeemer = entry->counterpart, .points = net});
                else
                    same->points += net;
            }
            return found < left_ && (accrual_ == nullptr || record.sequence > accrual_->sequence);
        });
        return spent;
    }

    [[nodiscard]] bool is_own_debt(const Record& record, const Entry& entry) const
    {
        if (entry.debt.kind != DebtKind::redeemer_bears) return false;
        if (accrual_ != nullptr) return record.original == accrual_->sequence;
        return context_.terms->tariff(entry.debt.tariff).partner == question_.message->partner;
    }

    const Question& question_;
    const Record* accrual_;
    const DecisionContext& context_;
    Record& posting_;
    Draft draft_;
    Points left_; // to take from the issuer's own
};

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
void refund(const Record& spend, Points already, Points wanted, Draft& draft)
{
    for (auto entry = spend.entries.rbegin(); entry != spend.entries.rend(); ++entry) {
        if (entry->kind != EntryKind::redeemed && entry->kind != EntryKind::donated) continue;
        const Points skipped = std::min(already, entry->points);
        already -= skipped;
        const Points restored = std::min(entry->points - skipped, wanted);
        if (restored.is_zero()) continue;
        wanted -= restored;
        draft.add(
            {.kind = EntryKind::refunded,
             .points = restored,
             .lot = entry->lot,
             .counterpart = entry->counterpart});
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
    Clawback{question, nullptr, context, posting}.run();
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
    if (is_spend(reversed.type)) {
        Draft draft{question.member, context, posting};
        refund(reversed, original->reversed, *points, draft);
    } else {
        Clawback{question, &reversed, context, posting}.run();
    }
    posting.reversed_so_far = original->reversed + posting.points;
    return accepted;
}

} // namespace pointhouse::ledger
