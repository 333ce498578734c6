#include <atomic>
#include <chrono>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "fault_proxy.hpp"
#include "journal_blocks.hpp"
#include "postgres_connection.hpp"
#include "store/postgres_journal.hpp"
#include "store/postgres_lease.hpp"
#include "store/postgres_schema.hpp"
#include "store/postgres_store.hpp"
#include "test_database.hpp"

namespace pointhouse::ledger {
namespace {

using namespace std::chrono_literals;
using test::FaultProxy;
using test::JournalBlocks;
using test::member_row;
using test::PostgresServer;
using SteadyClock = std::chrono::steady_clock;

PostgresLease::Options lease_of(std::string holder)
{
    return {.holder = std::move(holder), .time_to_live = 600ms, .margin = 100ms};
}

/// Two processes at one database, played by two leases.
class PostgresLeaseTest : public testing::Test {
protected:
    void SetUp() override { create_postgres_schemas(address); }

    std::unique_ptr<PostgresLease> take(std::string holder)
    {
        return std::make_unique<PostgresLease>(address, ShardId{1}, lease_of(std::move(holder)));
    }

    test::PostgresTestDatabase database;
    std::string address = database.address();
    JournalBlocks blocks;
};

TEST_F(PostgresLeaseTest, WhatWasGivenBackIsTakenAtOnce)
{
    std::int64_t epoch = 0;
    for (int time = 0; time < 3; ++time) {
        const auto started = SteadyClock::now();
        const auto lease = take("one");
        EXPECT_LT(SteadyClock::now() - started, 500ms);
        EXPECT_GT(lease->epoch(), epoch);
        EXPECT_TRUE(lease->is_confirmed());
        epoch = lease->epoch();
    }
}

TEST_F(PostgresLeaseTest, WhoLivesKeepsIt)
{
    const auto lease = take("one");
    const auto journal = open_postgres_journal(address, *lease);
    std::atomic<bool> done = false;
    // No commit: the sign of life alone.
    std::thread living{[&] {
        while (!done) {
            EXPECT_TRUE(journal->may_answer());
            std::this_thread::sleep_for(20ms);
        }
    }};
    for (int time = 0; time < 3; ++time) EXPECT_THROW(take("two"), PostgresLeaseHeld);
    done = true;
    living.join();
    EXPECT_EQ(journal->commit(blocks.next()), CommitResult::durable);
}

// The first owner was only slow: it must write nothing, and must not answer from memory either.
TEST_F(PostgresLeaseTest, WhoWasOvertakenWritesNothingAndAnswersNothing)
{
    const auto old_lease = take("slow");
    const auto old_journal = open_postgres_journal(address, *old_lease);
    const auto old_store = open_postgres_store(address, "house", *old_lease);
    old_store->transact([](Transaction& transaction) {
        transaction.script("CREATE TABLE thing (id BIGINT PRIMARY KEY)");
    });
    ASSERT_EQ(old_journal->commit(blocks.next()), CommitResult::durable);
    const JournalCommit late = blocks.next();
    blocks.take_back(late);

    const auto started = SteadyClock::now();
    const auto lease = take("new");
    const auto waited = SteadyClock::now() - started;
    EXPECT_GE(waited, 600ms) << "it waits for the time to live";
    fmt::print("overtaken after {} ms\n", waited / 1ms);
    EXPECT_FALSE(old_lease->is_confirmed()) << "before the new one begins to answer";
    const auto journal = open_postgres_journal(address, *lease);
    ASSERT_EQ(journal->commit(blocks.next(2)), CommitResult::durable);

    EXPECT_EQ(old_journal->commit(late), CommitResult::not_written);
    EXPECT_FALSE(old_journal->may_answer());
    EXPECT_TRUE(old_lease->is_lost());
    EXPECT_THROW(old_journal->reopen(), StoreFailure);
    EXPECT_EQ(old_journal->commit(late), CommitResult::not_written);
    EXPECT_THROW(
        old_store->transact(
            [](Transaction& transaction) { transaction.run("INSERT INTO thing VALUES (1)", {}); }),
        StoreFailure);
    EXPECT_EQ(journal->state().head, Sequence{3});
    EXPECT_EQ(journal->state().head_hash, blocks.hash());
    const auto store = open_postgres_store(address, "house", *lease);
    store->read([](Transaction& transaction) {
        EXPECT_TRUE(transaction.run("SELECT id FROM thing", {}).empty());
    });
}

TEST_F(PostgresLeaseTest, OfTwoWhoTakeItOneGetsIt)
{
    {
        const auto first = take("silent");
    }
    PostgresConnection{address}.execute("UPDATE pointhouse.lease SET holder = 'died'");
    std::atomic<int> taken = 0;
    std::vector<std::unique_ptr<PostgresLease>> leases(6);
    std::vector<std::thread> takers;
    for (auto& lease : leases)
        takers.emplace_back([&] {
            try {
                lease = take(fmt::format("taker {}", static_cast<void*>(&lease)));
                ++taken;
            } catch (const PostgresLeaseHeld&) {
                lease.reset();
            }
        });
    for (auto& taker : takers) taker.join();
    EXPECT_EQ(taken, 1);
}

// A commit that an old connection has under way holds the row: no epoch goes past it.
TEST_F(PostgresLeaseTest, NobodyOvertakesACommitThatIsUnderWay)
{
    const auto lease = take("one");
    PostgresConnection slow{address};
    PostgresParameters epoch;
    slow.execute("BEGIN");
    slow.run(lease->check(), epoch.add(lease->epoch()));
    EXPECT_THROW(take("two"), PostgresLeaseHeld);
    slow.execute("COMMIT");
    EXPECT_NO_THROW(take("two"));
}

// Found under load: a house that was stopped in the middle of a commit kept its standby out for
// ever.
TEST_F(PostgresLeaseTest, WhoStandsStillInACommitIsOvertaken)
{
    auto lease = take("one");
    PostgresConnection stopped{address};
    stopped.limit_idle_transactions(std::chrono::milliseconds{100});
    PostgresParameters epoch;
    stopped.execute("BEGIN");
    stopped.run(lease->check(), epoch.add(lease->epoch()));
    EXPECT_NO_THROW(take("two"));
    EXPECT_THROW(stopped.execute("COMMIT"), PostgresFailure);
    EXPECT_TRUE(stopped.is_broken());
}

TEST_F(PostgresLeaseTest, WhatWritesStandsStillForSecondsAtMost)
{
    const auto lease = take("one");
    const auto store = open_postgres_store(address, "house", *lease);
    store->transact([](Transaction& transaction) {
        const auto rows = transaction.run("SHOW idle_in_transaction_session_timeout", {});
        EXPECT_EQ(std::get<std::string>(rows.at(0).at(0)), "5s");
    });
}

TEST_F(PostgresLeaseTest, AnOldConnectionCommitsNothingAfterARenewal)
{
    const auto lease = take("one");
    PostgresConnection old{address};
    PostgresParameters old_epoch;
    old_epoch.add(lease->epoch());
    old.execute("BEGIN");
    const auto journal = open_postgres_journal(address, *lease);
    journal->reopen();
    try {
        old.run(lease->check(), old_epoch);
        FAIL() << "the epoch was renewed";
    } catch (const PostgresFailure& failure) {
        EXPECT_TRUE(PostgresLease::is_refusal(failure.state)) << failure.what();
    }
}

// The renewal itself is waiting for the old connection's lock when that one checks its epoch.
TEST_F(PostgresLeaseTest, ACheckThatWaitsForATakeoverSeesIt)
{
    const auto lease = take("one");
    PostgresConnection taker{address};
    taker.execute("BEGIN; UPDATE pointhouse.lease SET epoch = epoch + 1");
    std::thread commits{[&] {
        const auto journal = open_postgres_journal(address, *lease);
        EXPECT_EQ(journal->commit(blocks.next()), CommitResult::not_written);
    }};
    std::this_thread::sleep_for(200ms);
    taker.execute("COMMIT");
    commits.join();
    EXPECT_TRUE(lease->is_lost());
}

TEST_F(PostgresLeaseTest, WithoutTheDatabaseItAnswersOnlyForAWhile)
{
    FaultProxy proxy{PostgresServer::shared().port()};
    const auto name = address.substr(address.rfind('/') + 1);
    const std::string through =
        fmt::format("postgres://pointhouse@127.0.0.1:{}/{}", proxy.port(), name);
    PostgresLease lease{through, ShardId{1}, lease_of("one")};
    const auto journal = open_postgres_journal(through, lease);
    ASSERT_EQ(journal->commit(blocks.next()), CommitResult::durable);
    const auto started = SteadyClock::now();
    proxy.cut_after_client_bytes(0);
    EXPECT_TRUE(journal->may_answer());
    while (journal->may_answer() && SteadyClock::now() - started < 5s)
        std::this_thread::sleep_for(10ms);
    EXPECT_LE(SteadyClock::now() - started, 600ms) << "less than the time to live";
    EXPECT_FALSE(lease.is_lost()) << "nobody else has it";
    proxy.reset();
    journal->reopen();
    EXPECT_TRUE(journal->may_answer());
}

/// Commits through a proxy that breaks.
class PostgresCommitTest : public testing::Test {
protected:
    void SetUp() override
    {
        create_postgres_schemas(database.address());
        lease.emplace(through, ShardId{1}, PostgresLease::Options{.holder = "the tests"});
        journal = open_postgres_journal(through, *lease);
    }

