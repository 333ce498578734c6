#include "store/sqlite_snapshot.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include "sqlite_connection.hpp"

namespace pointhouse::ledger {

namespace {

constexpr int pages_per_step = 256; // of 16 KiB

struct Closer {
    void operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }
};
struct Finisher {
    void operator()(sqlite3_backup* backup) const noexcept { sqlite3_backup_finish(backup); }
};

[[noreturn]] void fail(const std::filesystem::path& file, int code)
{
    throw StoreFailure{fmt::format("{}: cannot copy: {}", file.string(), sqlite3_errstr(code))};
}

} // namespace

struct SqliteSnapshot::State {
    SqliteConnection connection;
};

SqliteSnapshot::SqliteSnapshot(const std::filesystem::path& file)
    : state_{std::make_unique<State>(
          SqliteConnection{file, {.mode = SqliteSettings::Mode::read_only}})}
{
    // The first read fixes what the transaction sees.
    state_->connection.execute("BEGIN; SELECT count(*) FROM sqlite_schema;");
}

SqliteSnapshot::~SqliteSnapshot() = default;
SqliteSnapshot::SqliteSnapshot(SqliteSnapshot&& other) noexcept = default;
SqliteSnapshot& SqliteSnapshot::operator=(SqliteSnapshot&& other) noexcept = default;

void SqliteSnapshot::copy_to(
    const std::filesystem::path& file, const std::function<void(int)>& progress) const
{
    if (std::filesystem::exists(file)) fail(file, SQLITE_CANTOPEN);
    // A bare connection: the copy takes page size and log mode from the pages themselves.
    sqlite3* opened = nullptr;
    const int code =
        sqlite3_open_v2(file.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
    const std::unique_ptr<sqlite3, Closer> copy{opened};
    if (code != SQLITE_OK) fail(file, code);

    const std::unique_ptr<sqlite3_backup, Finisher> backup{
        sqlite3_backup_init(copy.get(), "main", state_->connection.handle(), "main")};
    if (!backup) fail(file, sqlite3_errcode(copy.get()));
    int stepped = SQLITE_OK;
    while (stepped == SQLITE_OK) {
        stepped = sqlite3_backup_step(backup.get(), pages_per_step);
        const std::int64_t all = sqlite3_backup_pagecount(backup.get());
        const std::int64_t left = sqlite3_backup_remaining(backup.get());
        if (all > 0) progress(static_cast<int>((all - left) * 1000 / all));
    }
    if (stepped != SQLITE_DONE) fail(file, stepped);
}

} // namespace pointhouse::ledger
