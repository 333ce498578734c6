#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "books_fixture.hpp"
#include "ledger/books.hpp"
#include "ledger/journal_export.hpp"
#include "test_database.hpp"

namespace pointhouse::ledger {
namespace {

using test::Coalition;
using test::MemoryJournal;
using test::RandomMonths;
using test::TemporaryFolder;

struct CommandOutput {
    int status = -1;
    std::string text;
};

CommandOutput run(const std::string& command)
{
    CommandOutput output;
    std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return output;
    std::array<char, 4096> piece{};
    for (std::size_t read = 0; (read = std::fread(piece.data(), 1, piece.size(), pipe)) > 0;)
        output.text.append(piece.data(), read);
    output.status = ::pclose(pipe);
    return output;
}

bool is_installed(const std::string& program)
{
    return run("command -v " + program).status == 0;
}

/// Balance by "account unit", in the text of the program that made it.
using Balances = std::map<std::string, std::string>;

/// A number without trailing zeros, and without a point where it has no fraction.
std::string shortened(std::string number)
{
    if (number.find('.') == std::string::npos) return number;
    number.erase(number.find_last_not_of('0') + 1);
    if (number.back() == '.') number.pop_back();
    return number;
}

/// What our own positions say, under the names of a format.
Balances own_balances(ExportFormat format, Books& books, Month end, const Terms& terms)
{
    std::map<std::string, std::pair<std::int64_t, bool>> sums;
    for (const auto& position : books.positions_before(end))
        for (const auto& line : lines_of(position, terms)) {
            const std::string unit = exported_unit(format, line.issuer, terms);
            auto& sum =
                sums[exported_account(format, line.account, line.partner, terms) + " " + unit];
            sum.first += line.amount;
            sum.second = line.issuer.is_none();
        }
    Balances balances;
    for (const auto& [name, sum] : sums)
        if (sum.first != 0)
            balances[name] =
                sum.second ? shortened(format_micro(Micro{sum.first})) : std::to_string(sum.first);
    return balances;
}

/// Three months of everything, exported to a file.
class ExportTest : public testing::Test {
protected:
    void SetUp() override
    {
        months.append(journal, 3, 30);
        while (books.project(journal, 64) > 0) {
        }
    }

    std::string exported(const ExportOptions& options)
    {
        std::string text;
        export_journal(journal, coalition, options, [&](std::string_view piece) { text += piece; });
        return text;
    }

    std::string written(const ExportOptions& options, const char* name)
    {
        const auto file = folder / name;
        std::ofstream{file} << exported(options);
        return file.string();
    }

