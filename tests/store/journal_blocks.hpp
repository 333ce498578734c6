#pragma once

#include <deque>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/block.hpp"
#include "ledger/journal.hpp"
#include "ledger/terms.hpp"

namespace pointhouse::ledger::test {

/// Commits that a journal takes: blocks of house steps, chained. What it gave lives as long as it.
class JournalBlocks {
public:
    /// The next commit, of one block of `records`.
    JournalCommit next(std::uint32_t records = 1, std::string_view contents = {})
    {
        JournalCommit commit;
        add(commit, first_shard, records, contents);
        return commit;
    }
    /// A commit of one block in each of these shards, in their order.
    JournalCommit over(std::initializer_list<std::uint16_t> shards)
    {
        JournalCommit commit;
        for (const std::uint16_t shard : shards) add(commit, ShardId{shard}, 2, {});
        return commit;
    }
    void add(JournalCommit& commit, ShardId shard, std::uint32_t records, std::string_view contents)
    {
        Digest& previous = previous_[shard];
        BlockBuilder& builder = builders_.emplace_back();
        builder.start(
            {.shard = shard,
             .first = Sequence{head_ + 1},
             .window = {.year = 2026, .month = 6},
             .previous = previous});
        for (std::uint32_t record = 0; record < records; ++record)
            builder.append({.sequence = Sequence{++head_}, .type = MessageType::clock});
        const auto bytes = builder.finish(Terms{});
        previous = builder.header().hash;
        commit.blocks.push_back(
            {.first = builder.header().first,
             .count = records,
             .bytes = bytes,
             .contents = std::as_bytes(std::span{contents}),
             .shard = shard});
    }
    /// Goes back: the commit given last was not written.
    void take_back(const JournalCommit& commit)
    {
        const auto view =
            BlockView::parse(commit.blocks.front().bytes, BlockView::Check::frame).value();
        head_ = view.header().first.value() - 1;
        previous_[view.header().shard] = view.header().previous;
    }
    [[nodiscard]] Sequence head() const { return Sequence{head_}; }
    [[nodiscard]] const Digest& hash(ShardId shard = first_shard) { return previous_[shard]; }

private:
    std::deque<BlockBuilder> builders_;
    std::uint64_t head_ = 0;
    std::map<ShardId, Digest> previous_;
};

inline MemberRow member_row(std::uint64_t number, std::uint64_t through, std::string_view state)
{
    return {
        .member = MemberNumber{number},
        .through = Sequence{through},
        .state = std::as_bytes(std::span{state})};
}

inline std::string text_of(std::span<const std::byte> bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace pointhouse::ledger::test
