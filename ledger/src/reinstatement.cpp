#include <algorithm>
#include <map>

#include "decision.hpp"
#include "draft.hpp"

namespace pointhouse::ledger {
namespace {

/// Points that expired and have not come back, latest expired first, up to `wanted`.
std::vector<Lot> expired_lots(const MemberPast& past, Points wanted)
{
    std::vector<Lot> lots;
    std::map<LotKey, Points> back; // what came back later, by lot
    Points left = wanted;
    past([&](const Record& record) {
        for (auto entry = record.entries.rbegin(); entry != record.entries.rend(); ++entry) {
            if (!is_breakage(entry->kind)) continue;
            Points& returned = back[entry->lot.key];
            if (undoes_expiry(entry->kind)) {
                returned += entry->points;
                continue;
            }
            const Points undone = std::min(returned, entry->points);
            returned -= undone;
            const Points points = std::min(entry->points - undone, left);
            if (points.is_zero()) continue;
            left -= points;
            lots.push_back({.provenance = entry->lot, .remaining = points});
        }
        return !left.is_zero();
    });
    return lots;
}

} // namespace

std::optional<Refusal> decide_reinstatement(
    const Question& question, const DecisionContext& context, Record& posting)
{
    const Message& message = *question.message;
    if (question.member == nullptr) return Refusal::member_unknown;
    const bool house_pays = message.funder == house_as_funder;
    if (!house_pays && !message.funder.empty()) return Refusal::funding_not_agreed;
    if (const auto refused = check_status(question.member)) return refused;
    if (const auto refused = check_time(message, context)) return refused;
    const Day expires_on = message.expires_on.value_or(never);
    if (expires_on < context.today) return Refusal::late_window_closed;
    const Points wanted = message.points.value_or(Points{});
    const std::vector<Lot> lots = expired_lots(question.past, wanted);
    Points found;
    for (const Lot& lot : lots) found += lot.remaining;
    if (found < wanted) return Refusal::insufficient_points;

    posting.points = wanted;
    Draft draft{question.member, context, posting};
    for (const Lot& lot : lots) {
        Entry entry{
            .kind = house_pays ? EntryKind::reinstated_by_house : EntryKind::reinstated,
            .points = lot.remaining,
            .lot = lot.provenance};
        entry.lot.expires_on = expires_on;
        draft.add(entry);
    }
    draft.settle();
    return std::nullopt;
}

} // namespace pointhouse::ledger
