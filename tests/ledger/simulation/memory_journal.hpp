#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "ledger/journal.hpp"

namespace pointhouse::ledger::test {

/// What of one journal survives the process.
struct Disk {
    struct StoredBlock {
        std::uint32_t count = 0;
        Bytes bytes;
    };
    struct StoredMember {
        Sequence through;
        Bytes state;
    };
    std::map<Sequence, StoredBlock> blocks; // by first record
    std::map<MemberNumber, StoredMember> members;
    Sequence watermark;
    std::vector<IndexRun> index_runs;
    std::map<Month, Window> windows;
};

/// The journal port in the plainest way: containers, no file. What it lends is taken away as early
/// as the port allows. `disk` outlives it.
class MemoryJournal final : public Journal {
public:
    explicit MemoryJournal(Disk& disk) : disk_{disk} {}

    JournalState state() override;
    void read_members(
        std::span<const MemberNumber> members,
        const std::function<void(const MemberRow&)>& row) override;
    std::span<const std::byte> block_with(Sequence sequence) override;
    void for_each_block(
        Sequence from, const std::function<bool(const JournalCommit::Block&)>& block) override;
    CommitResult commit(const JournalCommit& commit) override;
    void reopen() override { lent_.reset(); }
    std::unique_ptr<JournalReader> open_reader() override;

private:
    Disk& disk_;
    std::unique_ptr<Bytes> lent_;
};

} // namespace pointhouse::ledger::test
