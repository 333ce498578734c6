#include "settlement/general_ledger.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <random>
#include <sstream>

#include <gtest/gtest.h>

#include "coalition.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Account;
using ledger::AccountLine;
using ledger::Micro;
using ledger::PartnerId;

/// A number for each account in money, from 1000 on.
Chart small_chart(const ledger::Terms& terms)
{
    Chart chart;
    int number = 1000;
    for (int each = 0; each <= static_cast<int>(ledger::last_account); ++each) {
        const auto account = static_cast<Account>(each);
        if (!ledger::is_in_money(account)) continue;
        chart.accounts[ledger::account_name(account, {}, terms)] = {
            .number = fmt::format("{}", number++), .name = "Account", .root = GlRoot::assets};
    }
    chart.datev = DatevClient{.consultant = 1001, .client = 1, .clearing = "1590"};
    return chart;
}

class GeneralLedger : public testing::Test {
protected:
    Coalition coalition_;
    const ledger::Terms& terms_ = coalition_.terms();
    Chart chart_ = small_chart(terms_);
};

TEST_F(GeneralLedger, ASummaryDoesNotKnowTheOrderOfItsLines)
{
    std::vector<AccountLine> lines{
        {.account = Account::unbilled, .partner = PartnerId{1}, .issuer = {}, .amount = 7},
        {.account = Account::deferred_revenue, .partner = {}, .issuer = {}, .amount = -7},
        {.account = Account::deferred_revenue, .partner = {}, .issuer = {}, .amount = 2},
        {.account = Account::unbilled, .partner = PartnerId{1}, .issuer = {}, .amount = -2}};
    std::ranges::sort(lines, {}, &AccountLine::amount); // the first of its permutations
    std::vector<std::string> seen;
    do {
        GlSummary summary;
        for (const auto& line : lines) summary.add(20'000, std::span{&line, 1});
        const auto entries = summary.entries();
        ASSERT_EQ(entries.size(), 1U);
        std::string text;
        for (const auto& line : entries.front().lines)
            text += fmt::format("{} {};", static_cast<int>(line.account), line.amount);
        seen.push_back(text);
    } while (std::ranges::next_permutation(lines, {}, &AccountLine::amount).found);
    EXPECT_GT(seen.size(), 10U);
    EXPECT_EQ(std::ranges::count(seen, seen.front()), std::ssize(seen));
}

TEST_F(GeneralLedger, AChartIsWhole)
{
    EXPECT_EQ(chart_.fault(terms_), std::nullopt);
    auto lacking = chart_;
    lacking.accounts.erase("rounding");
    EXPECT_NE(lacking.fault(terms_), std::nullopt);
    auto strange = chart_;
    strange.accounts["members:active"] = strange.accounts["rounding"];
    EXPECT_NE(strange.fault(terms_), std::nullopt);
    auto unreadable = chart_;
    unreadable.accounts["rounding"].name = "two  blanks";
    EXPECT_NE(unreadable.fault(terms_), std::nullopt);
}

/// account → debit in cents, and checks that each row has its columns.
std::map<std::string, std::int64_t> rows_of(const std::string& file)
{
    std::map<std::string, std::int64_t> rows;
    std::istringstream stream{file};
    std::string line;
    for (int number = 0; std::getline(stream, line); ++number) {
        if (number < 2) continue;
        EXPECT_EQ(std::ranges::count(line, ';'), 124);
        std::vector<std::string> cells;
        std::istringstream row{line};
        for (std::string cell; std::getline(row, cell, ';');) cells.push_back(cell);
        std::string digits = cells[0];
        std::erase(digits, ',');
        rows[cells[6]] += (cells[1] == "\"S\"" ? 1 : -1) * std::stoll(digits);
    }
    return rows;
}

// Window after window, DATEV's balances stay those of the house to half a cent, and every file
// balances.
TEST_F(GeneralLedger, DatevFollowsTheBalancesInCents)
{
    const auto seed = std::random_device{}();
    std::mt19937_64 chance{seed};
    const auto below = [&](std::int64_t bound) {
        return std::uniform_int_distribution<std::int64_t>{-bound, bound}(chance);
    };
    const std::vector accounts{
        Account::deferred_revenue, Account::service_fee, Account::cash_trust, Account::rounding};
    GlBalances balances;
    std::map<std::string, std::int64_t> posted;
    ledger::Month window{2026, 1};
    for (int number = 0; number < 2'000; ++number, window = window.next()) {
        const auto before = balances;
        Micro sum;
        for (const auto account : accounts) {
            const Micro amount{below(50'000)};
            balances[{account, {}}] += amount;
            sum += amount;
        }
        balances[{Account::vat_input, {}}] -= sum;
        const auto file = datev_file(before, balances, window, chart_, terms_);
        ASSERT_TRUE(file.has_value()) << file.error();
        std::int64_t total = 0;
        for (const auto& [account, cents] : rows_of(*file)) {
            posted[account] += cents;
            total += cents;
        }
        ASSERT_EQ(total, 0) << seed;
        for (const auto& [key, exact] : balances) {
            if (key.first == Account::rounding) continue;
            const auto& account = chart_.of(key.first, key.second, terms_).number;
            ASSERT_EQ(posted[account], minor_units_of(exact, terms_.currency).count) << seed;
        }
    }
}

TEST_F(GeneralLedger, DatevRefusesWhatItCannotSay)
{
    const auto after = [](std::int64_t cents) {
        return GlBalances{
            {{Account::cash_trust, {}}, Micro{cents * 10'000}},
            {{Account::deferred_revenue, {}}, Micro{-cents * 10'000}}};
    };
    const ledger::Month june{2026, 6};
    EXPECT_TRUE(datev_file({}, after(999'999'999'999), june, chart_, terms_).has_value());
    EXPECT_FALSE(datev_file({}, after(1'000'000'000'000), june, chart_, terms_).has_value());
    auto unknown = chart_;
    unknown.datev.reset();
    EXPECT_FALSE(datev_file({}, after(1), june, unknown, terms_).has_value());
    auto yen = terms_;
    yen.currency = {.code = "JPY", .minor_digits = 0};
    EXPECT_FALSE(datev_file({}, after(1), june, chart_, yen).has_value());
}

} // namespace
} // namespace pointhouse::settlement
