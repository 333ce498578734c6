#include <algorithm>
#include <map>

#include "decision.hpp"
#include "draft.hpp"

namespace pointhouse::ledger {
namespace {

/// Points that expired and have not come back. What the clock ended comes before the messages of
/// the same moment, and all of it at once, whatever order its records stand in: they were those of
/// several members once, if these have been merged.
struct Expired {
    Time at{};
    Sequence by{}; // the message that ended them; none: the clock
    Lot lot{};
};

bool expired_later(const Expired& left, const Expired& right)
{
    if (left.at != right.at) return left.at > right.at;
    if (left.by != right.by) return left.by > right.by;
    return drawn_before(right.lot.provenance, left.lot.provenance);
}

/// Up to `wanted` expired points, latest expired first; of one moment, what is drawn last.
std::vector<Lot> expired_lots(const MemberPast& past, Points wanted)
{
    std::vector<Expired> found;
    std::map<LotKey, Points> back; // what came back later, by lot
    Points enough = wanted;
    past([&](const Record& record) {
        const Sequence by = is_house_posting(record.type) ? Sequence{} : record.sequence;
        const bool ends_with =
            !found.empty() && found.back().at == record.posted_at && found.back().by == by;
        if (enough.is_zero() && !ends_with) return false;
        for (auto entry = record.entries.rbegin(); entry != record.entries.rend(); ++entry) {
            if (!is_breakage(entry->kind)) continue;
            Points& returned = back[entry->lot.key];
            if (undoes_expiry(entry->kind)) {
                returned += entry->points;
                continue;
            }
            const Points undone = std::min(returned, entry->points);
            returned -= undone;
            const Points points = entry->points - undone;
            if (points.is_zero()) continue;
            enough -= std::min(points, enough);
            found.push_back({record.posted_at, by, {entry->lot, points}});
        }
        return true;
    });
    std::ranges::sort(found, expired_later);

    std::vector<Lot> lots;
    for (Points left = wanted; const Expired& expired : found) {
        Lot& lot = lots.emplace_back(expired.lot);
        lot.remaining = std::min(lot.remaining, left);
        left -= lot.remaining;
        if (left.is_zero()) break;
    }
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
