#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <vector>

namespace pointhouse::ledger {

/// Memory for what is touched at random among millions of its like: 2 MiB pages, so that an access
/// misses the cache once instead of walking the page table as well. A block that is free joins its
/// free neighbours, so that what members of one size leave behind serves those of another (best
/// fit: Knuth, TAOCP 1, 2.5). All goes back to the system with the resource. One thread at a time.
class HugePages final : public std::pmr::memory_resource {
public:
    HugePages() = default;
    ~HugePages() override;
    HugePages(const HugePages&) = delete;
    HugePages& operator=(const HugePages&) = delete;

    /// Gives everything back at once. Nothing that was allocated may be in use.
    void release();

private:
    static constexpr std::size_t grain = 32;       // blocks are multiples of it
    static constexpr std::size_t exact_max = 2048; // a list for each size; above, for each doubling
    static constexpr std::size_t exact_kinds = exact_max / grain;
    static constexpr std::size_t kinds = 128;

    struct Free {
        Free* next;
        Free* previous;
        std::size_t bytes;
    };
    struct Arena;
    struct Mapping {
        void* at;
        std::size_t bytes;
    };

    [[nodiscard]] static std::size_t kind_of(std::size_t bytes);
    [[nodiscard]] void* map(std::size_t bytes, std::size_t alignment);
    /// Of the smallest that is known to be large enough; null: there is none.
    [[nodiscard]] Free* find_free(std::size_t bytes) const;
    [[nodiscard]] std::byte* take_free(std::size_t bytes);
    [[nodiscard]] std::byte* take_fresh(std::size_t bytes);
    void put_free(std::byte* at, std::size_t bytes);
    void remove_free(Free* block);
    void* do_allocate(std::size_t bytes, std::size_t alignment) override;
    void do_deallocate(void* at, std::size_t bytes, std::size_t alignment) override;
    [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override
    {
        return this == &other;
    }

    std::array<Free*, kinds> free_{};
    std::array<std::uint64_t, kinds / 64> has_free_{}; // a bit for each kind
    std::byte* fresh_ = nullptr; // of the newest arena, never handed out or come back
    std::byte* fresh_end_ = nullptr;
    std::vector<Mapping> mappings_;
};

} // namespace pointhouse::ledger
