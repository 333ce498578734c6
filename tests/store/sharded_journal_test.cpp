#include "ledger/sharded_journal.hpp"

#include <barrier>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "journal_blocks.hpp"
#include "store/postgres_journal.hpp"
#include "store/postgres_schema.hpp"
#include "store/sqlite_journal.hpp"
#include "test_database.hpp"

namespace pointhouse::ledger {
namespace {

using test::JournalBlocks;
using test::member_row;
using test::text_of;

/// A shard whose next commit may come to something else.
class Shard final : public Journal {
public:
    explicit Shard(std::unique_ptr<Journal> journal) : journal_{std::move(journal)} {}
    std::function<CommitResult(Journal&, const JournalCommit&)> instead; // of the next commit

    JournalState state() override { return journal_->state(); }
    void read_members(
        std::span<const MemberNumber> members,
        const std::function<void(const MemberRow&)>& row) override
    {
        journal_->read_members(members, row);
    }
    std::span<const std::byte> block_with(Sequence sequence) override
    {
        return journal_->block_with(sequence);
    }
    void for_each_block(
        Sequence from, const std::function<bool(const JournalCommit::Block&)>& block) override
    {
        journal_->for_each_block(from, block);
    }
    CommitResult commit(const JournalCommit& commit) override
    {
        const auto other = std::exchange(instead, nullptr);
        return other ? other(*journal_, commit) : journal_->commit(commit);
    }
    void reopen() override { journal_->reopen(); }
    std::unique_ptr<JournalReader> open_reader() override { return journal_->open_reader(); }

private:
    std::unique_ptr<Journal> journal_;
};

CommitResult fail(Journal& /*journal*/, const JournalCommit& /*commit*/)
{
    return CommitResult::not_written;
}

CommitResult lose_answer(Journal& journal, const JournalCommit& commit)
{
    static_cast<void>(journal.commit(commit));
    return CommitResult::unknown;
}

/// Three shards of a house in one store, of either kind.
class ShardedJournal : public testing::TestWithParam<bool> {
protected:
    ShardedJournal()
    {
        if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error{"no temporary folder"};
        if (GetParam()) {
            database = std::make_unique<test::PostgresTestDatabase>();
            create_postgres_schemas(database->address());
            lease = std::make_unique<PostgresLease>(
                database->address(), first_shard, PostgresLease::Options{.holder = "the tests"});
        }
        open();
        JournalCommit commit = blocks.next();
        commit.windows.push_back({.month = {.year = 2026, .month = 6}, .first = Sequence{1}});
        EXPECT_EQ(journal->commit(commit), CommitResult::durable);
    }
    ~ShardedJournal() override
    {
        journal.reset();
        lease.reset();
        std::filesystem::remove_all(folder);
    }

    std::unique_ptr<Journal> open_shard(std::uint16_t shard)
    {
        if (database) return open_postgres_journal(database->address(), *lease, ShardId{shard});
        return open_sqlite_journal(folder + "/" + std::to_string(shard) + ".db");
    }
    void open(std::initializer_list<std::uint16_t> order = {1, 2, 3})
    {
        journal.reset();
        shards.clear();
        std::vector<std::unique_ptr<Journal>> opened;
        for (const std::uint16_t shard : order) {
            auto wrapped = std::make_unique<Shard>(open_shard(shard));
            shards.push_back(wrapped.get());
            opened.push_back(std::move(wrapped));
        }
        journal = open_sharded_journal(std::move(opened), folder);
    }
    /// "1-1 2-3 4-5": the sequences of all blocks, as a reader sees them.
    std::string read(std::uint64_t from = 1)
    {
        std::string text;
        journal->open_reader()->for_each_block(Sequence{from}, [&](const auto& row) {
            text += std::to_string(row.first.value()) + "-" +
                    std::to_string(row.first.value() + row.count - 1) + " ";
            return true;
        });
        return text;
    }
    std::string types()
    {
        std::string text;
        Record record;
        journal->for_each_block(Sequence{1}, [&](const auto& row) {
            const auto block = BlockView::parse(row.bytes, BlockView::Check::hash).value();
            for (std::uint32_t index = 0; index < block.count(); ++index)
                if (block.read(index, record)) text += std::string{name_of(record.type)} + " ";
            return true;
        });
        return text;
    }

