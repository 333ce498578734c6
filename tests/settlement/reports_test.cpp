#include "settlement/reports.hpp"

#include <array>
#include <fmt/format.h>
#include <random>

#include <gtest/gtest.h>

#include "coalition.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Account;
using ledger::Micro;
using ledger::PartnerId;
using ledger::Wide;

const ledger::Currency euro{.code = "EUR", .minor_digits = 2};

ledger::Day day(std::string_view text)
{
    return ledger::parse_day(text).value();
}

/// 100,000 points sold for 1,000.00.
BreakageEstimate estimate(
    std::string_view as_of, std::int32_t rate_percent, std::int64_t redeemed, ledger::Share shared)
{
    return {
        .as_of = day(as_of),
        .ultimate_redemption_rate = {.numerator = rate_percent, .denominator = 100},
        .shared_breakage = shared,
        .points_sold = 100'000,
        .consideration = Micro{1'000'000'000},
        .points_redeemed = redeemed};
}

constexpr ledger::Share none{.numerator = 0, .denominator = 1};
constexpr ledger::Share half{.numerator = 1, .denominator = 2};

TEST(BreakageVersions, CatchUpWithARevisedRate)
{
    const std::vector estimates{
        estimate("2026-12-31", 88, 40'000, none), estimate("2027-12-31", 90, 63'000, none)};
    const auto versions = breakage_versions(estimates, euro);
    ASSERT_TRUE(versions.has_value());
    EXPECT_EQ(versions->at(0).revenue.count, 454'55);
    EXPECT_EQ(versions->at(1).revenue_to_date.count, 700'00);
    EXPECT_EQ(versions->at(1).revenue.count, 245'45);
    EXPECT_EQ(versions->at(1).contract_liability.count, 300'00);
    EXPECT_EQ(versions->at(1).refund_liability.count, 0);
}

TEST(BreakageVersions, ShareOfTheIssuerIsARefundLiability)
{
    const std::vector estimates{estimate("2026-12-31", 88, 40'000, half)};
    const auto versions = breakage_versions(estimates, euro);
    ASSERT_TRUE(versions.has_value());
    EXPECT_EQ(versions->at(0).transaction_price.count, 940'00);
    EXPECT_EQ(versions->at(0).revenue.count, 427'27);
    EXPECT_EQ(versions->at(0).refund_liability.count, 60'00);
}

TEST(BreakageVersions, MoreRedeemedThanExpectedIsAllRevenue)
{
    const std::vector estimates{estimate("2026-12-31", 88, 95'000, none)};
    const auto versions = breakage_versions(estimates, euro);
    EXPECT_EQ(versions.value().front().revenue.count, 1'000'00);
    EXPECT_EQ(versions.value().front().contract_liability.count, 0);
}

TEST(BreakageVersions, RefuseWhatIsNoEstimate)
{
    const auto refuses = [](std::vector<BreakageEstimate> estimates) {
        return !breakage_versions(estimates, euro).has_value();
    };
    EXPECT_TRUE(refuses({estimate("2026-12-31", 0, 1, none)}));
    EXPECT_TRUE(refuses({estimate("2026-12-31", 101, 1, none)}));
    EXPECT_TRUE(refuses({estimate("2026-12-31", 88, 100'001, none)}));
    EXPECT_TRUE(refuses({estimate("2026-12-31", 88, -1, none)}));
    EXPECT_TRUE(refuses({estimate("2026-12-31", 88, 1, {.numerator = 3, .denominator = 2})}));
    EXPECT_TRUE(
        refuses({estimate("2026-12-31", 88, 1, none), estimate("2026-12-31", 88, 1, none)}));
    EXPECT_FALSE(refuses({}));
}

// Whatever the estimates, the revenue of all versions and what is left are the price of the last.
TEST(BreakageVersions, SumToTheTransactionPrice)
{
    const auto seed = std::random_device{}();
    std::mt19937_64 chance{seed};
    const auto below = [&](std::int64_t bound) {
        return std::uniform_int_distribution<std::int64_t>{0, bound - 1}(chance);
    };
    for (int number = 0; number < 20'000; ++number) {
        std::vector<BreakageEstimate> estimates;
        const std::int64_t sold = 1 + below(1'000'000'000'000);
        std::int64_t redeemed = 0;
        for (std::int64_t version = 0; version <= below(5); ++version) {
            redeemed += below(sold - redeemed + 1);
            estimates.push_back(
                {.as_of = static_cast<ledger::Day>(20'000 + version),
                 .ultimate_redemption_rate =
                     {.numerator = static_cast<std::int32_t>(1 + below(1'000'000)),
                      .denominator = 1'000'000},
                 .shared_breakage =
                     {.numerator = static_cast<std::int32_t>(below(4)), .denominator = 3},
                 .points_sold = sold,
                 .consideration = Micro{below(1'000'000'000'000'000)},
                 .points_redeemed = redeemed});
        }
        const auto versions = breakage_versions(estimates, euro);
        ASSERT_TRUE(versions.has_value()) << seed;
        std::int64_t revenue = 0;
        for (const auto& version : *versions) {
            revenue += version.revenue.count;
            EXPECT_EQ(revenue, version.revenue_to_date.count);
            EXPECT_EQ(
                version.transaction_price.count + version.refund_liability.count,
                ledger::minor_units_of(version.estimate.consideration, euro).count);
            EXPECT_EQ(
                version.revenue_to_date.count + version.contract_liability.count,
                version.transaction_price.count);
            ASSERT_GE(version.contract_liability.count, 0) << seed << " " << number;
        }
    }
}

TEST(ReportTable, IsJsonCsvAndWords)
{
    const Report report{
        .name = "sample",
        .facts = {{"currency", "EUR"}},
        .tables = {
            {.name = "rows",
             .columns = {"who", "points", "amount"},
             .rows = {
                 {std::string{"a,\"b\""}, std::int64_t{-7}, Micro{-1'250'000}},
                 {std::string{"c"}, ReportCell{}, Micro{1}}}}}};
    EXPECT_EQ(
        report_json(report),
        R"({"report":"sample","currency":"EUR","rows":[{"who":"a,\"b\"","points":-7,)"
        R"("amount_micro":-1250000},{"who":"c","points":null,"amount_micro":1}]})");
    EXPECT_EQ(report_csv(report), "who,points,amount\n\"a,\"\"b\"\"\",-7,-1.250000\nc,,0.000001\n");
    EXPECT_NE(report_in_words(report).find("currency: EUR"), std::string::npos);
}

TEST(RollForwardByProgram, SubtotalsAddUpWhoeverIsWhere)
{
    const std::uint32_t seed = std::random_device{}();
    std::mt19937 random{seed};
    SCOPED_TRACE(seed);
    constexpr std::array names{"", "grocery", "travel"};
    for (int round = 0; round < 200; ++round) {
        Coalition coalition;
        std::vector<LiabilityRollForward> rows;
        std::vector<std::string> programs;
        LiabilityFlow closing;
        for (int place = 0; place < 6; ++place) {
            const auto name = fmt::format("P{}", place);
            const auto points = static_cast<std::int64_t>(random() % 10'000);
            rows.push_back(
                {.issuer = coalition.add_partner(name, name, VatMode::fee_only),
                 .issued = {.points = points, .liability = Micro{points * 7}},
                 .closing = {.points = points, .liability = Micro{points * 7}}});
            programs.emplace_back(names.at(random() % names.size()));
            closing.points += points;
            closing.liability += Micro{points * 7};
        }
        LiabilityFlow sum;
        for (const auto& [program, subtotal] : rolled_by_program(rows, programs)) {
            EXPECT_EQ(subtotal.issued, subtotal.closing) << program;
            sum.points += subtotal.closing.points;
            sum.liability += subtotal.closing.liability;
        }
        EXPECT_EQ(sum, closing);
        const auto table = programs_table(rolled_by_program(rows, programs));
        EXPECT_EQ(table.rows.back().at(8), ReportCell{closing.points}) << "the total's closing";
        const auto issuers = roll_forward_table(rows, coalition.terms(), programs);
        EXPECT_EQ(issuers.columns.back(), "program");
        for (const auto& row : issuers.rows) EXPECT_EQ(row.size(), issuers.columns.size());
        EXPECT_EQ(roll_forward_table(rows, coalition.terms()).columns.size(), 17U)
            << "of a house without programs as it always was";
    }
}

} // namespace
} // namespace pointhouse::settlement
