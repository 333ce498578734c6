#include "store/postgres_lease.hpp"

#include <fmt/format.h>
#include <thread>

#include "postgres_connection.hpp"

namespace pointhouse::ledger {
namespace {

constexpr std::chrono::milliseconds look_again{100};
constexpr std::chrono::milliseconds patience{5'000};
constexpr std::string_view division_by_zero = "22012";

/// The row as it is at this moment. `mark` changes whenever somebody locks it.
struct Seen {
    std::int64_t epoch = 0;
    std::string holder;
    std::string mark;
};

Seen look(PostgresConnection& connection, ShardId shard)
{
    const auto row = connection.run(fmt::format(
        "SELECT epoch, holder, concat(epoch, '/', xmax) FROM pointhouse.lease WHERE shard = {}",
        shard.value()));
    if (row.rows() != 1) throw StoreFailure{"the database has no lease of this shard"};
    return {
        .epoch = row.int64(0, 0),
        .holder = std::string{row.text(0, 1)},
        .mark = std::string{row.text(0, 2)}};
}

} // namespace

PostgresLease::PostgresLease(std::string address, ShardId shard, Options options)
    : address_{std::move(address)}, shard_{shard}, options_{std::move(options)}
{
    PostgresConnection connection{address_, patience};
    take(connection);
}

void PostgresLease::take(PostgresConnection& connection)
{
    const Seen first = look(connection, shard_);
    const auto end = Clock::now() + options_.time_to_live;
    while (!first.holder.empty() && Clock::now() < end) {
        std::this_thread::sleep_for(look_again);
        const Seen now = look(connection, shard_);
        if (now.holder.empty()) break;
        if (now.mark != first.mark)
            throw PostgresLeaseHeld{
                fmt::format("the house's database is in use by another process ({})", now.holder)};
    }
    const auto since = Clock::now();
    if (!advance(connection, first.epoch))
        throw PostgresLeaseHeld{"another process has just taken the house's database"};
    confirm(since);
}

// It does not wait long for a commit that holds the row: whoever has one under way is not dead yet.
bool PostgresLease::advance(PostgresConnection& connection, std::int64_t from)
{
    connection.execute("BEGIN; SET LOCAL lock_timeout = '1s'");
    try {
        PostgresParameters parameters;
        parameters.add(std::string_view{options_.holder}).add(from);
        const auto row = connection.run(
            fmt::format(
                "UPDATE pointhouse.lease SET epoch = epoch + 1, holder = $1, taken_at = now()"
                " WHERE shard = {} AND epoch = $2 RETURNING epoch",
                shard_.value()),
            parameters);
        const std::uint64_t warnings = connection.warnings();
        connection.execute("COMMIT");
        if (connection.warnings() != warnings)
            throw StoreFailure{"the lease may not be replicated", true};
        if (row.rows() != 1) return false;
        epoch_ = row.int64(0, 0);
        return true;
    } catch (const PostgresFailure& failure) {
        connection.roll_back();
        constexpr std::string_view lock_not_available = "55P03";
        if (failure.state == lock_not_available)
            throw PostgresLeaseHeld{"a commit of another connection is still under way"};
        throw;
    }
}

PostgresLease::~PostgresLease()
{
    if (is_lost_) return;
    try {
        PostgresConnection connection{address_, patience};
        PostgresParameters parameters;
        parameters.add(epoch_.load());
        connection.execute("SET lock_timeout = '1s'");
        connection.run(
            fmt::format(
                "UPDATE pointhouse.lease SET holder = '' WHERE shard = {} AND epoch = $1",
                shard_.value()),
            parameters);
    } catch (const StoreFailure&) {
        // The next one waits for the time to live, that is all.
        is_lost_ = true;
    }
}

bool PostgresLease::is_confirmed() const
{
    const Clock::time_point since{Clock::duration{confirmed_}};
    return !is_lost_ && Clock::now() < since + options_.time_to_live - options_.margin;
}

bool PostgresLease::is_fresh() const
{
    const Clock::time_point since{Clock::duration{confirmed_}};
    return !is_lost_ && Clock::now() < since + options_.time_to_live / 4;
}

// A plain statement on the row's key: a distributed PostgreSQL keeps the whole commit on one node.
std::string PostgresLease::check() const
{
    return fmt::format(
        "SELECT 1 / CAST(epoch = $1 AS integer) FROM pointhouse.lease WHERE shard = {} FOR SHARE",
        shard_.value());
}

bool PostgresLease::is_refusal(const std::string& sql_state)
{
    return sql_state == division_by_zero;
}

void PostgresLease::confirm(Clock::time_point since)
{
    confirmed_ = since.time_since_epoch().count();
}

void PostgresLease::renew(PostgresConnection& connection)
{
    if (is_lost_) throw StoreFailure{"another process has taken over this house"};
    const auto since = Clock::now();
    const std::int64_t before = epoch_;
    if (!advance(connection, before)) {
        // Earlier tries of ours may have been committed without an answer.
        const Seen now = look(connection, shard_);
        if (now.holder != options_.holder || !advance(connection, now.epoch)) {
            lose();
            throw StoreFailure{"another process has taken over this house"};
        }
    }
    confirm(since);
}

} // namespace pointhouse::ledger
