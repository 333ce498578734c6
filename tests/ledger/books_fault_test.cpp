#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "books_fixture.hpp"
#include "ledger/books.hpp"
#include "store/sqlite_store.hpp"
#include "test_database.hpp"

namespace pointhouse::ledger {
namespace {

using test::Coalition;
using test::MemoryJournal;
using test::RandomMonths;
using test::TemporaryFolder;

/// Sound books of two months, and a way to spoil them.
class BooksFaultTest : public testing::Test {
protected:
    void SetUp() override
    {
        months.append(journal, 2, 10);
        while (books.project(journal, 100) > 0) {
        }
        ASSERT_EQ(books.first_fault(journal), std::nullopt);
    }

    std::int64_t number(const std::string& sql)
    {
        std::int64_t found = 0;
        store->read([&](Transaction& transaction) {
            found = std::get<std::int64_t>(transaction.run(sql, {}).at(0).at(0));
        });
        return found;
    }

    std::vector<std::string> columns_of(const std::string& table)
    {
        std::vector<std::string> columns;
        store->read([&](Transaction& transaction) {
            for (const auto& row :
                 transaction.run("SELECT name FROM pragma_table_info('" + table + "')", {}))
                columns.push_back(std::get<std::string>(row[0]));
        });
        return columns;
    }

    void change(const std::string& sql)
    {
        store->transact([&](Transaction& transaction) {
            transaction.script("PRAGMA ignore_check_constraints = ON");
            transaction.script(sql);
        });
    }

    std::string fault() { return books.first_fault(journal).value_or("none"); }

