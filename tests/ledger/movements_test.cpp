#include "ledger/movements.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "books_fixture.hpp"
#include "ledger/block.hpp"
#include "ledger/journal_export.hpp"
#include "test_database.hpp"

namespace pointhouse::ledger {
namespace {

using test::Coalition;
using test::MemoryJournal;
using test::RandomMonths;
using test::TemporaryFolder;

/// Debits and credits by window, account and unit.
using Key = std::tuple<Month, Account, PartnerId, PartnerId>;
using Sides = std::pair<std::int64_t, std::int64_t>;
using Balances = std::map<Key, Sides>;

void add(Balances& balances, Month window, std::span<const AccountLine> lines)
{
    for (const auto& line : lines) {
        auto& [debits, credits] = balances[{window, line.account, line.partner, line.issuer}];
        (line.amount > 0 ? debits : credits) += line.amount;
    }
}

/// The points of each kind of entry, by window and issuer.
using Points = std::map<std::tuple<Month, EntryKind, PartnerId>, std::int64_t>;

/// What moves neither points nor money is in no movement alone.
void add(Points& points, Month window, std::span<const PositionRow> positions, const Terms& terms)
{
    for (const auto& row : positions)
        if (!lines_of(row, terms).empty())
            points[{window, row.kind, row.partner}] += row.points.count();
}

/// What was spent and given back, by all that tells it apart.
using Spent = std::map<std::tuple<TariffVersion, std::int32_t, Time, PartnerId>, std::int64_t>;

void add(Spent& sums, const SpentPoints& spent)
{
    sums[{spent.tariff, spent.vat_rate, spent.activity, spent.redeemer}] += spent.points;
}

void add(Spent& sums, const Record& record, const Terms& terms)
{
    for (const auto& entry : record.entries)
        if (const auto spent = spent_by(record, entry, terms)) add(sums, *spent);
}

/// Points and money of positions, by window and all that tells positions apart.
using PositionKey = std::tuple<
    Month,
    EntryKind,
    PartnerId,
    PartnerId,
    TariffVersion,
    TariffVersion,
    TariffVersion,
    DebtKind,
    LotState,
    std::int32_t>;
using PositionSums = std::map<PositionKey, std::array<std::int64_t, 6>>;

void add(PositionSums& sums, Month window, const PositionRow& row)
{
    auto& sum = sums[{
        window,
        row.kind,
        row.partner,
        row.counterparty,
        row.tariff,
        row.counterpart,
        row.bearer,
        row.debt,
        row.state,
        row.vat_rate}];
    const auto& money = row.money;
    const std::array<std::int64_t, 6> amounts{
        row.points.count(),
        money.issuer.count(),
        money.counterparty.count(),
        money.liability.count(),
        money.fee.count(),
        money.margin.count()};
    for (std::size_t place = 0; place < sum.size(); ++place) sum[place] += amounts[place];
}

/// Where two maps part, and what each has there.
template <class Map>
std::string first_difference(const Map& found, const Map& expected)
{
    std::size_t place = 0;
    for (auto one = found.begin(), other = expected.begin();
         one != found.end() && other != expected.end() && *one == *other;
         ++one, ++other)
        ++place;
    return fmt::format(
        "they part at {}; {} were found, {} expected", place, found.size(), expected.size());
}

/// The windows as the markers in the journal say.
std::vector<Window> windows_of(MemoryJournal& journal)
{
    std::vector<Window> windows;
    journal.for_each_block(Sequence{1}, [&](const JournalReader::BlockRow& row) {
        const auto block = BlockView::parse(row.bytes, BlockView::Check::frame).value();
        const Month month = block.header().window;
        Record record;
        for (std::uint32_t index = 0; index < block.count(); ++index) {
            if (!block.read(index, record)) throw StoreFailure{"a record cannot be read"};
            if (windows.empty() || windows.back().month < month)
                windows.push_back({.month = month, .first = record.sequence});
            if (record.type == MessageType::cut) windows.back().cut = record.sequence;
            if (record.type == MessageType::drained)
                windows.at(windows.size() - 2).drained = record.sequence;
        }
        return true;
    });
    return windows;
}

class MovementsTest : public testing::Test {
protected:
    [[nodiscard]] Movements movements(Sequence through)
    {
        return Movements{
            {.books = books,
             .journal = std::shared_ptr<JournalReader>{&journal, [](auto*) {}},
             .history = coalition,
             .terms = coalition.terms_at({}),
             .windows = windows_of(journal),
             .through = through}};
    }

