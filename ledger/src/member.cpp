#include "member.hpp"

#include <algorithm>

#include "ledger/invariant.hpp"

namespace pointhouse::ledger {

std::size_t LotList::find(LotKey key) const
{
    std::size_t place = 0;
    while (place < size() && (*this)[place].key() != key) ++place;
    return place;
}

void LotList::add(const Provenance& provenance, Points points)
{
    const auto is_before = [](const Provenance& left, const PackedLot& right) {
        return drawn_before(left, right.provenance());
    };
    auto begin = lots_.begin() + first_;
    // Most accruals are the latest of their member.
    auto at = lots_.end();
    if (begin != at && is_before(provenance, lots_.back()))
        at = std::upper_bound(begin, lots_.end(), provenance, is_before);
    if (at != begin && std::prev(at)->key() == provenance.key) {
        PackedLot& held = *std::prev(at);
        held.set_remaining(held.remaining() + points);
        return;
    }
    const auto place = at - lots_.begin();
    if (lots_.size() == lots_.capacity()) lots_.reserve(lots_.size() + lots_.size() / 4 + 2);
    lots_.insert(
        lots_.begin() + place, PackedLot{Lot{.provenance = provenance, .remaining = points}});
}

void LotList::take(std::size_t place, Points points)
{
    PackedLot& lot = lots_[first_ + place];
    lot.set_remaining(lot.remaining() - points);
    if (!lot.remaining().is_zero()) return;
    if (place != 0) {
        lots_.erase(lots_.begin() + first_ + static_cast<std::ptrdiff_t>(place));
        return;
    }
    ++first_;
    if (first_ * 2 > lots_.size()) {
        lots_.erase(lots_.begin(), lots_.begin() + first_);
        first_ = 0;
    }
}

Points Member::creditable(PartnerId issuer) const
{
    const auto found = std::ranges::find(creditable_, issuer, &Creditable::issuer);
    return found == creditable_.end() ? Points{} : found->points;
}

Points& Member::creditable_of(PartnerId issuer)
{
    auto found = std::ranges::lower_bound(creditable_, issuer, {}, &Creditable::issuer);
    if (found == creditable_.end() || found->issuer != issuer)
        found = creditable_.insert(found, Creditable{.issuer = issuer, .points = Points{}});
    return found->points;
}

Balance Member::balance(Day today) const
{
    Points available = open_;
    for (const PackedLot& lot : lots_.all()) {
        if (lot.expires_on() >= today) break; // the draw order has the soonest first
        available -= lot.remaining();
    }
    Balance balance{.available = available};
    for (const Debt& debt : debts_) balance.debt += debt.points;
    return balance;
}

void Member::apply(const Record& record, const Terms& terms)
{
    invariant(record.sequence > last_, "records are applied in order");
    for (const Entry& entry : record.entries) apply_entry(entry, terms);
    last_ = record.sequence;
}

void Member::apply_entry(const Entry& entry, const Terms& terms)
{
    switch (entry.kind) {
    case EntryKind::issued:
    case EntryKind::opened:
        lots_.add(entry.lot, entry.points);
        open_ += entry.points;
        creditable_of(terms.tariff(entry.lot.tariff).partner) += entry.points;
        return;
    case EntryKind::refunded:
        lots_.add(entry.lot, entry.points);
        open_ += entry.points;
        return;
    case EntryKind::redeemed:
    case EntryKind::donated: take_from_lot(entry); return;
    case EntryKind::clawed_back:
        take_from_lot(entry);
        creditable_of(terms.tariff(entry.lot.tariff).partner) -= entry.points;
        return;
    case EntryKind::debt_incurred:
        debts_.push_back(
            {.key = entry.debt, .counterpart = entry.counterpart, .points = entry.points});
        if (entry.debt.kind != DebtKind::excess)
            creditable_of(terms.tariff(entry.debt.tariff).partner) -= entry.points;
        return;
    case EntryKind::recovered:
        take_from_lot(entry);
        repay(entry);
        return;
    }
    invariant(false, "every kind of entry changes the member");
}

void Member::take_from_lot(const Entry& entry)
{
    const std::size_t place = lots_.find(entry.lot.key);
    invariant(place < lots_.size(), "points are taken from a lot that the member holds");
    lots_.take(place, entry.points);
    open_ -= entry.points;
}

void Member::repay(const Entry& entry)
{
    const auto debt = std::ranges::find(debts_, entry.debt, &Debt::key);
    invariant(debt != debts_.end(), "a debt that is repaid is open");
    debt->points -= entry.points;
    if (debt->points.is_zero()) debts_.erase(debt);
}

} // namespace pointhouse::ledger
