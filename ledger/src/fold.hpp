#pragma once

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
/// alike.
[[nodiscard]] inline bool has_to_fold(
    std::size_t lots_before, std::size_t lots, const LotLimits& limits)
{
    return lots > limits.open_max && lots > lots_before;
}

} // namespace pointhouse::ledger
