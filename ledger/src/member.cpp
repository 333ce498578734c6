#include "member.hpp"

#include <algorithm>

#include "ledger/invariant.hpp"

namespace pointhouse::ledger {

std::size_t LotList::find(const Provenance& lot) const
{
    std::size_t place = 0;
    while (place < size() &&
           ((*this)[place].key() != lot.key || (*this)[place].expires_on() != lot.expires_on))
        ++place;
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
    if (at != begin && std::prev(at)->key() == provenance.key &&
        std::prev(at)->expires_on() == provenance.expires_on) {
        PackedLot& held = *std::prev(at);
        held.set_remaining(held.remaining() + points);
        return;
    }
    auto place = at - lots_.begin();
    if (lots_.size() == lots_.capacity()) {
        // What was taken away in front makes room before more memory does.
        place -= first_;
        drop_taken();
        if (lots_.size() == lots_.capacity()) lots_.reserve(lots_.size() + lots_.size() / 4 + 2);
    }
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
    if (std::size_t{2} * first_ <= lots_.size()) return;
    drop_taken();
    if (lots_.capacity() > 8 && lots_.size() * 2 < lots_.capacity()) lots_.shrink_to_fit();
}

void LotList::drop_taken()
{
    lots_.erase(lots_.begin(), lots_.begin() + first_);
    first_ = 0;
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

Points Hold::points() const
{
    Points points;
    for (const Lot& lot : lots) points += lot.remaining;
    return points;
}

std::span<const Debt> Member::debts() const
{
    return rare_.get() == nullptr ? std::span<const Debt>{} : rare_.get()->debts;
}

std::span<const PendingLot> Member::pending() const
{
    return rare_.get() == nullptr ? std::span<const PendingLot>{} : rare_.get()->pending;
}

std::span<const Hold> Member::holds() const
{
    return rare_.get() == nullptr ? std::span<const Hold>{} : rare_.get()->holds;
}

const Hold* Member::find_hold(Sequence origin) const
{
    const auto found = std::ranges::find(holds(), origin, &Hold::origin);
    return found == holds().end() ? nullptr : &*found;
}

const PendingLot* Member::find_pending(LotKey key) const
{
    const auto found = std::ranges::find_if(
        pending(), [&](const PendingLot& one) { return one.lot.provenance.key == key; });
    return found == pending().end() ? nullptr : &*found;
}

Time Member::first_end() const
{
    Time first = pending().empty() ? Time::max() : pending().front().until;
    for (const Hold& hold : holds()) first = std::min(first, hold.until);
    return first;
}

Balance Member::balance(Day today) const
{
    Points available = open_;
    for (std::size_t place = 0; place < lots_.size(); ++place) {
        if (lots_[place].expires_on() >= today) break; // the draw order has the soonest first
        available -= lots_[place].remaining();
    }
    Balance balance{.available = available};
    for (const PendingLot& one : pending()) balance.pending += one.lot.remaining;
    for (const Hold& hold : holds()) balance.held += hold.points();
    for (const Debt& debt : debts()) balance.debt += debt.points;
    return balance;
}

void Member::apply(const Record& record, const Terms& terms)
{
    invariant(record.sequence > last_, "records are applied in order");
    for (const Entry& entry : record.entries) apply_entry(entry, terms);
    note_activity(record, terms);
    last_ = record.sequence;
    if (record.refusal) return;
    if (record.type == MessageType::block) set_status(MemberStatus::blocked);
    if (record.type == MessageType::unblock) set_status(MemberStatus::open);
    if (record.type == MessageType::close) set_status(MemberStatus::closed);
    if (record.type == MessageType::merge) {
        set_status(MemberStatus::merged);
        rare_.made().merged_into = record.other_member;
        creditable_.clear(); // the entries have told the other member
    }
    if (record.type == MessageType::merge_in) rare_.made().merge_in = record.sequence;
}

// A member's first record begins its months, whatever it is.
void Member::note_activity(const Record& record, const Terms& terms)
{
    const HouseSequence kept_from = terms.house.activity_kept_from;
    if (kept_from.is_none() || record.terms < kept_from || record.refusal) return;
    if (!is_activity(record.type) && !last_.is_none()) return;
    active_on_ = std::max(active_on_, terms.calendar->day_of(record.posted_at));
}

Day Member::lapses_on(const Terms& terms) const
{
    const HouseTerms& house = terms.house;
    if (house.inactivity_months == 0) return never;
    return months_after(std::max(active_on_, house.inactivity_from), house.inactivity_months);
}

Day Member::next_last_day(const Terms& terms) const
{
    return lots_.empty() ? never : std::min(first_expiry(), lapses_on(terms));
}

void Member::set_status(MemberStatus status)
{
    rare_.made().status = status;
    rare_.drop_empty();
}

void Member::apply_entry(const Entry& entry, const Terms& terms)
{
    switch (entry.kind) {
    case EntryKind::issued:
    case EntryKind::opened:
        put(entry);
        creditable_of(terms.tariff(entry.lot.tariff).partner) += entry.points;
        return;
    case EntryKind::refunded:
    case EntryKind::expiry_undone:
    case EntryKind::reinstated:
    case EntryKind::reinstated_by_house:
    case EntryKind::folded_in: return put_active(entry);
    case EntryKind::moved_in: return put(entry);
    case EntryKind::redeemed:
    case EntryKind::donated:
    case EntryKind::expired:
    case EntryKind::folded_out: return take_from_lot(entry);
    case EntryKind::moved_out: return take(entry);
    case EntryKind::clawed_back:
        take(entry);
        creditable_of(terms.tariff(entry.lot.tariff).partner) -= entry.points;
        return;
    case EntryKind::debt_incurred:
        owe(entry);
        if (entry.debt.kind != DebtKind::excess)
            creditable_of(terms.tariff(entry.debt.tariff).partner) -= entry.points;
        return;
    case EntryKind::recovered: take_from_lot(entry); return repay(entry);
    case EntryKind::matured: take_pending(entry); return put_active(entry);
    case EntryKind::held: take_from_lot(entry); return put_held(entry);
    case EntryKind::released: take_held(entry); return put_active(entry);
    case EntryKind::debt_moved_out: return repay(entry);
    case EntryKind::debt_moved_in: return owe(entry);
    case EntryKind::creditable_moved:
        creditable_of(terms.tariff(entry.lot.tariff).partner) += entry.points;
        return;
    }
    invariant(false, "every kind of entry changes the member");
}

void Member::put(const Entry& entry)
{
    switch (entry.state) {
    case LotState::active: return put_active(entry);
    case LotState::pending: return put_pending(entry);
    case LotState::held: return put_held(entry);
    }
}

void Member::take(const Entry& entry)
{
    switch (entry.state) {
    case LotState::active: return take_from_lot(entry);
    case LotState::pending: return take_pending(entry);
    case LotState::held: return take_held(entry);
    }
}

void Member::put_active(const Entry& entry)
{
    lots_.add(entry.lot, entry.points);
    open_ += entry.points;
}

void Member::take_from_lot(const Entry& entry)
{
    const std::size_t place = lots_.find(entry.lot);
    invariant(place < lots_.size(), "points are taken from a lot that the member holds");
    lots_.take(place, entry.points);
    open_ -= entry.points;
}

void Member::put_pending(const Entry& entry)
{
    std::vector<PendingLot>& pending = rare_.made().pending;
    const PendingLot added{
        .lot = {.provenance = entry.lot, .remaining = entry.points}, .until = entry.until};
    const auto order = [](const PendingLot& left, const PendingLot& right) {
        if (left.until != right.until) return left.until < right.until;
        return left.lot.provenance.key < right.lot.provenance.key;
    };
    pending.insert(std::ranges::upper_bound(pending, added, order), added);
}

void Member::take_pending(const Entry& entry)
{
    std::vector<PendingLot>& pending = rare_.made().pending;
    const auto found = std::ranges::find_if(
        pending, [&](const PendingLot& one) { return one.lot.provenance.key == entry.lot.key; });
    invariant(found != pending.end(), "points are taken from a lot that is pending");
    found->lot.remaining -= entry.points;
    if (found->lot.remaining.is_zero()) pending.erase(found);
    rare_.drop_empty();
}

void Member::put_held(const Entry& entry)
{
    std::vector<Hold>& holds = rare_.made().holds;
    auto hold = std::ranges::find(holds, entry.hold, &Hold::origin);
    if (hold == holds.end()) {
        const Hold added{
            .origin = entry.hold, .redeemer = entry.counterpart, .until = entry.until, .lots = {}};
        hold = holds.insert(std::ranges::upper_bound(holds, entry.hold, {}, &Hold::origin), added);
    }
    hold->lots.push_back({.provenance = entry.lot, .remaining = entry.points});
}

void Member::take_held(const Entry& entry)
{
    std::vector<Hold>& holds = rare_.made().holds;
    const auto hold = std::ranges::find(holds, entry.hold, &Hold::origin);
    invariant(hold != holds.end(), "a hold that ends is open");
    const auto lot = std::ranges::find_if(hold->lots, [&](const Lot& one) {
        return one.provenance.key == entry.lot.key &&
               one.provenance.expires_on == entry.lot.expires_on;
    });
    invariant(lot != hold->lots.end(), "points are taken from a lot that is held");
    lot->remaining -= entry.points;
    if (lot->remaining.is_zero()) hold->lots.erase(lot);
    if (hold->lots.empty()) holds.erase(hold);
    rare_.drop_empty();
}

// The debts of a merged member take their places by age among the other's.
void Member::owe(const Entry& entry)
{
    std::vector<Debt>& debts = rare_.made().debts;
    const auto origin = [](const Debt& debt) { return debt.key.origin; };
    debts.insert(
        std::ranges::upper_bound(debts, entry.debt.origin, {}, origin),
        {.key = entry.debt, .counterpart = entry.counterpart, .points = entry.points});
}

void Member::repay(const Entry& entry)
{
    std::vector<Debt>& debts = rare_.made().debts;
    const auto debt = std::ranges::find_if(debts, [&](const Debt& one) {
        return one.key == entry.debt && one.counterpart == entry.counterpart;
    });
    invariant(debt != debts.end(), "a debt that is repaid is open");
    debt->points -= entry.points;
    if (debt->points.is_zero()) debts.erase(debt);
    rare_.drop_empty();
}

} // namespace pointhouse::ledger
