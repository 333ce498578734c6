#include "settlement/netting.hpp"

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "netting_example.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Minor;
using ledger::PartnerId;

const PartnerId airline{1};
const PartnerId grocer{2};
const PartnerId hotel{3};

TEST(NetPositions, OfNothingAreEmpty)
{
    const auto positions = net_positions({});

    ASSERT_TRUE(positions.has_value());
    EXPECT_TRUE(positions->empty());
}

TEST(NetPositions, OpposingObligationsCancel)
{
    const std::vector<Obligation> obligations{
        {.debtor = airline, .creditor = grocer, .amount = Minor{500}},
        {.debtor = grocer, .creditor = airline, .amount = Minor{300}},
    };

    const auto positions = net_positions(obligations);

    ASSERT_TRUE(positions.has_value());
    EXPECT_EQ(positions->at(airline), Minor{-200});
    EXPECT_EQ(positions->at(grocer), Minor{200});
}

TEST(NetPositions, TheHouseIsAParty)
{
    const std::vector<Obligation> obligations{
        {.debtor = airline, .creditor = the_house, .amount = Minor{500}},
        {.debtor = the_house, .creditor = hotel, .amount = Minor{420}},
    };

    const auto positions = net_positions(obligations);

    ASSERT_TRUE(positions.has_value());
    EXPECT_EQ(positions->at(the_house), Minor{80});
    EXPECT_EQ(positions->at(airline), Minor{-500});
    EXPECT_EQ(positions->at(hotel), Minor{420});
}

TEST(NetPositions, RefusesAnAmountBelowZero)
{
    const std::vector<Obligation> obligations{
        {.debtor = airline, .creditor = grocer, .amount = Minor{-1}}};

    EXPECT_EQ(net_positions(obligations).error(), NettingFault::amount_negative);
}

TEST(NetPositions, RefusesAmountsThatOverflow)
{
    const Minor largest{std::numeric_limits<std::int64_t>::max()};
    const std::vector<Obligation> obligations{
        {.debtor = airline, .creditor = grocer, .amount = largest},
        {.debtor = hotel, .creditor = grocer, .amount = Minor{1}},
    };

    EXPECT_EQ(net_positions(obligations).error(), NettingFault::amount_overflow);
}

TEST(NetPositions, MayOverflowOnTheWay)
{
    const Minor largest{std::numeric_limits<std::int64_t>::max()};
    const std::vector<Obligation> obligations{
        {.debtor = airline, .creditor = grocer, .amount = largest},
        {.debtor = hotel, .creditor = grocer, .amount = largest},
        {.debtor = grocer, .creditor = airline, .amount = largest},
    };

    const auto positions = net_positions(obligations);

    ASSERT_TRUE(positions.has_value());
    EXPECT_EQ(positions->at(grocer), largest);
    EXPECT_EQ(positions->at(airline), Minor{0});
}

// The worked example of five partners, to the cent.
TEST(NetPositions, OfTheWorkedExample)
{
    const auto positions = net_positions(example_obligations());

    ASSERT_TRUE(positions.has_value());
    const std::map<char, std::int64_t> expected{
        {'A', 9'999'73}, {'B', 9'999'30}, {'C', 12'000'62}, {'D', -2'000'67}, {'E', -29'998'98}};
    EXPECT_EQ(by_letter(*positions), expected);
}

std::vector<Obligation> random_obligations(std::mt19937_64& random)
{
    std::vector<Obligation> obligations;
    for (std::uint64_t left = random() % 50; left > 0; --left) {
        obligations.push_back({
            .debtor = PartnerId{static_cast<std::uint32_t>(random() % 8)},
            .creditor = PartnerId{static_cast<std::uint32_t>(random() % 8)},
            .amount = Minor{static_cast<std::int64_t>(random() % 1'000'000)},
        });
    }
    return obligations;
}

// Whatever parties owe, no money is made or lost, and the order in which obligations arrive does
// not matter.
TEST(NetPositions, SumToZeroAndIgnoreOrder)
{
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937_64 random{seed};
        std::vector<Obligation> obligations = random_obligations(random);

        const auto positions = net_positions(obligations);
        std::ranges::shuffle(obligations, random);
        const auto shuffled = net_positions(obligations);

        ASSERT_TRUE(positions.has_value());
        ASSERT_TRUE(shuffled.has_value());
        EXPECT_EQ(*positions, *shuffled);
        std::int64_t total = 0;
        for (const auto& [party, position] : *positions) total += position.count;
        EXPECT_EQ(total, 0);
    }
}

// A partner's position is the sum of its bilateral nets: the second of the two computations.
TEST(NetPositions, AgreeWithBilateralNetting)
{
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937_64 random{seed};
        const std::vector<Obligation> obligations = random_obligations(random);
        std::map<std::pair<PartnerId, PartnerId>, std::int64_t> between;
        for (const Obligation& owed : obligations) {
            between[std::minmax(owed.debtor, owed.creditor)] +=
                owed.debtor < owed.creditor ? -owed.amount.count : owed.amount.count;
        }
        NetPositions expected;
        for (const auto& [pair, net] : between) {
            if (pair.first == pair.second) {
                expected[pair.first].count += 0;
                continue;
            }
            expected[pair.first].count += net;
            expected[pair.second].count -= net;
        }

        EXPECT_EQ(net_positions(obligations), expected);
    }
}

} // namespace
} // namespace pointhouse::settlement
