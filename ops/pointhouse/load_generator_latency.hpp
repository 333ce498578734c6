#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace pointhouse::ops {

/// Counts latencies in logarithmic buckets: exact to 1/64 from 1 ns to centuries, 30 KiB.
class LatencyHistogram {
public:
    void add(std::chrono::nanoseconds latency);
    void add_all(const LatencyHistogram& other);

    [[nodiscard]] std::uint64_t count() const { return count_; }
    /// The latency that a share (0 to 1) of all does not exceed; zero when there are none.
    [[nodiscard]] std::chrono::nanoseconds quantile(double share) const;

private:
    static constexpr unsigned precision_bits = 6;
    static constexpr std::size_t buckets_per_doubling = std::size_t{1} << precision_bits;

    static std::size_t bucket_of(std::uint64_t nanoseconds);
    static std::uint64_t upper_end_of(std::size_t bucket);

    std::array<std::uint64_t, (64 - precision_bits + 1) * buckets_per_doubling> counts_{};
    std::uint64_t count_ = 0;
};

} // namespace pointhouse::ops
