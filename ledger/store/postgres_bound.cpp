#include "store/postgres_bound.hpp"

#include <atomic>
#include <exception>
#include <fmt/format.h>
#include <mutex>
#include <thread>
#include <vector>

#include "postgres_connection.hpp"

namespace pointhouse::ledger {
namespace {

constexpr std::int64_t row_lock_accounts = 100'000; // the first is the hot one

constexpr const char* row_lock_ledger = R"(
DROP SCHEMA IF EXISTS row_locks CASCADE;
CREATE SCHEMA row_locks;
CREATE TABLE row_locks.account (
    number bigint PRIMARY KEY,
    balance bigint NOT NULL,
    version bigint NOT NULL);
CREATE TABLE row_locks.transfer (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id text NOT NULL UNIQUE,
    amount bigint NOT NULL,
    posted_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE row_locks.entry (
    transfer bigint NOT NULL REFERENCES row_locks.transfer,
    account bigint NOT NULL,
    amount bigint NOT NULL,
    balance_after bigint NOT NULL,
    PRIMARY KEY (account, transfer));
INSERT INTO row_locks.account SELECT number, 0, 0 FROM generate_series(1, 100000) AS number;
CREATE FUNCTION row_locks.transfer(id text, giver bigint, taker bigint, points bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    posted bigint;
    given bigint;
    taken bigint;
BEGIN
    PERFORM 1 FROM row_locks.account WHERE number IN (giver, taker) ORDER BY number FOR UPDATE;
    INSERT INTO row_locks.transfer (message_id, amount) VALUES (id, points) RETURNING number INTO posted;
    UPDATE row_locks.account SET balance = balance - points, version = version + 1
        WHERE number = giver RETURNING balance INTO given;
    UPDATE row_locks.account SET balance = balance + points, version = version + 1
        WHERE number = taker RETURNING balance INTO taken;
    INSERT INTO row_locks.entry VALUES (posted, giver, -points, given), (posted, taker, points, taken);
    RETURN posted;
END $$;
ANALYZE row_locks.account)";

/// Sends transfers from the hot account to others until it is told to stop.
void transfer_until(
    const std::string& address,
    int client,
    const std::atomic<bool>& stops,
    std::atomic<std::int64_t>& done)
{
    PostgresConnection connection{address};
    const std::array types{
        static_cast<Oid>(PostgresType::text), static_cast<Oid>(PostgresType::int64)};
    connection.prepare("transfer", "SELECT row_locks.transfer($1, 1, $2, 10)", types);
    // A stride that is prime to the number of accounts visits all of them.
    std::int64_t account = std::int64_t{7'919} * client;
    for (std::int64_t sent = 0; !stops; ++sent) {
        account = (account + 31'337) % (row_lock_accounts - 1);
        const std::string id = fmt::format("{}-{}", client, sent);
        PostgresParameters parameters;
        parameters.add(std::string_view{id}).add(account + 2);
        connection.run_prepared("transfer", parameters);
        ++done;
    }
}

} // namespace

std::chrono::nanoseconds time_postgres_copies(
    const std::string& address, int batch, std::int64_t rows)
{
    using std::string_literals::operator""s;
    constexpr std::size_t row_bytes = 40;
    std::string copied = "PGCOPY\n\377\r\n\0"s + std::string(8, '\0');
    for (int row = 0; row < batch; ++row) {
        copied += "\0\1\0\0\0"s; // one column, its length
        copied += static_cast<char>(row_bytes);
        for (std::size_t place = 0; place < row_bytes; ++place)
            copied += static_cast<char>(static_cast<std::size_t>(row) * row_bytes + place);
    }
    copied += "\377\377"s;

    PostgresConnection connection{address};
    connection.execute("DROP TABLE IF EXISTS public.copy_only;"
                       "CREATE TABLE public.copy_only (bytes bytea NOT NULL)");
    const auto started = std::chrono::steady_clock::now();
    for (std::int64_t done = 0; done < rows; done += batch) {
        connection.begin_copy_in("COPY public.copy_only FROM STDIN (FORMAT binary)");
        connection.put_copied(copied);
        connection.end_copy_in();
    }
    const auto ended = std::chrono::steady_clock::now();
    connection.execute("DROP TABLE public.copy_only");
    return ended - started;
}

TimedCount count_postgres_row_locks(
    const std::string& address, int clients, std::chrono::milliseconds duration)
{
    PostgresConnection connection{address};
    connection.execute(row_lock_ledger);
    std::atomic<bool> stops{false};
    std::atomic<std::int64_t> done{0};
    std::mutex mutex;
    std::exception_ptr failure; // guarded by mutex
    std::chrono::nanoseconds took{};
    {
        std::vector<std::jthread> threads;
        threads.reserve(static_cast<std::size_t>(clients));
        const auto started = std::chrono::steady_clock::now();
        for (int client = 0; client < clients; ++client) {
            threads.emplace_back([&, client] {
                try {
                    transfer_until(address, client, stops, done);
                } catch (...) {
                    const std::scoped_lock lock{mutex};
                    failure = std::current_exception();
                }
            });
        }
        std::this_thread::sleep_for(duration);
        stops = true;
        threads.clear();
        took = std::chrono::steady_clock::now() - started;
    }
    connection.execute("DROP SCHEMA row_locks CASCADE");
    if (failure) std::rethrow_exception(failure);
    return {.count = done, .took = took};
}

} // namespace pointhouse::ledger
