#include "settlement/ageing.hpp"

#include <random>

#include <gtest/gtest.h>

namespace pointhouse::settlement {
namespace {

using ledger::Day;
using ledger::Minor;
using ledger::PartnerId;

const Day today = ledger::parse_day("2026-07-31").value();

TEST(Age, ChangesOnTheDayAfter)
{
    EXPECT_EQ(age_of(today + 1, today), Age::not_due);
    EXPECT_EQ(age_of(today, today), Age::not_due);
    EXPECT_EQ(age_of(today - 1, today), Age::days_1_to_30);
    EXPECT_EQ(age_of(today - 30, today), Age::days_1_to_30);
    EXPECT_EQ(age_of(today - 31, today), Age::days_31_to_60);
    EXPECT_EQ(age_of(today - 60, today), Age::days_31_to_60);
    EXPECT_EQ(age_of(today - 61, today), Age::days_61_to_90);
    EXPECT_EQ(age_of(today - 90, today), Age::days_61_to_90);
    EXPECT_EQ(age_of(today - 91, today), Age::over_90_days);
    EXPECT_EQ(age_of(ledger::never, today), Age::not_due);
}

TEST(AgedReceivables, ByPartnerWithDisputesApart)
{
    const std::vector<Receivable> receivables{
        {.document = "INV-3", .partner = PartnerId{2}, .open = Minor{67}, .due_on = today},
        {.document = "INV-1", .partner = PartnerId{1}, .open = Minor{543}, .due_on = today - 17},
        {.document = "INV-2",
         .partner = PartnerId{1},
         .open = Minor{100},
         .disputed = Minor{40},
         .due_on = today - 91},
        {.document = "CN-1", .partner = PartnerId{1}, .open = Minor{-43}, .due_on = today + 3},
        {.document = "INV-4", .partner = PartnerId{3}},
    };

    const AgedReceivables aged = aged_receivables(receivables, today);

    const std::vector<AgedPartner> expected{
        {.partner = PartnerId{1},
         .amounts =
             {.by_age = {{{-43}, {543}, {0}, {0}, {60}}},
              .disputed = Minor{40},
              .total = Minor{600}}},
        {.partner = PartnerId{2},
         .amounts = {.by_age = {{{67}, {0}, {0}, {0}, {0}}}, .total = Minor{67}}},
    };
    EXPECT_EQ(aged.partners, expected);
    EXPECT_EQ(aged.total.total, Minor{667});
    EXPECT_EQ(aged.difference_to(Minor{667}), Minor{0});
    EXPECT_EQ(aged.difference_to(Minor{668}), Minor{-1});
}

TEST(AgedReceivables, AddUp)
{
    for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937_64 random{seed};
        std::vector<Receivable> receivables;
        std::int64_t control = 0;
        for (std::uint64_t left = random() % 20; left > 0; --left) {
            const auto open = static_cast<std::int64_t>(random() % 2'000) - 500;
            control += open;
            receivables.push_back({
                .partner = PartnerId{static_cast<std::uint32_t>(1 + random() % 4)},
                .open = Minor{open},
                .disputed = Minor{open > 0 && random() % 3 == 0 ? open / 2 : 0},
                .due_on = today - static_cast<Day>(random() % 120),
            });
        }

        const AgedReceivables aged = aged_receivables(receivables, today);

        EXPECT_EQ(aged.difference_to(Minor{control}), Minor{0});
        AgedAmounts sum;
        for (const AgedPartner& partner : aged.partners) {
            for (std::size_t age = 0; age < age_count; ++age)
                sum.by_age[age] += partner.amounts.by_age[age];
            sum.disputed += partner.amounts.disputed;
            sum.total += partner.amounts.total;
        }
        EXPECT_EQ(sum, aged.total);
    }
}

} // namespace
} // namespace pointhouse::settlement
