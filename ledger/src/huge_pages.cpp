#include "huge_pages.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <sys/mman.h>

#include "ledger/invariant.hpp"

namespace pointhouse::ledger {
namespace {

constexpr std::size_t system_page = std::size_t{4} << 10;
constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr std::size_t arena_bytes = std::size_t{64} << 20;
/// A block of this size goes back to the system when it is freed, but for its edges.
constexpr std::size_t given_back_min = std::size_t{64} << 10;
constexpr int looked_at_max = 8; // blocks of a list of different sizes

std::size_t rounded_up(std::size_t bytes, std::size_t to)
{
    return (bytes + to - 1) / to * to;
}

// A table that doubled leaves what it had, and nobody may need that size again.
void give_back(std::byte* block, std::size_t bytes)
{
    const auto address = reinterpret_cast<std::uintptr_t>(block);
    const std::size_t begin = rounded_up(address + 1, system_page) - address;
    const std::size_t end = (address + bytes - 1) / system_page * system_page - address;
    ::madvise(block + begin, end - begin, MADV_DONTNEED);
}

} // namespace

/// What stands at the start of 64 MiB of memory, which start at a multiple of that: which grains
/// are the first or the last one of a free block. A free block's last eight bytes are its size.
struct HugePages::Arena {
    static constexpr std::size_t grains = arena_bytes / grain;
    std::array<std::uint64_t, grains / 64> edges{};

