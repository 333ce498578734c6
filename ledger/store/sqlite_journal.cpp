#include "store/sqlite_journal.hpp"

#include <cstring>
#include <fmt/format.h>
#include <sqlite3.h>

#include "journal_columns.hpp"
#include "ledger/invariant.hpp"
#include "sqlite_connection.hpp"

namespace pointhouse::ledger {
namespace {

// A watermark is stored with its complement, so that a change of either shows.
constexpr const char* schema = R"sql(
CREATE TABLE IF NOT EXISTS block (
    first INTEGER PRIMARY KEY CHECK (first >= 1),
    count INTEGER NOT NULL CHECK (count >= 1),
    bytes BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS content (
    first INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS member (
    number INTEGER PRIMARY KEY CHECK (number >= 1),
    through INTEGER NOT NULL CHECK (through >= 1),
    state BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS index_run (
    name TEXT NOT NULL PRIMARY KEY,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    hash BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS window (
    month INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    cut INTEGER NOT NULL,
    drained INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS watermark (
    sequence INTEGER NOT NULL,
    complement INTEGER NOT NULL
);
)sql";

constexpr std::size_t copied_bytes = std::size_t{1} << 20U;

struct CopiedBlock {
    Sequence first{};
    std::uint32_t count = 0;
    std::vector<std::byte> bytes{};
    std::vector<std::byte> contents{};

    std::size_t take(const SqliteStatement& row)
    {
        first = sequence_of(row.column_int64(0));
        count = static_cast<std::uint32_t>(row.column_int64(1));
        const auto block = row.column_blob(2);
        bytes.assign(block.begin(), block.end());
        const auto kept = row.column_blob(3);
        contents.assign(kept.begin(), kept.end());
        return bytes.size() + contents.size();
    }

    [[nodiscard]] JournalCommit::Block view() const
    {
        return {.first = first, .count = count, .bytes = bytes, .contents = contents};
    }
};

/// What the writer and every reader ask of the tables, on a connection of their own.
class JournalTables {
public:
    explicit JournalTables(SqliteConnection& connection)
        : connection_{connection},
          block_with_{connection.prepare("SELECT first, count, bytes FROM block WHERE first <= ?1 "
                                         "ORDER BY first DESC LIMIT 1")},
          head_{connection.prepare(
              "SELECT first + count - 1 FROM block ORDER BY first DESC LIMIT 1")},
          member_{connection.prepare("SELECT through, state FROM member WHERE number = ?1")}
    {}

    Sequence head()
    {
        head_.reset();
        const Sequence head = head_.step() ? sequence_of(head_.column_int64(0)) : Sequence{};
        head_.reset();
        return head;
    }

    std::span<const std::byte> block_with(Sequence sequence)
    {
        block_with_.reset();
        block_with_.bind_int64(1, stored(sequence));
        kept_.clear();
        if (block_with_.step() &&
            sequence.value() < static_cast<std::uint64_t>(
                                   block_with_.column_int64(0) + block_with_.column_int64(1))) {
            const auto bytes = block_with_.column_blob(2);
            kept_.assign(bytes.begin(), bytes.end());
        }
        block_with_.reset();
        return kept_;
    }

    /// Rows are copied, a mebibyte or so at a time: a statement that is open keeps a snapshot,
    /// which no checkpoint passes, so the log would grow for as long as the visits take.
    void for_each_block(
        Sequence from, const std::function<bool(const JournalCommit::Block&)>& visit) const
    {
        std::int64_t next = 0;
        {
            auto row =
                connection_.prepare("SELECT COALESCE(MAX(first), 0) FROM block WHERE first <= ?1");
            row.bind_int64(1, stored(from));
            if (row.step()) next = row.column_int64(0);
        }
        auto rows = connection_.prepare(
            "SELECT b.first, b.count, b.bytes, c.bytes FROM block b"
            " LEFT JOIN content c ON c.first = b.first WHERE b.first >= ?1 ORDER BY b.first");
        std::vector<CopiedBlock> copied;
        for (;;) {
            std::size_t bytes = 0;
            std::size_t count = 0;
            rows.bind_int64(1, next);
            for (; bytes < copied_bytes && rows.step(); ++count) {
                if (count == copied.size()) copied.emplace_back();
                bytes += copied[count].take(rows);
            }
            rows.reset();
            if (count == 0) return;
            next = stored(copied[count - 1].first) + 1;
            for (const CopiedBlock& block : std::span{copied}.first(count))
                if (!visit(block.view())) return;
        }
    }

    void read_member(MemberNumber member, const std::function<void(const MemberRow&)>& row)
    {
        member_.reset();
        member_.bind_int64(1, static_cast<std::int64_t>(member.value()));
        if (member_.step())
            row(
                {.member = member,
                 .through = sequence_of(member_.column_int64(0)),
                 .state = member_.column_blob(1)});
        member_.reset();
    }

    void for_each_member(const std::function<void(const MemberRow&)>& row) const
    {
        auto rows =
            connection_.prepare("SELECT number, through, state FROM member ORDER BY number");
        while (rows.step())
            row(
                {.member = MemberNumber{static_cast<std::uint64_t>(rows.column_int64(0))},
                 .through = sequence_of(rows.column_int64(1)),
                 .state = rows.column_blob(2)});
    }

    JournalState state()
    {
        JournalState state{.head = head()};
        if (!state.head.is_none()) {
            const auto view = BlockView::parse(block_with(state.head), BlockView::Check::hash);
            if (!view) throw StoreFailure{"the last block of the journal: " + view.error().reason};
            state.head_hash = view->header().hash;
        }
        auto watermark = connection_.prepare("SELECT sequence, complement FROM watermark");
        if (watermark.step()) {
            if (watermark.column_int64(0) != ~watermark.column_int64(1))
                throw StoreFailure{"the watermark of the journal does not match its complement"};
            state.watermark = sequence_of(watermark.column_int64(0));
        }
        auto members = connection_.prepare("SELECT MAX(number) FROM member WHERE number < ?1");
        members.bind_int64(1, static_cast<std::int64_t>(house_row.value()));
        if (members.step())
            state.last_member = MemberNumber{static_cast<std::uint64_t>(members.column_int64(0))};
        auto runs = connection_.prepare(
            "SELECT name, first, last, entries, hash FROM index_run ORDER BY first");
        while (runs.step()) {
            IndexRun run{
                .name = std::string{runs.column_text(0)},
                .first = sequence_of(runs.column_int64(1)),
                .last = sequence_of(runs.column_int64(2)),
                .entries = static_cast<std::uint64_t>(runs.column_int64(3))};
            const auto hash = runs.column_blob(4);
            if (hash.size() == run.hash.size())
                std::memcpy(run.hash.data(), hash.data(), hash.size());
            state.index_runs.push_back(std::move(run));
        }
        auto windows =
            connection_.prepare("SELECT month, first, cut, drained FROM window ORDER BY month");
        while (windows.step())
            state.windows.push_back(
                {.month = month_of(windows.column_int64(0)),
                 .first = sequence_of(windows.column_int64(1)),
                 .cut = sequence_of(windows.column_int64(2)),
                 .drained = sequence_of(windows.column_int64(3))});
        return state;
    }

private:
    SqliteConnection& connection_;
    SqliteStatement block_with_;
    SqliteStatement head_;
    SqliteStatement member_;
    std::vector<std::byte> kept_;
};

class SqliteJournalReader final : public JournalReader {
public:
    explicit SqliteJournalReader(const std::filesystem::path& file)
        : connection_{file, {.mode = SqliteSettings::Mode::read_only}}, tables_{connection_}
    {}

    Sequence head() override { return tables_.head(); }
    std::span<const std::byte> block_with(Sequence sequence) override
    {
        return tables_.block_with(sequence);
    }
    void for_each_block(Sequence from, const std::function<bool(const BlockRow&)>& block) override
    {
        tables_.for_each_block(from, block);
    }
    void for_each_member(const std::function<void(const MemberRow&)>& row) override
    {
        tables_.for_each_member(row);
    }
    void begin_snapshot() override
    {
        connection_.execute("BEGIN");
        static_cast<void>(tables_.head()); // the snapshot starts with the first read
    }
    void end_snapshot() override { connection_.roll_back(); }
    JournalState state() override { return tables_.state(); }
    std::string integrity_fault() override
    {
        auto check = connection_.prepare("PRAGMA integrity_check(1)");
        if (!check.step()) return "the database does not answer its integrity check";
        const std::string answer{check.column_text(0)};
        if (answer != "ok") return answer;
        auto lost = connection_.prepare("SELECT first FROM content WHERE NOT EXISTS"
                                        " (SELECT 1 FROM block WHERE block.first = content.first)");
        return lost.step() ? fault_of_content(lost.column_int64(0)) : std::string{};
    }

private:
    SqliteConnection connection_;
    JournalTables tables_;
};

class SqliteJournal final : public Journal {
public:
    explicit SqliteJournal(std::filesystem::path file) : file_{std::move(file)} { reopen(); }

    JournalState state() override { return open_->tables.state(); }

    void read_members(
        std::span<const MemberNumber> members,
        const std::function<void(const MemberRow&)>& row) override
    {
        // One snapshot for all: without it each row locks and unlocks the file.
        const bool is_many = members.size() > 1;
        if (is_many) open_->connection.execute("BEGIN");
        for (const MemberNumber member : members) open_->tables.read_member(member, row);
        if (is_many) open_->connection.execute("COMMIT");
    }

    std::span<const std::byte> block_with(Sequence sequence) override
    {
        return open_->tables.block_with(sequence);
    }

    void for_each_block(
        Sequence from, const std::function<bool(const JournalCommit::Block&)>& block) override
    {
        open_->tables.for_each_block(from, block);
    }

    CommitResult commit(const JournalCommit& commit) override
    {
        try {
            open_->begin.run();
            write(commit);
        } catch (const SqliteFailure& failure) {
            return rolled_back(failure);
        }
        try {
            open_->commit.run();
            return CommitResult::durable;
        } catch (const SqliteFailure& failure) {
            return rolled_back(failure);
        }
    }

    void reopen() override
    {
        open_.reset();
        open_ = std::make_unique<Open>(file_);
    }

    std::unique_ptr<JournalReader> open_reader() override
    {
        return std::make_unique<SqliteJournalReader>(file_);
    }

private:
    struct Open {
        explicit Open(const std::filesystem::path& file)
            : connection{file, {.page_bytes = 16'384, .autocheckpoint_pages = 96, .cache_kib = 16 * 1024}},
              ready{(connection.execute(schema), true)}, tables{connection},
              begin{connection.prepare("BEGIN IMMEDIATE")}, commit{connection.prepare("COMMIT")},
              block{connection.prepare(
                  "INSERT INTO block (first, count, bytes) VALUES (?1, ?2, ?3)")},
              content{connection.prepare("INSERT INTO content (first, bytes) VALUES (?1, ?2)")},
              member{connection.prepare(
                  "INSERT OR REPLACE INTO member (number, through, state) VALUES (?1, ?2, ?3)")}
        {}

        SqliteConnection connection;
        bool ready; // the tables exist before a statement names them
        JournalTables tables;
        SqliteStatement begin;
        SqliteStatement commit;
        SqliteStatement block;
        SqliteStatement content;
        SqliteStatement member;
    };

    void write(const JournalCommit& commit)
    {
        for (const JournalCommit::Block& block : commit.blocks) {
            open_->block.bind_int64(1, stored(block.first));
            open_->block.bind_int64(2, block.count);
            open_->block.bind_blob(3, block.bytes);
            open_->block.run();
            if (block.contents.empty()) continue;
            open_->content.bind_int64(1, stored(block.first));
            open_->content.bind_blob(2, block.contents);
            open_->content.run();
        }
        for (const MemberRow& row : commit.members) {
            open_->member.bind_int64(1, static_cast<std::int64_t>(row.member.value()));
            open_->member.bind_int64(2, stored(row.through));
            open_->member.bind_blob(3, row.state);
            open_->member.run();
        }
        if (commit.watermark) write_watermark(*commit.watermark);
        if (commit.index_runs) write_manifest(*commit.index_runs);
        for (const Window& window : commit.windows) write_window(window);
    }

    void write_watermark(Sequence watermark)
    {
        open_->connection.execute("DELETE FROM watermark");
        auto statement = open_->connection.prepare(
            "INSERT INTO watermark (sequence, complement) VALUES (?1, ?2)");
        statement.bind_int64(1, stored(watermark));
        statement.bind_int64(2, ~stored(watermark));
        statement.run();
    }

    void write_manifest(const std::vector<IndexRun>& runs)
    {
        open_->connection.execute("DELETE FROM index_run");
        auto statement = open_->connection.prepare(
            "INSERT INTO index_run (name, first, last, entries, hash) VALUES (?1, ?2, ?3, ?4, ?5)");
        for (const IndexRun& run : runs) {
            statement.bind_text(1, run.name);
            statement.bind_int64(2, stored(run.first));
            statement.bind_int64(3, stored(run.last));
            statement.bind_int64(4, static_cast<std::int64_t>(run.entries));
            statement.bind_blob(5, run.hash);
            statement.run();
        }
    }

    void write_window(const Window& window)
    {
        auto statement = open_->connection.prepare(
            "INSERT OR REPLACE INTO window (month, first, cut, drained) VALUES (?1, ?2, ?3, ?4)");
        statement.bind_int64(1, stored(window.month));
        statement.bind_int64(2, stored(window.first));
        statement.bind_int64(3, stored(window.cut));
        statement.bind_int64(4, stored(window.drained));
        statement.run();
    }

    // A full disk and a busy file surely wrote nothing; after an I/O error only a look can tell.
    CommitResult rolled_back(const SqliteFailure& failure)
    {
        open_->begin.reset();
        open_->commit.reset();
        open_->connection.roll_back();
        const int code = failure.primary_code();
        const bool is_certain = code == SQLITE_FULL || code == SQLITE_BUSY || code == SQLITE_NOMEM;
        return is_certain && !open_->connection.in_transaction() ? CommitResult::not_written
                                                                 : CommitResult::unknown;
    }

    std::filesystem::path file_;
    std::unique_ptr<Open> open_;
};

} // namespace

std::unique_ptr<Journal> open_sqlite_journal(const std::filesystem::path& file)
{
    return std::make_unique<SqliteJournal>(file);
}

} // namespace pointhouse::ledger