    std::string folder = (std::filesystem::temp_directory_path() / "shards-XXXXXX").string();
    std::unique_ptr<test::PostgresTestDatabase> database;
    std::unique_ptr<PostgresLease> lease;
    JournalBlocks blocks;
    std::vector<Shard*> shards;
    std::unique_ptr<Journal> journal;
};

INSTANTIATE_TEST_SUITE_P(Databases, ShardedJournal, testing::Bool(), [](const auto& is_postgres) {
    return is_postgres.param ? "postgres" : "sqlite";
});

TEST_P(ShardedJournal, ReadsAsOne)
{
    JournalCommit commit = blocks.over({2, 3, 1});
    commit.members = {member_row(1, 2, "a"), member_row(2, 4, "b"), member_row(3, 6, "c")};
    commit.watermark = Sequence{1};
    ASSERT_EQ(journal->commit(commit), CommitResult::durable);
    for (int round = 0; round < 50; ++round)
        ASSERT_EQ(journal->commit(blocks.over({3, 2})), CommitResult::durable);

    EXPECT_EQ(read().substr(0, 32), "1-1 2-3 4-5 6-7 8-9 10-11 12-13 ");
    EXPECT_TRUE(read().ends_with(" 204-205 206-207 "));
    EXPECT_EQ(read(204), "204-205 206-207 ");
    EXPECT_EQ(read(205), "204-205 206-207 ");
    EXPECT_EQ(read(208), "");
    const JournalState state = journal->state();
    EXPECT_EQ(state.head, Sequence{207});
    EXPECT_EQ(state.watermark, Sequence{1});
    EXPECT_EQ(state.head_hash, blocks.hash(ShardId{2}));
    EXPECT_EQ(state.windows.size(), 1U);
    ASSERT_EQ(state.shard_hashes.size(), 3U);
    for (std::uint16_t shard = 1; shard <= 3; ++shard)
        EXPECT_EQ(state.shard_hashes[shard - 1U], blocks.hash(ShardId{shard})) << shard;
    for (std::uint64_t sequence = 1; sequence <= 207; ++sequence)
        EXPECT_FALSE(journal->block_with(Sequence{sequence}).empty()) << sequence;
    EXPECT_TRUE(journal->block_with(Sequence{208}).empty());

    std::string rows;
    journal->read_members(
        std::vector{MemberNumber{1}, MemberNumber{2}, MemberNumber{3}, MemberNumber{4}},
        [&](const MemberRow& row) { rows += text_of(row.state); });
    EXPECT_EQ(rows.size(), 3U);
    for (std::uint16_t shard = 1; shard <= 3; ++shard) {
        int members = 0;
        shards[shard - 1U]->open_reader()->for_each_member([&](const MemberRow& row) {
            EXPECT_EQ(shard_of(row.member, 3), ShardId{shard});
            ++members;
        });
        EXPECT_EQ(members, 1) << shard;
    }
}

TEST_P(ShardedJournal, CommitsToAllShardsAtOnce)
{
    std::barrier together{3};
    for (Shard* shard : shards)
        shard->instead = [&](Journal& below, const JournalCommit& commit) {
            together.arrive_and_wait(); // for ever, if one came after the other
            return below.commit(commit);
        };
    EXPECT_EQ(journal->commit(blocks.over({1, 2, 3})), CommitResult::durable);
}

TEST_P(ShardedJournal, ShowsNoOneWhatNotAllShardsHave)
{
    shards[1]->instead = fail;
    const auto reader = journal->open_reader();
    EXPECT_EQ(journal->commit(blocks.over({1, 2, 3})), CommitResult::unknown);
    EXPECT_EQ(reader->head(), Sequence{1});
    EXPECT_EQ(read(), "1-1 ");
    reader->begin_snapshot();
    EXPECT_EQ(reader->head(), Sequence{1});
    reader->end_snapshot();
}

TEST_P(ShardedJournal, FillsWhatOneShardDidNotWrite)
{
    shards[1]->instead = fail;
    EXPECT_EQ(journal->commit(blocks.over({1, 2, 3})), CommitResult::unknown);
    journal->reopen();
    EXPECT_EQ(types(), "clock clock clock unwritten unwritten clock clock ");
    EXPECT_EQ(read(), "1-1 2-3 4-5 6-7 ");
    const JournalState state = journal->state();
    EXPECT_EQ(state.head, Sequence{7});
    EXPECT_EQ(state.head_hash, blocks.hash(ShardId{3}));
    const auto filled = BlockView::parse(journal->block_with(Sequence{4}), BlockView::Check::hash);
    ASSERT_TRUE(filled.has_value());
    EXPECT_EQ(filled->header().hash, state.shard_hashes[filled->header().shard.value() - 1U]);

    // Looked at again, it is the same.
    open();
    EXPECT_EQ(read(), "1-1 2-3 4-5 6-7 ");
    EXPECT_EQ(journal->state().shard_hashes, state.shard_hashes);
}

TEST_P(ShardedJournal, ForgetsATailThatOneShardDidNotWrite)
{
    shards[2]->instead = fail;
    EXPECT_EQ(journal->commit(blocks.over({1, 2, 3})), CommitResult::unknown);
    open();
    EXPECT_EQ(types(), "clock clock clock clock clock ");
    EXPECT_EQ(journal->state().head, Sequence{5});
}

TEST_P(ShardedJournal, KeepsWhatTurnsOutToBeWritten)
{
    shards[0]->instead = lose_answer;
    EXPECT_EQ(journal->commit(blocks.over({1, 2, 3})), CommitResult::unknown);
    EXPECT_EQ(read(), "1-1 ");
    journal->reopen();
    EXPECT_EQ(read(), "1-1 2-3 4-5 6-7 ");
    EXPECT_EQ(types(), "clock clock clock clock clock clock clock ");
}

TEST_P(ShardedJournal, KnowsWhenNothingWasWritten)
{
    for (Shard* shard : shards) shard->instead = fail;
    const JournalCommit commit = blocks.over({1, 2, 3});
    EXPECT_EQ(journal->commit(commit), CommitResult::not_written);
    shards[1]->instead = fail;
    JournalCommit one;
    one.members = {member_row(1, 1, "of the second shard")};
    EXPECT_EQ(journal->commit(one), CommitResult::not_written);
}

TEST_P(ShardedJournal, PassesOnWhatAShardThrows)
{
    shards[2]->instead = [](Journal& /*below*/, const JournalCommit& /*commit*/) -> CommitResult {
        throw StoreFailure{"it broke"};
    };
    EXPECT_THROW(static_cast<void>(journal->commit(blocks.over({1, 2, 3}))), StoreFailure);
    journal->reopen();
    EXPECT_EQ(read(), "1-1 2-3 4-5 ");
}

TEST_P(ShardedJournal, RefusesAGapBeforeWhatWasDurable)
{
    ASSERT_EQ(journal->commit(blocks.over({1, 2, 3})), CommitResult::durable);
    // The second shard says that it wrote, and did not.
    shards[1]->instead = [](Journal& /*below*/, const JournalCommit& /*commit*/) {
        return CommitResult::durable;
    };
    ASSERT_EQ(journal->commit(blocks.over({1, 2, 3})), CommitResult::durable);
    try {
        journal->reopen();
        FAIL() << "it opened";
    } catch (const StoreFailure& failure) {
        EXPECT_NE(
            std::string{failure.what()}.find("records 10 to 11 are missing"), std::string::npos)
            << failure.what();
    }
}

TEST_P(ShardedJournal, RefusesShardsInAnotherOrder)
{
    ASSERT_EQ(journal->commit(blocks.over({1, 2, 3})), CommitResult::durable);
    EXPECT_THROW(open({1, 3, 2}), StoreFailure);
    EXPECT_NO_THROW(open());
}

} // namespace
} // namespace pointhouse::ledger
