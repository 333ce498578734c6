#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace pointhouse::ops {

struct BenchGatewayOptions {
    std::filesystem::path executable;                // this program: it is started as the house
    std::filesystem::path nginx = "/usr/sbin/nginx"; // the bound, where it is installed
    int seconds = 5;                                 // of one measurement
    int rounds = 3;                                  // house and bounds take turns; medians count
    std::vector<int> connections{64, 256};           // of single messages, closed loop
    std::int64_t members = 100'000;                  // enrolled first
    int lots = 8;                                    // that each of them holds on average
    int partners = 4;
    int open_loop_rate = 20'000;  // requests a second; 0 skips the open loop
    int idle_connections = 1'000; // 0 skips them
    bool json = false;
};

/// Measures a house of its own, in a process of its own on a folder under /tmp that is removed
/// again: `pointhouse bench gateway`. Prints rows as CONTRACT.md says, asserts nothing. Exit code
/// 0, or 1 when the house could not be measured.
int run_bench_gateway(const BenchGatewayOptions& options);

} // namespace pointhouse::ops
