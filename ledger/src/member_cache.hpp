#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "huge_pages.hpp"
#include "ledger/journal.hpp"
#include "member.hpp"

namespace pointhouse::ledger {

/// Member states in memory, and their swept write-back. Members change in memory at once and reach
/// their rows in turns: a turn is the members that were dirty at its start, in order of their
/// numbers; each commit writes a slice of it. When the last of a turn is durable, every row
/// contains all records up to the turn's start: the watermark. The writer's thread.
class MemberCache {
public:
    explicit MemberCache(std::size_t members_max) : members_max_{members_max} {}
    ~MemberCache() { clear(); }
    MemberCache(const MemberCache&) = delete;
    MemberCache& operator=(const MemberCache&) = delete;

    /// Forgets everything: rows and journal are the truth.
    void clear();

    [[nodiscard]] Member* find(MemberNumber number);
    /// Brings the place where find() will look towards the processor.
    void prefetch(MemberNumber number) const;
    /// A new member with nothing in it. It must not be there yet.
    Member& insert(MemberNumber number);
    /// The member changed: it goes into the next turn, unless this turn still has to write it.
    void mark_dirty(Member& member);

    /// The rows of the next slice, for a commit of `records`; valid until the next call. `durable`
    /// is the last durable record before this commit.
    std::span<const MemberRow> next_slice(std::size_t records, Sequence durable);
    /// A turn of all that is dirty, whatever the last one left: recovery and a clean stop.
    /// `durable` is the last durable record.
    void start_turn_of_everything(Sequence durable);
    /// The next `members` rows of the turn, without a commit's records; valid until the next call.
    std::span<const MemberRow> next_of_turn(std::size_t members);
    /// The watermark that holds once the rows of the last slice are durable, when it moved.
    [[nodiscard]] std::optional<Sequence> watermark() const { return watermark_; }
    /// The last slice is durable: what it wrote may leave the memory.
    void slice_is_durable();

    /// All members in memory, in order of their numbers.
    template <class Visit>
    void for_each(Visit visit) const
    {
        for (const Page* page : in_order_)
            for (const Member* member : page->members)
                if (member != nullptr) visit(*member);
    }

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::size_t dirty() const { return turn_left_ + next_turn_; }

private:
    // Members by number: numbers are given one after another, so that pages of neighbours fill up,
    // and a sweep in order of the numbers is a walk along the bits.
    static constexpr std::size_t page_words = 62; // a page takes 32 KiB
    static constexpr std::size_t page_members = page_words * 64;
    struct Page {
        std::uint64_t number = 0; // of its first member, divided by page_members
        std::array<Member*, page_members> members{};
        std::array<std::uint64_t, page_words> in_turn{}; // waits for its slice of this turn
        std::array<std::uint64_t, page_words> in_next{}; // changed; goes into the next turn
    };
    static_assert(sizeof(Page) <= std::size_t{32} * 1024);
    struct Place {
        Page* page;
        std::size_t word;
        std::size_t index; // in the page
        std::uint64_t bit; // in the word
    };

    [[nodiscard]] Page* page_of(MemberNumber number) const;
    [[nodiscard]] Place place_of(const Member& member) const;
    void start_turn(Sequence durable);
    void take_from_turn(std::size_t wanted);
    void begin_slice();
    void take_rows();

    std::size_t members_max_;
    std::size_t size_ = 0;
    HugePages memory_;
    boost::unordered_flat_map<std::uint64_t, Page*> pages_;
    std::vector<Page*> in_order_; // pages by number
    std::size_t turn_page_ = 0;   // where the turn stands in them
    std::size_t turn_word_ = 0;
    std::size_t turn_size_ = 0;
    std::size_t turn_left_ = 0;
    std::size_t next_turn_ = 0;
    Sequence turn_start_;
    std::optional<Sequence> watermark_;

    std::vector<Member*> slice_;
    std::vector<std::byte> bytes_;
    std::vector<std::size_t> ends_; // of each row's bytes
    std::vector<MemberRow> rows_;
};

} // namespace pointhouse::ledger
