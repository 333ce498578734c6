#include "settlement/reports.hpp"

namespace pointhouse::settlement {
namespace {

ReportCell cell_of_rate(std::int32_t basis_points)
{
    if (basis_points == ledger::vat_rate_unknown) return {};
    if (basis_points == ledger::vat_rate_mixed) return "mixed";
    return std::int64_t{basis_points};
}

} // namespace

void RedemptionNotice::add(const ledger::SpentPoints& spent, const ledger::Terms& terms)
{
    const auto& tariff = terms.tariff(spent.tariff);
    auto& sum = sums_[{
        .issuer = tariff.partner,
        .origin = terms.calendar->month_of(spent.activity),
        .vat_rate = spent.vat_rate,
        .redeemer = spent.redeemer}];
    sum.points += spent.points;
    sum.price += tariff.issue_price * spent.points;
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
        table.rows.push_back(
            {terms.partner(key.issuer).name,
             ledger::format_month(key.origin),
             cell_of_rate(key.vat_rate),
             terms.partner(key.redeemer).name,
             sum.points,
             sum.price,
             terms.face_value * sum.points});
    }
    return table;
}

} // namespace pointhouse::settlement
