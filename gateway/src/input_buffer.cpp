#include "input_buffer.hpp"

#include <utility>

namespace pointhouse::gateway {
namespace {

constexpr std::size_t free_buffers_max = 256;

InputBuffer allocated(std::size_t capacity)
{
    return {.bytes = std::make_unique_for_overwrite<char[]>(capacity), .capacity = capacity};
}

} // namespace

InputBuffer InputBufferPool::take()
{
    if (free_.empty()) return allocated(buffer_bytes);
    InputBuffer buffer{.bytes = std::move(free_.back()), .capacity = buffer_bytes};
    free_.pop_back();
    return buffer;
}

InputBuffer InputBufferPool::take_large(std::size_t capacity)
{
    if (large_bytes_ + capacity > large_bytes_max_) return {};
    large_bytes_ += capacity;
    return allocated(capacity);
}

void InputBufferPool::give_back(InputBuffer buffer)
{
    if (buffer.capacity > buffer_bytes) {
        large_bytes_ -= buffer.capacity;
    } else if (buffer.bytes && free_.size() < free_buffers_max) {
        free_.push_back(std::move(buffer.bytes));
    }
}

} // namespace pointhouse::gateway
