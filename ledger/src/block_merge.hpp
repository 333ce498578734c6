#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <span>
#include <vector>

#include "ledger/journal.hpp"

namespace pointhouse::ledger {

/// The blocks of several shards in the order of their records. `Source` has `for_each_block`.
template <class Source>
class BlockMerge {
public:
    /// Begins with the block that holds `from`, where there is one.
    BlockMerge(std::span<Source* const> sources, Sequence from)
    {
        for (Source* source : sources) streams_.push_back({.source = source, .next = from});
        for (Stream& stream : streams_) fill(stream);
    }

    /// The next block, valid until the next call; null: there are no more.
    const JournalCommit::Block* next()
    {
        if (given_ != nullptr) drop_given();
        for (Stream& stream : streams_) {
            if (stream.held.empty()) continue;
            if (given_ == nullptr || stream.held.front().first < given_->held.front().first)
                given_ = &stream;
        }
        if (given_ == nullptr) return nullptr;
        const Held& held = given_->held.front();
        block_ = {
            .first = held.first,
            .count = held.count,
            .bytes = held.bytes,
            .contents = held.contents};
        return &block_;
    }

private:
    // So much is read ahead of one shard at a time.
    static constexpr std::size_t bytes_held_max = std::size_t{1} << 20U;

    struct Held {
        Sequence first;
        std::uint32_t count = 0;
        Bytes bytes;
        Bytes contents;
    };
    struct Stream {
        Source* source = nullptr;
        Sequence next;
        std::deque<Held> held{};
        bool is_at_end = false;
    };

    static void fill(Stream& stream)
    {
        std::size_t bytes = 0;
        stream.is_at_end = true;
        stream.source->for_each_block(stream.next, [&](const JournalCommit::Block& block) {
            if (block.first.value() + block.count <= stream.next.value()) return true;
            stream.held.push_back(
                {.first = block.first,
                 .count = block.count,
                 .bytes = {block.bytes.begin(), block.bytes.end()},
                 .contents = {block.contents.begin(), block.contents.end()}});
            bytes += block.bytes.size() + block.contents.size();
            stream.is_at_end = bytes < bytes_held_max;
            return stream.is_at_end;
        });
        if (!stream.held.empty())
            stream.next = Sequence{stream.held.back().first.value() + stream.held.back().count};
    }

    void drop_given()
    {
        given_->held.pop_front();
        if (given_->held.empty() && !given_->is_at_end) fill(*given_);
        given_ = nullptr;
    }

    std::vector<Stream> streams_;
    Stream* given_ = nullptr;
    JournalCommit::Block block_;
};

} // namespace pointhouse::ledger
