#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "huge_pages.hpp"

namespace pointhouse::ledger {

/// An open-addressing table of small plain entries that are only ever added. It grows in segments,
/// each on its own, so that no insertion stalls for long; and an entry's place can be prefetched.
/// Entry: `hash()`, uniform over 64 bits; `is_empty()`, true when value-initialised. Several
/// entries may have one hash. One thread at a time, or any number that only read.
template <class Entry>
class HashTable {
    static_assert(std::is_trivially_copyable_v<Entry>);

public:
    /// `entries` that it takes without growing.
    explicit HashTable(std::size_t entries = 0)
    {
        std::size_t slots = slots_at_first;
        while (slots * segments * 3 < entries * 5) slots *= 2;
        for (Segment& segment : segments_) segment.slots = make_slots(slots);
    }

    void insert(const Entry& entry)
    {
        Segment& segment = segment_of(entry.hash());
        if (segment.used * 4 >= segment.slots.size() * 3) grow(segment);
        put(segment, entry);
        ++segment.used;
        ++size_;
    }

    /// Calls `change(entry)` for every entry with this hash; the hash must stay.
    template <class Change>
    void change_each(std::uint64_t hash, Change change)
    {
        const Segment& segment = segment_of(hash);
        const std::size_t mask = segment.slots.size() - 1;
        for (std::size_t slot = hash & mask; !segment.slots[slot].is_empty();
             slot = (slot + 1) & mask)
            if (segment.slots[slot].hash() == hash) change(segment.slots[slot]);
    }

    void prefetch(std::uint64_t hash) const
    {
        const Segment& segment = segment_of(hash);
        __builtin_prefetch(&segment.slots[hash & (segment.slots.size() - 1)]);
    }

    /// Calls `visit(entry)` for every entry with this hash.
    template <class Visit>
    void for_each(std::uint64_t hash, Visit visit) const
    {
        const Segment& segment = segment_of(hash);
        const std::size_t mask = segment.slots.size() - 1;
        for (std::size_t slot = hash & mask; !segment.slots[slot].is_empty();
             slot = (slot + 1) & mask)
            if (segment.slots[slot].hash() == hash) visit(segment.slots[slot]);
    }

    /// All entries, segment by segment: of one segment are those whose hashes share their six
    /// highest bits, ascending.
    template <class Visit>
    void for_each_segment(Visit visit) const
    {
        std::vector<Entry> entries;
        for (const Segment& segment : segments_) {
            entries.clear();
            for (const Entry& entry : segment.slots)
                if (!entry.is_empty()) entries.push_back(entry);
            visit(entries);
        }
    }

    /// Forgets all entries and keeps the memory.
    void clear()
    {
        for (Segment& segment : segments_) {
            std::ranges::fill(segment.slots, Entry{});
            segment.used = 0;
        }
        size_ = 0;
    }

    [[nodiscard]] std::size_t size() const { return size_; }
    /// It took more than it was made for.
    [[nodiscard]] bool has_grown() const { return has_grown_; }

private:
    static constexpr std::size_t segments = 64;
    static constexpr std::size_t slots_at_first = 64;

    struct Segment {
        std::span<Entry> slots;
        std::size_t used = 0;
    };

    [[nodiscard]] Segment& segment_of(std::uint64_t hash) { return segments_[hash >> 58]; }
    [[nodiscard]] const Segment& segment_of(std::uint64_t hash) const
    {
        return segments_[hash >> 58];
    }

    static void put(Segment& segment, const Entry& entry)
    {
        const std::size_t mask = segment.slots.size() - 1;
        std::size_t slot = entry.hash() & mask;
        while (!segment.slots[slot].is_empty()) slot = (slot + 1) & mask;
        segment.slots[slot] = entry;
    }

    [[nodiscard]] std::span<Entry> make_slots(std::size_t slots)
    {
        auto* const first =
            static_cast<Entry*>(memory_.allocate(slots * sizeof(Entry), alignof(Entry)));
        std::uninitialized_value_construct_n(first, slots);
        return {first, slots};
    }

    void grow(Segment& segment)
    {
        has_grown_ = true;
        const std::span<Entry> before = segment.slots;
        segment.slots = make_slots(before.size() * 2);
        for (const Entry& entry : before)
            if (!entry.is_empty()) put(segment, entry);
        memory_.deallocate(before.data(), before.size_bytes(), alignof(Entry));
    }

    HugePages memory_;
    std::array<Segment, segments> segments_{};
    std::size_t size_ = 0;
    bool has_grown_ = false;
};

} // namespace pointhouse::ledger
