#include "store/postgres_store.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <mutex>

#include "postgres_connection.hpp"
#include "postgres_integrity.hpp"
#include "postgres_words.hpp"

namespace pointhouse::ledger {
namespace {

// Beyond these all are forgotten: the tables of windows come with the months.
constexpr std::size_t statements_kept_max = 256;
constexpr std::size_t readers_kept_max = 8;
constexpr int rows_per_fetch = 1'024;
constexpr std::size_t runs_per_round_trip = 1'024;
constexpr std::size_t copied_bytes_held = std::size_t{1} << 18U;

template <class Integer>
void append_big_endian(std::string& bytes, Integer value)
{
    for (int shift = (sizeof(Integer) - 1) * 8; shift >= 0; shift -= 8)
        bytes.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> shift & 0xffU));
}

void append_copied(std::string& copied, std::string_view cell)
{
    append_big_endian(copied, static_cast<std::int32_t>(cell.size()));
    copied.append(cell);
}

/// A cell as COPY … (FORMAT binary) has it: its length, its bytes; −1: NULL.
void append_copied(std::string& copied, const Parameter& cell)
{
    if (const auto* number = std::get_if<std::int64_t>(&cell)) {
        append_big_endian<std::int32_t>(copied, sizeof *number);
        append_big_endian(copied, *number);
    } else if (const auto* text = std::get_if<std::string_view>(&cell)) {
        append_copied(copied, *text);
    } else if (const auto* bytes = std::get_if<std::span<const std::byte>>(&cell)) {
        append_copied(
            copied, std::string_view{reinterpret_cast<const char*>(bytes->data()), bytes->size()});
    } else {
        append_big_endian<std::int32_t>(copied, -1);
    }
}

/// A connection that finds the tables of one schema, with its prepared statements; from thread to
/// thread, never two at once.
class Session {
public:
    Session(const std::string& address, const std::string& schema) : connection{address}
    {
        connection.execute(fmt::format("SET search_path = {}", schema));
    }

    PostgresResult run(std::string_view sql, const PostgresParameters& parameters)
    {
        return connection.run_prepared(prepared(sql, parameters.types()), parameters);
    }

    /// Each `width` of `cells` are the parameters of one run of the statement; many runs share a
    /// round trip. Their types must be the same.
    void run_each(
        std::string_view sql,
        std::size_t width,
        std::span<const Parameter> cells,
        const std::function<void(std::size_t place, const PostgresResult&)>& visit)
    {
        std::size_t place = 0;
        while (!cells.empty()) {
            const std::string name = prepared(sql, given(cells.first(width)).types());
            connection.enter_pipeline();
            std::size_t queued = 0;
            for (; !cells.empty() && queued < runs_per_round_trip; ++queued) {
                connection.queue(name, given(cells.first(width)));
                cells = cells.subspan(width);
            }
            const auto results = connection.answers(queued);
            connection.leave_pipeline();
            for (const PostgresResult& result : results) {
                if (result.status() == PGRES_FATAL_ERROR) throw PostgresFailure{result.failure()};
                visit(place++, result);
            }
        }
    }

    static PostgresParameters given(std::span<const Parameter> parameters)
    {
        PostgresParameters bound;
        for (const auto& parameter : parameters) bound.add(parameter);
        return bound;
    }

    PostgresConnection connection;

private:
    /// The name of the statement, prepared the first time.
    const std::string& prepared(std::string_view sql, const std::vector<Oid>& types)
    {
        std::string key{sql};
        for (const Oid type : types) key += fmt::format(" {}", type);
        const auto found = names_.find(key);
        if (found != names_.end()) return found->second;
        if (names_.size() >= statements_kept_max) forget_statements();
        const std::string name = fmt::format("s{}", ++named_);
        connection.prepare(name, std::string{sql}, types);
        return names_.emplace(std::move(key), name).first->second;
    }

