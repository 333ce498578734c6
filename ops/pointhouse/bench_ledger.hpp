#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace pointhouse::ops {

struct BenchLedgerOptions {
    std::filesystem::path folder = "/tmp"; // where the house of the bench is made, and removed
    std::string store = "sqlite";          // or an empty PostgreSQL database, emptied afterwards
    std::int64_t members = 1'000'000;
    std::int64_t postings = 20'000'000; // in the journal before the large measurement
    std::int64_t small = 100'000;       // in the journal before the small one
    std::int64_t warm = 6'000'000;      // after reopening, until everybody is in memory
    std::int64_t measured = 2'000'000;  // in each measurement
    std::int64_t replayed = 1'000'000;  // by a start after a kill
    int batch = 4096;
    int lots = 8; // that a member holds on average
    int partners = 4;
    std::int64_t cached_members = 1'000'000;
    std::size_t shards = 1; // of the journal
    bool json = false;
};

/// Measures the ledger of a whole house, projector and hash chain on, without the gateway: durable
/// postings a second with a small and with a large journal, the house closed and opened again
/// before each; start-up time after a stop and after a kill, memory, bytes written, the longest
/// commit. The bound is a raw file
/// append and fdatasync of as many bytes with the same lots in memory; on PostgreSQL rows by COPY
/// alone. Prints rows as CONTRACT.md says.
int run_bench_ledger(const BenchLedgerOptions& options);

} // namespace pointhouse::ops
