#include "timed_events.hpp"

#include <algorithm>

#include "ledger/invariant.hpp"

namespace pointhouse::ledger {
namespace {

void post_expiry(const Member& member, const DecisionContext& context, Record& posting)
{
    posting.type = MessageType::expiry;
    Draft draft{&member, context, posting};
    if (member.lapses_on(*context.terms) <= context.today) {
        posting.points = draft.forfeit();
        return;
    }
    const Day last_day = member.first_expiry();
    while (draft.member().first_expiry() == last_day) {
        const PackedLot lot = draft.member().lots()[0];
        posting.points += lot.remaining();
        draft.add({.kind = EntryKind::expired, .points = lot.remaining(), .lot = lot.provenance()});
    }
}

void post_maturity(const Member& member, const DecisionContext& context, Record& posting)
{
    posting.type = MessageType::maturity;
    Draft draft{&member, context, posting};
    for (const PendingLot& one : member.pending()) {
        if (one.until != member.pending().front().until) break;
        posting.points += one.lot.remaining;
        draft.add(matured_entry(one));
    }
    draft.settle();
}

void post_hold_end(const Member& member, const DecisionContext& context, Record& posting)
{
    posting.type = MessageType::hold_end;
    const auto hold = std::ranges::min_element(member.holds(), {}, &Hold::until);
    posting.original = hold->origin;
    posting.points = hold->points();
    Draft draft{&member, context, posting};
    release_hold(*hold, draft);
    draft.settle();
}

} // namespace

Due next_expiry(const Member& member, const Terms& terms)
{
    const Day last_day = member.next_last_day(terms);
    return last_day == never ? Due::never() : Due::before(terms.calendar->start_of(last_day + 1));
}

Due next_end(const Member& member)
{
    const Time first = member.first_end();
    return first == Time::max() ? Due::never() : Due::at(first);
}

Due next_due(const Member& member, const Terms& terms)
{
    return std::min(next_expiry(member, terms), next_end(member));
}

void post_due(const Member& member, Due due, const DecisionContext& context, Record& posting)
{
    if (due.is_expiry()) return post_expiry(member, context, posting);
    // Points mature before a hold of the same instant ends.
    const bool matures =
        !member.pending().empty() && member.pending().front().until == due.posted_at();
    return matures ? post_maturity(member, context, posting)
                   : post_hold_end(member, context, posting);
}

Entry matured_entry(const PendingLot& lot)
{
    return {
        .kind = EntryKind::matured,
        .points = lot.lot.remaining,
        .lot = lot.lot.provenance,
        .state = LotState::pending,
        .until = lot.until};
}

} // namespace pointhouse::ledger
