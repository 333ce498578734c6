#include "ledger/books.hpp"

#include <algorithm>
#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "books_fixture.hpp"
#include "ledger/accounts.hpp"
#include "test_database.hpp"

namespace pointhouse::ledger {
namespace {

using test::Coalition;
using test::MemoryJournal;
using test::RandomMonths;
using test::TemporaryFolder;

constexpr Month june{.year = 2026, .month = 6};

std::vector<Row> query(Store& store, std::string_view sql)
{
    std::vector<Row> rows;
    store.read([&](Transaction& transaction) { rows = transaction.run(sql, {}); });
    return rows;
}

std::string text(const Row& row)
{
    std::string line;
    for (const auto& cell : row) {
        if (!line.empty()) line += '|';
        if (const auto* number = std::get_if<std::int64_t>(&cell)) line += std::to_string(*number);
        if (const auto* words = std::get_if<std::string>(&cell)) line += *words;
    }
    return line;
}

/// All that the books hold, line by line.
std::vector<std::string> contents(Store& store)
{
    std::vector<std::string> lines;
    for (const auto* sql :
         {"SELECT * FROM posting ORDER BY sequence",
          "SELECT * FROM entry ORDER BY sequence, number",
          "SELECT * FROM allocation ORDER BY sequence, number",
          "SELECT month, first, cut, drained FROM settlement_window ORDER BY month",
          "SELECT * FROM position ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9",
          "SELECT * FROM trial_balance",
          "SELECT * FROM partner",
          "SELECT * FROM tariff",
          "SELECT * FROM projection"})
        for (const auto& row : query(store, sql)) lines.push_back(text(row));
    return lines;
}

class BooksTest : public testing::Test {
protected:
    void project_all(std::size_t blocks_max = 16)
    {
        while (books.project(journal, blocks_max) > 0) {
        }
    }

