#include "settlement/apportionment.hpp"

#include <random>

#include <gtest/gtest.h>

namespace pointhouse::settlement {
namespace {

using ledger::Minor;
using ledger::Wide;
using Weights = std::vector<std::int64_t>;
using Parts = std::vector<Minor>;

TEST(LargestRemainder, GivesLeftOverUnitsToTheLargestFractions)
{
    EXPECT_EQ(largest_remainder(Minor{10}, Weights{1, 1, 1}), (Parts{{4}, {3}, {3}}));
    EXPECT_EQ(largest_remainder(Minor{10}, Weights{2, 2, 3}), (Parts{{3}, {3}, {4}}));
    EXPECT_EQ(largest_remainder(Minor{1}, Weights{1, 2}), (Parts{{0}, {1}}));
}

TEST(LargestRemainder, SplitsTheAbsoluteValue)
{
    EXPECT_EQ(largest_remainder(Minor{-10}, Weights{1, 1, 1}), (Parts{{-4}, {-3}, {-3}}));
}

TEST(LargestRemainder, OfNothingIsNothing)
{
    EXPECT_EQ(largest_remainder(Minor{0}, Weights{}), Parts{});
    EXPECT_EQ(largest_remainder(Minor{0}, Weights{0, 0}), (Parts{{0}, {0}}));
}

TEST(LargestRemainder, RefusesWhatCannotBeShared)
{
    EXPECT_EQ(largest_remainder(Minor{1}, Weights{}).error(), ApportionmentFault::weights_all_zero);
    EXPECT_EQ(
        largest_remainder(Minor{1}, Weights{0, 0}).error(), ApportionmentFault::weights_all_zero);
    EXPECT_EQ(
        largest_remainder(Minor{1}, Weights{2, -1}).error(), ApportionmentFault::weight_negative);
    EXPECT_EQ(
        largest_remainder(Minor{0}, Weights{-1}).error(), ApportionmentFault::weight_negative);
}

TEST(LargestRemainder, TakesTheLargestNumbersThereAre)
{
    EXPECT_EQ(
        largest_remainder(Minor{INT64_MIN}, Weights{INT64_MAX, INT64_MAX}),
        (Parts{{INT64_MIN / 2}, {INT64_MIN / 2}}));
    EXPECT_EQ(
        largest_remainder(Minor{INT64_MAX}, Weights{INT64_MAX, 0}), (Parts{{INT64_MAX}, {0}}));
}

// The parts sum to the total exactly, each is within one unit of its exact share, and a larger
// weight never gets less.
TEST(LargestRemainder, LosesNothingInRandomCases)
{
    for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937_64 random{seed};
        const auto magnitude = static_cast<std::int64_t>(random() >> (1 + random() % 63));
        const std::int64_t total = random() % 2 == 0 ? magnitude : -magnitude;
        Weights weights(1 + random() % 12);
        for (std::int64_t& weight : weights)
            weight = static_cast<std::int64_t>(random() >> (1 + random() % 63));
        Wide sum = 0;
        for (const std::int64_t weight : weights) sum += weight;
        if (sum == 0) weights.front() = 1, sum = 1;

        const auto parts = largest_remainder(Minor{total}, weights);

        ASSERT_TRUE(parts.has_value());
        ASSERT_EQ(parts->size(), weights.size());
        Wide together = 0;
        for (std::size_t index = 0; index < weights.size(); ++index) {
            const Wide part = (*parts)[index].count;
            together += part;
            const Wide error = part * sum - Wide{total} * weights[index];
            EXPECT_TRUE(-sum < error && error < sum) << index;
            if (weights[index] == 0) {
                EXPECT_TRUE(part == 0) << index;
            }
            for (std::size_t other = 0; other < index; ++other) {
                if (weights[other] < weights[index]) {
                    const Wide smaller = (*parts)[other].count;
                    EXPECT_TRUE(total < 0 ? part <= smaller : part >= smaller);
                }
            }
        }
        EXPECT_TRUE(together == total);
    }
}

} // namespace
} // namespace pointhouse::settlement
