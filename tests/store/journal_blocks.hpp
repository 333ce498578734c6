#pragma once

#include <deque>
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
        BlockBuilder& builder = builders_.emplace_back();
        builder.start(
            {.shard = ShardId{1},
             .first = Sequence{head_ + 1},
             .window = {.year = 2026, .month = 6},
             .previous = previous_});
        for (std::uint32_t record = 0; record < records; ++record)
            builder.append({.sequence = Sequence{++head_}, .type = MessageType::clock});
        const auto bytes = builder.finish(Terms{});
        previous_ = builder.header().hash;
        JournalCommit commit;
        commit.blocks.push_back(
            {.first = builder.header().first,
             .count = records,
             .bytes = bytes,
             .contents = std::as_bytes(std::span{contents})});
        return commit;
    }
    /// Goes back: the commit given last was not written.
    void take_back(const JournalCommit& commit)
    {
        const auto view =
            BlockView::parse(commit.blocks.front().bytes, BlockView::Check::frame).value();
        head_ = view.header().first.value() - 1;
        previous_ = view.header().previous;
    }
    [[nodiscard]] Sequence head() const { return Sequence{head_}; }
    [[nodiscard]] const Digest& hash() const { return previous_; }

private:
    std::deque<BlockBuilder> builders_;
    std::uint64_t head_ = 0;
    Digest previous_{};
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
