#include "demo.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <random>
#include <tuple>
#include <utility>

#include "replay_plan.hpp"
#include "replay_player.hpp"
#include "replay_progress.hpp"
#include "replay_summary.hpp"

namespace pointhouse::ops {
namespace {

using namespace std::chrono_literals;

constexpr std::array brands{
    DemoBrand{.id = "meadow-mill", .name = "Meadow & Mill Grocers"},
    DemoBrand{.id = "blue-heron", .name = "Blue Heron Fuel"},
    DemoBrand{.id = "linden", .name = "Linden Pharmacy"},
    DemoBrand{.id = "northline", .name = "Northline Rail"},
    DemoBrand{.id = "lantern", .name = "Lantern Picture Houses"},
};

/// How people shop at a brand: one of `visits` goes there; what they spend, in cents.
struct Habit {
    int visits = 0;
    std::int64_t spend_from = 0;
    std::int64_t spend_to = 0;
    std::string_view category;
};
constexpr std::array<Habit, brands.size()> habits{{
    {.visits = 46, .spend_from = 900, .spend_to = 14'000, .category = "groceries"},
    {.visits = 22, .spend_from = 2'500, .spend_to = 9'500, .category = "fuel"},
    {.visits = 14, .spend_from = 400, .spend_to = 6'000, .category = "health"},
    {.visits = 10, .spend_from = 1'200, .spend_to = 18'000, .category = "travel"},
    {.visits = 8, .spend_from = 900, .spend_to = 5'200, .category = "leisure"},
}};

constexpr int members = 320;
constexpr int visits_per_day_in_hundred = 38;
constexpr int returns_in_hundred = 4;
constexpr int redemptions_in_hundred = 30; // of visits that could
constexpr std::int64_t redemption_points_min = 200;

/// Makes one month, day by day, and keeps the balances that the house will have (1 point a euro,
/// floored; a point is worth a cent), so that no redemption asks for more than there is.
class DemoMonth {
public:
    DemoMonth(ledger::Month month, std::uint64_t seed)
        : random_{seed}, first_{std::chrono::year{month.year} / month.month / 1},
          days_{
              std::chrono::sys_days{(first_.year() / first_.month() + std::chrono::months{1}) / 1} -
              std::chrono::sys_days{first_}}
    {}

    std::vector<PurchaseRow> make()
    {
        for (int day = 0; day < days_.count(); ++day) {
            take_returns(day);
            for (int member = 0; member < members; ++member) {
                if (one_in_hundred(visits_per_day_in_hundred)) visit(member, day);
            }
        }
        std::ranges::sort(rows_, {}, [](const PurchaseRow& row) {
            return std::tie(row.occurred_at, row.basket);
        });
        return std::move(rows_);
    }

private:
    struct Return {
        int day = 0;
        int member = 0;
        std::size_t brand = 0;
        std::int64_t amount_minor = 0;
        std::string basket;
    };

    std::int64_t between(std::int64_t from, std::int64_t to)
    {
        return from +
               static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(to - from + 1));
    }
    bool one_in_hundred(int chances) { return between(0, 99) < chances; }

    std::size_t pick_brand()
    {
        auto left = between(0, 99);
        std::size_t brand = 0;
        while (left >= habits.at(brand).visits) left -= habits.at(brand++).visits;
        return brand;
    }

    void visit(int member, int day)
    {
        const auto brand = pick_brand();
        const auto& habit = habits.at(brand);
        auto& balance = balances_.at(static_cast<std::size_t>(member));
        // Returns come at opening time, visits later, so a member's messages keep the order of
        // here.
        const auto time = std::chrono::sys_days{first_} + std::chrono::days{day} + 9h +
                          std::chrono::seconds{between(0, 12L * 3'600)};
        const auto basket = fmt::format("r{:05}", ++baskets_);
        if (balance >= redemption_points_min && one_in_hundred(redemptions_in_hundred)) {
            const auto points = balance - balance % 100;
            append(
                member,
                brand,
                time,
                {.basket = basket, .amount_minor = points, .kind = RowKind::redemption});
            balance -= points;
        }
        // Small baskets are more common than large ones.
        const auto spend = std::min(
            between(habit.spend_from, habit.spend_to), between(habit.spend_from, habit.spend_to));
        append(member, brand, time + 40s, {.basket = basket, .amount_minor = spend});
        balance += spend / 100;
        if (one_in_hundred(returns_in_hundred)) {
            returns_.push_back({
                .day = day + static_cast<int>(between(1, 6)),
                .member = member,
                .brand = brand,
                .amount_minor = between(spend / 3, spend),
                .basket = basket + "-back",
            });
        }
    }

    void take_returns(int day)
    {
        for (const auto& goods : returns_) {
            if (goods.day != day) continue;
            const auto time = std::chrono::sys_days{first_} + std::chrono::days{day} + 8h +
                              std::chrono::seconds{between(0, 3599)};
            append(
                goods.member,
                goods.brand,
                time,
                {.basket = goods.basket,
                 .amount_minor = -goods.amount_minor,
                 .kind = RowKind::goods_return});
            balances_.at(static_cast<std::size_t>(goods.member)) -= goods.amount_minor / 100;
        }
    }

    struct Content {
        std::string basket;
        std::int64_t amount_minor = 0;
        RowKind kind = RowKind::purchase;
    };
    void append(int member, std::size_t brand, ledger::Time time, Content content)
    {
        rows_.push_back({
            .occurred_at = time,
            .member = fmt::format("demo-{:04}", member + 1),
            .partner = std::string{brands.at(brand).id},
            .basket = std::move(content.basket),
            .amount_minor = content.amount_minor,
            .currency = std::string{demo_currency},
            .kind = content.kind,
            .channel = "pos",
            .category = std::string{habits.at(brand).category},
        });
    }

    std::mt19937_64 random_;
    std::chrono::year_month_day first_;
    std::chrono::days days_;
    std::array<std::int64_t, members> balances_{}; // below zero: debt
    std::vector<Return> returns_;
    std::vector<PurchaseRow> rows_;
    int baskets_ = 0;
};

} // namespace

std::span<const DemoBrand> demo_brands()
{
    return brands;
}

std::vector<PurchaseRow> demo_month(ledger::Month month, std::uint64_t seed)
{
    return DemoMonth{month, seed}.make();
}

int run_demo(const DemoOptions& options)
{
    PlanBuilder builder{std::nullopt};
    for (auto& row : demo_month(options.month, options.seed)) builder.add(std::move(row));
    const auto plan = builder.finish();

    const auto seconds = static_cast<std::uint64_t>(options.lasts.count());
    const std::uint64_t pace = seconds == 0 ? 0 : plan.baskets / seconds + 1;
    ReplayPlayer player{plan, {.house = options.house, .per_second_max = pace}};
    Progress progress{plan.baskets};
    const auto summary = player.play(progress);
    fmt::print("{}", summary_as_table(plan, summary));
    return summary.complete() ? 0 : 1;
}

} // namespace pointhouse::ops
