#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "ledger/store.hpp"
#include "store/postgres_lease.hpp"
#include "store/postgres_schema.hpp"
#include "store/postgres_store.hpp"
#include "store/sqlite_store.hpp"
#include "test_database.hpp"

namespace pointhouse::ledger {
namespace {

class TemporaryFolder {
public:
    TemporaryFolder()
    {
        std::string name = (std::filesystem::temp_directory_path() / "store-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary folder"};
        path_ = name;
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// The same database, opened again and again.
using Open = std::function<std::unique_ptr<Store>()>;

/// A kind of database: makes one, in the folder where it needs one.
struct Adapter {
    std::string name;
    std::function<Open(const std::filesystem::path& folder)> make;
};

Open make_sqlite(const std::filesystem::path& folder, Durability durability)
{
    return [=] { return open_sqlite_store(folder / "store.db", durability); };
}

/// A schema of a house's database, under its lease.
Open make_postgres()
{
    struct Database {
        test::PostgresTestDatabase database;
        std::optional<PostgresLease> lease;
    };
    const auto made = std::make_shared<Database>();
    create_postgres_schemas(made->database.address());
    made->lease.emplace(
        made->database.address(), ShardId{1}, PostgresLease::Options{.holder = "the tests"});
    return [made] { return open_postgres_store(made->database.address(), "house", *made->lease); };
}

/// What every cold store promises, whatever the database.
class StoreContract : public testing::TestWithParam<Adapter> {
protected:
    void SetUp() override
    {
        open = GetParam().make(folder.path());
        store = open();
        store->transact([](Transaction& transaction) {
            transaction.script(
                "CREATE TABLE thing (id BIGINT PRIMARY KEY, name TEXT, picture BYTEA,"
                " size BIGINT CHECK (size >= 0));");
        });
    }

    void insert(std::int64_t id, std::string_view name)
    {
        store->transact([&](Transaction& transaction) { insert(transaction, id, name); });
    }
    static void insert(Transaction& transaction, std::int64_t id, std::string_view name)
    {
        const std::array<Parameter, 2> parameters{id, name};
        transaction.run("INSERT INTO thing (id, name) VALUES ($1, $2)", parameters);
    }
    static std::int64_t count(Transaction& transaction)
    {
        return std::get<std::int64_t>(
            transaction.run("SELECT count(*) FROM thing", {}).at(0).at(0));
    }
    std::int64_t count()
    {
        std::int64_t found = 0;
        store->read([&](Transaction& transaction) { found = count(transaction); });
        return found;
    }

    TemporaryFolder folder;
    Open open;
    std::unique_ptr<Store> store;
};

INSTANTIATE_TEST_SUITE_P(
    Databases,
    StoreContract,
    testing::Values(
        Adapter{"sqlite", [](const auto& folder) { return make_sqlite(folder, Durability::full); }},
        Adapter{
            "sqlite_relaxed",
            [](const auto& folder) { return make_sqlite(folder, Durability::relaxed); }},
        Adapter{"postgres", [](const auto&) { return make_postgres(); }}),
    [](const auto& adapter) { return adapter.param.name; });

TEST_P(StoreContract, GivesBackWhatItWasGiven)
{
    const std::string text = "Grüße, 'quoted'; DROP TABLE thing; --";
    const Bytes picture{std::byte{0}, std::byte{255}, std::byte{39}};
    store->transact([&](Transaction& transaction) {
        const std::array<Parameter, 4> cells{
            std::int64_t{INT64_MIN},
            std::string_view{text},
            std::span{std::as_const(picture)},
            std::int64_t{INT64_MAX}};
        transaction.run("INSERT INTO thing VALUES ($1, $2, $3, $4)", cells);
        const std::array<Parameter, 3> empty{
            std::int64_t{1}, std::string_view{}, std::span<const std::byte>{}};
        transaction.run("INSERT INTO thing (id, name, picture) VALUES ($1, $2, $3)", empty);
    });
    store->read([&](Transaction& transaction) {
        const auto rows = transaction.run("SELECT * FROM thing ORDER BY id", {});
        ASSERT_EQ(rows.size(), 2U);
        EXPECT_EQ(rows[0], (Row{std::int64_t{INT64_MIN}, text, picture, std::int64_t{INT64_MAX}}));
        EXPECT_EQ(rows[1], (Row{std::int64_t{1}, std::string{}, Bytes{}, std::monostate{}}));
    });
}

TEST_P(StoreContract, ParametersGoByTheirNumber)
{
    store->read([&](Transaction& transaction) {
        const std::array<Parameter, 3> parameters{
            std::string_view{"one"}, std::string_view{"two"}, std::string_view{"three"}};
        const auto rows = transaction.run(
            "SELECT CAST($3 AS TEXT), CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($1 AS TEXT)",
            parameters);
        EXPECT_EQ(
            rows.at(0),
            (Row{
                std::string{"three"}, std::string{"one"}, std::string{"two"}, std::string{"one"}}));
    });
}

TEST_P(StoreContract, RollsBackWhenWorkThrows)
{
    EXPECT_THROW(
        store->transact([&](Transaction& transaction) {
            insert(transaction, 1, "lost");
            throw std::runtime_error{"changed its mind"};
        }),
        std::runtime_error);
    EXPECT_EQ(count(), 0);
    insert(1, "kept");
    EXPECT_EQ(count(), 1);
}

TEST_P(StoreContract, AFailedStatementRollsAllBackAndIsKnownNotToHaveHappened)
{
    insert(1, "first");
    try {
        store->transact([&](Transaction& transaction) {
            insert(transaction, 2, "second");
            insert(transaction, 1, "the same key");
        });
        FAIL() << "a key cannot stand twice";
    } catch (const StoreFailure& failure) {
        EXPECT_FALSE(failure.unknown);
    }
    EXPECT_EQ(count(), 1);
    EXPECT_THROW(
        store->transact(
            [](Transaction& transaction) { transaction.run("UPDATE thing SET size = -1", {}); }),
        StoreFailure);
}

TEST_P(StoreContract, BadSqlIsAFailureInWords)
{
    try {
        store->read(
            [](Transaction& transaction) { transaction.run("SELECT nothing FROM nowhere", {}); });
        FAIL();
    } catch (const StoreFailure& failure) {
        EXPECT_NE(std::string{failure.what()}.find("nowhere"), std::string::npos) << failure.what();
    }
    EXPECT_EQ(count(), 0) << "the store goes on";
}

TEST_P(StoreContract, AReaderCannotWrite)
{
    EXPECT_THROW(
        store->read([&](Transaction& transaction) { insert(transaction, 1, "no"); }), StoreFailure);
    EXPECT_EQ(count(), 0);
}

TEST_P(StoreContract, AReaderSeesOneSnapshotAndDoesNotStopTheWriter)
{
    insert(1, "before");
    store->read([&](Transaction& transaction) {
        std::thread{[&] { insert(2, "meanwhile"); }}.join();
        EXPECT_EQ(count(transaction), 1);
        EXPECT_EQ(count(), 2) << "a reader inside a reader has a snapshot of its own";
        EXPECT_EQ(count(transaction), 1);
    });
    EXPECT_EQ(count(), 2);
}

// The snapshot begins with read(), not with its first statement.
TEST_P(StoreContract, TheSnapshotBeginsAtOnce)
{
    store->read([&](Transaction& transaction) {
        std::thread{[&] { insert(1, "later"); }}.join();
        EXPECT_EQ(count(transaction), 0);
    });
}

TEST_P(StoreContract, ATransactionSeesItsOwnWrites)
{
    store->transact([&](Transaction& transaction) {
        insert(transaction, 1, "mine");
        EXPECT_EQ(count(transaction), 1);
        EXPECT_EQ(count(), 0) << "nobody else does yet";
    });
}

TEST_P(StoreContract, AppendsManyRows)
{
    constexpr std::array<std::string_view, 2> columns{"id", "name"};
    std::vector<std::string> names;
    for (int id = 0; id < 10'000; ++id) names.push_back("thing " + std::to_string(id));
    std::vector<Parameter> cells;
    for (std::size_t id = 0; id < names.size(); ++id) {
        cells.emplace_back(static_cast<std::int64_t>(id));
        cells.emplace_back(std::string_view{names[id]});
    }
    store->transact([&](Transaction& transaction) {
        transaction.append("thing", columns, cells);
        transaction.append("thing", columns, {});
    });
    EXPECT_EQ(count(), 10'000);
    store->read([&](Transaction& transaction) {
        const auto rows = transaction.run("SELECT name FROM thing ORDER BY id", {});
        for (std::size_t id = 0; id < names.size(); ++id)
            ASSERT_EQ(rows.at(id).at(0), Value{names[id]});
    });
    EXPECT_THROW(
        store->transact([&](Transaction& transaction) {
            transaction.append("thing", columns, std::span{cells}.first(3));
        }),
        StoreFailure);
}

// Whatever number of rows a store puts together.
TEST_P(StoreContract, AppendsAnyNumberOfRowsOrNone)
{
    constexpr std::array<std::string_view, 2> columns{"id", "name"};
    std::int64_t appended = 0;
    for (const std::int64_t rows : {1, 2, 799, 800, 801, 1'600, 1'601}) {
        std::vector<Parameter> cells;
        for (std::int64_t row = 0; row < rows; ++row) {
            cells.emplace_back(appended + row);
            cells.emplace_back(std::string_view{"thing"});
        }
        store->transact(
            [&](Transaction& transaction) { transaction.append("thing", columns, cells); });
        appended += rows;
        EXPECT_EQ(count(), appended);

        // The last row is there already: none of the others stays.
        for (std::size_t row = 0; row + 1 < cells.size() / 2; ++row)
            cells[2 * row] = appended + static_cast<std::int64_t>(row);
        EXPECT_THROW(
            store->transact(
                [&](Transaction& transaction) { transaction.append("thing", columns, cells); }),
            StoreFailure);
        EXPECT_EQ(count(), appended);
    }
}

TEST_P(StoreContract, TheSameStatementInsideItself)
{
    insert(1, "a");
    insert(2, "b");
    int pairs = 0;
    store->read([&](Transaction& transaction) {
        constexpr std::string_view sql = "SELECT id FROM thing ORDER BY id";
        transaction.for_each(sql, {}, [&](const Row&) {
            transaction.for_each(sql, {}, [&](const Row&) { ++pairs; });
        });
    });
    EXPECT_EQ(pairs, 4);
}

TEST_P(StoreContract, OneStatementForManyParameters)
{
    std::vector<Parameter> cells;
    const std::string name = "thing";
    for (std::int64_t id = 0; id < 3'000; ++id) {
        cells.emplace_back(id);
        cells.emplace_back(std::string_view{name});
    }
    std::size_t inserted = 0;
    store->transact([&](Transaction& transaction) {
        transaction.for_each_of(
            "INSERT INTO thing (id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id",
            2,
            cells,
            [&](std::size_t place, const Row& row) {
                EXPECT_EQ(row.at(0), Value{static_cast<std::int64_t>(place)});
                ++inserted;
            });
        transaction.for_each_of("SELECT 1", 1, {}, [](std::size_t, const Row&) { FAIL(); });
    });
    EXPECT_EQ(inserted, 3'000U);
    const std::array<Parameter, 3> wanted{std::int64_t{7}, std::int64_t{-1}, std::int64_t{9}};
    std::string places;
    store->read([&](Transaction& transaction) {
        transaction.for_each_of(
            "SELECT id FROM thing WHERE id = $1", 1, wanted, [&](std::size_t place, const Row&) {
                places += std::to_string(place);
            });
    });
    EXPECT_EQ(places, "02");
    EXPECT_THROW(
        store->transact([&](Transaction& transaction) {
            transaction.for_each_of(
                "INSERT INTO thing (id, name) VALUES ($1, $2)",
                2,
                std::span{cells}.last(2),
                [](std::size_t, const Row&) {});
        }),
        StoreFailure);
    EXPECT_EQ(count(), 3'000);
}

TEST_P(StoreContract, LeavingAReadHalfWayIsHarmless)
{
    insert(1, "a");
    insert(2, "b");
    for (int round = 0; round < 20; ++round)
        EXPECT_THROW(
            store->read([&](Transaction& transaction) {
                transaction.for_each("SELECT id FROM thing", {}, [](const Row&) {
                    throw std::runtime_error{"seen enough"};
                });
            }),
            std::runtime_error);
    EXPECT_EQ(count(), 2);
    insert(3, "c");
    EXPECT_EQ(count(), 3);
}

TEST_P(StoreContract, KeepsWhatWasCommittedWhenReopened)
{
    insert(1, "kept");
    store.reset();
    store = open();
    EXPECT_EQ(count(), 1);
}

// Amounts move between rows while readers sum them: no read sees a wrong total.
TEST_P(StoreContract, NoReadSeesHalfATransaction)
{
    store->transact([](Transaction& transaction) {
        transaction.script("INSERT INTO thing (id, size) VALUES (1, 500), (2, 500)");
    });
    std::atomic<bool> done = false;
    std::atomic<int> reads = 0;
    std::vector<std::thread> readers;
    for (int reader = 0; reader < 3; ++reader)
        readers.emplace_back([&] {
            while (!done) {
                store->read([&](Transaction& transaction) {
                    const auto rows =
                        transaction.run("SELECT CAST(SUM(size) AS BIGINT) FROM thing", {});
                    EXPECT_EQ(rows.at(0).at(0), Value{std::int64_t{1'000}});
                });
                ++reads;
            }
        });
    for (int move = 0; move < 300; ++move)
        store->transact([](Transaction& transaction) {
            transaction.run("UPDATE thing SET size = size - 1 WHERE id = 1", {});
            transaction.run("UPDATE thing SET size = size + 1 WHERE id = 2", {});
        });
    while (reads < 10) std::this_thread::yield();
    done = true;
    for (auto& reader : readers) reader.join();
}

TEST_P(StoreContract, ASoundDatabaseHasNoFault)
{
    insert(1, "a");
    EXPECT_EQ(store->integrity_fault(), "");
}

} // namespace
} // namespace pointhouse::ledger
