#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "ledger/ids.hpp"
#include "ledger/store.hpp"

namespace pointhouse::ledger {

class PostgresConnection;

/// Another process has the right to the shard, and gave a sign of life.
class PostgresLeaseHeld : public StoreFailure {
public:
    using StoreFailure::StoreFailure;
};

/// The exclusive right to a shard of a house in PostgreSQL: a row with an epoch. Every commit takes
/// the row FOR SHARE and fails where the epoch is not its own any more, so who was overtaken can
/// write nothing. That lock is also the sign of life: it leaves its mark on the row (`xmax`), and
/// who sees the same mark for the whole time to live may take the next epoch. Nobody's clock is
/// compared with another's. The owner may answer, reads too, as long as its last confirmation is
/// younger than the time to live less a margin. Any thread, but where it says otherwise.
class PostgresLease {
public:
    using Clock = std::chrono::steady_clock;
    struct Options {
        std::string holder{}; // who it is, in words for people; nobody else's
        std::chrono::milliseconds time_to_live{3'000};
        std::chrono::milliseconds margin{500};
    };

    /// Takes it: at once where it was given back, else after the time to live without a sign of
    /// life. Throws PostgresLeaseHeld at the first sign, StoreFailure.
    PostgresLease(std::string address, ShardId shard, Options options);
    /// Gives it back, where the database can be reached.
    ~PostgresLease();
    PostgresLease(const PostgresLease&) = delete;
    PostgresLease& operator=(const PostgresLease&) = delete;

    [[nodiscard]] std::int64_t epoch() const { return epoch_; }
    [[nodiscard]] ShardId shard() const { return shard_; }
    /// Another process took over. It stays so.
    [[nodiscard]] bool is_lost() const { return is_lost_; }
    /// Young enough to answer.
    [[nodiscard]] bool is_confirmed() const;
    /// So young that nobody needs to ask for a confirmation yet.
    [[nodiscard]] bool is_fresh() const;

    /// The statement that confirms it: one row, or the failure that `is_refusal` knows.
    [[nodiscard]] std::string check() const;
    [[nodiscard]] static bool is_refusal(const std::string& sql_state);
    /// A transaction that held the row was committed; it was begun at `since`.
    void confirm(Clock::time_point since);
    void lose() { is_lost_ = true; }
    /// Takes the next epoch from itself: what an old connection of this process still does fails
    /// from now on. Waits for what it has under way. Throws StoreFailure; then the epoch is as
    /// before, or the lease is lost.
    void renew(PostgresConnection& connection);

private:
    void take(PostgresConnection& connection);
    [[nodiscard]] bool advance(PostgresConnection& connection, std::int64_t from);

    std::string address_;
    ShardId shard_;
    Options options_;
    std::atomic<std::int64_t> epoch_{0};
    std::atomic<bool> is_lost_{false};
    std::atomic<Clock::rep> confirmed_{0};
};

} // namespace pointhouse::ledger
