#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace pointhouse::gateway {

/// What the transport counted since its start. Written and read on the I/O thread.
struct TransportCounters {
    std::uint64_t connections_accepted = 0;
    std::uint64_t connections_refused = 0; // over a cap, closed without an answer
    std::uint64_t connections_open = 0;
    std::uint64_t handshakes_completed = 0;
    std::uint64_t handshakes_failed = 0;
    std::uint64_t certificates_refused = 0;
    std::uint64_t deadlines_passed = 0;
    std::uint64_t accept_pauses = 0;
    std::uint64_t requests_in_flight = 0;
    std::uint64_t bytes_received = 0; // inside TLS
    std::uint64_t bytes_sent = 0;
    std::array<std::uint64_t, 6> answers_by_class{}; // index 4: all 4xx

    /// From the last byte of a request to its answer's hand-over to the kernel. Bucket n holds what
    /// took less than 2^n microseconds and at least half of that.
    static constexpr std::size_t latency_buckets = 28;
    std::array<std::uint64_t, latency_buckets> latency{};
    std::uint64_t latency_us_total = 0;

    void count_answer(int status, std::chrono::nanoseconds took) noexcept
    {
        const auto us = static_cast<std::uint64_t>(took.count()) / 1000;
        const auto bucket = static_cast<std::size_t>(std::bit_width(us));
        ++latency[bucket < latency_buckets ? bucket : latency_buckets - 1];
        latency_us_total += us;
        ++answers_by_class[static_cast<std::size_t>(status / 100) % answers_by_class.size()];
    }
};

/// Appends all of them in the Prometheus text format, names beginning with pointhouse_gateway_.
void append_metrics(std::string& out, const TransportCounters& counters);

} // namespace pointhouse::gateway
