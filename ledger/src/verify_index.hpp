#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "index_run.hpp"
#include "ledger/journal.hpp"
#include "ledger/ledger.hpp"
#include "ledger/posting.hpp"
#include "message_index.hpp"

namespace pointhouse::ledger {

/// The message index as its files have it, held against the records that it has to find.
class IndexedMessages {
public:
    explicit IndexedMessages(const LedgerKeys& keys) : keys_{keys.fingerprint} {}

    /// The runs that the journal names, each following the one before it, none beyond its `head`.
    void open(
        const std::filesystem::path& folder, const std::vector<IndexRun>& runs, Sequence head);
    /// What the runs cover of this record, they find.
    void check(const Record& record);
    /// After the last record: the runs hold nothing else.
    void finish() const;

private:
    void require_found(std::uint64_t key, const Record& record);

    IndexKeys keys_;
    std::vector<std::shared_ptr<const IndexRunFile>> runs_;
    Sequence covered_; // by the runs
    std::uint64_t entries_ = 0;
    std::uint64_t found_ = 0;
    std::vector<Sequence> candidates_;
};

} // namespace pointhouse::ledger
