#pragma once

#include "decision.hpp"
#include "ledger/posting.hpp"
#include "member.hpp"

namespace pointhouse::ledger {

/// A posting in the making, with the member as its entries leave it: a copy, so that a decision can
/// look at what it has done so far. For postings that touch more than one thing; a plain accrual or
/// redemption needs none.
class Draft {
public:
    /// `member` is null where the house does not know it.
    Draft(const Member* member, const DecisionContext& context, Record& posting);

    /// Adds an entry and applies it.
    void add(const Entry& entry);
    [[nodiscard]] const Member& member() const { return member_; }

    /// Takes up to `wanted` from the active lots that can still be spent, in draw order; `like`
    /// says the rest of each entry. Returns what it could not take.
    Points take_available(Points wanted, Entry like);

    /// The end of every posting that made points available: what is overdue expires at once, what
    /// is left repays the member's debts, oldest first, and a member that is closed keeps nothing.
    void settle();
    /// All active points end as if they had expired. Returns how many.
    Points forfeit();

private:
    void expire_overdue();
    Points expire_first();
    void repay_debts();

    Member member_;
    const DecisionContext& context_;
    Record& posting_;
};

} // namespace pointhouse::ledger
