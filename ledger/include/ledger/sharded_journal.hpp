#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "ledger/journal.hpp"

namespace pointhouse::ledger {

/// Makes one journal of several, one a shard, in their order; the first keeps what is the whole
/// house's. Sequences run on over all shards, so that whoever reads sees one order of records; a
/// block, its members' rows and its hash chain lie in one shard.
///
/// A commit is one transaction in each shard that it touches, all at once, each on a thread of its
/// own; it is durable when all of them are. What only some of them wrote was never answered: when
/// the journal is opened (or reopened), the sequences that are missing between those that are there
/// are filled with steps `unwritten`, so that the order has no gap and never changes. Who decides
/// must not let one shard's records rest on another's of the same commit.
///
/// `ledger_folder` has the head file: a gap before the record that it names is a loss, and refused.
/// Throws StoreFailure, also where a gap cannot be filled. Readers see what was durable in all
/// shards, and may be used on any thread, as of the stores' own journals.
[[nodiscard]] std::unique_ptr<Journal> open_sharded_journal(
    std::vector<std::unique_ptr<Journal>> shards, const std::filesystem::path& ledger_folder);

} // namespace pointhouse::ledger
