#include "sqlite_connection.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <sqlite3.h>
#include <type_traits>

namespace pointhouse::ledger {

namespace {

// Another connection holds the lock only for moments (closing, recovering the log's index).
constexpr int busy_timeout_ms = 5'000;

// SQLite would count its memory under one lock for all threads, which then wait for each other.
void configure_once()
{
    static const int code = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    if (code != SQLITE_OK)
        throw SqliteFailure{fmt::format("SQLite: {}", sqlite3_errstr(code)), code};
}

[[noreturn]] void fail(sqlite3* database, int code)
{
    const int extended = database != nullptr ? sqlite3_extended_errcode(database) : code;
    const char* message = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
    throw SqliteFailure{fmt::format("SQLite: {} ({})", message, extended), extended};
}

} // namespace

void SqliteStatement::Finalizer::operator()(sqlite3_stmt* statement) const noexcept
{
    sqlite3_finalize(statement);
}

// What could not be written says nothing of what is there.
bool SqliteFailure::is_out_of_reach(int extended_code)
{
    constexpr std::array whole{SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_BUSY, SQLITE_FULL};
    constexpr std::array of_input_and_output{
        SQLITE_IOERR_WRITE,
        SQLITE_IOERR_FSYNC,
        SQLITE_IOERR_TRUNCATE,
        SQLITE_IOERR_SHMOPEN,
        SQLITE_IOERR_SHMSIZE,
        SQLITE_IOERR_SHMMAP};
    return std::ranges::find(whole, extended_code & 0xff) != whole.end() ||
           std::ranges::find(of_input_and_output, extended_code) != of_input_and_output.end();
}

SqliteStatement::SqliteStatement(sqlite3* database, std::string_view sql) : database_{database}
{
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(
        database,
        sql.data(),
        static_cast<int>(sql.size()),
        SQLITE_PREPARE_PERSISTENT,
        &statement,
        nullptr);
    statement_.reset(statement);
    if (code != SQLITE_OK)
        throw SqliteFailure{
            fmt::format("SQLite: {} in: {}", sqlite3_errmsg(database), sql),
            sqlite3_extended_errcode(database)};

    const int count = sqlite3_bind_parameter_count(statement);
    for (int parameter = 1; parameter <= count; ++parameter) {
        const auto name = fmt::format("${}", parameter);
        const int place = sqlite3_bind_parameter_index(statement, name.c_str());
        places_.push_back(place != 0 ? place : parameter);
    }
}

int SqliteStatement::place_of(int parameter) const
{
    const auto index = static_cast<std::size_t>(parameter) - 1;
    if (index >= places_.size())
        throw SqliteFailure{fmt::format("SQLite: no parameter ${}", parameter), SQLITE_RANGE};
    return places_[index];
}

void SqliteStatement::check(int code) const
{
    if (code != SQLITE_OK) fail(database_, code);
}

void SqliteStatement::bind_null(int parameter)
{
    check(sqlite3_bind_null(statement_.get(), place_of(parameter)));
}

void SqliteStatement::bind_int64(int parameter, std::int64_t value)
{
    check(sqlite3_bind_int64(statement_.get(), place_of(parameter), value));
}

void SqliteStatement::bind_text(int parameter, std::string_view value)
{
    // An empty view may have a null pointer, which SQLite would take for NULL.
    const char* text = value.data() != nullptr ? value.data() : "";
    check(sqlite3_bind_text64(
        statement_.get(), place_of(parameter), text, value.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void SqliteStatement::bind_blob(int parameter, std::span<const std::byte> value)
{
    const int place = place_of(parameter);
    check(
        value.empty() ? sqlite3_bind_zeroblob(statement_.get(), place, 0)
                      : sqlite3_bind_blob64(
                            statement_.get(), place, value.data(), value.size(), SQLITE_STATIC));
}

void SqliteStatement::bind(int parameter, const Parameter& value)
{
    std::visit(
        [&](const auto& cell) {
            using Cell = std::decay_t<decltype(cell)>;
            if constexpr (std::is_same_v<Cell, std::int64_t>)
                bind_int64(parameter, cell);
            else if constexpr (std::is_same_v<Cell, std::string_view>)
                bind_text(parameter, cell);
            else if constexpr (std::is_same_v<Cell, std::monostate>)
                bind_null(parameter);
            else
                bind_blob(parameter, cell);
        },
        value);
}

bool SqliteStatement::step()
{
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    const SqliteFailure failure{
        fmt::format("SQLite: {} in: {}", sqlite3_errmsg(database_), sqlite3_sql(handle())),
        sqlite3_extended_errcode(database_)};
    reset();
    throw failure;
}

void SqliteStatement::reset() noexcept
{
    // Returns the failure of the last step again, which was thrown already.
    sqlite3_reset(statement_.get());
}

void SqliteStatement::run()
{
    while (step()) {
    }
    reset();
}

int SqliteStatement::column_count() const
{
    return sqlite3_column_count(statement_.get());
}

bool SqliteStatement::column_is_null(int column) const
{
    return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::int64_t SqliteStatement::column_int64(int column) const
{
    return sqlite3_column_int64(statement_.get(), column);
}

std::string_view SqliteStatement::column_text(int column) const
{
    const auto* text = sqlite3_column_text(statement_.get(), column);
    if (text == nullptr) return {};
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
    return {reinterpret_cast<const char*>(text), size};
}

std::span<const std::byte> SqliteStatement::column_blob(int column) const
{
    const auto* blob = static_cast<const std::byte*>(sqlite3_column_blob(statement_.get(), column));
    if (blob == nullptr) return {};
    return {blob, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

Value SqliteStatement::column_value(int column) const
{
    switch (sqlite3_column_type(statement_.get(), column)) {
    case SQLITE_NULL: return std::monostate{};
    case SQLITE_INTEGER: return column_int64(column);
    case SQLITE_BLOB: {
        const auto blob = column_blob(column);
        return Bytes{blob.begin(), blob.end()};
    }
    default: return std::string{column_text(column)};
    }
}

void SqliteConnection::Closer::operator()(sqlite3* database) const noexcept
{
    sqlite3_close_v2(database);
}

SqliteConnection::SqliteConnection(
    const std::filesystem::path& file, const SqliteSettings& settings)
{
    configure_once();
    const bool writes = settings.mode == SqliteSettings::Mode::read_write;
    const int flags = writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    sqlite3* database = nullptr;
    const int code = sqlite3_open_v2(file.c_str(), &database, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    database_.reset(database);
    if (code != SQLITE_OK)
        throw SqliteFailure{
            fmt::format("cannot open {}: {}", file.string(), sqlite3_errstr(code)),
            database != nullptr ? sqlite3_extended_errcode(database) : code};

    sqlite3_busy_timeout(database, busy_timeout_ms);
    sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, writes ? 0 : 1, nullptr);
    execute(fmt::format("PRAGMA cache_size = -{}", settings.cache_kib));
    if (!writes) return;

    const bool full = settings.synchronous == SqliteSettings::Synchronous::full;
    execute(fmt::format(
        "PRAGMA page_size = {}; PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;",
        settings.page_bytes));
    execute(fmt::format(
        "PRAGMA synchronous = {}; PRAGMA wal_autocheckpoint = {};",
        full ? "FULL" : "NORMAL",
        settings.autocheckpoint_pages));
}

SqliteStatement SqliteConnection::prepare(std::string_view sql) const
{
    return SqliteStatement{database_.get(), sql};
}

void SqliteConnection::execute(const std::string& script) const
{
    if (const int code = sqlite3_exec(database_.get(), script.c_str(), nullptr, nullptr, nullptr);
        code != SQLITE_OK)
        fail(database_.get(), code);
}

std::int64_t SqliteConnection::changes() const
{
    return sqlite3_changes64(database_.get());
}

bool SqliteConnection::in_transaction() const
{
    return sqlite3_get_autocommit(database_.get()) == 0;
}

void SqliteConnection::roll_back() const noexcept
{
    if (in_transaction()) sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

} // namespace pointhouse::ledger
