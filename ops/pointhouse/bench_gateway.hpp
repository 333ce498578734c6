#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace pointhouse::ops {

struct BenchGatewayOptions {
    std::filesystem::path executable;                // this program: it is started as the house
    std::filesystem::path nginx = "/usr/sbin/nginx"; // the bound, where it is installed
    std::string store = "sqlite"; // or an empty PostgreSQL database, emptied afterwards
    /// On a database that is not ours alone: transfers a second of a ledger of row locks there with
    /// so many clients, and the removal of the bench's house.
    std::function<double(int, std::chrono::milliseconds)> count_row_locks{};
    std::function<void()> discard_store{};
    int seconds = 5;                       // of one measurement
    int rounds = 3;                        // house and bounds take turns; medians count
    std::vector<int> connections{64, 256}; // of single messages, closed loop
    std::int64_t members = 100'000;        // enrolled first
    int lots = 8;                          // that each of them holds on average
    int partners = 4;
    int open_loop_rate = 20'000;  // requests a second; 0 skips the open loop
    int idle_connections = 1'000; // 0 skips them
    bool json = false;
};

/// Measures a house of its own, in a process of its own on a folder under /tmp that is removed
/// again: `pointhouse bench gateway`. The bound is nginx where it is installed; on PostgreSQL a
/// ledger of row locks on the same server is measured in turns with the house, too. Prints rows as
/// CONTRACT.md says, asserts nothing. Exit code 0, or 1 when the house could not be measured.
int run_bench_gateway(const BenchGatewayOptions& options);

} // namespace pointhouse::ops
