#include "settlement/netting.hpp"

#include "ledger/invariant.hpp"

namespace pointhouse::settlement {

using ledger::Minor;
using ledger::Wide;

std::expected<NetPositions, NettingFault> net_positions(std::span<const Obligation> obligations)
{
    // 128 bits: the sum of as many of the largest obligations as memory holds cannot overflow.
    std::map<ledger::PartnerId, Wide> totals;
    for (const Obligation& owed : obligations) {
        if (owed.amount < Minor{0}) return std::unexpected(NettingFault::amount_negative);
        totals[owed.debtor] -= owed.amount.count;
        totals[owed.creditor] += owed.amount.count;
    }

    NetPositions positions;
    Wide grand_total = 0;
    for (const auto& [party, total] : totals) {
        if (total < INT64_MIN || total > INT64_MAX)
            return std::unexpected(NettingFault::amount_overflow);
        positions.emplace(party, Minor{static_cast<std::int64_t>(total)});
        grand_total += total;
    }
    ledger::invariant(grand_total == 0, "net positions sum to zero");
    return positions;
}

} // namespace pointhouse::settlement
