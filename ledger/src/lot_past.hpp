#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "decision.hpp"
#include "ledger/lot.hpp"

namespace pointhouse::ledger {

/// What became of the points of an accrual's lot that are not in it any more, as the chain of its
/// member tells. A fold that took points of it in is a lot of its own, and remembers nobody's: of
/// what is left of it, or of what expired, so many points are the accrual's as it brought along,
/// less what was clawed back of them.
struct LotPast {
    struct Fold {
        LotKey key;
        Points points;
    };
    struct Expired {
        Provenance lot;
        std::int64_t points = 0; // that did not come back
    };
    std::vector<Fold> folds;           // newest first; also those of which nothing is left
    std::map<LotKey, Expired> expired; // of lots of the same tariff
};

/// Walks from the newest record to the accrual itself.
[[nodiscard]] LotPast past_of_lot(const MemberPast& past, LotKey lot, TariffVersion tariff);

/// The accruals whose points went into these folds, and since when: walks on to the oldest of them.
[[nodiscard]] std::map<Sequence, Sequence> folded_into(
    const std::vector<LotPast::Fold>& folds, const MemberPast& past, TariffVersion tariff);

} // namespace pointhouse::ledger
