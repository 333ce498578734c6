#pragma once

#include <memory>
#include <string>

#include "ledger/journal.hpp"
#include "store/postgres_lease.hpp"

namespace pointhouse::ledger {

/// Opens a shard of the journal in a database whose schemas exist. All shards are under the one
/// lease of the house, which must outlive them. Throws StoreFailure.
std::unique_ptr<Journal> open_postgres_journal(
    std::string address, PostgresLease& lease, ShardId shard = first_shard);

} // namespace pointhouse::ledger