    /// Compares what is summed where it can be with what every posting of the journal adds up to.
    void expect_same(const Movements& movements, const std::map<Month, Taken>& taken)
    {
        Balances expected;
        Points points;
        std::set<Sequence> singles;
        for_each_posting(journal, coalition, [&](const PostingLines& posting) {
            if (posting.record.sequence > movements.through()) return;
            const Taken how = taken.at(posting.window);
            if (how == Taken::left_out) return;
            add(expected, posting.window, posting.lines);
            add(points, posting.window, posting.positions, posting.terms);
            if (how == Taken::one_by_one) singles.insert(posting.record.sequence);
        });
        Balances found;
        Points found_points;
        std::set<Sequence> found_singles;
        movements.for_each(
            [&](const Window& window) { return taken.at(window.month); },
            [&](const Movement& movement) {
                add(found, movement.window, movement.lines);
                add(found_points, movement.window, movement.positions, movement.terms);
                if (taken.at(movement.window) != Taken::one_by_one) return;
                ASSERT_NE(movement.record, nullptr);
                const bool is_next =
                    found_singles.empty() || *found_singles.rbegin() < movement.record->sequence;
                EXPECT_TRUE(is_next) << "in the journal's order, each once";
                found_singles.insert(movement.record->sequence);
            });
        EXPECT_TRUE(found == expected) << first_difference(found, expected);
        EXPECT_TRUE(found_points == points) << first_difference(found_points, points);
        EXPECT_TRUE(found_singles == singles);
    }

    /// The same of what was spent.
    void expect_same_spent(const Movements& movements, const std::map<Month, Taken>& taken)
    {
        Spent expected;
        for_each_posting(journal, coalition, [&](const PostingLines& posting) {
            if (posting.record.sequence > movements.through()) return;
            if (taken.at(posting.window) == Taken::left_out) return;
            add(expected, posting.record, posting.terms);
        });
        Spent found;
        movements.for_each_spent(
            [&](const Window& window) { return taken.at(window.month); },
            [&](const SpentPoints& spent) { add(found, spent); },
            [&](const Movement& movement) { add(found, *movement.record, movement.terms); });
        EXPECT_TRUE(found == expected) << first_difference(found, expected);
    }

