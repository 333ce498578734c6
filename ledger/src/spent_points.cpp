#include "ledger/spent_points.hpp"

namespace pointhouse::ledger {

std::optional<SpentPoints> spent_by(const Record& record, const Entry& entry, const Terms& terms)
{
    const bool is_spent = entry.kind == EntryKind::redeemed || entry.kind == EntryKind::donated;
    if (!is_spent && entry.kind != EntryKind::refunded) return std::nullopt;
    return SpentPoints{
        .tariff = entry.lot.tariff,
        .vat_rate = entry.lot.vat_rate,
        .activity = entry.lot.activity,
        .redeemer = entry.counterpart.is_none() ? record.counterparty
                                                : terms.tariff(entry.counterpart).partner,
        .points = is_spent ? entry.points.count() : -entry.points.count()};
}

} // namespace pointhouse::ledger
