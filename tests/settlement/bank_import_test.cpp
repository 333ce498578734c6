#include "settlement/bank_import.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "golden.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Day;
using ledger::Minor;

constexpr const char* account = "NL91ABNA0417164300";
const Day july_1 = ledger::parse_day("2026-07-01").value();

BankRow row(Day day, std::int64_t amount, std::string reference = "")
{
    return {
        .amount = Minor{amount},
        .booked_on = day,
        .value_on = day,
        .servicer_reference = std::move(reference),
        .remittance = "June"};
}

/// A statement of some rows that opens with a balance; its number is none when it is zero.
BankStatement statement(std::int64_t number, std::int64_t opening, const std::vector<BankRow>& rows)
{
    BankStatement made{
        .account = account,
        .currency = {"EUR", 2},
        .id = fmt::format("S{}", number),
        .opening = {Minor{opening}, rows.empty() ? july_1 : rows.front().booked_on},
        .closing = {Minor{opening}, rows.empty() ? july_1 : rows.back().booked_on},
        .rows = rows};
    if (number != 0) made.electronic_sequence = number;
    std::int32_t entry = 0;
    for (BankRow& each : made.rows) {
        each.entry = ++entry;
        each.entry_reference = std::to_string(entry);
        made.closing.amount.count += each.amount.count;
    }
    return made;
}

/// Imports and takes; how many rows were new.
std::size_t added(BankBook& book, const BankStatement& made)
{
    auto imported = import_statement(book, made);
    EXPECT_TRUE(imported.has_value()) << imported.error().words;
    const std::size_t count = imported->added.size();
    take(book, std::move(*imported));
    return count;
}

TEST(ImportStatement, AgainChangesNothing)
{
    BankBook book;
    const BankStatement made = statement(1, 100, {row(july_1, 10), row(july_1, -4)});

    EXPECT_EQ(added(book, made), 2U);
    const auto again = import_statement(book, made);

    ASSERT_TRUE(again.has_value());
    EXPECT_TRUE(again->is_repeated);
    EXPECT_TRUE(again->added.empty());
    take(book, *again);
    EXPECT_EQ(book.statements.size(), 1U);
    EXPECT_EQ(book.rows.size(), 2U);
}

TEST(ImportStatement, AgainUnderAnotherIdAddsNoRow)
{
    BankBook book;
    BankStatement made = statement(0, 100, {row(july_1, 10), row(july_1, -4)});
    EXPECT_EQ(added(book, made), 2U);
    made.id = "copy";

    EXPECT_EQ(added(book, made), 0U);
    EXPECT_EQ(book.statements.size(), 2U);
    EXPECT_EQ(book.statements[1].rows, book.statements[0].rows);
}

TEST(ImportStatement, RefusesOtherContentUnderAKnownId)
{
    BankBook book;
    BankStatement made = statement(1, 100, {row(july_1, 10), row(july_1, -4)});
    added(book, made);

    BankStatement other = statement(1, 100, {row(july_1, 10), row(july_1, -5)});
    EXPECT_FALSE(import_statement(book, other).has_value());
    other = statement(1, 101, {row(july_1, 10), row(july_1, -4)});
    EXPECT_FALSE(import_statement(book, other).has_value());
    other = statement(1, 100, {row(july_1, 10)});
    const auto refused = import_statement(book, other);
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().words.find("S1"), std::string::npos);
    EXPECT_NE(refused.error().words.find(account), std::string::npos);
}

TEST(ImportStatement, TheSameIdOfAnotherAccountIsAnotherStatement)
{
    BankBook book;
    BankStatement made = statement(1, 100, {row(july_1, 10)});
    added(book, made);
    made.account = "DE89370400440532013000";

    EXPECT_EQ(added(book, made), 1U);
}

TEST(ImportStatement, KeepsEqualRowsOfOneStatement)
{
    BankBook book;

    EXPECT_EQ(
        added(book, statement(1, 0, {row(july_1, 10), row(july_1, 10), row(july_1, 10)})), 3U);
}

TEST(ImportStatement, OfAnOverlapAddsOnlyNewRows)
{
    BankBook book;
    added(book, statement(1, 0, {row(july_1, 10), row(july_1 + 1, 20), row(july_1 + 1, 20)}));

    const auto overlapping =
        statement(2, 10, {row(july_1 + 1, 20), row(july_1 + 1, 20), row(july_1 + 2, 30)});

    EXPECT_EQ(added(book, overlapping), 1U);
    EXPECT_EQ(book.statements[1].rows, (std::vector<BankRowNumber>{2, 3, 4}));
    EXPECT_EQ(unexplained_balance(book, account), Minor{0});
}

TEST(ImportStatement, OfAnOverlapTakesTheLargerNumberOfEqualRows)
{
    BankBook book;
    added(book, statement(0, 0, {row(july_1, 10), row(july_1, 10)}));
    BankStatement longer = statement(0, 0, {row(july_1, 10), row(july_1, 10), row(july_1, 10)});
    longer.id = "later that day";

    EXPECT_EQ(added(book, longer), 1U);
}

