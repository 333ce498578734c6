#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/store.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace pointhouse::ledger {

/// A StoreFailure with SQLite's extended result code: SQLITE_FULL and SQLITE_BUSY surely wrote
/// nothing, after SQLITE_IOERR nobody knows.
class SqliteFailure : public StoreFailure {
public:
    SqliteFailure(const std::string& what, int extended_code, bool outcome_unknown = false)
        : StoreFailure{what, outcome_unknown, is_out_of_reach(extended_code)}, code{extended_code}
    {}
    [[nodiscard]] int primary_code() const { return code & 0xff; }
    int code;

private:
    static bool is_out_of_reach(int extended_code);
};

/// A prepared statement. Parameters are numbered from 1 and written `$1` (or `?1`), columns from 0.
/// One thread. Must not outlive its connection. Throws SqliteFailure.
class SqliteStatement {
public:
    SqliteStatement(sqlite3* database, std::string_view sql);

    /// Bound text and blobs are not copied: their memory must live until the next reset().
    void bind_null(int parameter);
    void bind_int64(int parameter, std::int64_t value);
    void bind_text(int parameter, std::string_view value);
    void bind_blob(int parameter, std::span<const std::byte> value);
    void bind(int parameter, const Parameter& value);

    /// Goes to the next row; false when there is none.
    bool step();
    /// Ready to run again. Bindings stay as they are.
    void reset() noexcept;
    /// step() to the end and reset(): for statements that return no rows.
    void run();

    [[nodiscard]] int column_count() const;
    [[nodiscard]] bool column_is_null(int column) const;
    [[nodiscard]] std::int64_t column_int64(int column) const;
    /// Views are valid until the next step() or reset().
    [[nodiscard]] std::string_view column_text(int column) const;
    [[nodiscard]] std::span<const std::byte> column_blob(int column) const;
    [[nodiscard]] Value column_value(int column) const;

    [[nodiscard]] sqlite3_stmt* handle() const { return statement_.get(); }

private:
    struct Finalizer {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };

    [[nodiscard]] int place_of(int parameter) const;
    void check(int code) const;

    sqlite3* database_;
    std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
    // SQLite takes `$2` for a name and numbers names as they first appear.
    std::vector<int> places_;
};

struct SqliteSettings {
    enum class Mode : std::uint8_t { read_write, read_only };
    enum class Synchronous : std::uint8_t { full, normal };

    Mode mode = Mode::read_write;
    Synchronous synchronous = Synchronous::full;
    int page_bytes = 4'096; // of a new file; rows in no order want small pages
    int autocheckpoint_pages = 1'024;
    int cache_kib = 8'192;
};

/// A connection to one database file: write-ahead log, parts of SQL that may run code from the file
/// switched off. A writing connection creates the file where it is missing and
/// alone checkpoints (on itself, inline); a reading one never does, also when it closes, because
/// SQLite 3.40.1 can lose pages when two connections do. One thread at a time. Throws
/// SqliteFailure.
class SqliteConnection {
public:
    explicit SqliteConnection(
        const std::filesystem::path& file, const SqliteSettings& settings = {});

    [[nodiscard]] SqliteStatement prepare(std::string_view sql) const;
    /// Runs one or more statements without parameters.
    void execute(const std::string& script) const;
    /// Rows that the last INSERT, UPDATE or DELETE changed.
    [[nodiscard]] std::int64_t changes() const;
    /// True between BEGIN and COMMIT or ROLLBACK (SQLite may roll back by itself).
    [[nodiscard]] bool in_transaction() const;
    /// ROLLBACK where a transaction is open; failures of it are of no interest.
    void roll_back() const noexcept;

    [[nodiscard]] sqlite3* handle() const { return database_.get(); }

private:
    struct Closer {
        void operator()(sqlite3* database) const noexcept;
    };
    std::unique_ptr<sqlite3, Closer> database_;
};

} // namespace pointhouse::ledger
