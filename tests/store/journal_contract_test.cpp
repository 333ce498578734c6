#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "journal_blocks.hpp"
#include "ledger/journal.hpp"
#include "ledger/sharded_journal.hpp"
#include "store/postgres_journal.hpp"
#include "store/postgres_schema.hpp"
#include "store/sqlite_journal.hpp"
#include "test_database.hpp"

namespace pointhouse::ledger {
namespace {

using test::JournalBlocks;
using test::member_row;
using test::text_of;

/// The same journal, opened again and again, one at a time.
using OpenJournal = std::function<std::unique_ptr<Journal>()>;

struct JournalAdapter {
    std::string name;
    std::function<OpenJournal()> make;
};

struct Folder {
    std::string path = (std::filesystem::temp_directory_path() / "journal-XXXXXX").string();
    Folder()
    {
        if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error{"no temporary folder"};
    }
    ~Folder() { std::filesystem::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
};

struct Database {
    test::PostgresTestDatabase database;
    PostgresLease lease;
    Database()
        : lease{
              (create_postgres_schemas(database.address()), database.address()),
              first_shard,
              PostgresLease::Options{.holder = "the tests"}}
    {}
};

OpenJournal make_sqlite_journal()
{
    const auto folder = std::make_shared<Folder>();
    return [folder] { return open_sqlite_journal(folder->path + "/journal.db"); };
}

OpenJournal make_postgres_journal()
{
    const auto made = std::make_shared<Database>();
    return [made] { return open_postgres_journal(made->database.address(), made->lease); };
}

OpenJournal make_sqlite_shards()
{
    const auto folder = std::make_shared<Folder>();
    return [folder] {
        std::vector<std::unique_ptr<Journal>> shards;
        for (int shard = 1; shard <= 3; ++shard)
            shards.push_back(
                open_sqlite_journal(folder->path + "/journal-" + std::to_string(shard) + ".db"));
        return open_sharded_journal(std::move(shards), folder->path);
    };
}

OpenJournal make_postgres_shards()
{
    const auto folder = std::make_shared<Folder>();
    const auto made = std::make_shared<Database>();
    return [folder, made] {
        std::vector<std::unique_ptr<Journal>> shards;
        for (std::uint16_t shard = 1; shard <= 3; ++shard)
            shards.push_back(
                open_postgres_journal(made->database.address(), made->lease, ShardId{shard}));
        return open_sharded_journal(std::move(shards), folder->path);
    };
}

/// What every journal promises, whatever the database.
class JournalContract : public testing::TestWithParam<JournalAdapter> {
protected:
    void reopen_cleanly()
    {
        journal.reset();
        journal = open();
    }
    std::string members()
    {
        std::map<MemberNumber, std::string> rows; // shard by shard, they come in any order
        journal->open_reader()->for_each_member([&](const MemberRow& row) {
            rows[row.member] = std::to_string(row.member.value()) + ":" +
                               std::to_string(row.through.value()) + ":" + text_of(row.state) + " ";
        });
        std::string joined;
        for (const auto& [member, row] : rows) joined += row;
        return joined;
    }