    JournalCommit next()
    {
        JournalCommit commit = blocks.next(20, "contents");
        const std::uint64_t head = blocks.head().value();
        commit.members = {member_row(1, head, "one"), member_row(head, head, "another")};
        commit.watermark = Sequence{head - 1};
        return commit;
    }

    /// What is there after a commit of that result; the journal goes on from there.
    bool look(CommitResult result, const JournalCommit& commit)
    {
        proxy.reset();
        journal->reopen();
        const JournalState state = journal->state();
        const bool is_there = state.head == blocks.head();
        if (is_there) {
            EXPECT_EQ(state.head_hash, blocks.hash());
            EXPECT_EQ(state.watermark, *commit.watermark);
        } else {
            EXPECT_EQ(state.head.value() + 1, commit.blocks.front().first.value());
        }
        int members = 0;
        journal->read_members(
            std::array{commit.members.back().member}, [&](const MemberRow&) { ++members; });
        EXPECT_EQ(members, is_there ? 1 : 0) << "all of it or nothing";
        if (result == CommitResult::durable) {
            EXPECT_TRUE(is_there) << "said to be durable, and lost";
        }
        if (result == CommitResult::not_written) {
            EXPECT_FALSE(is_there) << "said not to be written, and there";
        }
        if (!is_there) blocks.take_back(commit);
        return is_there;
    }

