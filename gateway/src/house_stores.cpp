#include "house_stores.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>

#include <openssl/rand.h>

#include "ledger/sharded_journal.hpp"
#include "store/postgres_dump.hpp"
#include "store/postgres_journal.hpp"
#include "store/postgres_lease.hpp"
#include "store/postgres_schema.hpp"
#include "store/postgres_store.hpp"
#include "store/sqlite_journal.hpp"
#include "store/sqlite_snapshot.hpp"
#include "store/sqlite_store.hpp"

namespace pointhouse::gateway {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view database_folder = "database";

template <class Open>
std::unique_ptr<ledger::Journal> journal_of(
    std::size_t shards, const fs::path& ledger_folder, const Open& open)
{
    if (shards == 1) return open(1);
    std::vector<std::unique_ptr<ledger::Journal>> opened;
    for (std::size_t shard = 1; shard <= shards; ++shard) opened.push_back(open(shard));
    return ledger::open_sharded_journal(std::move(opened), ledger_folder);
}

class SqliteFiles final : public StoreSnapshot {
public:
    SqliteFiles(const HouseFolder& folder, std::size_t shards)
    {
        std::vector<fs::path> files;
        for (std::size_t shard = 1; shard <= shards; ++shard)
            files.push_back(folder.journal(shard));
        for (const auto& file : {folder.house(), folder.identities(), folder.books()})
            files.push_back(file);
        for (const auto& file : files)
            databases_.push_back(
                {.name = fs::relative(file, folder.root),
                 .snapshot = ledger::SqliteSnapshot{file}});
    }

    [[nodiscard]] std::vector<fs::path> write_to(
        const fs::path& backup, const Progress& progress) const override
    {
        std::vector<fs::path> names;
        for (const auto& database : databases_) {
            fs::create_directories((backup / database.name).parent_path());
            fs::permissions((backup / database.name).parent_path(), fs::perms::owner_all);
            database.snapshot.copy_to(backup / database.name, [&](int thousandths) {
                progress(fmt::format("{}: {} %", database.name.string(), thousandths / 10));
            });
            names.push_back(database.name);
        }
        return names;
    }

private:
    struct Database {
        fs::path name;
        ledger::SqliteSnapshot snapshot;
    };
    std::vector<Database> databases_;
};

class SqliteStores final : public HouseStores {
public:
    explicit SqliteStores(HouseFolder folder) : folder_{std::move(folder)} {}
    std::unique_ptr<ledger::Store> open_record() override
    {
        return ledger::open_sqlite_store(folder_.house());
    }
    std::unique_ptr<ledger::Store> open_identities() override
    {
        return ledger::open_sqlite_store(folder_.identities());
    }
    std::unique_ptr<ledger::Store> open_books() override
    {
        return ledger::open_sqlite_store(folder_.books());
    }
    void discard_books() override
    {
        for (const auto* const part : {"", "-wal", "-shm"})
            fs::remove(folder_.books().string() + part);
    }
    std::unique_ptr<ledger::Journal> open_journal(std::size_t shards) override
    {
        return journal_of(shards, folder_.ledger(), [this](std::size_t shard) {
            return ledger::open_sqlite_journal(folder_.journal(shard));
        });
    }
    std::unique_ptr<StoreSnapshot> snapshot(std::size_t shards) override
    {
        return std::make_unique<SqliteFiles>(folder_, shards);
    }

private:
    HouseFolder folder_;
};

/// The books are left out: they are derived from the journal again.
class PostgresTables final : public StoreSnapshot {
public:
    explicit PostgresTables(const std::string& address) : dump_{address} {}

    [[nodiscard]] std::vector<fs::path> write_to(
        const fs::path& backup, const Progress& progress) const override
    {
        fs::create_directory(backup / database_folder);
        fs::permissions(backup / database_folder, fs::perms::owner_all);
        std::vector<fs::path> names;
        for (const auto& name : dump_.write_to(backup / database_folder, progress))
            names.push_back(fs::path{database_folder} / name);
        return names;
    }

private:
    ledger::PostgresDump dump_;
};

std::string own_name()
{
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) != 0) host = {"unknown"};
    std::array<unsigned char, 6> random{};
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
        throw HouseFailure{"the system's random source failed"};
    std::string name = fmt::format("{} process {} #", host.data(), ::getpid());
    for (const unsigned byte : random) name += fmt::format("{:02x}", byte);
    return name;
}

class PostgresStores final : public HouseStores {
public:
    PostgresStores(std::string address, fs::path ledger_folder)
        : address_{(ledger::migrate_postgres_schemas(address), std::move(address))},
          ledger_folder_{std::move(ledger_folder)},
          lease_{address_, ledger::first_shard, {.holder = own_name()}}
    {}
    std::unique_ptr<ledger::Store> open_record() override { return open("house"); }
    std::unique_ptr<ledger::Store> open_identities() override { return open("identities"); }
    std::unique_ptr<ledger::Store> open_books() override { return open("books"); }
    void discard_books() override { ledger::drop_postgres_books(address_); }
    std::unique_ptr<ledger::Journal> open_journal(std::size_t shards) override
    {
        return journal_of(shards, ledger_folder_, [this](std::size_t shard) {
            return ledger::open_postgres_journal(
                address_, lease_, ledger::ShardId{static_cast<std::uint16_t>(shard)});
        });
    }
    std::unique_ptr<StoreSnapshot> snapshot(std::size_t /*shards*/) override
    {
        return std::make_unique<PostgresTables>(address_);
    }
    [[nodiscard]] bool are_lost() const override { return lease_.is_lost(); }

private:
    std::unique_ptr<ledger::Store> open(const char* schema)
    {
        return ledger::open_postgres_store(address_, schema, lease_);
    }

    std::string address_;
    fs::path ledger_folder_;
    ledger::PostgresLease lease_;
};

} // namespace

bool is_postgres(std::string_view store)
{
    return store.starts_with("postgres://") || store.starts_with("postgresql://");
}

bool is_store_name(std::string_view store)
{
    // It stands in quotes in the configuration; a URL writes anything else as %22.
    const bool is_plain = std::ranges::all_of(
        store, [](char letter) { return letter > ' ' && letter != '"' && letter != '\\'; });
    return store == "sqlite" || (is_postgres(store) && is_plain);
}

void make_house_stores(const std::string& store)
{
    if (is_postgres(store)) ledger::create_postgres_schemas(store);
}

std::unique_ptr<HouseStores> open_house_stores(const HouseFolder& folder, const std::string& store)
{
    if (!is_postgres(store)) return std::make_unique<SqliteStores>(folder);
    try {
        return std::make_unique<PostgresStores>(store, folder.ledger());
    } catch (const ledger::PostgresLeaseHeld& held) {
        throw LeaseHeld{held.what()};
    }
}

void discard_house_stores(const std::string& store)
{
    if (is_postgres(store)) ledger::drop_postgres_schemas(store);
}

bool is_part_of_database(const fs::path& name)
{
    return *name.begin() == database_folder;
}

void load_house_stores(
    const fs::path& backup, const std::string& store, const StoreSnapshot::Progress& progress)
{
    if (is_postgres(store) != fs::exists(backup / database_folder))
        throw HouseFailure{"the backup is of a house on the other kind of store"};
    if (!is_postgres(store)) return;
    ledger::create_postgres_schemas(store);
    try {
        ledger::load_postgres_dump(store, backup / database_folder, progress);
    } catch (...) {
        ledger::drop_postgres_schemas(store);
        throw;
    }
}

} // namespace pointhouse::gateway
