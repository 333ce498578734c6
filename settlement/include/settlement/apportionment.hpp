#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <vector>

#include "ledger/money.hpp"

namespace pointhouse::settlement {

enum class ApportionmentFault : std::uint8_t {
    weight_negative,
    weights_all_zero, // and there is something to share
};

/// Splits a total by weights so that no unit is lost: each share is cut down to a whole unit, and
/// the units left over go to the largest fractions, equal ones in the order given (the largest
/// remainder method). A total below zero is split as its absolute value and gets its sign back.
/// Exact in 128 bits for every total and weight. Pure; any thread.
/// Post: the parts sum to `total`, each is less than one unit from its exact share, and a weight of
/// zero gets nothing.
[[nodiscard]] std::expected<std::vector<ledger::Minor>, ApportionmentFault> largest_remainder(
    ledger::Minor total, std::span<const std::int64_t> weights);

} // namespace pointhouse::settlement
