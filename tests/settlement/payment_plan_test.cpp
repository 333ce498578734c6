#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "netting_example.hpp"
#include "settlement/netting.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Minor;
using ledger::PartnerId;
using testing::Message;

NetPositions example_nets()
{
    return net_positions(example_obligations()).value();
}

/// What a plan does to every party.
NetPositions effect_of(const std::vector<Payment>& payments)
{
    NetPositions effect;
    for (const Payment& payment : payments) {
        effect[payment.payer].count -= payment.amount.count;
        effect[payment.payee].count += payment.amount.count;
    }
    std::erase_if(effect, [](const auto& party) { return party.second == Minor{0}; });
    return effect;
}

TEST(PaymentPlan, GrossOfTheWorkedExample)
{
    const auto plan = gross_payments(example_obligations());

    ASSERT_TRUE(plan.has_value());
    EXPECT_EQ(plan->moved, Minor{645'002'45});
    EXPECT_EQ(plan->payments.size(), 16U);
}

TEST(PaymentPlan, BilateralOfTheWorkedExample)
{
    const auto plan = bilateral_payments(example_obligations());

    ASSERT_TRUE(plan.has_value());
    EXPECT_EQ(plan->moved, Minor{319'002'23});
    const std::vector<std::string> expected{
        "A->B 4000005",
        "A->C 999990",
        "A->D 1000032",
        "B->C 4000050",
        "B->E 2500025",
        "C->D 5000000",
        "D->B 3500000",
        "D->E 2700099",
        "E->A 7000000",
        "E->C 1200022",
    };
    EXPECT_EQ(in_words(plan->payments), expected);
}

TEST(PaymentPlan, ThroughTheHouseOfTheWorkedExample)
{
    const auto plan = payments_through_house(example_nets());

    ASSERT_TRUE(plan.has_value());
    EXPECT_EQ(plan->moved, Minor{31'999'65});
    const std::vector<std::string> expected{
        "H->A 999973", "H->B 999930", "H->C 1200062", "D->H 200067", "E->H 2999898"};
    EXPECT_EQ(in_words(plan->payments), expected);
}

TEST(PaymentPlan, DirectOfTheWorkedExample)
{
    const auto plan = direct_payments(example_nets());

    ASSERT_TRUE(plan.has_value());
    EXPECT_EQ(plan->moved, Minor{31'999'65});
    const std::vector<std::string> expected{
        "E->C 1200062", "E->A 999973", "E->B 799863", "D->B 200067"};
    EXPECT_EQ(in_words(plan->payments), expected);
}