    void forget_statements()
    {
        connection.execute("DEALLOCATE ALL");
        names_.clear();
    }

    std::map<std::string, std::string, std::less<>> names_;
    std::uint64_t named_ = 0;
};

class PostgresTransaction final : public Transaction {
public:
    explicit PostgresTransaction(Session& session) : session_{session} {}

    std::vector<Row> run(std::string_view sql, std::span<const Parameter> parameters) override
    {
        const auto result = session_.run(sql, Session::given(parameters));
        std::vector<Row> rows(static_cast<std::size_t>(result.rows()));
        for (int row = 0; row < result.rows(); ++row)
            read_row(result, row, rows[static_cast<std::size_t>(row)]);
        return rows;
    }

    // Through a cursor, so that neither side holds all rows and the connection is free in between.
    void for_each(
        std::string_view sql,
        std::span<const Parameter> parameters,
        const std::function<void(const Row&)>& visit) override
    {
        const std::string name = fmt::format("rows_{}", ++cursors_);
        session_.connection.run(
            fmt::format("DECLARE {} NO SCROLL CURSOR FOR {}", name, sql),
            Session::given(parameters));
        Row cells;
        while (true) {
            const auto result =
                session_.connection.run(fmt::format("FETCH {} FROM {}", rows_per_fetch, name));
            for (int row = 0; row < result.rows(); ++row) {
                read_row(result, row, cells);
                visit(cells);
            }
            if (result.rows() < rows_per_fetch) break;
        }
        session_.connection.execute("CLOSE " + name);
        --cursors_;
    }

    void for_each_of(
        std::string_view sql,
        std::size_t width,
        std::span<const Parameter> cells,
        const std::function<void(std::size_t place, const Row&)>& visit) override
    {
        Row row;
        session_.run_each(sql, width, cells, [&](std::size_t place, const PostgresResult& result) {
            for (int number = 0; number < result.rows(); ++number) {
                read_row(result, number, row);
                visit(place, row);
            }
        });
    }

    void script(std::string_view sql) override
    {
        session_.connection.execute(in_postgres_words(sql));
    }

    void append(
        std::string_view table,
        std::span<const std::string_view> columns,
        std::span<const Parameter> cells) override
    {
        if (columns.empty() || cells.size() % columns.size() != 0)
            throw StoreFailure{fmt::format("rows for {} do not fill its columns", table)};
        if (cells.empty()) return;
        using std::string_literals::operator""s;
        session_.connection.begin_copy_in(fmt::format(
            "COPY {} ({}) FROM STDIN (FORMAT binary)", table, fmt::join(columns, ", ")));
        std::string copied = "PGCOPY\n\377\r\n\0"s + std::string(8, '\0');
        while (!cells.empty()) {
            append_big_endian(copied, static_cast<std::int16_t>(columns.size()));
            for (const auto& cell : cells.first(columns.size())) append_copied(copied, cell);
            cells = cells.subspan(columns.size());
            if (copied.size() < copied_bytes_held) continue;
            session_.connection.put_copied(copied);
            copied.clear();
        }
        append_big_endian<std::int16_t>(copied, -1);
        session_.connection.put_copied(copied);
        session_.connection.end_copy_in();
    }

private:
    static void read_row(const PostgresResult& result, int row, Row& cells)
    {
        cells.resize(static_cast<std::size_t>(result.columns()));
        int column = 0;
        for (auto& cell : cells) cell = result.value(row, column++);
    }

    Session& session_;
    int cursors_ = 0; // open at this moment, one inside the other
};

class PostgresStore final : public Store {
public:
    PostgresStore(std::string address, std::string schema, PostgresLease& lease)
        : address_{std::move(address)}, schema_{std::move(schema)}, lease_{lease},
          writer_{writing_session()}
    {}

