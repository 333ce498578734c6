#include "settlement/exchange.hpp"

#include <random>

#include <gtest/gtest.h>

#include "netting_example.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Currency;
using ledger::Minor;
using ledger::PartnerId;
using ledger::Wide;

const Currency euro{"EUR", 2};
const Currency sterling{"GBP", 2};

const ExchangeRate rate_085{
    .id = "ECB-2026-06-30",
    .from = euro,
    .to = sterling,
    .numerator = 85'000,
    .denominator = 100'000,
};

TEST(Convert, TheWorkedExample)
{
    const NetPositions nets = net_positions(example_obligations()).value();

    const auto converted = convert(nets, rate_085);

    ASSERT_TRUE(converted.has_value());
    const std::map<char, std::int64_t> expected{
        {'A', 8'499'77}, {'B', 8'499'40}, {'C', 10'200'53}, {'D', -1'700'57}, {'E', -25'499'13}};
    EXPECT_EQ(by_letter(converted->nets), expected);
    EXPECT_EQ(converted->exchange_result, Minor{1});
    EXPECT_EQ(converted->rate_id, "ECB-2026-06-30");
    EXPECT_EQ(converted->currency, sterling);
}

TEST(Convert, EachPositionAloneLeavesACent)
{
    std::map<char, std::int64_t> alone;
    std::int64_t sum = 0;
    for (const auto& [letter, net] : by_letter(net_positions(example_obligations()).value())) {
        alone[letter] = convert(Minor{net}, rate_085)->count;
        sum += alone[letter];
    }

    const std::map<char, std::int64_t> expected{
        {'A', 8'499'77}, {'B', 8'499'41}, {'C', 10'200'53}, {'D', -1'700'57}, {'E', -25'499'13}};
    EXPECT_EQ(alone, expected);
    EXPECT_EQ(sum, 1);
}

TEST(Convert, RoundsHalfAwayFromZero)
{
    const ExchangeRate half{.from = euro, .to = sterling, .numerator = 1, .denominator = 2};

    EXPECT_EQ(convert(Minor{1}, half), Minor{1});
    EXPECT_EQ(convert(Minor{-1}, half), Minor{-1});
    EXPECT_EQ(convert(Minor{-3}, half), Minor{-2});
    EXPECT_EQ(convert(Minor{0}, half), Minor{0});
}

TEST(Convert, KnowsTheDigitsOfACurrency)
{
    const Currency yen{"JPY", 0};
    const Currency dinar{"KWD", 3};
    const ExchangeRate to_yen{.from = euro, .to = yen, .numerator = 16'225, .denominator = 100};
    const ExchangeRate to_dinar{.from = euro, .to = dinar, .numerator = 335, .denominator = 1'000};
    const ExchangeRate from_yen{.from = yen, .to = euro, .numerator = 100, .denominator = 16'225};

    EXPECT_EQ(convert(Minor{10'00}, to_yen), Minor{1'623});
    EXPECT_EQ(convert(Minor{10'00}, to_dinar), Minor{3'350});
    EXPECT_EQ(convert(Minor{1'623}, from_yen), Minor{10'00});
}

TEST(Convert, RefusesARateThatIsNone)
{
    ExchangeRate rate = rate_085;
    rate.numerator = 0;
    EXPECT_EQ(convert(Minor{1}, rate).error(), ExchangeFault::rate_not_positive);
    rate = rate_085;
    rate.denominator = -1;
    EXPECT_EQ(
        convert(NetPositions{{PartnerId{1}, Minor{0}}}, rate).error(),
        ExchangeFault::rate_not_positive);
}

TEST(Convert, RefusesWhatDoesNotFit)
{
    const ExchangeRate large{
        .from = Currency{"JPY", 0},
        .to = Currency{"KWD", 3},
        .numerator = INT64_MAX,
        .denominator = 1};

    EXPECT_EQ(convert(Minor{INT64_MAX}, large).error(), ExchangeFault::amount_overflow);
    EXPECT_EQ(convert(Minor{2}, large).error(), ExchangeFault::amount_overflow);
}

// Converted positions sum to zero, payers pay their own rounded amounts, and no receiver is more
// than a cent and its share of the payers' rounding away from exact.
TEST(Convert, MakesNoMoney)
{
    for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937_64 random{seed};
        NetPositions nets;
        std::int64_t rest = 0;
        for (auto party = static_cast<std::uint32_t>(1 + random() % 6); party > 0; --party) {
            nets[PartnerId{party}] = Minor{static_cast<std::int64_t>(random() % 200'000) - 100'000};
            rest -= nets[PartnerId{party}].count;
        }
        nets[the_house] = Minor{rest};
        ExchangeRate rate = rate_085;
        rate.numerator = static_cast<std::int64_t>(1 + random() % 3'000'000);
        rate.denominator = 1'000'000;

        const auto converted = convert(nets, rate);

        ASSERT_TRUE(converted.has_value());
        std::int64_t sum = 0;
        std::int64_t alone = 0;
        for (const auto& [party, net] : nets) {
            const std::int64_t paid = converted->nets.at(party).count;
            sum += paid;
            alone += convert(net, rate)->count;
            if (net < Minor{0}) {
                EXPECT_EQ(Minor{paid}, convert(net, rate));
            }
            const Wide error = Wide{paid} * rate.denominator - Wide{net.count} * rate.numerator;
            const Wide bound = Wide{rate.denominator} * static_cast<std::int64_t>(nets.size());
            EXPECT_TRUE(-bound < error && error < bound);
        }
        EXPECT_EQ(sum, 0);
        EXPECT_EQ(converted->exchange_result, Minor{alone});
    }
}

} // namespace
} // namespace pointhouse::settlement