TEST(ImportStatement, ThatGoesOnKeepsEqualRowsOfTheSameDay)
{
    BankBook book;
    added(book, statement(17, 0, {row(july_1, 10)}));

    EXPECT_EQ(added(book, statement(18, 10, {row(july_1, 10)})), 1U);
    EXPECT_EQ(added(book, statement(19, 20, {row(july_1, 10)})), 1U);
    EXPECT_EQ(unexplained_balance(book, account), Minor{0});
}

TEST(ImportStatement, ThatComesBeforeKeepsEqualRowsOfTheSameDay)
{
    BankBook book;
    added(book, statement(19, 20, {row(july_1, 10)}));

    EXPECT_EQ(added(book, statement(18, 10, {row(july_1, 10)})), 1U);
    EXPECT_EQ(added(book, statement(17, 0, {row(july_1, 10)})), 1U);
    EXPECT_EQ(unexplained_balance(book, account), Minor{0});
}

// The rows cancel out, so the next statement opens as this one did: only references can tell.
TEST(ImportStatement, ThatLooksLikeTheNextOneIsKnownByReferences)
{
    const auto imported_twice = [](const std::string& first, const std::string& second) {
        BankBook book;
        added(book, statement(1, 50, {row(july_1, 10, first), row(july_1, -10, second)}));
        return added(book, statement(2, 50, {row(july_1, 10, first), row(july_1, -10, second)}));
    };

    EXPECT_EQ(imported_twice("REF1", "REF2"), 0U);
    EXPECT_EQ(imported_twice("", ""), 2U);
}

TEST(ImportStatement, ThatLooksLikeTheNextOneIsKnownByItsPeriod)
{
    BankBook book;
    BankStatement made = statement(1, 50, {row(july_1, 10), row(july_1, -10)});
    made.from = "2026-07-01T00:00:00";
    made.to = "2026-07-01T23:59:59";
    added(book, made);
    made.id = "S2";
    made.electronic_sequence = 2;

    EXPECT_EQ(added(book, made), 0U);
}

// A reference that a bank gives to everything is no reason to lose money.
TEST(ImportStatement, ThatGoesOnWithAUsedReferenceIsNew)
{
    BankBook book;
    added(book, statement(1, 0, {row(july_1, 10, "SAME")}));

    EXPECT_EQ(added(book, statement(2, 10, {row(july_1, 10, "SAME")})), 1U);
}

TEST(ImportStatement, OfThePagesOfOneStatement)
{
    BankBook book;
    const auto pages = parse_camt053(golden("bank/deutsche-bank.xml")).value();

    EXPECT_EQ(added(book, pages[1]), 1U);
    EXPECT_EQ(added(book, pages[0]), 2U);
    EXPECT_TRUE(import_statement(book, pages[1])->is_repeated);
    EXPECT_TRUE(find_gaps(book, pages[0].account).empty());
    EXPECT_EQ(unexplained_balance(book, pages[0].account), Minor{0});
}

TEST(FindGaps, NumbersThatNoStatementHas)
{
    BankBook book;
    added(book, statement(7, 0, {row(july_1, 10)}));
    added(book, statement(10, 30, {row(july_1 + 3, 10)}));

    const std::vector<StatementGap> expected{
        {.account = account,
         .first_missing = 8,
         .last_missing = 9,
         .after = july_1,
         .before = july_1 + 3}};
    EXPECT_EQ(find_gaps(book, account), expected);

    added(book, statement(8, 10, {row(july_1 + 1, 10)}));
    added(book, statement(9, 20, {row(july_1 + 2, 10)}));
    EXPECT_TRUE(find_gaps(book, account).empty());
    EXPECT_EQ(unexplained_balance(book, account), Minor{0});
}

TEST(FindGaps, BalancesThatDoNotGoOn)
{
    BankBook book;
    added(book, statement(7, 0, {row(july_1, 10)}));
    added(book, statement(8, 15, {row(july_1 + 1, 10)}));

    const std::vector<StatementGap> expected{
        {.account = account,
         .balance_difference = Minor{5},
         .after = july_1,
         .before = july_1 + 1}};
    EXPECT_EQ(find_gaps(book, account), expected);
    EXPECT_EQ(unexplained_balance(book, account), Minor{5});
}

TEST(FindGaps, NumbersMayBeginAnewWithAYear)
{
    const Day december = ledger::parse_day("2026-12-31").value();
    BankBook book;
    added(book, statement(250, 0, {row(december, 10)}));
    added(book, statement(1, 10, {row(december + 1, 10)}));
    EXPECT_TRUE(find_gaps(book, account).empty());

    BankBook other;
    added(other, statement(250, 0, {row(december, 10)}));
    added(other, statement(3, 10, {row(december + 1, 10)}));
    const auto gaps = find_gaps(other, account);
    ASSERT_EQ(gaps.size(), 1U);
    EXPECT_EQ(gaps[0].first_missing, 1);
    EXPECT_EQ(gaps[0].last_missing, 2);
}

