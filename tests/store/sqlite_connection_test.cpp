#include "sqlite_connection.hpp"

#include <fstream>
#include <sqlite3.h>
#include <string>
#include <unistd.h>

#include <gtest/gtest.h>

#include "journal_blocks.hpp"
#include "store/sqlite_journal.hpp"
#include "store/sqlite_store.hpp"

namespace pointhouse::ledger {
namespace {

class SqliteConnectionTest : public testing::Test {
protected:
    SqliteConnectionTest()
    {
        std::string name = (std::filesystem::temp_directory_path() / "sqlite-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary folder"};
        folder = name;
    }
    ~SqliteConnectionTest() override { std::filesystem::remove_all(folder); }

    [[nodiscard]] std::filesystem::path file() const { return folder / "one.db"; }
    [[nodiscard]] std::filesystem::path log() const { return folder / "one.db-wal"; }

    static std::string value_of(const SqliteConnection& connection, const std::string& pragma)
    {
        auto statement = connection.prepare("PRAGMA " + pragma);
        return statement.step() ? std::string{statement.column_text(0)} : "";
    }

    std::filesystem::path folder;
};

constexpr SqliteSettings reading{
    .mode = SqliteSettings::Mode::read_only,
    .synchronous = {},
    .page_bytes = 4'096,
    .autocheckpoint_pages = 64,
    .cache_kib = 64};

TEST_F(SqliteConnectionTest, HasThePromisedSettings)
{
    const SqliteConnection writer{file()};
    EXPECT_EQ(value_of(writer, "page_size"), "4096");
    EXPECT_EQ(value_of(writer, "journal_mode"), "wal");
    EXPECT_EQ(value_of(writer, "synchronous"), "2");
    EXPECT_EQ(value_of(writer, "wal_autocheckpoint"), "1024");
    EXPECT_EQ(value_of(writer, "trusted_schema"), "0");
}

// SECURITY section 1: only the writer may checkpoint, also when it is gone.
TEST_F(SqliteConnectionTest, AReaderLeavesTheLogAloneWhenItClosesLast)
{
    {
        SqliteConnection writer{file()};
        writer.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1)");
        const SqliteConnection reader{file(), reading};
        sqlite3_db_config(writer.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
        EXPECT_TRUE(reader.prepare("SELECT a FROM t").step());
    }
    ASSERT_GT(std::filesystem::file_size(log()), 0U);
    const auto before = std::filesystem::file_size(log());
    {
        const SqliteConnection reader{file(), reading};
        EXPECT_TRUE(reader.prepare("SELECT a FROM t").step());
    }
    EXPECT_EQ(std::filesystem::file_size(log()), before);
    {
        const SqliteConnection writer{file()};
        EXPECT_TRUE(writer.prepare("SELECT a FROM t").step());
    }
    EXPECT_FALSE(std::filesystem::exists(log())) << "the writer takes the log in when it closes";
}

TEST_F(SqliteConnectionTest, AReaderOpensWithoutALog)
{
    {
        SqliteConnection{file()}.execute("CREATE TABLE t (a); INSERT INTO t VALUES (7)");
    }
    ASSERT_FALSE(std::filesystem::exists(log()));
    const SqliteConnection reader{file(), reading};
    auto statement = reader.prepare("SELECT a FROM t");
    ASSERT_TRUE(statement.step());
    EXPECT_EQ(statement.column_int64(0), 7);
}

TEST_F(SqliteConnectionTest, AReaderMakesNoFile)
{
    EXPECT_THROW((SqliteConnection{file(), reading}), SqliteFailure);
    EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(SqliteConnectionTest, FailuresSayWhatHappened)
{
    SqliteConnection connection{file()};
    connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)");
    // A file that may not grow any more is full.
    connection.execute("PRAGMA max_page_count = 3");
    auto insert = connection.prepare("INSERT INTO t VALUES ($1)");
    try {
        connection.execute("CREATE TABLE u (a)");
        connection.execute("CREATE TABLE v (a)");
        FAIL() << "the file is full";
    } catch (const SqliteFailure& failure) {
        EXPECT_EQ(failure.primary_code(), SQLITE_FULL);
        EXPECT_FALSE(failure.unknown);
    }
    insert.bind_int64(1, 1);
    insert.run();
    try {
        insert.run();
        FAIL() << "the key stands already";
    } catch (const SqliteFailure& failure) {
        EXPECT_EQ(failure.code, SQLITE_CONSTRAINT_PRIMARYKEY);
    }
    insert.bind_int64(1, 2);
    insert.run();
    EXPECT_EQ(connection.changes(), 1);
    EXPECT_THROW(insert.bind_int64(2, 1), SqliteFailure);
}

TEST_F(SqliteConnectionTest, NumberedQuestionMarksGoByTheirNumber)
{
    const SqliteConnection connection{file()};
    auto statement = connection.prepare("SELECT ?2, ?1");
    statement.bind_text(1, "one");
    statement.bind_text(2, "two");
    ASSERT_TRUE(statement.step());
    EXPECT_EQ(statement.column_text(0), "two");
    EXPECT_EQ(statement.column_text(1), "one");
}

// One changed byte in an index, which no SELECT through the table would notice.
TEST_F(SqliteConnectionTest, AChangedByteInAnIndexIsAFault)
{
    {
        SqliteConnection writer{file()};
        writer.execute("CREATE TABLE t (name TEXT); CREATE INDEX t_name ON t (name);"
                       "INSERT INTO t VALUES ('unmistakable')");
    }
    std::string bytes;
    {
        std::ifstream in{file(), std::ios::binary};
        bytes.assign(std::istreambuf_iterator<char>{in}, {});
    }
    const auto table = bytes.find("unmistakable");
    const auto index = bytes.find("unmistakable", table + 1);
    ASSERT_NE(index, std::string::npos);
    bytes[index] = 'U';
    std::ofstream{file(), std::ios::binary} << bytes;
    EXPECT_NE(open_sqlite_store(file())->integrity_fault(), "");
}

// A snapshot that lasts as long as its reader takes would keep every checkpoint from the log's end.
TEST_F(SqliteConnectionTest, AReaderThatTakesItsTimeDoesNotMakeTheJournalsLogGrow)
{
    const auto journal = open_sqlite_journal(file());
    test::JournalBlocks blocks;
    const std::string contents(std::size_t{1} << 19U, 'c');
    constexpr int commits = 32; // 16 MiB
    ASSERT_EQ(journal->commit(blocks.next(1, contents)), CommitResult::durable);

    std::uint64_t seen = 0;
    journal->open_reader()->for_each_block(Sequence{1}, [&](const JournalCommit::Block& block) {
        EXPECT_EQ(block.first, Sequence{++seen});
        EXPECT_EQ(block.contents.size(), contents.size());
        if (seen == 1)
            for (int commit = 0; commit < commits; ++commit)
                EXPECT_EQ(journal->commit(blocks.next(1, contents)), CommitResult::durable);
        return true;
    });
    EXPECT_EQ(seen, commits + 1U) << "what came meanwhile is visited, too";
    EXPECT_LT(std::filesystem::file_size(log()), std::uintmax_t{4} << 20U);
}

} // namespace
} // namespace pointhouse::ledger