// June 2026: documents of 17.00 are settled by one pay-in of 1.40 and three pay-outs of 6.20.
TEST(PaymentPlan, OfAMonthWhereTheHouseIsAParty)
{
    const PartnerId grocer{1};
    const PartnerId bookshop{2};
    const PartnerId fuel{3};
    const PartnerId charity{4};
    const std::vector<Obligation> obligations{
        {.debtor = grocer, .creditor = the_house, .amount = Minor{5'43}},
        {.debtor = bookshop, .creditor = the_house, .amount = Minor{67}},
        {.debtor = the_house, .creditor = grocer, .amount = Minor{4'03}},
        {.debtor = the_house, .creditor = bookshop, .amount = Minor{3'45}},
        {.debtor = the_house, .creditor = charity, .amount = Minor{1'00}},
        {.debtor = the_house, .creditor = fuel, .amount = Minor{2'42}},
    };

    const auto plan = payments_through_house(net_positions(obligations).value());

    ASSERT_TRUE(plan.has_value());
    const std::vector<std::string> expected{"A->H 140", "H->B 278", "H->C 242", "H->D 100"};
    EXPECT_EQ(in_words(plan->payments), expected);
    EXPECT_EQ(plan->moved, Minor{6'20});
    EXPECT_EQ(gross_payments(obligations)->moved, Minor{17'00});
    // With the house on one side of everything, bilateral netting gives the same payments.
    EXPECT_EQ(effect_of(bilateral_payments(obligations)->payments), effect_of(plan->payments));
    EXPECT_EQ(bilateral_payments(obligations)->payments.size(), 4U);
}

TEST(PaymentPlan, RefusesWhatNetPositionsRefuse)
{
    const std::vector<Obligation> negative{
        {.debtor = PartnerId{1}, .creditor = PartnerId{2}, .amount = Minor{-1}}};
    const std::vector<Obligation> large{
        {.debtor = PartnerId{1}, .creditor = PartnerId{2}, .amount = Minor{INT64_MAX}},
        {.debtor = PartnerId{3}, .creditor = PartnerId{2}, .amount = Minor{1}}};
    const NetPositions least{
        {PartnerId{1}, Minor{INT64_MIN}},
        {PartnerId{2}, Minor{INT64_MAX}},
        {PartnerId{3}, Minor{1}}};

    EXPECT_EQ(gross_payments(negative).error(), NettingFault::amount_negative);
    EXPECT_EQ(bilateral_payments(negative).error(), NettingFault::amount_negative);
    EXPECT_EQ(gross_payments(large).error(), NettingFault::amount_overflow);
    EXPECT_EQ(bilateral_payments(large).error(), NettingFault::amount_overflow);
    EXPECT_EQ(payments_through_house(least).error(), NettingFault::amount_overflow);
    EXPECT_EQ(direct_payments(least).error(), NettingFault::amount_overflow);
}

TEST(PaymentPlan, NobodyPaysItself)
{
    const std::vector<Obligation> own{
        {.debtor = PartnerId{1}, .creditor = PartnerId{1}, .amount = Minor{5}}};

    EXPECT_TRUE(gross_payments(own)->payments.empty());
    EXPECT_TRUE(bilateral_payments(own)->payments.empty());
    EXPECT_TRUE(payments_through_house(net_positions(own).value())->payments.empty());
}

std::vector<Obligation> random_obligations(std::mt19937_64& random)
{
    std::vector<Obligation> obligations;
    for (std::uint64_t left = random() % 40; left > 0; --left) {
        obligations.push_back({
            .debtor = PartnerId{static_cast<std::uint32_t>(random() % 7)},
            .creditor = PartnerId{static_cast<std::uint32_t>(random() % 7)},
            .amount = Minor{static_cast<std::int64_t>(random() % 1'000)},
        });
    }
    return obligations;
}

TEST(PaymentPlan, EveryWayLeavesThePositionsAlone)
{
    for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
        SCOPED_TRACE(Message() << "seed " << seed);
        std::mt19937_64 random{seed};
        std::vector<Obligation> obligations = random_obligations(random);
        NetPositions nets = net_positions(obligations).value();

        const auto gross = gross_payments(obligations).value();
        const auto bilateral = bilateral_payments(obligations).value();
        const auto house = payments_through_house(nets).value();
        const auto direct = direct_payments(nets).value();

        std::erase_if(nets, [](const auto& party) { return party.second == Minor{0}; });
        EXPECT_EQ(effect_of(gross.payments), nets);
        EXPECT_EQ(effect_of(bilateral.payments), nets);
        EXPECT_EQ(effect_of(house.payments), nets);
        EXPECT_EQ(effect_of(direct.payments), nets);
        EXPECT_LE(bilateral.moved, gross.moved);
        EXPECT_LE(direct.moved, bilateral.moved);
        EXPECT_EQ(house.moved, direct.moved);
        EXPECT_EQ(house.payments.size(), nets.size() - nets.count(the_house));
        EXPECT_LE(direct.payments.size() + (nets.empty() ? 0 : 1), nets.size());
        for (const Payment& payment : direct.payments) EXPECT_GT(payment.amount, Minor{0});

        std::ranges::shuffle(obligations, random);
        EXPECT_EQ(gross_payments(obligations)->payments, gross.payments);
        EXPECT_EQ(bilateral_payments(obligations)->payments, bilateral.payments);
    }
}

} // namespace
} // namespace pointhouse::settlement