TEST(FindGaps, OfSeveralAccountsApart)
{
    BankBook book;
    added(book, statement(1, 0, {row(july_1, 10)}));
    BankStatement other = statement(9, 0, {row(july_1, 10)});
    other.account = "other";
    added(book, other);

    EXPECT_TRUE(find_gaps(book, account).empty());
    EXPECT_TRUE(find_gaps(book, "other").empty());
    EXPECT_TRUE(find_gaps(book, "none").empty());
}

/// What really happened on an account: rows of some days, many of them equal.
struct Truth {
    std::vector<BankRow> rows;
    std::vector<std::int64_t> balances; // before each row, and after the last

    explicit Truth(std::mt19937_64& random)
    {
        balances.push_back(static_cast<std::int64_t>(random() % 100));
        const int days = 1 + static_cast<int>(random() % 6);
        for (int day = 0; day < days; ++day) {
            for (std::uint64_t left = random() % 6; left > 0; --left) {
                rows.push_back(row(july_1 + day, random() % 2 == 0 ? 10 : -10));
                balances.push_back(balances.back() + rows.back().amount.count);
            }
        }
    }

    /// A statement of the rows from one place to another.
    [[nodiscard]] BankStatement part(std::int64_t number, std::size_t from, std::size_t to) const
    {
        const auto begin = rows.begin();
        return statement(
            number,
            balances[from],
            {begin + static_cast<std::ptrdiff_t>(from), begin + static_cast<std::ptrdiff_t>(to)});
    }

    [[nodiscard]] std::map<std::pair<Day, std::int64_t>, int> counts() const
    {
        std::map<std::pair<Day, std::int64_t>, int> counts;
        for (const BankRow& each : rows) ++counts[{each.booked_on, each.amount.count}];
        return counts;
    }
};

std::map<std::pair<Day, std::int64_t>, int> counts_of(const BankBook& book)
{
    std::map<std::pair<Day, std::int64_t>, int> counts;
    for (const BankBook::Row& each : book.rows)
        ++counts[{each.row.booked_on, each.row.amount.count}];
    return counts;
}

// The bank cuts an account into numbered statements wherever it likes, also within a day: every row
// is there once, in whatever order they come one after another, and again changes nothing.
TEST(ImportStatement, OfAnAccountCutAnywhere)
{
    for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937_64 random{seed};
        const Truth truth{random};
        std::vector<BankStatement> statements;
        for (std::size_t from = 0; from < truth.rows.size();) {
            const std::size_t to = from + 1 + random() % (truth.rows.size() - from);
            statements.push_back(
                truth.part(static_cast<std::int64_t>(statements.size() + 1), from, to));
            from = to;
        }

        BankBook book;
        if (random() % 2 == 0) std::ranges::reverse(statements);
        for (const BankStatement& each : statements) added(book, each);
        std::ranges::shuffle(statements, random);
        for (const BankStatement& each : statements) EXPECT_EQ(added(book, each), 0U);

        EXPECT_EQ(counts_of(book), truth.counts());
        EXPECT_EQ(unexplained_balance(book, account), Minor{0});
        EXPECT_TRUE(find_gaps(book, account).empty());
    }
}

// Statements of whole days that overlap, with or without numbers, in any order: every row is there
// once as soon as all days are.
TEST(ImportStatement, OfDaysThatOverlap)
{
    for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937_64 random{seed};
        const Truth truth{random};
        if (truth.rows.empty()) continue;
        const auto place_of = [&truth](Day day) {
            return static_cast<std::size_t>(
                std::ranges::lower_bound(truth.rows, day, {}, &BankRow::booked_on) -
                truth.rows.begin());
        };
        const Day last = truth.rows.back().booked_on;
        std::vector<BankStatement> statements;
        std::vector<bool> covered(static_cast<std::size_t>(last - july_1) + 1);
        while (std::ranges::find(covered, false) != covered.end()) {
            const Day from = july_1 + static_cast<Day>(random() % covered.size());
            const Day to = from + static_cast<Day>(random() % 3);
            BankStatement made = truth.part(0, place_of(from), place_of(to + 1));
            if (random() % 2 == 0) made.electronic_sequence = 1 + random() % 9;
            made.id = fmt::format("{}-{}-{}", from, to, statements.size());
            made.from = ledger::format_day(from) + "T00:00:00";
            made.to = ledger::format_day(to) + "T23:59:59";
            made.opening.day = from;
            made.closing.day = std::min(to, last);
            statements.push_back(made);
            for (Day day = from; day <= std::min(to, last); ++day)
                covered[static_cast<std::size_t>(day - july_1)] = true;
        }

        BankBook book;
        for (const BankStatement& each : statements) added(book, each);

        EXPECT_EQ(counts_of(book), truth.counts());
        EXPECT_EQ(unexplained_balance(book, account), Minor{0});
    }
}

} // namespace
} // namespace pointhouse::settlement
