#include "huge_pages.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <new>
#include <sys/mman.h>

#include "ledger/invariant.hpp"

namespace pointhouse::ledger {
namespace {

constexpr std::size_t page = std::size_t{2} << 20;

std::size_t rounded_up(std::size_t bytes, std::size_t to)
{
    return (bytes + to - 1) / to * to;
}

} // namespace

HugePages::~HugePages()
{
    release();
}

void HugePages::release()
{
    for (const Mapping& mapping : mappings_) ::munmap(mapping.at, mapping.bytes);
    mappings_.clear();
    free_.fill(nullptr);
    fresh_ = fresh_end_ = nullptr;
}

HugePages::Kind HugePages::kind_of(std::size_t bytes)
{
    if (bytes <= grained_max) {
        const std::size_t grains = std::max<std::size_t>(1, (bytes + grain - 1) / grain);
        return {.place = grains - 1, .bytes = grains * grain};
    }
    const std::size_t size = std::bit_ceil(bytes);
    const auto above = static_cast<std::size_t>(std::bit_width(size) - std::bit_width(grained_max));
    return {.place = grained_max / grain + above - 1, .bytes = size};
}

// The system's mappings start anywhere: one page more is taken, and the ends are given back.
void* HugePages::map(std::size_t bytes)
{
    void* taken =
        ::mmap(nullptr, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (taken == MAP_FAILED) throw std::bad_alloc{};
    auto* const start = static_cast<std::byte*>(taken);
    const auto address = reinterpret_cast<std::uintptr_t>(taken);
    const std::size_t before = rounded_up(address, page) - address;
    if (before > 0) ::munmap(start, before);
    if (before < page) ::munmap(start + before + bytes, page - before);
    // A wish: where the system has none, ordinary pages do the same more slowly.
    ::madvise(start + before, bytes, MADV_HUGEPAGE);
    mappings_.push_back({.at = start + before, .bytes = bytes});
    return start + before;
}

void* HugePages::do_allocate(std::size_t bytes, std::size_t alignment)
{
    invariant(alignment <= grain, "blocks are aligned to 32 bytes");
    if (bytes > page) return map(rounded_up(bytes, page));
    const Kind kind = kind_of(bytes);
    if (Free* const block = free_[kind.place]) {
        free_[kind.place] = block->next;
        return block;
    }
    if (static_cast<std::size_t>(fresh_end_ - fresh_) < kind.bytes) {
        fresh_ = static_cast<std::byte*>(map(page));
        fresh_end_ = fresh_ + page;
    }
    std::byte* const block = fresh_;
    fresh_ += kind.bytes;
    return block;
}

void HugePages::do_deallocate(void* at, std::size_t bytes, std::size_t /*alignment*/)
{
    if (bytes > page) {
        const auto mapping = std::ranges::find(mappings_, at, &Mapping::at);
        ::munmap(mapping->at, mapping->bytes);
        mappings_.erase(mapping);
        return;
    }
    const std::size_t place = kind_of(bytes).place;
    free_[place] = ::new (at) Free{.next = free_[place]};
}

} // namespace pointhouse::ledger
