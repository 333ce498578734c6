#include "exact_sums.hpp"

#include <algorithm>
#include <numeric>

#include "ledger/money.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Wide;

/// Walks the amounts from the largest on, taking each or leaving it.
class Search {
public:
    Search(std::span<const std::int64_t> amounts, std::int64_t target, std::int32_t& steps_left)
        : amounts_{amounts}, target_{target}, steps_left_{steps_left}, order_(amounts.size()),
          rest_(amounts.size() + 1)
    {
        // NOLINTNEXTLINE(modernize-use-ranges): libstdc++ 12 has no std::ranges::iota
        std::iota(order_.begin(), order_.end(), std::size_t{0});
        std::ranges::sort(order_, [amounts](std::size_t left, std::size_t right) {
            return amounts[left] != amounts[right] ? amounts[left] > amounts[right] : left < right;
        });
        for (std::size_t place = order_.size(); place > 0; --place)
            rest_[place - 1] = rest_[place] + amounts[order_[place - 1]];
    }

    ExactSums run()
    {
        walk(0, target_);
        return std::move(found_);
    }

private:
    void walk(std::size_t place, Wide missing)
    {
        if (missing == 0) {
            if (taken_.size() >= 2) keep();
            return;
        }
        // What is left cannot reach the target any more.
        if (place == order_.size() || rest_[place] < missing) return;
        if (!found_.is_complete) return;
        if (--steps_left_ < 0) {
            found_.is_complete = false;
            return;
        }
        const std::int64_t amount = amounts_[order_[place]];
        if (amount <= missing) {
            taken_.push_back(order_[place]);
            walk(place + 1, missing - amount);
            taken_.pop_back();
        }
        walk(place + 1, missing);
    }

    void keep()
    {
        if (found_.choices.size() == choices_max) {
            found_.is_complete = false;
            return;
        }
        found_.choices.push_back(taken_);
        std::ranges::sort(found_.choices.back());
    }

    std::span<const std::int64_t> amounts_;
    Wide target_;
    std::int32_t& steps_left_;
    std::vector<std::size_t> order_;
    std::vector<Wide> rest_; // of all amounts from a place on
    std::vector<std::size_t> taken_;
    ExactSums found_;
};

} // namespace

ExactSums exact_sums(
    std::span<const std::int64_t> amounts, std::int64_t target, std::int32_t& steps_left)
{
    // Each level of the walk is one amount: more of them would be a deep stack for no answer.
    constexpr std::size_t amounts_max = 1'000;
    if (amounts.size() > amounts_max) return {.is_complete = false};
    return Search{amounts, target, steps_left}.run();
}

} // namespace pointhouse::settlement
