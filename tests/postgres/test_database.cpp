#include "test_database.hpp"

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <stdexcept>
#include <unistd.h>

#include "ledger/sharded_journal.hpp"
#include "postgres_connection.hpp"
#include "store/postgres_journal.hpp"
#include "store/postgres_schema.hpp"
#include "store/postgres_store.hpp"
#include "store/sqlite_journal.hpp"
#include "store/sqlite_store.hpp"

namespace pointhouse::ledger::test {
namespace {

/// Runs tests/postgres/server; what it printed.
std::string run_server(const std::string& arguments)
{
    const std::string command = fmt::format("{} {} 2>&1", POSTGRES_SERVER, arguments);
    std::FILE* output = ::popen(command.c_str(), "r");
    if (output == nullptr) throw std::runtime_error{"no shell for " + command};
    std::string printed;
    std::array<char, 256> part{};
    while (std::fgets(part.data(), part.size(), output) != nullptr) printed += part.data();
    if (::pclose(output) != 0) throw std::runtime_error{command + ": " + printed};
    return printed;
}

int read_port(const std::filesystem::path& folder)
{
    std::ifstream file{folder / "port"};
    int port = 0;
    if (!(file >> port)) throw std::runtime_error{folder.string() + " holds no server"};
    return port;
}

std::filesystem::path new_folder()
{
    std::string name = "/tmp/pointhouse-postgres-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary folder"};
    return name;
}

std::string joined(const std::vector<std::string>& settings)
{
    std::string text;
    for (const auto& setting : settings) text += fmt::format(" '{}'", setting);
    return text;
}

} // namespace

PostgresServer& PostgresServer::shared()
{
    static const std::unique_ptr<PostgresServer> server = [] {
        const char* folder = std::getenv("POINTHOUSE_TEST_SERVER");
        if (folder == nullptr) return std::make_unique<PostgresServer>();
        auto running = std::unique_ptr<PostgresServer>(new PostgresServer{folder});
        return running;
    }();
    return *server;
}

PostgresServer::PostgresServer(std::filesystem::path running)
    : folder_{std::move(running)}, port_{read_port(folder_)}, is_own_{false}
{}

PostgresServer::PostgresServer(const std::vector<std::string>& settings) : folder_{new_folder()}
{
    start(settings);
}

PostgresServer::PostgresServer(StandbyOf standby) : folder_{new_folder()}
{
    run_server(fmt::format("standby {} 0 {}", folder_.string(), standby.primary.folder_.string()));
    port_ = read_port(folder_);
}

PostgresServer::~PostgresServer()
{
    if (!is_own_) return;
    try {
        run_server("stop " + folder_.string());
    } catch (const std::runtime_error&) {
        port_ = 0; // it was stopped before
    }
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::string PostgresServer::address(std::string_view database) const
{
    return fmt::format("postgres://pointhouse@{}/{}", host(), database);
}

void PostgresServer::start(const std::vector<std::string>& settings)
{
    run_server(fmt::format("start {} {}{}", folder_.string(), port_, joined(settings)));
    port_ = read_port(folder_);
}

void PostgresServer::promote()
{
    run_server("promote " + folder_.string());
}

void PostgresServer::kill()
{
    run_server("kill " + folder_.string());
}

PostgresTestDatabase::PostgresTestDatabase()
{
    static std::atomic<int> made = 0;
    auto& server = PostgresServer::shared();
    name_ = fmt::format("test_{}_{}", ::getpid(), ++made);
    address_ = server.address(name_);
    PostgresConnection{server.address("postgres")}.execute(
        fmt::format("CREATE DATABASE {} STRATEGY file_copy", name_));
}

PostgresTestDatabase::~PostgresTestDatabase()
{
    try {
        PostgresConnection{PostgresServer::shared().address("postgres")}.execute(
            fmt::format("DROP DATABASE IF EXISTS {} WITH (FORCE)", name_));
    } catch (const StoreFailure& failure) {
        std::fprintf(stderr, "%s stays: %s\n", name_.c_str(), failure.what());
    }
}

TestStores::TestStores(std::filesystem::path folder) : folder_{std::move(folder)}
{
    if (!are_postgres()) return;
    database_ = std::make_unique<PostgresTestDatabase>();
    create_postgres_schemas(database_->address());
}

TestStores::~TestStores() = default;

bool TestStores::are_postgres()
{
    const char* store = std::getenv("POINTHOUSE_TEST_STORE");
    return store != nullptr && std::string_view{store} == "postgres";
}

PostgresLease& TestStores::lease()
{
    if (!lease_)
        lease_ = std::make_unique<PostgresLease>(
            database_->address(), ShardId{1}, PostgresLease::Options{.holder = "the tests"});
    return *lease_;
}

std::uint16_t TestStores::shards()
{
    const char* shards = std::getenv("POINTHOUSE_TEST_SHARDS");
    return shards == nullptr ? 1 : static_cast<std::uint16_t>(std::atoi(shards));
}

std::unique_ptr<Journal> TestStores::open_journal()
{
    if (shards() == 1) return open_shard(1);
    std::vector<std::unique_ptr<Journal>> opened;
    for (std::uint16_t shard = 1; shard <= shards(); ++shard) opened.push_back(open_shard(shard));
    return open_sharded_journal(std::move(opened), folder_);
}

std::unique_ptr<Journal> TestStores::open_shard(std::uint16_t shard)
{
    if (are_postgres()) return open_postgres_journal(database_->address(), lease(), ShardId{shard});
    return open_sqlite_journal(
        folder_ / (shard == 1 ? "journal.db" : fmt::format("journal-{}.db", shard)));
}

std::unique_ptr<Store> TestStores::open_store(std::string_view name)
{
    if (!are_postgres())
        return open_sqlite_store(
            folder_ / fmt::format("{}.db", name),
            name == "books" ? Durability::relaxed : Durability::full);
    return open_postgres_store(database_->address(), std::string{name}, lease());
}

} // namespace pointhouse::ledger::test
