#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pointhouse::settlement {

/// Choices of amounts that sum to a target, as places in ascending order.
struct ExactSums {
    std::vector<std::vector<std::size_t>> choices{}; // in a fixed order
    bool is_complete = true;                         // false: the search was given up
};

inline constexpr std::size_t choices_max = 100;

/// Looks for two or more amounts, all above zero, that sum to `target`; gives up after
/// `choices_max` choices, or when `steps_left` is used up. One thread.
[[nodiscard]] ExactSums exact_sums(
    std::span<const std::int64_t> amounts, std::int64_t target, std::int32_t& steps_left);

} // namespace pointhouse::settlement