    test::PostgresTestDatabase database;
    FaultProxy proxy{PostgresServer::shared().port()};
    std::string through = fmt::format(
        "postgres://pointhouse@127.0.0.1:{}/{}",
        proxy.port(),
        database.address().substr(database.address().rfind('/') + 1));
    std::optional<PostgresLease> lease;
    std::unique_ptr<Journal> journal;
    JournalBlocks blocks;
};

TEST_F(PostgresCommitTest, CutAtEveryStepOfTheRequest)
{
    proxy.reset();
    ASSERT_EQ(journal->commit(next()), CommitResult::durable);
    const std::int64_t bytes = proxy.sent_by_client();
    int there = 0;
    int cuts = 0;
    for (std::int64_t cut = 0; cut <= bytes + 40; cut += 1 + cut / 16) {
        const JournalCommit commit = next();
        proxy.reset();
        proxy.cut_after_client_bytes(cut);
        const CommitResult result = journal->commit(commit);
        there += look(result, commit) ? 1 : 0;
        ++cuts;
    }
    fmt::print("{} cuts in {} bytes; {} commits were there\n", cuts, bytes, there);
    EXPECT_GT(there, 0);
    EXPECT_LT(there, cuts);
}

TEST_F(PostgresCommitTest, CutAtEveryStepOfTheAnswer)
{
    proxy.reset();
    ASSERT_EQ(journal->commit(next()), CommitResult::durable);
    const std::int64_t bytes = proxy.sent_by_server();
    int there = 0;
    int unknown = 0;
    for (std::int64_t cut = 0; cut < bytes; cut += 1 + bytes / 24) {
        const JournalCommit commit = next();
        proxy.reset();
        proxy.cut_after_server_bytes(cut);
        const CommitResult result = journal->commit(commit);
        unknown += result == CommitResult::unknown ? 1 : 0;
        there += look(result, commit) ? 1 : 0;
    }
    fmt::print("answers cut: {} unknown, {} of them were there\n", unknown, there);
    EXPECT_GT(unknown, 20);
    EXPECT_GT(there, 0);
}

// The connection stays, and nothing ever comes: R9's dropped answer.
TEST_F(PostgresCommitTest, AnAnswerThatNeverComesIsUnknownAndThenLookedUp)
{
    const JournalCommit commit = next();
    proxy.swallow_answers();
    const auto started = SteadyClock::now();
    const CommitResult result = journal->commit(commit);
    EXPECT_EQ(result, CommitResult::unknown);
    EXPECT_LT(SteadyClock::now() - started, 20s);
    EXPECT_TRUE(look(result, commit));
    EXPECT_EQ(journal->commit(next()), CommitResult::durable);
}

TEST_F(PostgresCommitTest, ABackendThatIsTerminatedBeforeItsCommit)
{
    PostgresConnection other{database.address()};
    other.execute("BEGIN; SELECT 1 FROM pointhouse.lease FOR UPDATE");
    const JournalCommit commit = next();
    std::thread killer{[&] {
        std::this_thread::sleep_for(200ms);
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                      " WHERE wait_event_type = 'Lock' AND datname = current_database()");
        other.execute("ROLLBACK");
    }};
    const CommitResult result = journal->commit(commit);
    killer.join();
    EXPECT_EQ(result, CommitResult::unknown);
    EXPECT_FALSE(look(result, commit));
    EXPECT_EQ(journal->commit(next()), CommitResult::durable);
}

TEST_F(PostgresCommitTest, BackendsTerminatedAtRandomUnderLoad)
{
    std::atomic<bool> done = false;
    std::thread killer{[&] {
        PostgresConnection other{database.address()};
        while (!done) {
            std::this_thread::sleep_for(7ms);
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                          " WHERE pid <> pg_backend_pid() AND datname = current_database()");
        }
    }};
    int durable = 0;
    int others = 0;
    const auto end = SteadyClock::now() + 3s;
    while (SteadyClock::now() < end) {
        const JournalCommit commit = next();
        const CommitResult result = journal->commit(commit);
        if (result == CommitResult::durable) {
            ++durable;
            continue;
        }
        ++others;
        while (true) {
            try {
                look(result, commit);
                break;
            } catch (const StoreFailure&) {
                std::this_thread::sleep_for(1ms);
            }
        }
    }
    done = true;
    killer.join();
    journal->reopen();
    EXPECT_EQ(journal->state().head, blocks.head());
    fmt::print("{} commits durable, {} broken by a terminated backend\n", durable, others);
    EXPECT_GT(durable, 0);
    EXPECT_GT(others, 0);
}

