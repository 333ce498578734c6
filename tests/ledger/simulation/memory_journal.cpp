#include "simulation/memory_journal.hpp"

#include <cstring>
#include <stdexcept>

namespace pointhouse::ledger::test {
namespace {

Bytes copy_of(std::span<const std::byte> bytes)
{
    return {bytes.begin(), bytes.end()};
}

Sequence head_of(const Disk& disk)
{
    if (disk.blocks.empty()) return {};
    const auto& [first, last] = *disk.blocks.rbegin();
    return Sequence{first.value() + last.count - 1};
}

class MemoryReader final : public JournalReader {
public:
    explicit MemoryReader(Disk& disk) : disk_{disk}, journal_{disk} {}

    Sequence head() override { return head_of(disk_); }
    std::span<const std::byte> block_with(Sequence sequence) override
    {
        return journal_.block_with(sequence);
    }
    void for_each_block(Sequence from, const std::function<bool(const BlockRow&)>& block) override
    {
        journal_.for_each_block(from, block);
    }
    void for_each_member(const std::function<void(const MemberRow&)>& row) override
    {
        for (const auto& [member, stored] : disk_.members)
            row({.member = member, .through = stored.through, .state = stored.state});
    }
    // Nobody writes meanwhile.
    void begin_snapshot() override {}
    void end_snapshot() override {}
    JournalState state() override { return journal_.state(); }
    std::string integrity_fault() override { return {}; }

private:
    Disk& disk_;
    MemoryJournal journal_;
};

} // namespace

JournalState MemoryJournal::state()
{
    lent_.reset();
    JournalState state{
        .head = head_of(disk_), .watermark = disk_.watermark, .index_runs = disk_.index_runs};
    for (const auto& [month, window] : disk_.windows) state.windows.push_back(window);
    if (disk_.blocks.empty()) return state;
    const Disk::StoredBlock& last = disk_.blocks.rbegin()->second;
    std::memcpy(
        state.head_hash.data(),
        last.bytes.data() + last.bytes.size() - state.head_hash.size(),
        state.head_hash.size());
    return state;
}

void MemoryJournal::read_members(
    std::span<const MemberNumber> members, const std::function<void(const MemberRow&)>& row)
{
    for (const MemberNumber member : members) {
        const auto found = disk_.members.find(member);
        if (found == disk_.members.end()) continue;
        const Bytes state = found->second.state;
        row({.member = member, .through = found->second.through, .state = state});
    }
}

std::span<const std::byte> MemoryJournal::block_with(Sequence sequence)
{
    lent_.reset();
    auto found = disk_.blocks.upper_bound(sequence);
    if (found == disk_.blocks.begin()) return {};
    --found;
    if (sequence.value() >= found->first.value() + found->second.count) return {};
    lent_ = std::make_unique<Bytes>(found->second.bytes);
    return *lent_;
}

void MemoryJournal::for_each_block(
    Sequence from, const std::function<bool(const JournalCommit::Block&)>& block)
{
    auto at = disk_.blocks.upper_bound(from);
    if (at != disk_.blocks.begin()) --at;
    for (; at != disk_.blocks.end(); ++at) {
        const auto& [first, stored] = *at;
        if (first.value() + stored.count <= from.value()) continue;
        const Bytes bytes = stored.bytes;
        if (!block({.first = first, .count = stored.count, .bytes = bytes})) return;
    }
}

CommitResult MemoryJournal::commit(const JournalCommit& commit)
{
    for (const auto& block : commit.blocks) {
        // What lies between may be another shard's; the recount finds a gap.
        if (block.first <= head_of(disk_))
            throw std::logic_error{"a block that does not follow the last one"};
        disk_.blocks[block.first] = {.count = block.count, .bytes = copy_of(block.bytes)};
    }
    for (const MemberRow& row : commit.members)
        disk_.members[row.member] = {.through = row.through, .state = copy_of(row.state)};
    if (commit.watermark) disk_.watermark = *commit.watermark;
    if (commit.index_runs) disk_.index_runs = *commit.index_runs;
    for (const Window& window : commit.windows) disk_.windows[window.month] = window;
    return CommitResult::durable;
}

std::unique_ptr<JournalReader> MemoryJournal::open_reader()
{
    return std::make_unique<MemoryReader>(disk_);
}

} // namespace pointhouse::ledger::test
