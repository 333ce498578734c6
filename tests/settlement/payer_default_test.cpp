#include "settlement/payer_default.hpp"

#include <random>

#include <gtest/gtest.h>

#include "netting_example.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Minor;
using ledger::PartnerId;

NetPositions example_nets()
{
    return net_positions(example_obligations()).value();
}

TEST(Unwind, TheWorkedExampleWithoutItsLargestPayer)
{
    const auto nets = unwind(example_obligations(), example_partner('E'));

    ASSERT_TRUE(nets.has_value());
    const std::map<char, std::int64_t> expected{
        {'A', -60'000'27}, {'B', 34'999'55}, {'C', 40}, {'D', 25'000'32}};
    EXPECT_EQ(by_letter(*nets), expected);
}

TEST(Unwind, RefusesAnObligationBelowZero)
{
    const std::vector<Obligation> obligations{
        {.debtor = PartnerId{1}, .creditor = PartnerId{2}, .amount = Minor{-1}}};

    EXPECT_EQ(unwind(obligations, PartnerId{3}).error(), NettingFault::amount_negative);
}

TEST(CoverDefault, SharesTheLossOfTheWorkedExample)
{
    const auto cover =
        cover_default(example_nets(), {.payer = example_partner('E'), .mutualised = true});

    ASSERT_TRUE(cover.has_value());
    const std::map<char, std::int64_t> shares{{'A', 9'374'53}, {'B', 9'374'13}, {'C', 11'250'32}};
    EXPECT_EQ(by_letter(cover->loss_shares), shares);
    EXPECT_EQ(cover->shortfall, Minor{29'998'98});
    EXPECT_EQ(cover->receivable, Minor{29'998'98});
    EXPECT_EQ(cover->house_bears, Minor{0});
    const std::map<char, std::int64_t> nets{
        {'A', 625'20}, {'B', 625'17}, {'C', 750'30}, {'D', -2'000'67}, {'E', 0}};
    EXPECT_EQ(by_letter(cover->nets), nets);
}

TEST(CoverDefault, TheHouseOwesRedeemersRegardless)
{
    const auto cover = cover_default(example_nets(), {.payer = example_partner('E')});

    ASSERT_TRUE(cover.has_value());
    EXPECT_TRUE(cover->loss_shares.empty());
    EXPECT_EQ(cover->house_bears, Minor{29'998'98});
    const std::map<char, std::int64_t> nets{
        {'A', 9'999'73},
        {'B', 9'999'30},
        {'C', 12'000'62},
        {'D', -2'000'67},
        {'E', 0},
        {'H', -29'998'98}};
    EXPECT_EQ(by_letter(cover->nets), nets);
}

TEST(CoverDefault, DrawsCollateralFirst)
{
    const auto cover = cover_default(
        example_nets(),
        {.payer = example_partner('E'),
         .paid_in = Minor{9'998'98},
         .collateral = Minor{15'000'00},
         .mutualised = true});

    ASSERT_TRUE(cover.has_value());
    EXPECT_EQ(cover->shortfall, Minor{20'000'00});
    EXPECT_EQ(cover->collateral_drawn, Minor{15'000'00});
    EXPECT_EQ(cover->receivable, Minor{5'000'00});
    EXPECT_EQ(cover->nets.at(example_partner('E')), Minor{-24'998'98});
    // 5,000.00 by positions: exactly 1,562.4749, 1,562.4077 and 1,875.1174.
    const std::map<char, std::int64_t> shares{{'A', 1'562'47}, {'B', 1'562'41}, {'C', 1'875'12}};
    EXPECT_EQ(by_letter(cover->loss_shares), shares);
}

TEST(CoverDefault, CollateralMayCoverAll)
{
    const auto cover = cover_default(
        example_nets(),
        {.payer = example_partner('E'), .collateral = Minor{40'000'00}, .mutualised = true});

    ASSERT_TRUE(cover.has_value());
    EXPECT_EQ(cover->collateral_drawn, Minor{29'998'98});
    EXPECT_EQ(cover->receivable, Minor{0});
    EXPECT_TRUE(cover->loss_shares.empty());
    EXPECT_EQ(cover->nets, example_nets());
}

TEST(CoverDefault, PartnersBearNoMoreThanTheyReceive)
{
    const NetPositions nets{
        {the_house, Minor{70}}, {PartnerId{1}, Minor{-100}}, {PartnerId{2}, Minor{30}}};

    const auto cover = cover_default(nets, {.payer = PartnerId{1}, .mutualised = true});

    ASSERT_TRUE(cover.has_value());
    EXPECT_EQ(cover->loss_shares.at(PartnerId{2}), Minor{30});
    EXPECT_EQ(cover->house_bears, Minor{70});
    EXPECT_EQ(cover->nets.at(the_house), Minor{0});
}

TEST(CoverDefault, RefusesWhatIsNoDefault)
{
    const NetPositions nets = example_nets();
    const PartnerId defaulter = example_partner('E');

    EXPECT_EQ(
        cover_default(nets, {.payer = example_partner('A')}).error(), DefaultFault::not_a_payer);
    EXPECT_EQ(cover_default(nets, {.payer = PartnerId{99}}).error(), DefaultFault::not_a_payer);
    EXPECT_EQ(cover_default(nets, {.payer = the_house}).error(), DefaultFault::not_a_payer);
    EXPECT_EQ(
        cover_default(nets, {.payer = defaulter, .paid_in = Minor{-1}}).error(),
        DefaultFault::amount_negative);
    EXPECT_EQ(
        cover_default(nets, {.payer = defaulter, .collateral = Minor{-1}}).error(),
        DefaultFault::amount_negative);
    EXPECT_EQ(
        cover_default(nets, {.payer = defaulter, .paid_in = Minor{29'998'98}}).error(),
        DefaultFault::paid_in_full);
    EXPECT_TRUE(cover_default(nets, {.payer = defaulter, .paid_in = Minor{29'998'97}}).has_value());
}

// Whatever is at hand, the shortfall is borne to the cent and what is paid sums to zero.
TEST(CoverDefault, LosesNothing)
{
    for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937_64 random{seed};
        NetPositions nets;
        std::int64_t rest = 0;
        for (auto party = static_cast<std::uint32_t>(1 + random() % 6); party > 0; --party) {
            nets[PartnerId{party}] = Minor{static_cast<std::int64_t>(random() % 2'000) - 1'000};
            rest -= nets[PartnerId{party}].count;
        }
        nets[the_house] = Minor{rest};
        const DefaultTerms terms{
            .payer = PartnerId{1},
            .paid_in = Minor{static_cast<std::int64_t>(random() % 500)},
            .collateral = Minor{static_cast<std::int64_t>(random() % 500)},
            .mutualised = random() % 2 == 0,
        };

        const auto cover = cover_default(nets, terms);

        if (nets.at(terms.payer).count + terms.paid_in.count >= 0) {
            EXPECT_FALSE(cover.has_value());
            continue;
        }
        ASSERT_TRUE(cover.has_value());
        std::int64_t sum = 0;
        for (const auto& [party, net] : cover->nets) {
            sum += net.count;
            EXPECT_TRUE(party == the_house || nets.at(party) <= Minor{0} || net >= Minor{0});
        }
        EXPECT_EQ(sum, 0);
        std::int64_t lost = cover->house_bears.count;
        for (const auto& [party, share] : cover->loss_shares) lost += share.count;
        EXPECT_EQ(cover->receivable.count, lost);
        EXPECT_EQ(cover->shortfall.count, cover->collateral_drawn.count + lost);
        EXPECT_EQ(
            cover->nets.at(terms.payer).count,
            -terms.paid_in.count - cover->collateral_drawn.count);
    }
}

TEST(NetDebitLimit, IsNotBrokenExactlyAtIt)
{
    const NetPositions nets = example_nets();
    const PartnerId payer = example_partner('D');
    const PartnerId receiver = example_partner('A');

    EXPECT_TRUE(over_net_debit_limit(nets, {{payer, Minor{2'000'67}}}).empty());
    const std::vector<LimitBreach> expected{
        {.party = payer, .net_debit = Minor{2'000'67}, .limit = Minor{2'000'66}}};
    EXPECT_EQ(
        over_net_debit_limit(
            nets, {{payer, Minor{2'000'66}}, {receiver, Minor{0}}, {PartnerId{9}, Minor{0}}}),
        expected);
}

TEST(PayInsMissing, UntilTheLastCentIsThere)
{
    const NetPositions nets = example_nets();
    const PartnerId d = example_partner('D');
    const PartnerId e = example_partner('E');

    const std::map<char, std::int64_t> nothing_paid{{'D', 2'000'67}, {'E', 29'998'98}};
    EXPECT_EQ(by_letter(pay_ins_missing(nets, {})), nothing_paid);
    const std::map<char, std::int64_t> part_paid{{'E', 1}};
    EXPECT_EQ(
        by_letter(pay_ins_missing(nets, {{d, Minor{2'000'67}}, {e, Minor{29'998'97}}})), part_paid);
    EXPECT_TRUE(pay_ins_missing(nets, {{d, Minor{2'000'68}}, {e, Minor{29'998'98}}}).empty());
}

} // namespace
} // namespace pointhouse::settlement
