#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace pointhouse::ledger {

/// For benches: rows of 40 bytes that a database takes by COPY alone, `batch` to a durable
/// transaction, into a table without an index that is dropped afterwards; how long `rows` of them
/// take. Throws StoreFailure.
std::chrono::nanoseconds time_postgres_copies(
    const std::string& address, int batch, std::int64_t rows);

/// What a bench has counted, and how long it took.
struct TimedCount {
    std::int64_t count = 0;
    std::chrono::nanoseconds took{};
};

/// For benches: the transfers of a ledger as it is usually built on a database, its functions
/// called directly, without a gateway: account rows taken FOR UPDATE in a fixed order, one transfer
/// to a transaction, an entry on each side, one hot account (the partner's) on one side of all.
/// Each of `clients` has a connection of its own. Its tables are dropped afterwards. Throws
/// StoreFailure.
TimedCount count_postgres_row_locks(
    const std::string& address, int clients, std::chrono::milliseconds duration);

} // namespace pointhouse::ledger