    TemporaryFolder folder;
    Coalition coalition;
    MemoryJournal journal{coalition.terms()};
    RandomMonths months{2026};
    test::TestStores stores{folder / ""};
    std::unique_ptr<Store> store = stores.open_store("books");
    Books books{*store, coalition};
};

TEST_F(ExportTest, HledgerAgreesWithTheTrialBalance)
{
    if (!is_installed("hledger")) GTEST_SKIP() << "hledger is not installed";
    for (const bool by_member : {false, true}) {
        const auto file =
            written({.format = ExportFormat::hledger, .by_member = by_member}, "j.journal");
        const auto check = run("hledger -f " + file + " check --strict");
        EXPECT_EQ(check.status, 0) << check.text;
        // Members one by one sum to all members.
        const auto balance =
            run("hledger -f " + file + " bal --flat -N --layout=bare -O csv" +
                (by_member ? " --alias '/^member:[0-9]+/=members'" : ""));
        ASSERT_EQ(balance.status, 0) << balance.text;
        Balances theirs;
        std::istringstream lines{balance.text};
        std::string line;
        std::getline(lines, line); // names of the columns
        while (std::getline(lines, line)) {
            std::istringstream cells{line};
            std::string account;
            std::string unit;
            std::string amount;
            std::getline(cells, account, ',');
            std::getline(cells, unit, ',');
            std::getline(cells, amount, ',');
            for (auto* cell : {&account, &unit, &amount}) std::erase(*cell, '"');
            if (unit != "EUR") unit = '"' + unit + '"';
            if (shortened(amount) != "0") theirs[account + " " + unit] = shortened(amount);
        }
        EXPECT_EQ(
            theirs,
            own_balances(ExportFormat::hledger, books, months.month().next(), coalition.terms()));
        EXPECT_GT(theirs.size(), 20U);
    }
}

TEST_F(ExportTest, BeancountAgreesWithTheTrialBalance)
{
    if (!is_installed("bean-query")) GTEST_SKIP() << "beancount is not installed";
    const auto file = written({.format = ExportFormat::beancount}, "j.beancount");
    const auto check = run("bean-check " + file);
    EXPECT_EQ(check.status, 0) << check.text;
    EXPECT_EQ(check.text, "");
    const auto balance =
        run("bean-query -f csv " + file +
            " 'SELECT account, currency, sum(position) AS total GROUP BY account, currency'");
    ASSERT_EQ(balance.status, 0) << balance.text;
    Balances theirs;
    std::istringstream lines{balance.text};
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
        std::erase_if(line, [](char letter) { return letter == ' ' || letter == '\r'; });
        const auto first = line.find(',');
        const auto second = line.find(',', first + 1);
        // The amount has its unit at its end.
        const std::string unit = line.substr(first + 1, second - first - 1);
        const std::string amount =
            shortened(line.substr(second + 1, line.size() - second - 1 - unit.size()));
        if (!amount.empty() && amount != "0") theirs[line.substr(0, first) + " " + unit] = amount;
    }
    EXPECT_EQ(
        theirs,
        own_balances(ExportFormat::beancount, books, months.month().next(), coalition.terms()));
    EXPECT_GT(theirs.size(), 20U);
}

TEST_F(ExportTest, BeancountReadsAccountsOfMembers)
{
    if (!is_installed("bean-check")) GTEST_SKIP() << "beancount is not installed";
    const auto file =
        written({.format = ExportFormat::beancount, .by_member = true}, "m.beancount");
    const auto check = run("bean-check " + file);
    EXPECT_EQ(check.status, 0) << check.text;
    EXPECT_NE(
        exported({ExportFormat::beancount, true}).find("Member:M7:Active"), std::string::npos);
}

// The trial balance sums entries, the export sets off within each posting: their sides differ by
// what went in and out of an account in one, which nobody sees in the balance.
TEST_F(ExportTest, CsvHoldsTheTrialBalanceNettedByPosting)
{
    std::set<std::string> seen; // posting, account and unit
    std::map<std::pair<std::string, std::string>, std::pair<Micro, Micro>> sums;
    std::istringstream lines{exported({.format = ExportFormat::csv})};
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(
        line, "sequence,date,posted_at,partner,message_id,type,member,account,unit,debit,credit");
    while (std::getline(lines, line)) {
        std::vector<std::string> cells;
        std::istringstream row{line + ","};
        for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
        ASSERT_EQ(cells.size(), 11U) << line;
        EXPECT_TRUE(seen.insert(cells[0] + "," + cells[7] + "," + cells[8]).second) << line;
        EXPECT_NE(cells[9].empty(), cells[10].empty()) << line;
        EXPECT_NE(cells[9] + cells[10], "0") << line;
        auto& sum = sums[{cells[7], cells[8]}];
        if (!cells[9].empty()) sum.first += *parse_micro(cells[9]);
        if (!cells[10].empty()) sum.second += *parse_micro(cells[10]);
    }
    const auto balance =
        trial_balance(books.positions_before(months.month().next()), coalition.terms());
    EXPECT_GT(sums.size(), 20U);
    EXPECT_LE(sums.size(), balance.size());
    for (const auto& row : balance) {
        const auto& sum = sums[{row.account, row.unit}];
        const std::int64_t scale = row.unit == "EUR" ? 1 : 1'000'000;
        const std::int64_t set_off = row.debits * scale - sum.first.count();
        EXPECT_GE(set_off, 0) << row.account << " " << row.unit;
        EXPECT_EQ(row.credits * scale - sum.second.count(), set_off)
            << row.account << " " << row.unit;
    }
    EXPECT_LE(sums.size(), balance.size()) << "no account of its own";
}

TEST_F(ExportTest, TheSameJournalGivesTheSameBytes)
{
    for (const auto format : {ExportFormat::hledger, ExportFormat::beancount, ExportFormat::csv})
        EXPECT_EQ(exported({.format = format}), exported({.format = format}));
    EXPECT_EQ(journal.snapshots(), 0);
}

// Dates are those of the house: 22:30 UTC of 30 June is July in Amsterdam.
TEST(JournalExport, ARedemptionInThreeFormats)
{
    const Coalition coalition;
    MemoryJournal journal{coalition.terms()};
    const Time late = *parse_time("2026-06-30T22:30:00Z");
    Record record{
        .type = MessageType::redemption,
        .partner = PartnerId{2},
        .message_id = "till-7:12",
        .member = MemberNumber{31},
        .terms = HouseSequence{9},
        .occurred_at = late,
        .posted_at = late,
        .points = Points{300}};
    Entry entry{.kind = EntryKind::redeemed, .points = Points{200}};
    entry.lot = {.key = {Sequence{1}, 0}, .activity = late, .tariff = TariffVersion{1}};
    entry.counterpart = TariffVersion{2};
    record.entries.push_back(entry);
    entry.points = Points{100};
    record.entries.push_back(entry); // another lot of the same issuer
    journal.append({.year = 2026, .month = 7}, late, {record});

    const auto exported = [&](const ExportOptions& options) {
        std::string text;
        EXPECT_EQ(
            export_journal(
                journal, coalition, options, [&](std::string_view piece) { text += piece; }),
            1U);
        return text;
    };
    EXPECT_EQ(
        exported({.format = ExportFormat::hledger}),
        "; Pointhouse journal. Points of an issuer are the commodity \"P.<issuer>\".\n"
        "decimal-mark .\n"
        "commodity 1000.000000 EUR\n"
        "\n"
        "account members:active\n"
        "commodity 1000. \"P.GRO\"\n"
        "account redeemed:BOE\n"
        "account accrued_redemption:BOE\n"
        "account deferred_revenue\n"
        "account revenue:redemption_margin\n"
        "2026-07-01 * (1) BOE | redemption till-7:12\n"
        "    members:active  300 \"P.GRO\"\n"
        "    redeemed:BOE  -300 \"P.GRO\"\n"
        "    accrued_redemption:BOE  -2.850000 EUR\n"
        "    deferred_revenue  3.000000 EUR\n"
        "    revenue:redemption_margin  -0.150000 EUR\n"
        "\n");
    EXPECT_EQ(
        exported({.format = ExportFormat::beancount, .by_member = true}),
        "; Pointhouse journal. Points of an issuer are the commodity P.<issuer>.\n"
        "option \"title\" \"Pointhouse\"\n"
        "option \"operating_currency\" \"EUR\"\n"
        "\n"
        "1970-01-01 open Equity:Points:Member:M31:Active\n"
        "1970-01-01 open Equity:Points:Redeemed:BOE\n"
        "1970-01-01 open Liabilities:Accrued-Redemption:BOE\n"
        "1970-01-01 open Liabilities:Deferred-Revenue\n"
        "1970-01-01 open Income:Redemption-Margin\n"
        "2026-07-01 * \"BOE\" \"redemption till-7:12\"\n"
        "  sequence: 1\n"
        "  Equity:Points:Member:M31:Active  300 P.GRO\n"
        "  Equity:Points:Redeemed:BOE  -300 P.GRO\n"
        "  Liabilities:Accrued-Redemption:BOE  -2.850000 EUR\n"
        "  Liabilities:Deferred-Revenue  3.000000 EUR\n"
        "  Income:Redemption-Margin  -0.150000 EUR\n"
        "\n");
    EXPECT_EQ(
        exported({.format = ExportFormat::csv}),
        "sequence,date,posted_at,partner,message_id,type,member,account,unit,debit,credit\n"
        "1,2026-07-01,2026-06-30T22:30:00Z,BOE,till-7:12,redemption,31,members:active,P.GRO,300,\n"
        "1,2026-07-01,2026-06-30T22:30:00Z,BOE,till-7:12,redemption,31,redeemed:BOE,P.GRO,,300\n"
        "1,2026-07-01,2026-06-30T22:30:00Z,BOE,till-7:12,redemption,31,accrued_redemption:BOE,EUR,,"
        "2.850000\n"
        "1,2026-07-01,2026-06-30T22:30:00Z,BOE,till-7:12,redemption,31,deferred_revenue,EUR,3."
        "000000,\n"
        "1,2026-07-01,2026-06-30T22:30:00Z,BOE,till-7:12,redemption,31,revenue:redemption_margin,"
        "EUR,,"
        "0.150000\n");
}

// E12b of the worked month: 300 points mature and 180 of them settle a debt owed for another
// issuer.
TEST(JournalExport, WhatGoesInAndOutOfAnAccountInOnePostingIsSetOff)
{
    const Coalition coalition;
    MemoryJournal journal{coalition.terms()};
    const Time noon = *parse_time("2026-06-22T10:00:00Z");
    Record record{
        .type = MessageType::maturity,
        .member = MemberNumber{31},
        .terms = HouseSequence{9},
        .occurred_at = noon,
        .posted_at = noon,
        .points = Points{300}};
    Entry entry{.kind = EntryKind::matured, .points = Points{300}, .state = LotState::pending};
    entry.lot = {.key = {Sequence{1}, 0}, .activity = noon, .tariff = TariffVersion{1}};
    record.entries.push_back(entry);
    entry.kind = EntryKind::recovered;
    entry.points = Points{180};
    entry.state = LotState::active;
    entry.debt = {.tariff = TariffVersion{2}, .kind = DebtKind::issuer_bears};
    entry.counterpart = TariffVersion{2};
    record.entries.push_back(entry);
    journal.append({.year = 2026, .month = 6}, noon, {record});

    std::string text;
    export_journal(
        journal, coalition, {.format = ExportFormat::hledger}, [&](auto piece) { text += piece; });
    EXPECT_NE(text.find("members:pending  300 \"P.GRO\"\n"), std::string::npos) << text;
    EXPECT_NE(text.find("members:active  -120 \"P.GRO\"\n"), std::string::npos) << text;
    EXPECT_EQ(text.find("members:active  180"), std::string::npos) << text;
    EXPECT_EQ(text.find("members:active  -300"), std::string::npos) << text;
    // Only what is set off is left out: the points of the recovery have both their sides.
    EXPECT_NE(text.find("recovery:GRO  -180 \"P.GRO\"\n"), std::string::npos) << text;
    EXPECT_NE(text.find("recovery:BOE  180 \"P.BOE\"\n"), std::string::npos) << text;
}

TEST(JournalExport, AnEmptyHouse)
{
    const Coalition coalition;
    MemoryJournal journal{coalition.terms()};
    std::string text;
    const auto append = [&](std::string_view piece) { text += piece; };
    EXPECT_EQ(export_journal(journal, coalition, {.format = ExportFormat::hledger}, append), 0U);
    EXPECT_EQ(text, "");
}

// However partners are called, no two of them share an account or a commodity.
TEST(JournalExport, NamesStayApart)
{
    Terms terms;
    terms.currency = {.code = "EUR", .minor_digits = 2};
    const std::string plain20(20, 'A');
    for (const std::string name :
         {"GRO",
          "gro",
          "Gro",
          "GRO-",
          "HOME-DECOR",
          "home-decor",
          "home.decor",
          "home_decor",
          "HOME-DECOR-n6",
          "#1",
          "P.GRO",
          "GRO.2",
          "GRO-n2",
          "-",
          ".",
          "a b",
          "a;b",
          "A",
          "0",
          plain20.c_str(),
          "AAAAAAAAAAAAAAAAAAAAA",
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          "é"})
        terms.partners.push_back(
            {.partner = PartnerId{static_cast<std::uint32_t>(terms.partners.size() + 1)},
             .name = name});
    for (const auto format : {ExportFormat::hledger, ExportFormat::beancount}) {
        std::set<std::string> accounts;
        std::set<std::string> units;
        for (const auto& partner : terms.partners) {
            const auto account = exported_account(format, Account::issued, partner.partner, terms);
            const auto unit = exported_unit(format, partner.partner, terms);
            EXPECT_TRUE(accounts.insert(account).second) << account;
            EXPECT_TRUE(units.insert(unit).second) << unit;
            if (format == ExportFormat::beancount) {
                EXPECT_TRUE(std::regex_match(unit, std::regex{"[A-Z][A-Z0-9'._-]{0,22}[A-Z0-9]"}))
                    << unit;
                EXPECT_TRUE(
                    std::regex_match(account, std::regex{"Equity(:[A-Z0-9][A-Za-z0-9-]*)+"}))
                    << account;
            }
        }
        EXPECT_FALSE(units.contains("EUR"));
    }
}

} // namespace
} // namespace pointhouse::ledger
