#include <algorithm>
#include <fmt/format.h>

#include "settlement/reports.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Minor;
using ledger::Wide;

/// numerator / denominator, half away from zero. Pre: both are zero or more, the second above.
Minor rounded(Wide numerator, Wide denominator)
{
    return {static_cast<std::int64_t>((2 * numerator + denominator) / (2 * denominator))};
}

std::optional<std::string> fault_of(const BreakageEstimate& estimate)
{
    const auto& rate = estimate.ultimate_redemption_rate;
    const auto& shared = estimate.shared_breakage;
    if (rate.numerator < 1 || rate.numerator > rate.denominator)
        return "an ultimate redemption rate is above 0 and at most 1";
    if (shared.numerator < 0 || shared.numerator > shared.denominator || shared.denominator < 1)
        return "a share of breakage is from 0 to 1";
    if (estimate.points_redeemed < 0 || estimate.points_redeemed > estimate.points_sold ||
        estimate.consideration < ledger::Micro{})
        return fmt::format(
            "{} points sold and {} redeemed are no estimate's",
            estimate.points_sold,
            estimate.points_redeemed);
    return std::nullopt;
}

BreakageVersion version_of(
    const BreakageEstimate& estimate, Minor revenue_before, const ledger::Currency& currency)
{
    const auto& rate = estimate.ultimate_redemption_rate;
    const auto& shared = estimate.shared_breakage;
    const Minor consideration = ledger::minor_units_of(estimate.consideration, currency);
    BreakageVersion version{.estimate = estimate};
    version.refund_liability = rounded(
        Wide{consideration.count} * (rate.denominator - rate.numerator) * shared.numerator,
        Wide{rate.denominator} * shared.denominator);
    version.transaction_price = {consideration.count - version.refund_liability.count};
    // Of the points that are expected to be redeemed so many are; never more than all.
    const Wide redeemed = Wide{estimate.points_redeemed} * rate.denominator;
    const Wide expected = Wide{estimate.points_sold} * rate.numerator;
    if (expected > 0)
        version.revenue_to_date =
            redeemed >= expected ? version.transaction_price
                                 : rounded(version.transaction_price.count * redeemed, expected);
    version.revenue = {version.revenue_to_date.count - revenue_before.count};
    version.contract_liability = {version.transaction_price.count - version.revenue_to_date.count};
    return version;
}

} // namespace

std::expected<std::vector<BreakageVersion>, std::string> breakage_versions(
    std::span<const BreakageEstimate> estimates, const ledger::Currency& currency)
{
    std::vector<BreakageVersion> versions;
    for (const auto& estimate : estimates) {
        if (auto fault = fault_of(estimate)) return std::unexpected(std::move(*fault));
        const bool is_later = versions.empty() || versions.back().estimate.as_of < estimate.as_of;
        if (!is_later) return std::unexpected("versions are in the order of their days");
        versions.push_back(version_of(
            estimate, versions.empty() ? Minor{} : versions.back().revenue_to_date, currency));
    }
    return versions;
}

} // namespace pointhouse::settlement