    TemporaryFolder folder;
    Coalition coalition;
    MemoryJournal journal{coalition.terms()};
    test::TestStores stores{folder / ""};
    std::unique_ptr<Store> store = stores.open_store("books");
    Books books{*store, coalition};
    Time noon = *parse_time("2026-06-10T12:00:00Z");
};

Record accrual(Time time, std::int64_t points)
{
    Record record{
        .type = MessageType::accrual,
        .partner = PartnerId{1},
        .message_id = "basket-1",
        .member = MemberNumber{7},
        .terms = HouseSequence{9},
        .occurred_at = time,
        .posted_at = time,
        .points = Points{points},
        .tariff = TariffVersion{1}};
    record.amount_minor = 8'450;
    record.balance.available = Points{points};
    record.entries.push_back(
        {.kind = EntryKind::issued,
         .points = Points{points},
         .lot = {.key = {Sequence{1}, 0}, .activity = time, .tariff = TariffVersion{1}}});
    return record;
}

TEST_F(BooksTest, AnAccrualIsOnePostingAndOneEntry)
{
    journal.append(june, noon, {accrual(noon, 84)});
    EXPECT_EQ(books.project(journal, 1), 1U);
    EXPECT_EQ(books.projected(), Sequence{1});

    const auto postings = query(
        *store,
        "SELECT month, sequence, type, refusal, partner, message_id, member, points,"
        " amount_minor, available FROM posting");
    ASSERT_EQ(postings.size(), 1U);
    EXPECT_EQ(text(postings[0]), "2026-06|1|accrual||GRO|basket-1|7|84|8450|84");
    EXPECT_TRUE(std::holds_alternative<std::monostate>(postings[0][3])) << "no refusal is NULL";

    const auto entries = query(
        *store,
        "SELECT kind, issuer, points, issuer_micro, counterparty_micro, liability_micro,"
        " fee_micro, margin_micro FROM entry");
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(text(entries[0]), "issued|GRO|84|924000|0|840000|84000|0");
}

TEST_F(BooksTest, ARefusalIsAPostingWithoutEntries)
{
    Record refused = accrual(noon, 84);
    refused.refusal = Refusal::insufficient_points;
    refused.entries.clear();
    journal.append(june, noon, {refused});
    project_all();
    EXPECT_EQ(
        text(query(*store, "SELECT type, refusal FROM posting")[0]), "accrual|insufficient_points");
    EXPECT_TRUE(query(*store, "SELECT * FROM entry").empty());
    EXPECT_EQ(books.first_fault(journal), std::nullopt);
}

// JUNE-2026, E12b: points of GRO repay a debt for points of BOE.
TEST_F(BooksTest, ARecoveryPostsPerIssuer)
{
    Record record = accrual(noon, 180);
    record.entries[0].kind = EntryKind::recovered;
    record.entries[0].debt = {
        .origin = Sequence{1}, .tariff = TariffVersion{2}, .kind = DebtKind::issuer_bears};
    journal.append(june, noon, {record});
    project_all();
    std::vector<std::string> lines;
    for (const auto& row :
         query(*store, "SELECT account, unit, debits, credits FROM trial_balance"))
        lines.push_back(text(row));
    std::ranges::sort(lines);
    EXPECT_EQ(
        lines,
        (std::vector<std::string>{
            "deferred_revenue|money|1800000|0",
            "members:active|P.GRO|180|0",
            "members:debt|P.BOE|0|180",
            "recovery:BOE|P.BOE|180|0",
            "recovery:GRO|P.GRO|0|180",
            "revenue:redemption_margin|money|360000|0",
            "revenue:service_fee|money|180000|0",
            "unbilled:BOE|money|0|2340000",
        }));
}

TEST_F(BooksTest, PositionsOfAWindowAndOfAllBefore)
{
    const Month july = june.next();
    journal.append(june, noon, {accrual(noon, 10), accrual(noon, 20)});
    journal.append(july, noon, {accrual(noon, 5)});
    project_all();
    ASSERT_EQ(books.positions(june).size(), 1U);
    const PositionRow expected{
        .window = june,
        .kind = EntryKind::issued,
        .partner = PartnerId{1},
        .tariff = TariffVersion{1},
        .points = Points{30},
        .money = {
            .issuer = Micro{330'000},
            .counterparty = {},
            .liability = Micro{300'000},
            .fee = Micro{30'000},
            .margin = {}}};
    EXPECT_EQ(books.positions(june)[0], expected);
    EXPECT_TRUE(books.positions_before(june).empty());
    PositionRow opening = expected;
    opening.window = {};
    ASSERT_EQ(books.positions_before(july).size(), 1U);
    EXPECT_EQ(books.positions_before(july)[0], opening);
    ASSERT_EQ(books.positions_before(july.next()).size(), 1U);
    EXPECT_EQ(books.positions_before(july.next())[0].points, Points{35});
}

TEST_F(BooksTest, AnUnbalancedEntryIsRefusedByTheTable)
{
    journal.append(june, noon, {accrual(noon, 10)});
    project_all();
    const auto spoil = [](Transaction& transaction) {
        transaction.run("UPDATE entry_2026_06 SET fee_micro = fee_micro + 1", {});
    };
    EXPECT_THROW(store->transact(spoil), StoreFailure);
}

TEST_F(BooksTest, IndexesComeWhenTheWindowIsDrained)
{
    const auto indexes = [&] {
        constexpr std::string_view of_sqlite =
            "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name LIKE '%2026%'"
            " AND sql IS NOT NULL";
        constexpr std::string_view of_postgres =
            "SELECT 1 FROM pg_indexes WHERE schemaname = 'books' AND indexname LIKE '%2026%'"
            " AND indexname NOT LIKE '%pkey'";
        return query(*store, test::TestStores::are_postgres() ? of_postgres : of_sqlite).size();
    };
    journal.append(june, noon, {accrual(noon, 10)});
    project_all();
    journal.append(
        june, noon, {{.type = MessageType::cut, .occurred_at = noon, .posted_at = noon}});
    project_all();
    EXPECT_FALSE(books.index_drained_window());
    EXPECT_EQ(indexes(), 3U) << "of the few rows that belong to earlier months";
    journal.append(
        june.next(),
        noon,
        {{.type = MessageType::drained, .occurred_at = noon, .posted_at = noon}});
    project_all();
    for (const std::size_t made : {6U, 6U, 6U, 7U, 8U, 9U}) {
        EXPECT_TRUE(books.index_drained_window());
        EXPECT_EQ(indexes(), made);
    }
    EXPECT_FALSE(books.index_drained_window());
    Books opened{*store, coalition};
    while (opened.index_drained_window()) EXPECT_EQ(indexes(), 9U);
    EXPECT_EQ(
        text(query(*store, "SELECT month, first, cut, drained FROM settlement_window")[0]),
        "2026-06|1|2|3");
    EXPECT_EQ(books.first_fault(journal), std::nullopt);
}

TEST_F(BooksTest, AJournalShorterThanTheBooksIsRefused)
{
    journal.append(june, noon, {accrual(noon, 10)});
    journal.append(june, noon, {accrual(noon, 10)});
    project_all();
    journal.drop_last();
    EXPECT_THROW(books.project(journal, 1), StoreFailure);
    EXPECT_EQ(
        books.first_fault(journal), "books: projection: sequence is 2 and the journal ends at 1");
}

class BooksOfRandomMonths : public BooksTest, public testing::WithParamInterface<int> {};

INSTANTIATE_TEST_SUITE_P(Seeds, BooksOfRandomMonths, testing::Range(1, 9));

TEST_P(BooksOfRandomMonths, AreTheSameHoweverTheyWereProjected)
{
    const auto seed = static_cast<std::uint64_t>(GetParam());
    RandomMonths{seed}.append(journal, 3, 12);
    project_all(1'000);
    const auto whole = contents(*store);

    books.clear();
    EXPECT_EQ(books.projected(), Sequence{});
    std::mt19937_64 random{seed};
    {
        // A projector that stops half-way, and one that goes on with its tables.
        Books first{*store, coalition};
        first.project(journal, 1 + random() % 9);
    }
    Books second{*store, coalition};
    while (second.project(journal, 1 + random() % 9) > 0) {
    }
    EXPECT_EQ(contents(*store), whole) << "seed " << seed;
    EXPECT_EQ(second.first_fault(journal), std::nullopt) << "seed " << seed;
    EXPECT_EQ(journal.snapshots(), 0);
}

TEST_P(BooksOfRandomMonths, BalanceInEveryUnit)
{
    RandomMonths{static_cast<std::uint64_t>(GetParam())}.append(journal, 2, 20);
    project_all();
    for (const auto& row : query(
             *store,
             "SELECT month, unit, SUM(debits) - SUM(credits) FROM trial_balance"
             " GROUP BY month, unit"))
        EXPECT_EQ(std::get<std::int64_t>(row[2]), 0) << "seed " << GetParam() << ": " << text(row);
}

// The view and the pure function say the same of the same positions.
TEST_P(BooksOfRandomMonths, HaveOneTrialBalance)
{
    RandomMonths months{static_cast<std::uint64_t>(GetParam())};
    months.append(journal, 2, 20);
    project_all();
    std::vector<std::string> in_sql;
    for (const auto& row : query(
             *store,
             "SELECT account, replace(unit, 'money', 'EUR') AS unit, SUM(debits),"
             " SUM(credits) FROM trial_balance GROUP BY 1, 2 ORDER BY 1, 2"))
        in_sql.push_back(text(row));
    std::vector<std::string> in_code;
    for (const auto& row :
         trial_balance(books.positions_before(months.month().next()), coalition.terms()))
        in_code.push_back(
            fmt::format("{}|{}|{}|{}", row.account, row.unit, row.debits, row.credits));
    EXPECT_EQ(in_code, in_sql) << "seed " << GetParam();
    EXPECT_GT(in_code.size(), 20U);
}

/// What of a window's entries belongs to earlier months, entry by entry as the definition says.
std::vector<std::string> earlier_by_hand(JournalReader& journal, const Terms& terms, Month window)
{
    struct Booked {
        Month window{};
        Record record;
    };
    std::vector<Booked> all{{}}; // by sequence
    journal.for_each_block(Sequence{1}, [&](const JournalReader::BlockRow& row) {
        const auto block = BlockView::parse(row.bytes, BlockView::Check::frame);
        for (std::uint32_t index = 0; index < block->count(); ++index) {
            auto& booked = all.emplace_back();
            booked.window = block->header().window;
            EXPECT_TRUE(block->read(index, booked.record));
            if (booked.record.message_id.empty()) booked.record.occurred_at = Time::max();
            booked.record.message_id = {}; // of the block, which is gone
        }
        return true;
    });
    const auto undone_by = [&](const Record& record) -> std::optional<Month> {
        if (record.type != MessageType::reversal) return {};
        const Month month = all[record.original.value()].window;
        return month < window ? std::optional{month} : std::nullopt;
    };
    std::map<std::string, std::int64_t> points;
    for (const auto& [month, record] : all) {
        if (month != window) continue;
        const bool is_late = record.occurred_at < terms.calendar->start_of(window);
        for (const auto& entry : record.entries) {
            const auto add = [&](Month origin, bool undoes) {
                const auto name = fmt::format(
                    "{} {} {} {}",
                    format_month(origin),
                    undoes,
                    name_of(entry.kind),
                    (entry.lot.tariff.is_none() ? entry.debt.tariff : entry.lot.tariff).value());
                points[name] += entry.points.count();
            };
            const bool takes_back = entry.kind == EntryKind::refunded ||
                                    entry.kind == EntryKind::clawed_back ||
                                    entry.kind == EntryKind::debt_incurred;
            const auto undone = takes_back ? undone_by(record) : std::nullopt;
            if (undone) add(*undone, true);
            if (!undone && is_late) add(terms.calendar->month_of(record.occurred_at), false);
            if (entry.kind == EntryKind::recovered)
                if (const auto of = undone_by(all[entry.debt.origin.value()].record))
                    add(*of, true);
        }
    }
    std::vector<std::string> lines;
    for (const auto& [name, sum] : points) lines.push_back(fmt::format("{} {}", name, sum));
    return lines;
}

TEST_P(BooksOfRandomMonths, KnowWhatBelongsToEarlierMonths)
{
    const auto seed = static_cast<std::uint64_t>(GetParam());
    RandomMonths months{seed};
    months.append(journal, 3, 20);
    project_all();
    std::size_t found = 0;
    for (Month window{.year = 2026, .month = 1}; window <= months.month(); window = window.next()) {
        std::map<std::string, std::int64_t> points;
        for (const auto& [origin, undoes, row] :
             books.earlier_positions(window, *coalition.terms().calendar)) {
            EXPECT_EQ(row.window, window);
            points[fmt::format(
                "{} {} {} {}",
                format_month(origin),
                undoes,
                name_of(row.kind),
                row.tariff.value())] += row.points.count();
        }
        std::vector<std::string> lines;
        for (const auto& [name, sum] : points) lines.push_back(fmt::format("{} {}", name, sum));
        EXPECT_EQ(lines, earlier_by_hand(journal, coalition.terms(), window)) << "seed " << seed;
        found += lines.size();
    }
    EXPECT_GT(found, 20U);
    EXPECT_TRUE(
        books.earlier_positions({.year = 2031, .month = 1}, *coalition.terms().calendar).empty());
}

TEST_F(BooksTest, AMonthEndsAtItsMidnight)
{
    const Month july = june.next();
    const auto late_of = [&](std::string_view time) {
        journal.append(july, noon, {accrual(*parse_time(time), 1)});
        project_all();
        const auto found = books.earlier_positions(july, *coalition.terms().calendar);
        std::int64_t points = 0;
        for (const auto& each : found) points += each.position.points.count();
        return points;
    };
    EXPECT_EQ(late_of("2026-06-30T21:59:59.999999Z"), 1) << "the last instant in Amsterdam";
    EXPECT_EQ(late_of("2026-06-30T22:00:00Z"), 1);
    EXPECT_EQ(late_of("2026-07-01T00:00:00Z"), 1);
    EXPECT_EQ(late_of("2026-04-30T12:00:00Z"), 2);
    const auto found = books.earlier_positions(july, *coalition.terms().calendar);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(std::min(found[0].origin, found[1].origin), (Month{.year = 2026, .month = 4}));
    for (const auto& [origin, undoes, row] : found) {
        EXPECT_FALSE(undoes);
        EXPECT_EQ(row.money.issuer, Micro{11'000});
    }
}

// What BOOKS.md prints can be typed.
TEST_F(BooksTest, TheQuestionsInTheDocumentHaveAnswers)
{
    RandomMonths{5}.append(journal, 6, 10);
    project_all();
    std::ifstream file{LEDGER_FOLDER "/BOOKS.md"};
    ASSERT_TRUE(file);
    std::string line;
    while (std::getline(file, line) && line != "## Questions") {
    }
    std::string sql;
    int asked = 0;
    for (bool more = true; more;) {
        more = static_cast<bool>(std::getline(file, line));
        if (more && line.starts_with("    "))
            sql += line + '\n';
        else if (!sql.empty()) {
            EXPECT_NO_THROW((void)query(*store, sql)) << sql;
            sql.clear();
            ++asked;
        }
    }
    EXPECT_EQ(asked, 8);
}

TEST_F(BooksTest, AThousandWindowsStayReadable)
{
    RandomMonths{1}.append(journal, 1'000, 1);
    project_all(64);
    EXPECT_EQ(text(query(*store, "SELECT count(*) FROM settlement_window")[0]), "1001");
    EXPECT_EQ(text(query(*store, "SELECT count(DISTINCT month) FROM posting")[0]), "240");
    EXPECT_EQ(books.first_fault(journal), std::nullopt);
}

} // namespace
} // namespace pointhouse::ledger
