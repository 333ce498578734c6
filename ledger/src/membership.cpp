#include <vector>

#include "decision.hpp"
#include "draft.hpp"
#include "timed_events.hpp"

namespace pointhouse::ledger {
namespace {

// Open points are forfeited as if they had expired, pending ones, too; a debt stays.
void forfeit(const Member& member, const DecisionContext& context, Record& posting)
{
    Draft draft{&member, context, posting};
    for (const Hold& hold : member.holds()) release_hold(hold, draft);
    draft.settle();
    for (const PendingLot& one : member.pending()) draft.add(matured_entry(one));
    posting.points = draft.forfeit();
}

} // namespace

std::optional<Refusal> check_status(const Member* member)
{
    if (member == nullptr) return std::nullopt;
    switch (member->status()) {
    case MemberStatus::open: break;
    case MemberStatus::blocked: return Refusal::member_blocked;
    case MemberStatus::closed: return Refusal::member_closed;
    }
    return std::nullopt;
}

std::optional<Refusal> decide_status(
    const Question& question, const DecisionContext& context, Record& posting)
{
    const Member* member = question.member;
    if (member == nullptr) return Refusal::member_unknown;
    if (member->status() == MemberStatus::closed) return Refusal::member_closed;
    if (question.message->type == MessageType::close) forfeit(*member, context, posting);
    return std::nullopt;
}

} // namespace pointhouse::ledger
