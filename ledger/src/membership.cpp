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
    case MemberStatus::merged: break; // what it is asked goes to the other
    }
    return std::nullopt;
}

// Who holds an identifier, and whose another was, the caller has looked up: it is not in the
// journal.
std::optional<Refusal> decide_identification(
    const Question& question, const DecisionContext& context, Record& posting)
{
    const bool may_enrol = question.message->type == MessageType::enrolment;
    const bool adds = !question.message->identifier.empty();
    if (!may_enrol && question.member == nullptr) return Refusal::member_unknown;
    if (!question.replaces_own) return Refusal::member_unknown;
    if (adds)
        if (const auto refused = check_status(question.member)) return refused;
    if (const auto refused = check_time(*question.message, context)) return refused;
    if (question.identifier_of.is_none()) return std::nullopt;
    posting.other_member = question.identifier_of;
    return Refusal::identifier_taken;
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
