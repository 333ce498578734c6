#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "ledger/journal.hpp"
#include "ledger/posting.hpp"

namespace pointhouse::ledger {

/// Records that are looked at again while their journal is walked. What is asked for is mostly
/// recent (a hold that ends, a purchase that comes back), so the newest blocks stay in memory.
class BlocksBehind {
public:
    explicit BlocksBehind(JournalReader& journal) : journal_{journal} {}

    /// The block that is being walked.
    void keep(const JournalReader::BlockRow& row);
    /// A record of that block or of one before it; without its message id, which would point into
    /// bytes that the next read replaces. `named_by`: the record that a fault names.
    void read(Sequence sequence, Record& out, const Record& named_by);

private:
    [[nodiscard]] std::span<const std::byte> bytes_with(Sequence sequence);

    JournalReader& journal_;
    std::map<Sequence, std::vector<std::byte>> kept_; // by first record, without a gap
    std::size_t kept_bytes_ = 0;
};

} // namespace pointhouse::ledger
