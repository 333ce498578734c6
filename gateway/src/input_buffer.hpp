#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace pointhouse::gateway {

/// Where a connection reads to. Empty while the connection is idle.
struct InputBuffer {
    std::unique_ptr<char[]> bytes;
    std::size_t capacity = 0;
};

/// The input buffers of all connections: 16 KiB ones that are used again, larger ones for single
/// large bodies within a bound for all of them. One thread.
class InputBufferPool {
public:
    static constexpr std::size_t buffer_bytes = std::size_t{16} << 10U;

    explicit InputBufferPool(std::size_t large_bytes_max) : large_bytes_max_{large_bytes_max} {}

    [[nodiscard]] InputBuffer take();
    /// A buffer of exactly `capacity` bytes, or an empty one when all large bodies together would
    /// be over the bound.
    [[nodiscard]] InputBuffer take_large(std::size_t capacity);
    void give_back(InputBuffer buffer);

private:
    std::vector<std::unique_ptr<char[]>> free_;
    std::size_t large_bytes_ = 0;
    std::size_t large_bytes_max_;
};

} // namespace pointhouse::gateway