TEST(PostgresReplication, ACancelledWaitForTheStandbyIsUnknown)
{
    const PostgresServer server;
    const std::string address = server.address("postgres");
    create_postgres_schemas(address);
    PostgresLease lease{address, ShardId{1}, {.holder = "the tests"}};
    const auto journal = open_postgres_journal(address, lease);
    JournalBlocks blocks;
    ASSERT_EQ(journal->commit(blocks.next()), CommitResult::durable);

    PostgresConnection other{address};
    other.execute("SET synchronous_commit = local");
    other.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    other.execute("SELECT pg_reload_conf()");
    std::this_thread::sleep_for(300ms);
    std::atomic<bool> cancelled = false;
    std::thread canceller{[&] {
        while (!cancelled) {
            const auto rows =
                other.run("WITH waiting AS MATERIALIZED (SELECT pid FROM pg_stat_activity"
                          " WHERE wait_event = 'SyncRep')"
                          " SELECT CAST(pid AS bigint) FROM waiting WHERE pg_cancel_backend(pid)");
            if (rows.rows() > 0) cancelled = true;
            std::this_thread::sleep_for(20ms);
        }
    }};
    EXPECT_EQ(journal->commit(blocks.next()), CommitResult::unknown);
    canceller.join();
    EXPECT_THROW(journal->reopen(), StoreFailure) << "the renewal waits for the standby, too";

    other.execute("ALTER SYSTEM RESET synchronous_standby_names");
    other.execute("SELECT pg_reload_conf()");
    std::this_thread::sleep_for(300ms);
    journal->reopen();
    EXPECT_EQ(journal->state().head, Sequence{2}) << "it was written on this server";
}

} // namespace
} // namespace pointhouse::ledger
