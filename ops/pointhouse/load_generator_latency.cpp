#include "load_generator_latency.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace pointhouse::ops {

// Below 64 ns a bucket is a nanosecond; above, each doubling has 64 buckets.
std::size_t LatencyHistogram::bucket_of(std::uint64_t nanoseconds)
{
    if (nanoseconds < buckets_per_doubling) return nanoseconds;
    const auto width = static_cast<unsigned>(std::bit_width(nanoseconds));
    const unsigned shift = width - precision_bits - 1;
    const auto within = (nanoseconds >> shift) - buckets_per_doubling;
    return (shift + 1) * buckets_per_doubling + within;
}

std::uint64_t LatencyHistogram::upper_end_of(std::size_t bucket)
{
    if (bucket < buckets_per_doubling) return bucket;
    const auto shift = bucket / buckets_per_doubling - 1;
    const auto first = (bucket % buckets_per_doubling + buckets_per_doubling) << shift;
    return first + (std::uint64_t{1} << shift) - 1;
}

void LatencyHistogram::add(std::chrono::nanoseconds latency)
{
    const auto nanoseconds = std::max<std::int64_t>(latency.count(), 0);
    ++counts_.at(bucket_of(static_cast<std::uint64_t>(nanoseconds)));
    ++count_;
}

void LatencyHistogram::add_all(const LatencyHistogram& other)
{
    std::ranges::transform(counts_, other.counts_, counts_.begin(), std::plus{});
    count_ += other.count_;
}

std::chrono::nanoseconds LatencyHistogram::quantile(double share) const
{
    if (count_ == 0) return {};
    const auto rank = std::max<std::uint64_t>(
        static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))), 1);
    std::uint64_t seen = 0;
    std::size_t bucket = 0;
    while (seen + counts_.at(bucket) < rank) seen += counts_.at(bucket++);
    return std::chrono::nanoseconds{static_cast<std::int64_t>(upper_end_of(bucket))};
}

} // namespace pointhouse::ops
