#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ledger/block.hpp"
#include "ledger/ids.hpp"
#include "ledger/store.hpp"
#include "ledger/time.hpp"

namespace pointhouse::ledger {

/// A member's state as stored: compactly coded (ledger/JOURNAL.md), with all records up to
/// `through`.
struct MemberRow {
    MemberNumber member{};
    Sequence through{};
    std::span<const std::byte> state{};
};

/// The member row that is no member's: what the house counts of its own (blocks, credit,
/// promotions). Members are numbered from 1 and never get there.
inline constexpr MemberNumber house_row{INT64_MAX};

/// A house's shards, from 1. The first keeps what is the whole house's: its steps, the windows, the
/// manifest of the message index, and house_row.
inline constexpr std::size_t shards_max = 16;
inline constexpr ShardId first_shard{1};
/// Where a member lives: its slot (of 256), and so its shard, follow from its number.
[[nodiscard]] constexpr ShardId shard_of(MemberNumber member, std::size_t shards)
{
    if (member.is_none() || member == house_row) return first_shard;
    return ShardId{static_cast<std::uint16_t>(member.value() % 256 % shards + 1)};
}

/// A sealed run of the message-id index: a file beside the journal, covering records up to `last`.
struct IndexRun {
    std::string name{};
    Sequence first{};
    Sequence last{};
    std::uint64_t entries = 0;
    Digest hash{};
    friend bool operator==(const IndexRun&, const IndexRun&) = default;
};

/// A settlement window as the journal marks it. `cut` is the sequence of its cut marker: the last
/// record that belongs to it; none while it is open.
struct Window {
    Month month{};
    Sequence first{};
    Sequence cut{};
    Sequence drained{};
    friend bool operator==(const Window&, const Window&) = default;
};

/// What one durable transaction writes. Spans live until commit() returns.
struct JournalCommit {
    struct Block {
        Sequence first{};
        std::uint32_t count = 0;
        std::span<const std::byte> bytes{};
        std::span<const std::byte>
            contents{};              // companion of erasable message contents; may be empty
        ShardId shard = first_shard; // whose block it is; not said of blocks that are read
    };
    std::vector<Block> blocks{};
    std::vector<MemberRow> members{};
    std::optional<Sequence> watermark{};               // every member row contains all up to here
    std::optional<std::vector<IndexRun>> index_runs{}; // the whole manifest, when it changed
    std::vector<Window> windows{};                     // new or changed
};

enum class CommitResult : std::uint8_t { durable, not_written, unknown };

/// What recovery starts from.
struct JournalState {
    Sequence head{};    // the last record; none: empty
    Digest head_hash{}; // of the last block
    /// Of the last block of each shard, where there are several; zeros: it has none.
    std::vector<Digest> shard_hashes{};
    Sequence watermark{};
    MemberNumber last_member{}; // the highest number of a member row; none: there is none
    std::vector<IndexRun> index_runs{};
    std::vector<Window> windows{}; // oldest first
};

/// A reading connection to a journal; one thread at a time. Throws StoreFailure.
class JournalReader {
public:
    virtual ~JournalReader() = default;
    [[nodiscard]] virtual Sequence head() = 0;
    /// The bytes of the block that holds `sequence`, valid until the next call; empty: there is
    /// none.
    virtual std::span<const std::byte> block_with(Sequence sequence) = 0;
    /// Every block from the one that holds `from`, in order, until `block` returns false.
    /// `first` and `count` are the row's columns, which must agree with the bytes.
    using BlockRow = JournalCommit::Block;
    virtual void for_each_block(
        Sequence from, const std::function<bool(const BlockRow&)>& block) = 0;
    virtual void for_each_member(const std::function<void(const MemberRow&)>& row) = 0;
    /// All that follows sees one snapshot, until end_snapshot().
    virtual void begin_snapshot() = 0;
    virtual void end_snapshot() = 0;
    [[nodiscard]] virtual JournalState state() = 0;
    /// The database's own check of its pages; empty when sound.
    [[nodiscard]] virtual std::string integrity_fault() = 0;
};

/// The hot port to durable state, at the level of a batch: read what a batch needs, commit a block.
/// One writer thread. A store's journal is of one shard; `open_sharded_journal` makes one of
/// several.
class Journal {
public:
    virtual ~Journal() = default;
    /// How many shards it has.
    [[nodiscard]] virtual std::size_t shards() const { return 1; }
    [[nodiscard]] virtual JournalState state() = 0;
    /// Reads the rows of `members` (ascending) and calls `row` for those that exist.
    virtual void read_members(
        std::span<const MemberNumber> members,
        const std::function<void(const MemberRow&)>& row) = 0;
    /// The bytes of the block that holds `sequence`; empty: there is none. Valid until the next
    /// block_with(), state() or reopen(), and so over commits.
    virtual std::span<const std::byte> block_with(Sequence sequence) = 0;
    virtual void for_each_block(
        Sequence from, const std::function<bool(const JournalCommit::Block&)>& block) = 0;
    /// Durable when it says so. `not_written`: surely nothing was. `unknown`: reopen and look.
    virtual CommitResult commit(const JournalCommit& commit) = 0;
    /// Abandons the connection and opens a new one, after an unknown commit. Throws StoreFailure.
    virtual void reopen() = 0;
    /// Whether this process surely still is the one that writes here, so that what it holds in
    /// memory is the newest. Asked before every answer; cheap but now and then.
    [[nodiscard]] virtual bool may_answer() { return true; }
    /// A reading connection for another thread.
    [[nodiscard]] virtual std::unique_ptr<JournalReader> open_reader() = 0;
};

} // namespace pointhouse::ledger