    [[nodiscard]] static Arena& of(const std::byte* at)
    {
        // NOLINTNEXTLINE(performance-no-int-to-ptr): an address cut to a multiple has no other form
        return *reinterpret_cast<Arena*>(
            reinterpret_cast<std::uintptr_t>(at) / arena_bytes * arena_bytes);
    }
    [[nodiscard]] std::size_t grain_of(const std::byte* at) const
    {
        return static_cast<std::size_t>(at - reinterpret_cast<const std::byte*>(this)) / grain;
    }
    [[nodiscard]] bool is_edge(std::size_t number) const
    {
        return (edges[number / 64] >> (number % 64) & 1) != 0;
    }
    void set_edges(const std::byte* at, std::size_t bytes, bool is_free)
    {
        for (const std::size_t number : {grain_of(at), grain_of(at + bytes) - 1}) {
            const std::uint64_t bit = std::uint64_t{1} << (number % 64);
            is_free ? edges[number / 64] |= bit : edges[number / 64] &= ~bit;
        }
    }
};

HugePages::~HugePages()
{
    release();
}

void HugePages::release()
{
    for (const Mapping& mapping : mappings_) ::munmap(mapping.at, mapping.bytes);
    mappings_.clear();
    free_.fill(nullptr);
    has_free_.fill(0);
    fresh_ = fresh_end_ = nullptr;
}

std::size_t HugePages::kind_of(std::size_t bytes)
{
    if (bytes <= exact_max) return bytes / grain - 1;
    return exact_kinds +
           static_cast<std::size_t>(std::bit_width(bytes) - std::bit_width(exact_max));
}

// The system's mappings start anywhere: one alignment more is taken, and the ends are given back.
void* HugePages::map(std::size_t bytes, std::size_t alignment)
{
    void* taken = ::mmap(
        nullptr, bytes + alignment, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (taken == MAP_FAILED) throw std::bad_alloc{};
    auto* const start = static_cast<std::byte*>(taken);
    const auto address = reinterpret_cast<std::uintptr_t>(taken);
    const std::size_t before = rounded_up(address, alignment) - address;
    if (before > 0) ::munmap(start, before);
    if (before < alignment) ::munmap(start + before + bytes, alignment - before);
    // A wish: where the system has none, ordinary pages do the same more slowly.
    ::madvise(start + before, bytes, MADV_HUGEPAGE);
    mappings_.push_back({.at = start + before, .bytes = bytes});
    return start + before;
}

void HugePages::remove_free(Free* block)
{
    const std::size_t kind = kind_of(block->bytes);
    if (block->next != nullptr) block->next->previous = block->previous;
    if (block->previous != nullptr) {
        block->previous->next = block->next;
    } else {
        free_[kind] = block->next;
        if (block->next == nullptr) has_free_[kind / 64] &= ~(std::uint64_t{1} << (kind % 64));
    }
    auto* const at = reinterpret_cast<std::byte*>(block);
    Arena::of(at).set_edges(at, block->bytes, false);
}

void HugePages::put_free(std::byte* at, std::size_t bytes)
{
    const std::size_t kind = kind_of(bytes);
    auto* const block = ::new (at) Free{.next = free_[kind], .previous = nullptr, .bytes = bytes};
    if (block->next != nullptr) block->next->previous = block;
    free_[kind] = block;
    has_free_[kind / 64] |= std::uint64_t{1} << (kind % 64);
    std::memcpy(at + bytes - sizeof bytes, &bytes, sizeof bytes);
    Arena::of(at).set_edges(at, bytes, true);
}

HugePages::Free* HugePages::find_free(std::size_t bytes) const
{
    std::size_t kind = kind_of(bytes);
    if (bytes > exact_max) { // the list holds smaller ones, too
        int looked_at = 0;
        for (Free* block = free_[kind]; block != nullptr && looked_at < looked_at_max;
             block = block->next, ++looked_at)
            if (block->bytes >= bytes) return block;
        ++kind;
    }
    std::size_t word = kind / 64;
    std::uint64_t found = has_free_[word] >> (kind % 64) << (kind % 64);
    while (found == 0 && ++word < has_free_.size()) found = has_free_[word];
    return found == 0 ? nullptr
                      : free_[word * 64 + static_cast<std::size_t>(std::countr_zero(found))];
}

std::byte* HugePages::take_free(std::size_t bytes)
{
    Free* const block = find_free(bytes);
    if (block == nullptr) return nullptr;
    const std::size_t left = block->bytes - bytes;
    remove_free(block);
    auto* const at = reinterpret_cast<std::byte*>(block);
    if (left > 0) put_free(at + bytes, left);
    return at;
}

std::byte* HugePages::take_fresh(std::size_t bytes)
{
    if (static_cast<std::size_t>(fresh_end_ - fresh_) < bytes) {
        if (fresh_ != fresh_end_) put_free(fresh_, static_cast<std::size_t>(fresh_end_ - fresh_));
        auto* const arena = static_cast<std::byte*>(map(arena_bytes, arena_bytes));
        fresh_ = arena + sizeof(Arena); // whose zeros are the system's
        fresh_end_ = arena + arena_bytes;
    }
    std::byte* const at = fresh_;
    fresh_ += bytes;
    return at;
}

void* HugePages::do_allocate(std::size_t bytes, std::size_t alignment)
{
    invariant(alignment <= grain, "blocks are aligned to 32 bytes");
    if (bytes > huge_page) return map(rounded_up(bytes, huge_page), huge_page);
    bytes = rounded_up(std::max(bytes, grain), grain);
    if (std::byte* const at = take_free(bytes)) return at;
    return take_fresh(bytes);
}

void HugePages::do_deallocate(void* block, std::size_t bytes, std::size_t /*alignment*/)
{
    if (bytes > huge_page) {
        const auto mapping = std::ranges::find(mappings_, block, &Mapping::at);
        ::munmap(mapping->at, mapping->bytes);
        mappings_.erase(mapping);
        return;
    }
    bytes = rounded_up(std::max(bytes, grain), grain);
    auto* at = static_cast<std::byte*>(block);
    if (bytes >= given_back_min) give_back(at, bytes);
    const Arena& arena = Arena::of(at);
    const std::size_t first = arena.grain_of(at);
    if (arena.is_edge(first - 1)) {
        std::size_t before = 0;
        std::memcpy(&before, at - sizeof before, sizeof before);
        at -= before;
        bytes += before;
        remove_free(reinterpret_cast<Free*>(at));
    }
    if (at + bytes == fresh_) {
        fresh_ = at;
        return;
    }
    const std::size_t next = arena.grain_of(at + bytes);
    if (next < Arena::grains && arena.is_edge(next)) {
        auto* const after = reinterpret_cast<Free*>(at + bytes);
        bytes += after->bytes;
        remove_free(after);
    }
    put_free(at, bytes);
}

} // namespace pointhouse::ledger
