#pragma once

#include <memory>
#include <string>

#include "ledger/journal.hpp"
#include "store/postgres_lease.hpp"

namespace pointhouse::ledger {

/// Opens the lease's shard of the journal in a database whose schemas exist. The lease must outlive
/// it. Throws StoreFailure.
std::unique_ptr<Journal> open_postgres_journal(std::string address, PostgresLease& lease);

} // namespace pointhouse::ledger
