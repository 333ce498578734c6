#include "settlement/reports.hpp"

namespace pointhouse::settlement {

using ledger::EntryKind;

void RedemptionNotice::add(
    const ledger::Entry& entry, ledger::PartnerId spender, const ledger::Terms& terms)
{
    const bool is_spent = entry.kind == EntryKind::redeemed || entry.kind == EntryKind::donated;
    if (!is_spent && entry.kind != EntryKind::refunded) return;
    const auto& tariff = terms.tariff(entry.lot.tariff);
    const auto redeemer =
        entry.counterpart.is_none() ? spender : terms.tariff(entry.counterpart).partner;
    auto& sum = sums_[{
        .issuer = tariff.partner,
        .origin = terms.calendar->month_of(entry.lot.activity),
        .vat_rate = entry.lot.vat_rate,
        .redeemer = redeemer}];
    const std::int64_t points = is_spent ? entry.points.count() : -entry.points.count();
    sum.points += points;
    sum.price += tariff.issue_price * points;
}

ReportTable RedemptionNotice::table(
    const ledger::Terms& terms, std::optional<ledger::PartnerId> issuer) const
{
    ReportTable table{
        .name = "redemptions",
        .columns =
            {"issuer",
             "earned_in",
             "vat_rate_basis_points",
             "redeemer",
             "points",
             "issue_price",
             "face_value"},
        .rows = {}};
    for (const auto& [key, sum] : sums_) {
        if (sum.points == 0 || (issuer && key.issuer != *issuer)) continue;
        const bool is_known = key.vat_rate != ledger::vat_rate_unknown;
        table.rows.push_back(
            {terms.partner(key.issuer).name,
             ledger::format_month(key.origin),
             is_known ? ReportCell{std::int64_t{key.vat_rate}} : ReportCell{},
             terms.partner(key.redeemer).name,
             sum.points,
             sum.price,
             terms.face_value * sum.points});
    }
    return table;
}

} // namespace pointhouse::settlement
