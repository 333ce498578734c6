#include "store/postgres_journal.hpp"

#include <cstring>
#include <fmt/format.h>

#include "journal_columns.hpp"
#include "postgres_connection.hpp"
#include "postgres_integrity.hpp"

namespace pointhouse::ledger {
namespace {

using Clock = PostgresLease::Clock;

// A commit waits for the disk and perhaps for a standby server; after this its outcome is unknown.
constexpr std::chrono::milliseconds commit_patience{5'000};
constexpr std::size_t members_per_statement = 16'384;
constexpr int blocks_per_read = 16;
constexpr int members_per_read = 8'192;

/// A statement with the shard as a constant and the types of its parameters.
struct Statement {
    const char* name;
    const char* sql; // {} is the shard
    std::array<Oid, 5> types{};
};

constexpr Oid number = static_cast<Oid>(PostgresType::int64);
constexpr Oid text = static_cast<Oid>(PostgresType::text);
constexpr Oid bytes = static_cast<Oid>(PostgresType::bytes);
constexpr Oid numbers = 1016;
constexpr Oid many_bytes = 1001;

void prepare(PostgresConnection& connection, ShardId shard, const Statement& statement)
{
    std::size_t count = 0;
    while (count < statement.types.size() && statement.types[count] != 0) ++count;
    connection.prepare(
        statement.name,
        fmt::format(fmt::runtime(statement.sql), shard.value()),
        std::span{statement.types}.first(count));
}

/// What the writer and every reader ask of the tables, on a connection of their own.
class JournalTables {
public:
    JournalTables(PostgresConnection& connection, ShardId shard)
        : connection_{connection}, shard_{shard}, last_{nullptr}
    {
        static constexpr std::array statements{
            Statement{
                "head",
                "SELECT first + count - 1 FROM journal.block WHERE shard = {} ORDER BY first DESC"
                " LIMIT 1"},
            Statement{
                "block_with",
                "SELECT first, count, bytes FROM journal.block WHERE shard = {} AND first <= $1"
                " ORDER BY first DESC LIMIT 1",
                {number}},
            Statement{
                "blocks",
                // Contents row by row: a join would be planned for the whole journal each time.
                "SELECT b.first, b.count, b.bytes,"
                " (SELECT c.bytes FROM journal.content AS c"
                " WHERE c.shard = b.shard AND c.first = b.first)"
                " FROM journal.block AS b"
                " WHERE b.shard = {} AND b.first >= $1 ORDER BY b.first LIMIT $2",
                {number, number}},
            Statement{
                "some_members",
                "SELECT number, through, state FROM journal.member"
                " WHERE shard = {} AND number = ANY($1) ORDER BY number",
                {numbers}},
            Statement{
                "members",
                "SELECT number, through, state FROM journal.member"
                " WHERE shard = {} AND number > $1 ORDER BY number LIMIT $2",
                {number, number}}};
        // All of it is asked for by key; a plan that was made for an empty table stays.
        connection_.execute("SET enable_seqscan = off; SET enable_sort = off");
        for (const Statement& statement : statements) prepare(connection_, shard_, statement);
    }

    Sequence head()
    {
        const auto rows = connection_.run_prepared("head", {});
        return rows.rows() == 0 ? Sequence{} : sequence_of(rows.int64(0, 0));
    }

    std::span<const std::byte> block_with(Sequence sequence)
    {
        PostgresParameters parameters;
        last_ = connection_.run_prepared("block_with", parameters.add(stored(sequence)));
        if (last_.rows() == 0 || stored(sequence) >= last_.int64(0, 0) + last_.int64(0, 1))
            return {};
        return last_.bytes(0, 2);
    }

    // In pieces, so that neither side holds the whole journal. What was appended never changes.
    void for_each_block(
        Sequence from, const std::function<bool(const JournalCommit::Block&)>& visit)
    {
        PostgresParameters at;
        const auto holding = connection_.run_prepared("block_with", at.add(stored(from)));
        std::int64_t next = holding.rows() == 0 ? 0 : holding.int64(0, 0);
        while (true) {
            PostgresParameters parameters;
            const auto rows = connection_.run_prepared(
                "blocks", parameters.add(next).add(std::int64_t{blocks_per_read}));
            for (int row = 0; row < rows.rows(); ++row) {
                const JournalCommit::Block block{
                    .first = sequence_of(rows.int64(row, 0)),
                    .count = static_cast<std::uint32_t>(rows.int64(row, 1)),
                    .bytes = rows.bytes(row, 2),
                    .contents = rows.bytes(row, 3)};
                next = stored(block.first) + 1;
                if (!visit(block)) return;
            }
            if (rows.rows() < blocks_per_read) return;
        }
    }

    void read_members(
        std::span<const MemberNumber> members, const std::function<void(const MemberRow&)>& row)
    {
        std::vector<std::int64_t> wanted;
        while (!members.empty()) {
            const auto some =
                members.first(std::min<std::size_t>(members.size(), members_per_read));
            members = members.subspan(some.size());
            wanted.clear();
            for (const MemberNumber member : some)
                wanted.push_back(static_cast<std::int64_t>(member.value()));
            PostgresParameters parameters;
            visit(connection_.run_prepared("some_members", parameters.add_array(wanted)), row);
        }
    }

    void for_each_member(const std::function<void(const MemberRow&)>& row)
    {
        std::int64_t after = 0;
        while (true) {
            PostgresParameters parameters;
            const auto rows = connection_.run_prepared(
                "members", parameters.add(after).add(std::int64_t{members_per_read}));
            visit(rows, row);
            if (rows.rows() < members_per_read) return;
            after = rows.int64(rows.rows() - 1, 0);
        }
    }

    JournalState state()
    {
        JournalState state{.head = head()};
        if (!state.head.is_none()) {
            const auto view = BlockView::parse(block_with(state.head), BlockView::Check::hash);
            if (!view) throw StoreFailure{"the last block of the journal: " + view.error().reason};
            state.head_hash = view->header().hash;
        }
        const auto watermark = run("SELECT sequence, complement FROM journal.watermark"
                                   " WHERE shard = {}");
        if (watermark.rows() == 1) {
            if (watermark.int64(0, 0) != ~watermark.int64(0, 1))
                throw StoreFailure{"the watermark of the journal does not match its complement"};
            state.watermark = sequence_of(watermark.int64(0, 0));
        }
        const auto members =
            run("SELECT COALESCE(MAX(number), 0) FROM journal.member WHERE shard = {}"
                " AND number < 9223372036854775807"); // the house's own row
        state.last_member = MemberNumber{static_cast<std::uint64_t>(members.int64(0, 0))};
        const auto runs = run("SELECT name, first, last, entries, hash FROM journal.index_run"
                              " WHERE shard = {} ORDER BY first");
        for (int row = 0; row < runs.rows(); ++row) {
            IndexRun run{
                .name = std::string{runs.text(row, 0)},
                .first = sequence_of(runs.int64(row, 1)),
                .last = sequence_of(runs.int64(row, 2)),
                .entries = static_cast<std::uint64_t>(runs.int64(row, 3))};
            const auto hash = runs.bytes(row, 4);
            if (hash.size() == run.hash.size())
                std::memcpy(run.hash.data(), hash.data(), hash.size());
            state.index_runs.push_back(std::move(run));
        }
        const auto windows = run("SELECT month, first, cut, drained FROM journal.settlement_window"
                                 " WHERE shard = {} ORDER BY month");
        for (int row = 0; row < windows.rows(); ++row)
            state.windows.push_back(
                {.month = month_of(windows.int64(row, 0)),
                 .first = sequence_of(windows.int64(row, 1)),
                 .cut = sequence_of(windows.int64(row, 2)),
                 .drained = sequence_of(windows.int64(row, 3))});
        return state;
    }

private:
    PostgresResult run(const char* sql)
    {
        return connection_.run(fmt::format(fmt::runtime(sql), shard_.value()));
    }

    static void visit(
        const PostgresResult& rows, const std::function<void(const MemberRow&)>& visit_row)
    {
        for (int row = 0; row < rows.rows(); ++row)
            visit_row(
                {.member = MemberNumber{static_cast<std::uint64_t>(rows.int64(row, 0))},
                 .through = sequence_of(rows.int64(row, 1)),
                 .state = rows.bytes(row, 2)});
    }

    PostgresConnection& connection_;
    ShardId shard_;
    PostgresResult last_; // what the caller of block_with looks at
};

class PostgresJournalReader final : public JournalReader {
public:
    PostgresJournalReader(std::string address, ShardId shard)
        : address_{std::move(address)}, shard_{shard}
    {
        static_cast<void>(tables());
    }

    Sequence head() override { return tables().head(); }
    std::span<const std::byte> block_with(Sequence sequence) override
    {
        return tables().block_with(sequence);
    }
    void for_each_block(Sequence from, const std::function<bool(const BlockRow&)>& block) override
    {
        tables().for_each_block(from, block);
    }
    void for_each_member(const std::function<void(const MemberRow&)>& row) override
    {
        tables().for_each_member(row);
    }
    void begin_snapshot() override
    {
        static_cast<void>(tables());
        open_->connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        static_cast<void>(tables().head()); // the snapshot starts with the first read
        holds_snapshot_ = true;
    }
    void end_snapshot() override
    {
        holds_snapshot_ = false;
        open_->connection.roll_back();
    }
    JournalState state() override { return tables().state(); }
    std::string integrity_fault() override
    {
        static_cast<void>(tables());
        std::string fault = fault_of_schema(open_->connection, "journal");
        if (!fault.empty()) return fault;
        const auto lost = open_->connection.run(fmt::format(
            "SELECT first FROM journal.content AS c WHERE shard = {} AND NOT EXISTS"
            " (SELECT 1 FROM journal.block AS b WHERE b.shard = c.shard AND b.first = c.first)"
            " LIMIT 1",
            shard_.value()));
        return lost.rows() == 0 ? std::string{} : fault_of_content(lost.int64(0, 0));
    }

private:
    struct Open {
        Open(const std::string& address, ShardId shard)
            : connection{address}, tables{connection, shard}
        {}
        PostgresConnection connection;
        JournalTables tables;
    };

    // A connection that broke is replaced, but never under a snapshot.
    JournalTables& tables()
    {
        if (!open_ || (open_->connection.is_broken() && !holds_snapshot_))
            open_ = std::make_unique<Open>(address_, shard_);
        return open_->tables;
    }

    std::string address_;
    ShardId shard_;
    std::unique_ptr<Open> open_;
    bool holds_snapshot_ = false;
};

class PostgresJournal final : public Journal {
public:
    PostgresJournal(std::string address, PostgresLease& lease, ShardId shard)
        : address_{std::move(address)}, lease_{lease}, shard_{shard},
          open_{std::make_unique<Open>(address_, lease_, shard_)}
    {}

    JournalState state() override { return open().tables.state(); }

    void read_members(
        std::span<const MemberNumber> members,
        const std::function<void(const MemberRow&)>& row) override
    {
        if (!members.empty()) open().tables.read_members(members, row);
    }

    std::span<const std::byte> block_with(Sequence sequence) override
    {
        return open().tables.block_with(sequence);
    }

    void for_each_block(
        Sequence from, const std::function<bool(const JournalCommit::Block&)>& block) override
    {
        open().tables.for_each_block(from, block);
    }

    CommitResult commit(const JournalCommit& commit) override
    {
        if (!open_ || open_->connection.is_broken() || lease_.is_lost())
            return CommitResult::not_written;
        const auto since = Clock::now();
        const std::uint64_t warnings = open_->connection.warnings();
        try {
            open_->connection.enter_pipeline();
            const std::size_t queued = queue(commit);
            const auto answers = open_->connection.answers(queued);
            for (const PostgresResult& answer : answers)
                if (answer.status() == PGRES_FATAL_ERROR) return refused(answer.failure());
            // A COMMIT that comes with a warning is durable here, but perhaps not where a standby
            // server would take over.
            const bool is_durable = answers.back().command() == "COMMIT" &&
                                    answers[1].rows() == 1 &&
                                    open_->connection.warnings() == warnings;
            if (!is_durable) return CommitResult::unknown;
            open_->connection.leave_pipeline();
        } catch (const StoreFailure&) {
            return CommitResult::unknown;
        }
        lease_.confirm(since);
        return CommitResult::durable;
    }

    // What the old connection has under way can no longer be committed, or is.
    void reopen() override
    {
        open_.reset();
        auto opened = std::make_unique<Open>(address_, lease_, shard_);
        lease_.renew(opened->connection);
        open_ = std::move(opened);
    }

    bool may_answer() override
    {
        if (lease_.is_fresh()) return true;
        if (lease_.is_lost() || !open_) return false;
        const auto since = Clock::now();
        try {
            const std::uint64_t warnings = open_->connection.warnings();
            PostgresParameters epoch;
            const auto row = open_->connection.run_prepared("hold", epoch.add(lease_.epoch()));
            if (row.rows() == 1 && open_->connection.warnings() == warnings) lease_.confirm(since);
        } catch (const PostgresFailure& failure) {
            if (PostgresLease::is_refusal(failure.state)) lease_.lose();
        }
        return lease_.is_confirmed();
    }

    std::unique_ptr<JournalReader> open_reader() override
    {
        return std::make_unique<PostgresJournalReader>(address_, shard_);
    }

private:
    struct Open {
        Open(const std::string& address, const PostgresLease& lease, ShardId shard)
            : connection{address, commit_patience}, tables{connection, shard}
        {
            static constexpr std::array statements{
                Statement{"begin", "BEGIN"},
                Statement{"commit", "COMMIT"},
                Statement{
                    "block",
                    "INSERT INTO journal.block (shard, first, count, bytes)"
                    " VALUES ({}, $1, $2, $3)",
                    {number, number, bytes}},
                Statement{
                    "content",
                    "INSERT INTO journal.content (shard, first, bytes) VALUES ({}, $1, $2)",
                    {number, bytes}},
                Statement{
                    "write_members",
                    "INSERT INTO journal.member (shard, number, through, state)"
                    " SELECT {}, * FROM unnest($1, $2, $3)"
                    " ON CONFLICT (shard, number) DO UPDATE"
                    " SET through = excluded.through, state = excluded.state",
                    {numbers, numbers, many_bytes}},
                Statement{
                    "watermark",
                    "INSERT INTO journal.watermark (shard, sequence, complement)"
                    " VALUES ({}, $1, $2) ON CONFLICT (shard) DO UPDATE"
                    " SET sequence = excluded.sequence, complement = excluded.complement",
                    {number, number}},
                Statement{"drop_runs", "DELETE FROM journal.index_run WHERE shard = {}"},
                Statement{
                    "run",
                    "INSERT INTO journal.index_run (shard, name, first, last, entries, hash)"
                    " VALUES ({}, $1, $2, $3, $4, $5)",
                    {text, number, number, number, bytes}},
                Statement{
                    "window",
                    "INSERT INTO journal.settlement_window (shard, month, first, cut, drained)"
                    " VALUES ({}, $1, $2, $3, $4) ON CONFLICT (shard, month) DO UPDATE"
                    " SET first = excluded.first, cut = excluded.cut, drained = excluded.drained",
                    {number, number, number, number}}};
            connection.limit_idle_transactions();
            for (const Statement& statement : statements) prepare(connection, shard, statement);
            connection.prepare("hold", lease.check(), std::array{number});
        }
        PostgresConnection connection;
        JournalTables tables;
    };

    Open& open()
    {
        if (!open_) throw StoreFailure{"the journal's connection is lost"};
        return *open_;
    }

    /// Queues the whole transaction; returns how many answers it will have.
    std::size_t queue(const JournalCommit& commit)
    {
        queued_ = 0;
        PostgresParameters epoch;
        add("begin", {});
        add("hold", epoch.add(lease_.epoch()));
        for (const JournalCommit::Block& block : commit.blocks) add_block(block);
        for (std::span rows{commit.members}; !rows.empty();) {
            const auto some = rows.first(std::min(rows.size(), members_per_statement));
            rows = rows.subspan(some.size());
            add_members(some);
        }
        if (commit.watermark) {
            PostgresParameters watermark;
            add("watermark",
                watermark.add(stored(*commit.watermark)).add(~stored(*commit.watermark)));
        }
        if (commit.index_runs) add_manifest(*commit.index_runs);
        for (const Window& window : commit.windows) {
            PostgresParameters cells;
            cells.add(stored(window.month)).add(stored(window.first));
            add("window", cells.add(stored(window.cut)).add(stored(window.drained)));
        }
        add("commit", {});
        return queued_;
    }

    void add(const char* statement, const PostgresParameters& parameters)
    {
        open_->connection.queue(statement, parameters);
        ++queued_;
    }

    void add_block(const JournalCommit::Block& block)
    {
        PostgresParameters cells;
        cells.add(stored(block.first)).add(std::int64_t{block.count}).add(block.bytes);
        add("block", cells);
        if (block.contents.empty()) return;
        PostgresParameters contents;
        add("content", contents.add(stored(block.first)).add(block.contents));
    }

    void add_members(std::span<const MemberRow> rows)
    {
        member_numbers_.clear();
        member_throughs_.clear();
        member_states_.clear();
        for (const MemberRow& row : rows) {
            member_numbers_.push_back(static_cast<std::int64_t>(row.member.value()));
            member_throughs_.push_back(stored(row.through));
            member_states_.push_back(row.state);
        }
        PostgresParameters cells;
        cells.add_array(member_numbers_).add_array(member_throughs_);
        add("write_members", cells.add_array(member_states_));
    }

    void add_manifest(const std::vector<IndexRun>& runs)
    {
        add("drop_runs", {});
        for (const IndexRun& run : runs) {
            PostgresParameters cells;
            cells.add(std::string_view{run.name}).add(stored(run.first)).add(stored(run.last));
            cells.add(static_cast<std::int64_t>(run.entries));
            add("run", cells.add(std::span<const std::byte>{run.hash}));
        }
    }

    // The server answered with a failure before or instead of COMMIT, so it rolled back. But what
    // ends the connection may have come after it.
    CommitResult refused(const PostgresFailure& failure)
    {
        const bool is_certain = !failure.state.empty() && !open_->connection.is_broken() &&
                                !failure.state.starts_with("57P") &&
                                !failure.state.starts_with("08");
        if (PostgresLease::is_refusal(failure.state)) lease_.lose();
        open_.reset(); // rolls back
        return is_certain ? CommitResult::not_written : CommitResult::unknown;
    }

    std::string address_;
    PostgresLease& lease_;
    ShardId shard_;
    std::unique_ptr<Open> open_;
    std::size_t queued_ = 0;
    std::vector<std::int64_t> member_numbers_;
    std::vector<std::int64_t> member_throughs_;
    std::vector<std::span<const std::byte>> member_states_;
};

} // namespace

std::unique_ptr<Journal> open_postgres_journal(
    std::string address, PostgresLease& lease, ShardId shard)
{
    return std::make_unique<PostgresJournal>(std::move(address), lease, shard);
}

} // namespace pointhouse::ledger
