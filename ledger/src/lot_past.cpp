#include "lot_past.hpp"

#include <algorithm>
#include <optional>
#include <ranges>
#include <set>

namespace pointhouse::ledger {
namespace {

/// Points that left a lot for a fold, or were clawed back from one for the accrual.
struct Move {
    Sequence by;
    LotKey from;
    std::optional<LotKey> into{};
    Points points{};
};

/// Newest first: a fold comes before the lots that it took in.
void add_moves(const Record& record, LotKey lot, TariffVersion tariff, std::vector<Move>& moves)
{
    const bool is_own_reversal =
        record.type == MessageType::reversal && record.original == lot.origin;
    std::optional<LotKey> into;
    for (const Entry& entry : record.entries | std::views::reverse) {
        if (entry.lot.tariff != tariff) continue;
        if (entry.kind == EntryKind::folded_in) into = entry.lot.key;
        const bool is_move = entry.kind == EntryKind::folded_out ||
                             (entry.kind == EntryKind::clawed_back && is_own_reversal);
        if (is_move)
            moves.push_back(
                {.by = record.sequence,
                 .from = entry.lot.key,
                 .into = entry.kind == EntryKind::folded_out ? into : std::nullopt,
                 .points = entry.points});
    }
}

/// What of each fold is the lot's, in the order in which the folds were made.
std::map<LotKey, Points> claims_of(LotKey lot, const std::vector<Move>& moves)
{
    std::map<LotKey, Points> claims;
    for (const Move& move : moves | std::views::reverse) {
        Points points = move.points;
        if (move.from != lot) {
            const auto claim = claims.find(move.from);
            if (claim == claims.end()) continue;
            points = std::min(points, claim->second);
            claim->second -= points;
        } else if (!move.into) {
            continue; // out of the lot itself
        }
        if (move.into) claims[*move.into] += points;
    }
    return claims;
}

} // namespace

LotPast past_of_lot(const MemberPast& past, LotKey lot, TariffVersion tariff)
{
    LotPast found;
    std::vector<Move> moves;
    past([&](const Record& record) {
        add_moves(record, lot, tariff, moves);
        for (const Entry& entry : record.entries) {
            if (!is_breakage(entry.kind) || entry.lot.tariff != tariff) continue;
            LotPast::Expired& expired = found.expired[entry.lot.key];
            expired.lot = entry.lot;
            expired.points +=
                undoes_expiry(entry.kind) ? -entry.points.count() : entry.points.count();
        }
        return record.sequence > lot.origin;
    });

    const auto claims = claims_of(lot, moves);
    for (const auto& [key, points] : claims | std::views::reverse)
        found.folds.push_back({.key = key, .points = points});
    return found;
}

std::map<Sequence, Sequence> folded_into(
    const std::vector<LotPast::Fold>& folds, const MemberPast& past, TariffVersion tariff)
{
    std::map<Sequence, Sequence> since;
    std::set<LotKey> lots;
    for (const LotPast::Fold& fold : folds) lots.insert(fold.key);
    if (lots.empty()) return since;
    std::vector<Move> moves;
    past([&](const Record& record) {
        moves.clear();
        add_moves(record, {}, tariff, moves);
        for (const Move& move : moves) {
            if (!move.into || !lots.contains(*move.into)) continue;
            lots.insert(move.from);
            since.try_emplace(move.from.origin, move.by);
        }
        return record.sequence > lots.begin()->origin;
    });
    return since;
}

} // namespace pointhouse::ledger