    TemporaryFolder folder;
    Coalition coalition;
    MemoryJournal journal{coalition.terms()};
    test::TestStores stores{folder / ""};
    std::unique_ptr<Store> store = stores.open_store("books");
    Books books{*store, coalition};
};

class SeededMovementsTest : public MovementsTest, public testing::WithParamInterface<unsigned> {};

TEST_P(SeededMovementsTest, SumsAreWhatThePostingsAddUpToHoweverFarTheBooksAre)
{
    RandomMonths months{GetParam()};
    months.append(journal, 3, 12);
    auto& random = months.records();
    const auto windows = windows_of(journal);
    for (bool is_level = false; !is_level;) {
        is_level = books.project(journal, 1 + random.below(9)) == 0;
        std::map<Month, Taken> taken;
        for (const auto& window : windows)
            taken[window.month] = static_cast<Taken>(random.below(3));
        expect_same(movements(journal.head()), taken);
        expect_same_spent(movements(journal.head()), taken);
        // Also when the journal went on after the report was asked for.
        const auto projected = books.projected().value();
        const auto left = journal.head().value() - projected;
        const Sequence last{projected + random.below(left + 1)};
        expect_same(movements(last), taken);
        expect_same_spent(movements(last), taken);
    }
}

TEST_P(SeededMovementsTest, TheBooksHaveWhatHappenedInASpanOfTime)
{
    RandomMonths months{GetParam()};
    months.append(journal, 3, 12);
    auto& random = months.records();
    const auto windows = windows_of(journal);
    std::vector<Time> times;
    for_each_posting(journal, coalition, [&](const PostingLines& posting) {
        times.push_back(posting.record.occurred_at);
    });
    std::size_t summed = 0;
    for (bool is_level = false; !is_level;) {
        is_level = books.project(journal, 1 + random.below(9)) == 0;
        TimeSpan span{
            .from = times[random.below(times.size())], .to = times[random.below(times.size())]};
        if (span.to < span.from) std::swap(span.from, span.to);
        std::vector<Month> asked;
        for (const auto& window : windows)
            if (random.below(3) > 0) asked.push_back(window.month);
        const Sequence last{random.below(journal.head().value() + 1)};
        const auto sums = books.happened_in(span, asked, last);
        EXPECT_EQ(sums.through, std::min(last, books.projected()));
        PositionSums expected;
        for_each_posting(journal, coalition, [&](const PostingLines& posting) {
            const auto& record = posting.record;
            if (record.sequence > sums.through || record.message_id.empty()) return;
            if (record.occurred_at < span.from || record.occurred_at >= span.to) return;
            if (std::ranges::find(asked, posting.window) == asked.end()) return;
            for (const auto& row : posting.positions) add(expected, posting.window, row);
        });
        PositionSums found;
        for (const auto& window : sums.windows)
            for (const auto& row : window.positions)
                if (!lines_of(row, *coalition.terms_at({})).empty()) add(found, window.month, row);
        std::erase_if(expected, [&](const auto& each) {
            const auto kind = std::get<EntryKind>(each.first); // those that move no account
            return kind == EntryKind::creditable_moved || kind == EntryKind::folded_out ||
                   kind == EntryKind::folded_in;
        });
        EXPECT_TRUE(found == expected) << first_difference(found, expected);
        summed += found.size();
    }
    EXPECT_GT(summed, 100U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SeededMovementsTest, testing::Values(11U, 2026U, 77'777U));

TEST_F(MovementsTest, WhatTheBooksTakeMeanwhileIsNotCountedTwice)
{
    RandomMonths months{5};
    months.append(journal, 2, 20);
    books.project(journal, 7);
    const auto before = movements(journal.head());
    while (books.project(journal, 64) > 0) {
    }
    std::map<Month, Taken> taken;
    for (const auto& window : windows_of(journal)) taken[window.month] = Taken::summed;
    expect_same(before, taken);
}

TEST_F(MovementsTest, BooksThatAreMadeAnewGiveNoFigures)
{
    RandomMonths months{5};
    months.append(journal, 2, 5);
    while (books.project(journal, 64) > 0) {
    }
    const auto before = movements(journal.head());
    books.clear();
    EXPECT_THROW(
        before.for_each([](const Window&) { return Taken::summed; }, [](const Movement&) {}),
        StoreFailure);
    EXPECT_THROW(
        before.for_each_spent(
            [](const Window&) { return Taken::summed; },
            [](const SpentPoints&) {},
            [](const Movement&) {}),
        StoreFailure);
    // Whoever asks from now on gets them from the journal.
    std::map<Month, Taken> taken;
    for (const auto& window : windows_of(journal)) taken[window.month] = Taken::summed;
    expect_same(movements(journal.head()), taken);
}

TEST_F(MovementsTest, TheLastPostingUpToARecord)
{
    RandomMonths months{9};
    months.append(journal, 3, 6);
    while (books.project(journal, 64) > 0) {
    }
    const auto found = movements(journal.head());
    for (std::uint64_t number = 0; number <= journal.head().value(); ++number) {
        std::optional<Time> expected;
        for_each_posting(journal, coalition, [&](const PostingLines& posting) {
            if (posting.record.sequence.value() <= number) expected = posting.record.posted_at;
        });
        EXPECT_EQ(found.last_posted_at(Sequence{number}), expected) << "record " << number;
    }
}

} // namespace
} // namespace pointhouse::ledger
