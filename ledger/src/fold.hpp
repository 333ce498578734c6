#pragma once

#include <cstddef>

#include "decision.hpp"
#include "ledger/lot.hpp"
#include "ledger/posting.hpp"
#include "member.hpp"

namespace pointhouse::ledger {

/// Folds a member's oldest lots, in draw order, until `limits.folded_to` are left: those of the
/// same tariff version (and so issuer and prices), VAT rate, last day, month of activity and
/// funding become one lot of this record, with the activity of the first of them. Fills type,
/// points and entries. False: no two are alike. One record makes a bounded number of lots, so that
/// there may be more to fold after it. Pure; `posting.sequence` is set by the caller.
[[nodiscard]] bool fold_lots(
    const Member& member, const LotLimits& limits, const Terms& terms, Record& posting);

/// Whether a record that changed how many lots a member has is followed by a fold, if any are
/// alike: when there are more than `open_max`, and where that many stay, at every so many more. To
/// look at thousands of lots that all differ costs a millisecond, which nobody may ask for with
/// each message.
[[nodiscard]] inline bool has_to_fold(
    std::size_t lots_before, std::size_t lots, const LotLimits& limits)
{
    const auto stage = [&limits](std::size_t count) {
        if (count <= limits.open_max) return std::size_t{0};
        return 1 + (count - limits.open_max - 1) / (limits.open_max - limits.folded_to);
    };
    return stage(lots) > stage(lots_before);
}

} // namespace pointhouse::ledger
