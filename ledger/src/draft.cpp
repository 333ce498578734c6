#include "draft.hpp"

#include <algorithm>
#include <vector>

namespace pointhouse::ledger {

Draft::Draft(const Member* member, const DecisionContext& context, Record& posting)
    : member_{member != nullptr ? *member : Member{MemberNumber{}}}, context_{context},
      posting_{posting}
{}

void Draft::add(const Entry& entry)
{
    posting_.entries.push_back(entry);
    member_.apply_entry(entry, *context_.terms);
}

Points Draft::take_available(Points wanted, Entry like)
{
    std::size_t place = 0;
    while (!wanted.is_zero() && place < member_.lots().size()) {
        const PackedLot lot = member_.lots()[place];
        if (lot.expires_on() < context_.today) {
            ++place;
            continue;
        }
        like.points = std::min(lot.remaining(), wanted);
        like.lot = lot.provenance();
        wanted -= like.points;
        if (like.points < lot.remaining()) ++place; // else the next lot has moved up
        add(like);
    }
    return wanted;
}

void Draft::settle()
{
    expire_overdue();
    repay_debts();
    if (member_.status() == MemberStatus::closed) forfeit();
}

Points Draft::forfeit()
{
    Points forfeited;
    while (!member_.lots().empty()) forfeited += expire_first();
    return forfeited;
}

void Draft::expire_overdue()
{
    // After months without activity nothing that becomes available lasts, but for what is earned.
    const bool has_lapsed =
        !is_activity(posting_.type) && member_.lapses_on(*context_.terms) < context_.today;
    if (has_lapsed) forfeit();
    while (member_.first_expiry() < context_.today) expire_first();
}

Points Draft::expire_first()
{
    const PackedLot lot = member_.lots()[0];
    add({.kind = EntryKind::expired, .points = lot.remaining(), .lot = lot.provenance()});
    return lot.remaining();
}

void Draft::repay_debts()
{
    const std::vector<Debt> debts{member_.debts().begin(), member_.debts().end()};
    for (const Debt& debt : debts) {
        const Points left = take_available(
            debt.points,
            {.kind = EntryKind::recovered, .counterpart = debt.counterpart, .debt = debt.key});
        if (!left.is_zero()) return;
    }
}

} // namespace pointhouse::ledger