    JournalBlocks blocks;
    OpenJournal open = GetParam().make();
    std::unique_ptr<Journal> journal = open();
};

INSTANTIATE_TEST_SUITE_P(
    Databases,
    JournalContract,
    testing::Values(
        JournalAdapter{"sqlite", make_sqlite_journal},
        JournalAdapter{"postgres", make_postgres_journal},
        JournalAdapter{"sqlite_shards", make_sqlite_shards},
        JournalAdapter{"postgres_shards", make_postgres_shards}),
    [](const auto& adapter) { return adapter.param.name; });

TEST_P(JournalContract, IsEmptyAtFirst)
{
    const JournalState state = journal->state();
    EXPECT_TRUE(state.head.is_none());
    EXPECT_TRUE(state.watermark.is_none());
    EXPECT_TRUE(state.index_runs.empty());
    EXPECT_TRUE(state.windows.empty());
    EXPECT_TRUE(journal->block_with(Sequence{1}).empty());
    journal->for_each_block(
        Sequence{1}, [](const auto&) -> bool { throw std::logic_error{"none"}; });
    EXPECT_EQ(journal->open_reader()->integrity_fault(), "");
}

TEST_P(JournalContract, KeepsAllThatACommitWrites)
{
    JournalCommit commit = blocks.next(3, "what may be erased");
    commit.members = {member_row(4, 2, "four"), member_row(7, 3, std::string_view{"\0seven", 6})};
    commit.watermark = Sequence{2};
    commit.index_runs = std::vector<IndexRun>{
        {.name = "b.run", .first = Sequence{1}, .last = Sequence{2}, .entries = 2, .hash = {}}};
    commit.index_runs->front().hash.fill(std::byte{9});
    commit.windows = {
        {.month = {.year = 2026, .month = 5}, .first = Sequence{1}, .cut = Sequence{1}},
        {.month = {.year = 2026, .month = 12}, .first = Sequence{2}}};
    ASSERT_EQ(journal->commit(commit), CommitResult::durable);
    reopen_cleanly();

    const JournalState state = journal->state();
    EXPECT_EQ(state.head, Sequence{3});
    EXPECT_EQ(state.head_hash, blocks.hash());
    EXPECT_EQ(state.watermark, Sequence{2});
    EXPECT_EQ(state.index_runs, *commit.index_runs);
    EXPECT_EQ(state.windows, commit.windows);
    EXPECT_EQ(members(), std::string("4:2:four 7:3:\0seven ", 20));
    EXPECT_EQ(text_of(journal->block_with(Sequence{2})), text_of(commit.blocks[0].bytes));
    const auto reader = journal->open_reader();
    EXPECT_EQ(reader->state().windows, commit.windows);
    int seen = 0;
    reader->for_each_block(Sequence{3}, [&](const JournalReader::BlockRow& block) {
        EXPECT_EQ(block.first, Sequence{1}) << "the block that holds 3";
        EXPECT_EQ(block.count, 3U);
        EXPECT_EQ(text_of(block.bytes), text_of(commit.blocks[0].bytes));
        EXPECT_EQ(text_of(block.contents), "what may be erased");
        return ++seen < 10;
    });
    EXPECT_EQ(seen, 1);
}

TEST_P(JournalContract, NewerRowsTakeTheOlderOnesPlace)
{
    JournalCommit first = blocks.next();
    first.members = {member_row(1, 1, "old"), member_row(2, 1, "stays")};
    first.watermark = Sequence{0};
    first.windows = {{.month = {.year = 2026, .month = 6}, .first = Sequence{1}}};
    first.index_runs = std::vector<IndexRun>{{.name = "1"}, {.name = "2"}};
    ASSERT_EQ(journal->commit(first), CommitResult::durable);
    JournalCommit second = blocks.next();
    second.members = {member_row(1, 2, "new"), member_row(3, 2, "")};
    second.watermark = Sequence{1};
    second.windows = {
        {.month = {.year = 2026, .month = 6}, .first = Sequence{1}, .cut = Sequence{2}}};
    second.index_runs = std::vector<IndexRun>{{.name = "3"}};
    ASSERT_EQ(journal->commit(second), CommitResult::durable);

    EXPECT_EQ(members(), "1:2:new 2:1:stays 3:2: ");
    EXPECT_EQ(journal->state().watermark, Sequence{1});
    EXPECT_EQ(journal->state().windows, second.windows);
    EXPECT_EQ(journal->state().index_runs, *second.index_runs);
}

TEST_P(JournalContract, ReadsTheMembersThatExist)
{
    JournalCommit commit = blocks.next();
    commit.members = {member_row(2, 1, "two"), member_row(5, 1, "five"), member_row(9, 1, "nine")};
    ASSERT_EQ(journal->commit(commit), CommitResult::durable);
    std::set<std::string> read;
    const std::array wanted{MemberNumber{1}, MemberNumber{2}, MemberNumber{9}, MemberNumber{10}};
    journal->read_members(
        wanted, [&](const MemberRow& row) { EXPECT_TRUE(read.insert(text_of(row.state)).second); });
    EXPECT_EQ(read, (std::set<std::string>{"two", "nine"}));
    journal->read_members({}, [](const MemberRow&) { FAIL(); });
}

TEST_P(JournalContract, ManyBlocksComeInOrderAndAsFarAsWanted)
{
    for (int commit = 0; commit < 100; ++commit)
        ASSERT_EQ(
            journal->commit(blocks.next(1U + static_cast<unsigned>(commit) % 3)),
            CommitResult::durable);
    std::uint64_t next = 50;
    journal->for_each_block(Sequence{next}, [&](const JournalCommit::Block& block) {
        EXPECT_LE(block.first.value(), next);
        next = block.first.value() + block.count;
        // The connection is free while a block is looked at.
        EXPECT_FALSE(journal->block_with(Sequence{1}).empty());
        return true;
    });
    EXPECT_EQ(next, blocks.head().value() + 1);
    int seen = 0;
    journal->for_each_block(Sequence{1}, [&](const auto&) { return ++seen < 5; });
    EXPECT_EQ(seen, 5);
    EXPECT_TRUE(journal->block_with(Sequence{next}).empty());
}

TEST_P(JournalContract, ASeriesOfLargeCommits)
{
    std::mt19937_64 random{2026};
    std::string states(1'500'000, '\0');
    for (char& letter : states) letter = static_cast<char>(random());
    for (int round = 0; round < 3; ++round) {
        JournalCommit commit = blocks.next(2'000, states);
        for (std::uint64_t number = 1; number <= 40'000; ++number)
            commit.members.push_back(member_row(
                number, blocks.head().value(), std::string_view{states}.substr(number, 30)));
        ASSERT_EQ(journal->commit(commit), CommitResult::durable);
    }
    std::set<MemberNumber> seen;
    journal->open_reader()->for_each_member([&](const MemberRow& row) {
        EXPECT_TRUE(seen.insert(row.member).second);
        EXPECT_EQ(row.through, blocks.head());
        EXPECT_EQ(text_of(row.state), states.substr(row.member.value(), 30));
    });
    EXPECT_EQ(seen.size(), 40'000U);
}

TEST_P(JournalContract, ACommitThatIsRefusedWritesNothing)
{
    JournalCommit first = blocks.next();
    ASSERT_EQ(journal->commit(first), CommitResult::durable);
    first.members = {member_row(3, 1, "not kept")}; // of the same shard, where there are several
    first.watermark = Sequence{1};
    EXPECT_NE(journal->commit(first), CommitResult::durable) << "its block is there already";
    journal->reopen();
    EXPECT_EQ(members(), "");
    EXPECT_TRUE(journal->state().watermark.is_none());
    EXPECT_EQ(journal->commit(blocks.next()), CommitResult::durable);
    EXPECT_EQ(journal->state().head, Sequence{2});
}

TEST_P(JournalContract, AReaderSeesOneSnapshotAndDoesNotStopTheWriter)
{
    ASSERT_EQ(journal->commit(blocks.next()), CommitResult::durable);
    const auto reader = journal->open_reader();
    reader->begin_snapshot();
    JournalCommit later = blocks.next();
    later.members = {member_row(1, 2, "later")};
    ASSERT_EQ(journal->commit(later), CommitResult::durable);
    EXPECT_EQ(reader->head(), Sequence{1});
    reader->for_each_member([](const MemberRow&) { FAIL() << "it came later"; });
    reader->end_snapshot();
    EXPECT_EQ(reader->head(), Sequence{2});
}

TEST_P(JournalContract, ReopeningChangesNothing)
{
    ASSERT_EQ(journal->commit(blocks.next(5)), CommitResult::durable);
    for (int time = 0; time < 3; ++time) {
        journal->reopen();
        EXPECT_TRUE(journal->may_answer());
        ASSERT_EQ(journal->commit(blocks.next()), CommitResult::durable);
    }
    EXPECT_EQ(journal->state().head, Sequence{8});
}

} // namespace
} // namespace pointhouse::ledger
