#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <libpq-fe.h>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/store.hpp"

namespace pointhouse::ledger {

/// A StoreFailure with PostgreSQL's SQLSTATE; empty when the server did not say, because the
/// connection broke or nothing came in time.
class PostgresFailure : public StoreFailure {
public:
    PostgresFailure(const std::string& what, std::string sql_state, bool outcome_unknown = false)
        : StoreFailure{what, outcome_unknown, is_out_of_reach(sql_state)},
          state{std::move(sql_state)}
    {}
    std::string state;

private:
    // No answer at all; or connections, resources, shutdown, who may log in, what he may read.
    static bool is_out_of_reach(std::string_view state)
    {
        if (state.empty() || state == "42501") return true;
        constexpr std::array classes{"08", "28", "3D", "53", "57P"};
        return std::ranges::any_of(
            classes, [state](const char* each) { return state.starts_with(each); });
    }
};

/// Types of parameters and columns, as PostgreSQL numbers them.
enum class PostgresType : Oid { boolean = 16, bytes = 17, int64 = 20, int32 = 23, text = 25 };

/// The parameters of one statement, in binary. Texts and bytes are not copied: their memory must
/// live until the statement was sent. Arrays are copied.
class PostgresParameters {
public:
    PostgresParameters& add(std::int64_t value);
    PostgresParameters& add(std::string_view text);
    PostgresParameters& add(std::span<const std::byte> bytes);
    PostgresParameters& add_null();
    PostgresParameters& add(const Parameter& parameter);
    PostgresParameters& add_array(std::span<const std::int64_t> values);
    PostgresParameters& add_array(std::span<const std::span<const std::byte>> values);

    [[nodiscard]] int count() const { return static_cast<int>(cells_.size()); }
    /// By parameter; 0 where the server may choose (NULL).
    [[nodiscard]] std::vector<Oid> types() const;

private:
    friend class PostgresConnection;
    struct Cell {
        Oid type = 0;
        const char* outside = nullptr; // the caller's memory; null: `inside`, or NULL
        std::size_t bytes = 0;
        std::string inside{};
        bool is_null = false;
    };
    /// As libpq takes them.
    struct Sent {
        std::vector<const char*> values;
        std::vector<int> lengths;
        std::vector<int> formats;
    };
    [[nodiscard]] Sent sent() const;

    std::vector<Cell> cells_;
};

/// What a statement came to: rows in binary. Columns and rows are numbered from 0. Throws
/// StoreFailure on a column of a type that the ports do not know.
class PostgresResult {
public:
    explicit PostgresResult(PGresult* result) : result_{result} {}

    [[nodiscard]] bool exists() const { return result_ != nullptr; }
    [[nodiscard]] ExecStatusType status() const { return PQresultStatus(result_.get()); }
    [[nodiscard]] int rows() const { return PQntuples(result_.get()); }
    [[nodiscard]] int columns() const { return PQnfields(result_.get()); }
    [[nodiscard]] bool is_null(int row, int column) const
    {
        return PQgetisnull(result_.get(), row, column) != 0;
    }
    [[nodiscard]] std::int64_t int64(int row, int column) const;
    [[nodiscard]] std::string_view text(int row, int column) const;
    [[nodiscard]] std::span<const std::byte> bytes(int row, int column) const;
    [[nodiscard]] Value value(int row, int column) const;
    /// "COMMIT", "INSERT 0 1", …
    [[nodiscard]] std::string_view command() const { return PQcmdStatus(result_.get()); }
    /// What the server complained of; only where status() says so.
    [[nodiscard]] PostgresFailure failure() const;

private:
    struct Clearer {
        void operator()(PGresult* result) const noexcept { PQclear(result); }
    };
    std::unique_ptr<PGresult, Clearer> result_;
};

/// A connection to the house's database. Every wait for an answer ends after its patience, and the
/// connection is then of no use. One thread at a time. Throws PostgresFailure.
class PostgresConnection {
public:
    using Patience = std::optional<std::chrono::milliseconds>;

    /// `address` is a URL as libpq reads it, perhaps of several hosts. `patience` none: for ever.
    explicit PostgresConnection(const std::string& address, Patience patience = std::nullopt);
    PostgresConnection(const PostgresConnection&) = delete;
    PostgresConnection& operator=(const PostgresConnection&) = delete;

    /// Lets the server end this session when it stands still in a transaction. A process that was
    /// stopped, or a machine that was paused, still holds its locks and its connection: whoever
    /// takes over would wait for it for ever.
    void limit_idle_transactions(std::chrono::milliseconds limit = std::chrono::seconds{5});
    /// Several statements without parameters; returns the last one's result, in text.
    PostgresResult execute(const std::string& script);
    /// One statement, not prepared.
    PostgresResult run(const std::string& sql, const PostgresParameters& parameters = {});
    void prepare(const std::string& name, const std::string& sql, std::span<const Oid> types);
    PostgresResult run_prepared(const std::string& name, const PostgresParameters& parameters);

    /// Between enter_ and leave_pipeline statements are only queued; `answers` sends them with a
    /// mark and waits for the answer of each, in order, the mark's left out. It does not throw on
    /// what a statement failed of, only when the connection did.
    void enter_pipeline();
    void queue(const std::string& name, const PostgresParameters& parameters);
    std::vector<PostgresResult> answers(std::size_t queued);
    void leave_pipeline();

    /// COPY … TO STDOUT: hands each row to `part`.
    template <class Part>
    void copy_out(const std::string& sql, const Part& part)
    {
        begin_copy_out(sql);
        std::string bytes;
        while (next_copied(bytes)) part(std::string_view{bytes});
    }
    /// COPY … FROM STDIN in pieces: begin, put as often as needed, end.
    void begin_copy_in(const std::string& sql);
    void put_copied(std::string_view bytes);
    void end_copy_in();

    /// True once the server or the network ended it.
    [[nodiscard]] bool is_broken() const { return PQstatus(handle()) != CONNECTION_OK || is_late_; }
    [[nodiscard]] bool in_transaction() const;
    /// ROLLBACK where a transaction is open; failures of it are of no interest.
    void roll_back() noexcept;
    /// WARNINGs since it was opened: a COMMIT that brought one may not be replicated.
    [[nodiscard]] std::uint64_t warnings() const { return warnings_; }
    [[nodiscard]] PGconn* handle() const { return connection_.get(); }

private:
    using Deadline = std::optional<std::chrono::steady_clock::time_point>;

    [[nodiscard]] Deadline deadline() const;
    [[noreturn]] void fail(std::string_view action);
    void wait(bool for_writing, const Deadline& deadline);
    void flush(const Deadline& deadline);
    /// The next result; an empty one between two statements.
    PostgresResult next(const Deadline& deadline);
    /// The only result of what was sent.
    PostgresResult only();
    void begin_copy_out(const std::string& sql);
    bool next_copied(std::string& bytes);

    struct Closer {
        void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
    };
    std::unique_ptr<PGconn, Closer> connection_;
    Patience patience_;
    bool is_late_ = false;
    std::uint64_t warnings_ = 0;
};

} // namespace pointhouse::ledger
