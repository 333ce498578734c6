#pragma once

#include <array>
#include <cstddef>
#include <memory_resource>
#include <vector>

namespace pointhouse::ledger {

/// Memory for what is touched at random among millions of its like: 2 MiB pages, so that an access
/// misses the cache once instead of walking the page table as well. Blocks are kept by size and
/// used again; all goes back to the system with the resource. One thread at a time.
class HugePages final : public std::pmr::memory_resource {
public:
    HugePages() = default;
    ~HugePages() override;
    HugePages(const HugePages&) = delete;
    HugePages& operator=(const HugePages&) = delete;

    /// Gives everything back at once. Nothing that was allocated may be in use.
    void release();

private:
    static constexpr std::size_t grain = 32; // small blocks are multiples of it
    static constexpr std::size_t grained_max = 2048;
    static constexpr std::size_t doubled = 10; // and then powers of two, to 2 MiB
    static constexpr std::size_t kinds = grained_max / grain + doubled;

    struct Free {
        Free* next;
    };
    struct Mapping {
        void* at;
        std::size_t bytes;
    };
    struct Kind {
        std::size_t place;
        std::size_t bytes;
    };

    [[nodiscard]] static Kind kind_of(std::size_t bytes);
    [[nodiscard]] void* map(std::size_t bytes);
    void* do_allocate(std::size_t bytes, std::size_t alignment) override;
    void do_deallocate(void* at, std::size_t bytes, std::size_t alignment) override;
    [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override
    {
        return this == &other;
    }

    std::array<Free*, kinds> free_{};
    std::byte* fresh_ = nullptr; // of the newest page, not handed out yet
    std::byte* fresh_end_ = nullptr;
    std::vector<Mapping> mappings_;
};

} // namespace pointhouse::ledger