    void transact(const std::function<void(Transaction&)>& work) override
    {
        const std::scoped_lock lock{writing_};
        begin();
        try {
            PostgresTransaction transaction{*writer_};
            work(transaction);
        } catch (...) {
            writer_->connection.roll_back();
            throw;
        }
        commit();
    }

    void read(const std::function<void(Transaction&)>& work) override
    {
        auto session = take_reader();
        PostgresTransaction transaction{*session};
        work(transaction);
        session->connection.execute("COMMIT");
        give_back(std::move(session));
    }

    [[nodiscard]] std::string integrity_fault() override
    {
        const auto session = take_reader();
        return fault_of_schema(session->connection, schema_);
    }

private:
    [[nodiscard]] std::unique_ptr<Session> writing_session() const
    {
        auto session = std::make_unique<Session>(address_, schema_);
        session->connection.limit_idle_transactions();
        return session;
    }

    // Between two transactions the server may have been restarted: then once more, afresh.
    void begin()
    {
        try {
            if (writer_ && !writer_->connection.is_broken()) {
                writer_->connection.execute("BEGIN");
                return;
            }
        } catch (const PostgresFailure&) {
            if (!writer_->connection.is_broken()) throw;
        }
        writer_ = writing_session();
        writer_->connection.execute("BEGIN");
    }

    // The lease is taken last, so that its row is held for a moment only.
    void commit()
    {
        const std::uint64_t warnings = writer_->connection.warnings();
        try {
            PostgresParameters epoch;
            const auto held = writer_->run(lease_.check(), epoch.add(lease_.epoch()));
            if (held.rows() != 1) throw StoreFailure{"the database has no lease of this house"};
        } catch (const PostgresFailure& failure) {
            writer_->connection.roll_back();
            if (!PostgresLease::is_refusal(failure.state)) throw;
            // A commit of the journal may have been given up meanwhile, and the epoch renewed.
            throw StoreFailure{"the house's lease has passed on; nothing was written"};
        } catch (...) {
            writer_->connection.roll_back();
            throw;
        }
        try {
            const auto answer = writer_->connection.execute("COMMIT");
            if (answer.command() != "COMMIT") throw StoreFailure{"PostgreSQL rolled back", false};
        } catch (const PostgresFailure& failure) {
            const bool is_certain = !failure.state.empty() && !writer_->connection.is_broken();
            writer_.reset();
            throw PostgresFailure{failure.what(), failure.state, !is_certain};
        }
        if (writer_->connection.warnings() != warnings)
            throw StoreFailure{"PostgreSQL: the commit may not be replicated", true};
    }

    // The snapshot begins with the first statement, so it makes one.
    std::unique_ptr<Session> take_reader()
    {
        constexpr const char* begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1";
        std::unique_ptr<Session> session;
        {
            const std::scoped_lock lock{pooling_};
            if (!readers_.empty()) {
                session = std::move(readers_.back());
                readers_.pop_back();
            }
        }
        try {
            if (session && !session->connection.is_broken()) {
                session->connection.execute(begin);
                return session;
            }
        } catch (const PostgresFailure&) {
            if (!session->connection.is_broken()) throw;
        }
        session = std::make_unique<Session>(address_, schema_);
        session->connection.execute(begin);
        return session;
    }

    // A reader whose work threw is not given back, so it ends with its transaction.
    void give_back(std::unique_ptr<Session> session)
    {
        const std::scoped_lock lock{pooling_};
        if (readers_.size() < readers_kept_max) readers_.push_back(std::move(session));
    }

    std::string address_;
    std::string schema_;
    PostgresLease& lease_;
    std::mutex writing_;
    std::unique_ptr<Session> writer_;
    std::mutex pooling_;
    std::vector<std::unique_ptr<Session>> readers_;
};

} // namespace

std::unique_ptr<Store> open_postgres_store(
    std::string address, std::string schema, PostgresLease& lease)
{
    return std::make_unique<PostgresStore>(std::move(address), std::move(schema), lease);
}

} // namespace pointhouse::ledger
