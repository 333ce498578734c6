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

} // namespace pointhouse::ledger
