#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

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

    /// Forgets everything: rows and journal are the truth.
    void clear();

    [[nodiscard]] Member* find(MemberNumber number);
    /// Takes in a member that was read or is new. It must not be there yet.
    Member& insert(std::unique_ptr<Member> member);
    /// The member changed: it goes into the next turn, unless this turn still has to write it.
    void mark_dirty(Member& member);

    /// The rows of the next slice, for a commit of `records`; valid until the next call. `durable`
    /// is the last durable record before this commit.
    std::span<const MemberRow> next_slice(std::size_t records, Sequence durable);
    /// All dirty members: recovery and a clean stop.
    std::span<const MemberRow> everything_dirty();
    /// The watermark that holds once the rows of the last slice are durable, when it moved.
    [[nodiscard]] std::optional<Sequence> watermark() const { return watermark_; }
    /// The last slice is durable: what it wrote may leave the memory.
    void slice_is_durable();

    [[nodiscard]] std::size_t size() const { return members_.size(); }
    [[nodiscard]] std::size_t dirty() const
    {
        return turn_.size() - turn_place_ + next_turn_.size();
    }

private:
    void start_turn(Sequence durable);
    void write(Member& member);
    void take_rows();

    std::size_t members_max_;
    boost::unordered_flat_map<std::uint64_t, std::unique_ptr<Member>> members_;
    std::vector<Member*> next_turn_;
    std::vector<Member*> turn_;
    std::size_t turn_place_ = 0;
    Sequence turn_start_;
    std::optional<Sequence> watermark_;

    std::vector<Member*> slice_;
    std::vector<std::byte> bytes_;
    std::vector<std::size_t> ends_; // of each row's bytes
    std::vector<MemberRow> rows_;
};

} // namespace pointhouse::ledger
