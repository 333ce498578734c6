#include "settlement/window_figures.hpp"

#include <gtest/gtest.h>

#include "coalition.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::DebtKind;
using ledger::PartnerId;
using ledger::TariffVersion;

const TariffVersion gro{1};

const PartnerFigures& of(const WindowFigures& figures, PartnerId partner)
{
    return figures.partners.at(partner.value() - 1);
}

TEST(WindowFigures, RollTheWorkedMonthForward)
{
    const June june{VatMode::all_flows};

    const WindowFigures figures = june.coalition.figures();

    const PartnerFigures& grocer = of(figures, june.grocer);
    EXPECT_EQ(grocer.opening, 1'000);
    EXPECT_EQ(grocer.issued, 408);
    EXPECT_EQ(grocer.redeemed_here, 350);
    EXPECT_EQ(grocer.own_redeemed_anywhere, 424); // 500 − 200 + 24 + 100
    EXPECT_EQ(grocer.refunded, 0);
    EXPECT_EQ(grocer.donated, 100);
    EXPECT_EQ(grocer.clawed_back, 0);
    EXPECT_EQ(grocer.recovered_given, 180);
    EXPECT_EQ(grocer.closing, 804); // M1 684 and M2 120
    EXPECT_EQ(grocer.debt, 0);

    const PartnerFigures& bookshop = of(figures, june.bookshop);
    EXPECT_EQ(bookshop.issued, 250);
    EXPECT_EQ(bookshop.redeemed_here, 500);
    EXPECT_EQ(bookshop.refunded, 200);
    EXPECT_EQ(bookshop.own_redeemed_anywhere, 230);
    EXPECT_EQ(bookshop.clawed_back, 200);
    EXPECT_EQ(bookshop.recovered_received, 180);
    EXPECT_EQ(bookshop.closing, 0);
    EXPECT_EQ(bookshop.debt, 0);

    EXPECT_EQ(of(figures, june.fuel).closing, 440); // M3 40, and L0, which expires in issue B
    EXPECT_EQ(of(figures, june.charity).redeemed_here, 100);
    EXPECT_EQ(of(figures, june.charity).closing, 0);
}

TEST(WindowFigures, FlowsAreNetOfRefunds)
{
    const June june{VatMode::all_flows};

    const std::vector<PointsFlow> expected{
        {.issuer = june.grocer, .redeemer = june.grocer, .points = 24},
        {.issuer = june.grocer, .redeemer = june.bookshop, .points = 300},
        {.issuer = june.grocer, .redeemer = june.charity, .points = 100},
        {.issuer = june.fuel, .redeemer = june.grocer, .points = 96},
        {.issuer = june.bookshop, .redeemer = june.grocer, .points = 230},
    };
    EXPECT_EQ(june.coalition.figures().flows, expected);
}

TEST(WindowFigures, FlowThatWasWhollyRefundedIsLeftOut)
{
    June june{VatMode::all_flows};
    june.coalition.refund(gro, gro, 24);

    const WindowFigures figures = june.coalition.figures();

    EXPECT_EQ(figures.flows.size(), 4);
    EXPECT_EQ(figures.flows.front().redeemer, june.bookshop);
}

TEST(WindowFigures, ATrialBalanceIsEqualOnBothSides)
{
    const TrialBalance balance = June{VatMode::all_flows}.coalition.figures().trial_balance;

    // issued 794, redeemed 850, refunded 200, clawed back 200, recovered 2 × 180, donated 100
    EXPECT_EQ(balance.points_debits, 2'504);
    EXPECT_EQ(balance.points_credits, 2'504);
    // E1 0.924, E3 1.056 + 0.264, E4 2.75, E5 3.30, E6 5.00, E7 2.00, E11 3.50, E12 0.22,
    // E12b 1.98, E13 0.44, E14 1.00
    EXPECT_EQ(balance.money_debits, ledger::Micro{22'434'000});
    EXPECT_EQ(balance.money_credits, ledger::Micro{22'434'000});
}

TEST(WindowFigures, ATrialBalanceShowsMoneyThatDoesNotBalance)
{
    June june{VatMode::all_flows};
    june.coalition.rows().front().money.fee += ledger::Micro{1};

    const TrialBalance balance = june.coalition.figures().trial_balance;

    EXPECT_EQ(balance.money_credits, balance.money_debits + ledger::Micro{1});
}

TEST(WindowFigures, OfAWindowWithoutMovementCarryOver)
{
    June june{VatMode::all_flows};
    june.coalition.close_window();

    const WindowFigures figures = june.coalition.figures();

    EXPECT_EQ(of(figures, june.grocer).opening, 804);
    EXPECT_EQ(of(figures, june.grocer).closing, 804);
    EXPECT_EQ(of(figures, june.grocer).issued, 0);
    EXPECT_TRUE(figures.flows.empty());
    EXPECT_EQ(figures.trial_balance, TrialBalance{});
}

TEST(WindowFigures, OfAHouseWithoutPartnersAreEmpty)
{
    const Coalition nobody;

    EXPECT_TRUE(nobody.figures().partners.empty());
}

// Without E5 the members of the bookshop owe 180 at the end; the next window opens net of it.
TEST(WindowFigures, DebtIsCarriedIntoTheNextWindow)
{
    Coalition coalition;
    const PartnerId issuer = coalition.add_partner("BOE", "Bookshop", VatMode::all_flows);
    const TariffVersion own{1};
    coalition.issue(own, 250);
    coalition.redeem(own, own, 230);
    coalition.claw_back(own, 20);
    coalition.incur_debt(own, 180);
    EXPECT_EQ(of(coalition.figures(), issuer).closing, 0);
    EXPECT_EQ(of(coalition.figures(), issuer).debt, 180);

    coalition.close_window();
    const PartnerFigures idle = of(coalition.figures(), issuer);
    EXPECT_EQ(idle.opening, -180);
    EXPECT_EQ(idle.closing, 0);
    EXPECT_EQ(idle.debt, 180);

    coalition.issue(own, 200);
    coalition.recover(own, own, 180);
    const PartnerFigures recovered = of(coalition.figures(), issuer);
    EXPECT_EQ(recovered.opening, -180);
    EXPECT_EQ(recovered.recovered_given, 180);
    EXPECT_EQ(recovered.recovered_received, 180);
    EXPECT_EQ(recovered.closing, 20);
    EXPECT_EQ(recovered.debt, 0);
}

TEST(WindowFigures, ExcessClawbacksCountAsClawedBack)
{
    Coalition coalition;
    const PartnerId issuer = coalition.add_partner("BOE", "Bookshop", VatMode::all_flows);
    const TariffVersion own{1};
    coalition.incur_debt(own, 75, DebtKind::excess);

    const PartnerFigures figures = of(coalition.figures(), issuer);

    EXPECT_EQ(figures.clawed_back, 75);
    EXPECT_EQ(figures.closing, 0);
    EXPECT_EQ(figures.debt, 75);
}

TEST(WindowFigures, ARefundAloneMakesRedemptionsNegative)
{
    Coalition coalition;
    const PartnerId issuer = coalition.add_partner("BOE", "Bookshop", VatMode::all_flows);
    const PartnerId charity = coalition.add_charity("CHA", "Charity");
    const TariffVersion own{1};
    coalition.issue(own, 100);
    coalition.redeem(own, own, 60);
    coalition.donate(own, charity, 40);
    coalition.close_window();
    coalition.refund(own, own, 60);
    coalition.refund_donation(own, charity, 10);

    const WindowFigures figures = coalition.figures();

    EXPECT_EQ(of(figures, issuer).opening, 0);
    EXPECT_EQ(of(figures, issuer).own_redeemed_anywhere, -70);
    EXPECT_EQ(of(figures, issuer).donated, -10);
    EXPECT_EQ(of(figures, issuer).refunded, 60);
    EXPECT_EQ(of(figures, charity).refunded, 10);
    EXPECT_EQ(of(figures, issuer).closing, 70);
    EXPECT_EQ(figures.flows.at(0).points, -60);
}

using WindowFiguresDeathTest = testing::Test;

TEST(WindowFiguresDeathTest, BooksWithFewerThanZeroOpenPointsStopTheProcess)
{
    Coalition coalition;
    coalition.add_partner("BOE", "Bookshop", VatMode::all_flows);
    coalition.claw_back(TariffVersion{1}, 1);

    EXPECT_DEATH(static_cast<void>(coalition.figures()), "fewer than zero open points");
}

TEST(WindowFiguresDeathTest, SumsOfPointsThatOverflowStopTheProcess)
{
    Coalition coalition;
    coalition.add_partner("BOE", "Bookshop", VatMode::all_flows);
    for (int row = 0; row < 2; ++row) {
        coalition.issue(TariffVersion{1}, 1);
        coalition.rows().back().points = ledger::Points{INT64_MAX};
    }

    EXPECT_DEATH(static_cast<void>(coalition.figures()), "fit 64 bits");
}

} // namespace
} // namespace pointhouse::settlement