    RandomMonths months{42};
    TemporaryFolder folder;
    Coalition coalition;
    MemoryJournal journal{coalition.terms()};
    test::TestStores stores{folder / ""};
    std::unique_ptr<Store> store = stores.open_store("books");
    Books books{*store, coalition};
};

struct Place {
    std::string table;
    std::string row;  // SQL condition that picks one row in the middle
    std::string name; // how the fault names the row
};

TEST_F(BooksFaultTest, EveryColumnOfEveryTableIsCompared)
{
    const auto sequence = number("SELECT sequence FROM entry_2026_02 ORDER BY 1 LIMIT 1 OFFSET 20");
    const auto at = "sequence = " + std::to_string(sequence);
    const auto named = ", sequence " + std::to_string(sequence);
    const std::vector<Place> places{
        {"posting_2026_02", at, "posting_2026_02" + named},
        {"entry_2026_02", at + " AND number = 0", "entry_2026_02" + named + ", number 0"},
        {"position", "rowid = 5", "position, month '2026-0"},
        {"settlement_window", "month = '2026-02'", "settlement_window, month '2026-02'"},
        {"partner", "partner = 2", "partner, partner 2"},
        {"tariff", "tariff = 3", "tariff, tariff 3"},
    };
    std::size_t columns_tried = 0;
    for (const auto& place : places)
        for (const auto& column : columns_of(place.table)) {
            // Whether the indexes are there yet is the projector's own note, not of the journal.
            const bool is_text = column == "message_id" || column == "name" || column == "month";
            const auto set = [&](const std::string& sign) {
                return is_text
                           ? (sign == "+" ? column + " || 'x'"
                                          : "substr(" + column + ", 1, length(" + column + ") - 1)")
                           : column + " " + sign + " 100000";
            };
            const bool is_key_of_place = place.row.find(column + " = ") != std::string::npos;
            if (is_key_of_place) continue; // see MovedRowsAreFound
            change(
                "UPDATE " + place.table + " SET " + column + " = " + set("+") + " WHERE " +
                place.row);
            const std::string found = fault();
            EXPECT_NE(found.find(place.name), std::string::npos)
                << place.table << "." << column << ": " << found;
            if (place.table != "position") {
                EXPECT_NE(found.find("column " + column + " "), std::string::npos) << found;
            }
            change(
                "UPDATE " + place.table + " SET " + column + " = " + set("-") + " WHERE " +
                place.row);
            ++columns_tried;
        }
    EXPECT_EQ(fault(), "none");
    EXPECT_EQ(columns_tried, 18U + 23U + 16U + 3U + 1U + 8U);
}

TEST_F(BooksFaultTest, MovedRowsAreFound)
{
    change("UPDATE posting_2026_02 SET sequence = sequence + 1000000 WHERE sequence ="
           " (SELECT max(sequence) FROM posting_2026_02)");
    EXPECT_NE(fault().find(": missing"), std::string::npos) << fault();
}

TEST_F(BooksFaultTest, MissingRowsAreFound)
{
    for (const std::string table :
         {"posting_2026_01",
          "entry_2026_01",
          "position",
          "settlement_window",
          "partner",
          "tariff"}) {
        // The first row of each table, put back afterwards.
        const std::string key = table.starts_with("entry") ? "sequence, number" : "rowid";
        change("CREATE TABLE kept AS SELECT * FROM " + table + " ORDER BY " + key + " LIMIT 1");
        change(
            "DELETE FROM " + table + " WHERE (" + key + ") = (SELECT " + key + " FROM " + table +
            " ORDER BY " + key + " LIMIT 1)");
        EXPECT_NE(fault().find(table), std::string::npos) << fault();
        change("INSERT INTO " + table + " SELECT * FROM kept; DROP TABLE kept");
        EXPECT_EQ(fault(), "none") << table;
    }
}

TEST_F(BooksFaultTest, ExtraRowsAreFound)
{
    change(
        "INSERT INTO posting_2026_01 SELECT sequence + 1000000, type, refusal, partner, message_id,"
        " member, occurred_at, posted_at, points, tariff, counterparty, amount_minor, original,"
        " other_member, reversed_so_far, available, pending, held, debt FROM posting_2026_01 LIMIT "
        "1");
    EXPECT_NE(fault().find("posting_2026_01: has "), std::string::npos) << fault();
    change("DELETE FROM posting_2026_01 WHERE sequence > 1000000");
    change("INSERT INTO settlement_window VALUES ('2031-01', 7, 0, 0)");
    EXPECT_EQ(fault(), "books: settlement_window, month '2031-01': a row too many");
}

TEST_F(BooksFaultTest, AMissingTableIsAFault)
{
    change("DROP TABLE entry_2026_01");
    EXPECT_NE(fault().find("entry_2026_01"), std::string::npos) << fault();
}

TEST_F(BooksFaultTest, TheSequenceReachedIsCompared)
{
    change("UPDATE projection SET sequence = sequence + 1000");
    EXPECT_NE(fault().find("the journal ends at"), std::string::npos) << fault();
    change("UPDATE projection SET sequence = sequence - 1002");
    EXPECT_NE(fault(), "none");
}

// Any byte of the file: it is found, or it is in no stored value.
TEST_F(BooksFaultTest, EveryFlippedByteIsFoundOrOfNoAccount)
{
    const auto contents = [](Store& from) {
        std::string text;
        from.read([&](Transaction& transaction) {
            for (const auto* sql :
                 {"SELECT * FROM posting ORDER BY sequence",
                  "SELECT * FROM entry ORDER BY sequence, number",
                  "SELECT * FROM position",
                  "SELECT * FROM trial_balance",
                  "SELECT * FROM settlement_window",
                  "SELECT * FROM partner",
                  "SELECT * FROM tariff"})
                transaction.for_each(sql, {}, [&](const Row& row) {
                    for (const auto& cell : row) {
                        if (const auto* count = std::get_if<std::int64_t>(&cell))
                            text += std::to_string(*count) + "|";
                        if (const auto* words = std::get_if<std::string>(&cell))
                            text += *words + "|";
                    }
                });
        });
        return text;
    };
    const std::string sound = contents(*store);
    store.reset(); // takes the log in
    std::string bytes;
    {
        std::ifstream file{folder / "books.db", std::ios::binary};
        bytes.assign(std::istreambuf_iterator<char>{file}, {});
    }
    ASSERT_GT(bytes.size(), 100'000U);

    std::mt19937_64 random{2026};
    int found = 0;
    for (int flip = 0; flip < 60; ++flip) {
        const std::size_t at = random() % bytes.size();
        const char mask = static_cast<char>(1U << (random() % 8));
        std::string spoilt = bytes;
        spoilt[at] = static_cast<char>(spoilt[at] ^ mask);
        const auto file = folder / ("flip-" + std::to_string(flip) + ".db");
        std::ofstream{file, std::ios::binary} << spoilt;
        try {
            auto opened = open_sqlite_store(file, Durability::relaxed);
            Books flipped{*opened, coalition};
            if (flipped.first_fault(journal))
                ++found;
            else
                EXPECT_EQ(contents(*opened), sound) << "byte " << at << " of flip " << flip;
        } catch (const StoreFailure&) {
            ++found; // not even opened
        }
        std::filesystem::remove(file);
    }
    EXPECT_GT(found, 8); // most of the file is free space and indexes
}

// Lag is no fault: what is there is right.
TEST_F(BooksFaultTest, BooksThatLagAreSound)
{
    months.append(journal, 1, 3);
    EXPECT_EQ(fault(), "none");
}

} // namespace
} // namespace pointhouse::ledger
