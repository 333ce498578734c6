#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/journal.hpp"
#include "ledger/store.hpp"
#include "store/postgres_lease.hpp"

namespace pointhouse::ledger::test {

/// A PostgreSQL server, made by tests/postgres/server in a folder of its own. Throws
/// std::runtime_error with what the script said.
class PostgresServer {
public:
    /// The one that this run of ctest shares; without ctest one for this process.
    static PostgresServer& shared();
    /// A new one. `settings` are written NAME=VALUE.
    explicit PostgresServer(const std::vector<std::string>& settings = {});
    /// A streaming standby of another.
    struct StandbyOf {
        const PostgresServer& primary;
    };
    explicit PostgresServer(StandbyOf standby);
    /// Stops it and removes its folder, but not the shared one.
    ~PostgresServer();
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;

    [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] int port() const { return port_; }
    /// Its address with a database's name.
    [[nodiscard]] std::string address(std::string_view database) const;
    void start(const std::vector<std::string>& settings = {});
    void promote();
    /// At once, as a power cut would.
    void kill();

private:
    explicit PostgresServer(std::filesystem::path running);

    std::filesystem::path folder_;
    int port_ = 0;
    bool is_own_ = true;
};

/// A database of its own on the shared server, gone with it.
class PostgresTestDatabase {
public:
    PostgresTestDatabase();
    ~PostgresTestDatabase();
    PostgresTestDatabase(const PostgresTestDatabase&) = delete;
    PostgresTestDatabase& operator=(const PostgresTestDatabase&) = delete;
    [[nodiscard]] const std::string& address() const { return address_; }

private:
    std::string name_;
    std::string address_;
};

/// The stores of a house under test, on the database that POINTHOUSE_TEST_STORE names: `sqlite`
/// (the default, in the folder) or `postgres`. What was opened before must be closed first, as in
/// life: one process works on a house at a time.
class TestStores {
public:
    explicit TestStores(std::filesystem::path folder);
    ~TestStores();
    TestStores(const TestStores&) = delete;
    TestStores& operator=(const TestStores&) = delete;

    /// Of one shard, or of as many as POINTHOUSE_TEST_SHARDS says.
    std::unique_ptr<Journal> open_journal();
    /// One shard of it, from 1.
    std::unique_ptr<Journal> open_shard(std::uint16_t shard);
    [[nodiscard]] static std::uint16_t shards();
    /// `name` is house, identities or books.
    std::unique_ptr<Store> open_store(std::string_view name);
    [[nodiscard]] static bool are_postgres();

private:
    PostgresLease& lease();

    std::filesystem::path folder_;
    std::unique_ptr<PostgresTestDatabase> database_;
    std::unique_ptr<PostgresLease> lease_;
};

} // namespace pointhouse::ledger::test
