#include "store/sqlite_store.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <mutex>
#include <optional>
#include <sqlite3.h>

#include "sqlite_connection.hpp"

namespace pointhouse::ledger {

namespace {

// Beyond these all are forgotten: the tables of windows come with the months.
constexpr std::size_t statements_kept_max = 256;
constexpr std::size_t readers_kept_max = 8;
// What a row costs beside its cells is shared by those of one statement; 400 and 4,000 took longer.
constexpr std::size_t parameters_together = 1'600;

/// Prepared statements by their text.
class StatementCache {
public:
    explicit StatementCache(const SqliteConnection& connection) : connection_{connection} {}

    /// Takes the statement out, so that the same text inside a `for_each` gets one of its own.
    SqliteStatement take(std::string_view sql)
    {
        const auto found = idle_.find(sql);
        if (found == idle_.end()) return connection_.prepare(sql);
        SqliteStatement statement = std::move(found->second);
        idle_.erase(found);
        return statement;
    }

    void give_back(std::string_view sql, SqliteStatement statement)
    {
        if (idle_.size() >= statements_kept_max) idle_.clear();
        idle_.insert_or_assign(std::string{sql}, std::move(statement));
    }

private:
    const SqliteConnection& connection_;
    std::map<std::string, SqliteStatement, std::less<>> idle_;
};

/// One connection with its statements; from thread to thread, never two at once.
struct Session {
    Session(const std::filesystem::path& file, const SqliteSettings& settings)
        : connection{file, settings}, statements{connection}
    {}
    SqliteConnection connection;
    StatementCache statements;
};

class SqliteTransaction final : public Transaction {
public:
    explicit SqliteTransaction(Session& session) : session_{session} {}

    std::vector<Row> run(std::string_view sql, std::span<const Parameter> parameters) override
    {
        std::vector<Row> rows;
        for_each(sql, parameters, [&](const Row& row) { rows.push_back(row); });
        return rows;
    }

    void for_each(
        std::string_view sql,
        std::span<const Parameter> parameters,
        const std::function<void(const Row&)>& row) override
    {
        SqliteStatement statement = session_.statements.take(sql);
        int number = 0;
        for (const auto& parameter : parameters) statement.bind(++number, parameter);
        Row cells;
        while (statement.step()) {
            cells.resize(static_cast<std::size_t>(statement.column_count()));
            int column = 0;
            for (auto& cell : cells) cell = statement.column_value(column++);
            row(cells);
        }
        statement.reset();
        session_.statements.give_back(sql, std::move(statement));
    }

    void script(std::string_view sql) override { session_.connection.execute(std::string{sql}); }

    void append(
        std::string_view table,
        std::span<const std::string_view> columns,
        std::span<const Parameter> cells) override
    {
        if (columns.empty() || cells.size() % columns.size() != 0)
            throw StoreFailure{fmt::format("rows for {} do not fill its columns", table)};
        const auto rows_together = std::max<std::size_t>(1, parameters_together / columns.size());
        for (const std::size_t rows : {rows_together, std::size_t{1}}) {
            if (cells.size() < rows * columns.size()) continue;
            write_insert(table, columns, rows);
            SqliteStatement statement = session_.statements.take(insert_);
            while (cells.size() >= rows * columns.size()) {
                int number = 0;
                for (const auto& cell : cells.first(rows * columns.size()))
                    statement.bind(++number, cell);
                statement.run();
                cells = cells.subspan(rows * columns.size());
            }
            session_.statements.give_back(insert_, std::move(statement));
        }
    }

private:
    void write_insert(
        std::string_view table, std::span<const std::string_view> columns, std::size_t rows)
    {
        std::string row = "(?";
        for (std::size_t number = 1; number < columns.size(); ++number) row += ", ?";
        row += ')';
        insert_ =
            fmt::format("INSERT INTO {} ({}) VALUES {}", table, fmt::join(columns, ", "), row);
        for (std::size_t number = 1; number < rows; ++number) insert_ += ", " + row;
    }

    Session& session_;
    std::string insert_;
};

class SqliteStore final : public Store {
public:
    SqliteStore(const std::filesystem::path& file, Durability durability) : file_{file}
    {
        if (durability == Durability::relaxed) {
            settings_.synchronous = SqliteSettings::Synchronous::normal;
            // Derived tables come in bulk; fewer checkpoints write each page fewer times.
            settings_.page_bytes = 16'384;
            settings_.cache_kib = 16'384;
        }
        writer_.emplace(file_, settings_);
    }

    void transact(const std::function<void(Transaction&)>& work) override
    {
        const std::scoped_lock lock{writing_};
        // After a commit of unknown outcome the connection was abandoned: what it holds in memory
        // may not be what the disk holds.
        if (!writer_) writer_.emplace(file_, settings_);
        const SqliteConnection& connection = writer_->connection;
        connection.execute("BEGIN IMMEDIATE");
        try {
            SqliteTransaction transaction{*writer_};
            work(transaction);
        } catch (...) {
            connection.roll_back();
            throw;
        }
        commit();
    }

    void read(const std::function<void(Transaction&)>& work) override
    {
        auto session = take_reader();
        const SqliteConnection& connection = session->connection;
        connection.execute("BEGIN");
        // The snapshot begins with the first read, so make one.
        connection.execute("SELECT count(*) FROM sqlite_schema");
        SqliteTransaction transaction{*session};
        work(transaction);
        connection.execute("COMMIT");
        give_back(std::move(session));
    }

    [[nodiscard]] std::string integrity_fault() override
    {
        {
            // The kept readers may still hold sound pages in memory where the file's are not.
            const std::scoped_lock lock{pooling_};
            readers_.clear();
        }
        std::string fault;
        read([&](Transaction& transaction) {
            const auto rows = transaction.run("PRAGMA integrity_check(1)", {});
            const auto* words = rows.empty() ? nullptr : std::get_if<std::string>(&rows[0][0]);
            if (words == nullptr || *words != "ok") fault = words != nullptr ? *words : "no answer";
        });
        return fault;
    }

private:
    void commit()
    {
        try {
            writer_->connection.execute("COMMIT");
        } catch (const SqliteFailure& failure) {
            const int code = failure.primary_code();
            const bool surely_not_written = code == SQLITE_FULL || code == SQLITE_BUSY;
            writer_->connection.roll_back();
            if (surely_not_written) throw;
            writer_.reset();
            throw SqliteFailure{failure.what(), failure.code, true};
        }
    }

    std::unique_ptr<Session> take_reader()
    {
        {
            const std::scoped_lock lock{pooling_};
            if (!readers_.empty()) {
                auto session = std::move(readers_.back());
                readers_.pop_back();
                return session;
            }
        }
        SqliteSettings settings = settings_;
        settings.mode = SqliteSettings::Mode::read_only;
        return std::make_unique<Session>(file_, settings);
    }

    // A reader whose work threw is not given back, so it ends with its transaction.
    void give_back(std::unique_ptr<Session> session)
    {
        const std::scoped_lock lock{pooling_};
        if (readers_.size() < readers_kept_max) readers_.push_back(std::move(session));
    }

    std::filesystem::path file_;
    SqliteSettings settings_;
    std::mutex writing_;
    std::optional<Session> writer_;
    std::mutex pooling_;
    std::vector<std::unique_ptr<Session>> readers_;
};

} // namespace

std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path& file, Durability durability)
{
    return std::make_unique<SqliteStore>(file, durability);
}

} // namespace pointhouse::ledger
