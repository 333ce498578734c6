#include "settlement/dunning.hpp"

#include <gtest/gtest.h>

namespace pointhouse::settlement {
namespace {

using ledger::Day;
using ledger::Minor;
using ledger::PartnerId;

const Day due = ledger::parse_day("2026-07-14").value();

Dunned dunned(std::int64_t open, std::int32_t level = 0, Day reminded_on = 0)
{
    return {
        .receivable =
            {.document = "INV-1", .partner = PartnerId{1}, .open = Minor{open}, .due_on = due},
        .level = level,
        .reminded_on = reminded_on};
}

std::vector<Reminder> reminded(const Dunned& receivable, Day today, const DunningRules& rules = {})
{
    const std::vector<Dunned> receivables{receivable};
    return reminders(receivables, rules, today);
}

TEST(Reminders, AreFreeUnlessTheRulesSayMore)
{
    const auto made = reminded(dunned(543), due + 7);

    const std::vector<Reminder> expected{
        {.document = "INV-1",
         .partner = PartnerId{1},
         .level = 1,
         .days_late = 7,
         .amount = Minor{543},
         .pay_by = due + 14}};
    EXPECT_EQ(made, expected);
}

TEST(Reminders, BeginOnTheDayOfTheirLevel)
{
    EXPECT_TRUE(reminded(dunned(543), due + 6).empty());
    EXPECT_TRUE(reminded(dunned(543, 1, due + 7), due + 20).empty());
    EXPECT_EQ(reminded(dunned(543, 1, due + 7), due + 21).at(0).level, 2);
    EXPECT_EQ(reminded(dunned(543, 2, due + 21), due + 35).at(0).level, 3);
    EXPECT_TRUE(reminded(dunned(543, 3, due + 35), due + 400).empty());
}

TEST(Reminders, NeverSkipALevelNorHurry)
{
    EXPECT_EQ(reminded(dunned(543), due + 100).at(0).level, 1);
    EXPECT_TRUE(reminded(dunned(543, 1, due + 100), due + 106).empty());
    EXPECT_EQ(reminded(dunned(543, 1, due + 100), due + 107).at(0).level, 2);
}

TEST(Reminders, DoNotAskForWhatIsDisputedOrACredit)
{
    Dunned receivable = dunned(543);
    receivable.receivable.disputed = Minor{500};
    EXPECT_EQ(reminded(receivable, due + 7).at(0).amount, Minor{43});
    receivable.receivable.disputed = Minor{543};
    EXPECT_TRUE(reminded(receivable, due + 7).empty());
    EXPECT_TRUE(reminded(dunned(-543), due + 7).empty());
    EXPECT_TRUE(reminded(dunned(0), due + 7).empty());
}

TEST(Reminders, FeesAndInterestWhereAgreed)
{
    const DunningRules rules{
        .levels = {{.days_late = 0, .fee = Minor{4000}, .interest_basis_points = 1'025}}};

    // 1,000.00 at 10.25 % for 30 of 365 days: 8.4246…
    const Reminder made = reminded(dunned(100'000), due + 30, rules).at(0);
    EXPECT_EQ(made.fee, Minor{4000});
    EXPECT_EQ(made.interest, Minor{842});
    // Exactly half a cent: 0.73 at 50 % for 5 days of 365.
    const DunningRules half{.levels = {{.interest_basis_points = 5'000}}};
    EXPECT_EQ(reminded(dunned(73), due + 5, half).at(0).interest, Minor{1});
    // The due day itself is not late.
    EXPECT_TRUE(reminded(dunned(100'000), due, rules).empty());
}

} // namespace
} // namespace pointhouse::settlement
