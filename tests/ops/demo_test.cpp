#include "demo.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "replay_house_double.hpp"
#include "replay_plan.hpp"

namespace pointhouse::ops {
namespace {

constexpr ledger::Month june{.year = 2026, .month = 6};

std::vector<std::string> lines_of(const std::vector<PurchaseRow>& rows)
{
    std::vector<std::string> lines;
    for (const auto& row : rows) {
        lines.push_back(
            ledger::format_time(row.occurred_at) + row.member + row.partner + row.basket +
            std::to_string(row.amount_minor));
    }
    return lines;
}

TEST(DemoMonth, IsTheSameForTheSameSeedAndAnotherForAnother)
{
    EXPECT_EQ(lines_of(demo_month(june, 1)), lines_of(demo_month(june, 1)));
    EXPECT_NE(lines_of(demo_month(june, 1)), lines_of(demo_month(june, 2)));
}

TEST(DemoMonth, StaysWithinItsMonthAndItsBrands)
{
    std::set<std::string, std::less<>> ids;
    for (const auto& brand : demo_brands()) ids.emplace(brand.id);
    for (const auto month : {june, ledger::Month{.year = 2028, .month = 2}}) {
        for (const auto& row : demo_month(month, 3)) {
            EXPECT_EQ(
                ledger::format_time(row.occurred_at).substr(0, 7), ledger::format_month(month));
            EXPECT_TRUE(ids.contains(row.partner));
        }
    }
}

TEST(DemoMonth, SpendsOnlyWhatIsThereAndOftenAtAnotherBrand)
{
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        PlanBuilder builder{std::nullopt};
        for (auto& row : demo_month(june, seed)) builder.add(std::move(row));
        const auto plan = builder.finish();
        std::size_t redemptions = 0;
        std::size_t returns = 0;
        for (const auto& member : plan.members) {
            std::int64_t balance = 0;
            for (const auto& basket : member.baskets) {
                if (basket.kind == RowKind::purchase) balance += basket.amount_minor / 100;
                if (basket.kind == RowKind::goods_return) {
                    balance -= basket.amount_minor / 100;
                    ++returns;
                }
                if (basket.kind == RowKind::redemption) {
                    ASSERT_GE(balance, basket.amount_minor) << "seed " << seed;
                    balance -= basket.amount_minor;
                    ++redemptions;
                }
            }
        }
        EXPECT_GT(redemptions, 100U) << "seed " << seed;
        EXPECT_GT(returns, 50U) << "seed " << seed;
        EXPECT_GT(plan.baskets, 2'000U) << "seed " << seed;
        EXPECT_LT(plan.baskets, 8'000U) << "seed " << seed;
    }
}

TEST(Demo, PlaysThroughAHouseAtItsPace)
{
    std::vector<std::string> ids;
    for (const auto& brand : demo_brands()) ids.emplace_back(brand.id);
    const HouseDouble house{ids, [](std::uint64_t) { return HouseDouble::Mood::answer; }};

    const auto code =
        run_demo({.house = house.served(), .month = june, .lasts = std::chrono::seconds{1}});

    EXPECT_EQ(code, 0);
    EXPECT_GT(house.taken().size(), 2'000U);
}

} // namespace
} // namespace pointhouse::ops
