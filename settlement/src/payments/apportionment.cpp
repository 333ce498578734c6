#include "settlement/apportionment.hpp"

#include <algorithm>
#include <numeric>

#include "ledger/invariant.hpp"

namespace pointhouse::settlement {

using ledger::Minor;
using ledger::Wide;

std::expected<std::vector<Minor>, ApportionmentFault> largest_remainder(
    Minor total, std::span<const std::int64_t> weights)
{
    Wide sum = 0;
    for (const std::int64_t weight : weights) {
        if (weight < 0) return std::unexpected(ApportionmentFault::weight_negative);
        sum += weight;
    }
    if (sum == 0 && total.count != 0) return std::unexpected(ApportionmentFault::weights_all_zero);
    std::vector<Minor> parts(weights.size());
    if (total.count == 0) return parts;

    const Wide sign = total.count < 0 ? -1 : 1;
    const Wide magnitude = sign * total.count;
    Wide left_over = magnitude;
    std::vector<Wide> fractions(weights.size()); // each in parts of `sum`
    for (std::size_t index = 0; index < weights.size(); ++index) {
        const Wide product = magnitude * weights[index];
        const Wide whole = product / sum;
        fractions[index] = product % sum;
        left_over -= whole;
        parts[index] = Minor{static_cast<std::int64_t>(sign * whole)};
    }

    std::vector<std::size_t> order(weights.size());
    // NOLINTNEXTLINE(modernize-use-ranges): libstdc++ 12 has no std::ranges::iota
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, [&fractions](std::size_t left, std::size_t right) {
        return fractions[left] != fractions[right] ? fractions[left] > fractions[right]
                                                   : left < right;
    });
    for (const std::size_t index : order) {
        if (left_over == 0) break;
        parts[index].count += static_cast<std::int64_t>(sign);
        --left_over;
    }
    ledger::invariant(left_over == 0, "fewer units are left over than there are fractions");
    return parts;
}

} // namespace pointhouse::settlement
