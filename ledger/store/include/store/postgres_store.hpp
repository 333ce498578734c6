#pragma once

#include <memory>
#include <string>

#include "ledger/store.hpp"
#include "store/postgres_lease.hpp"

namespace pointhouse::ledger {

/// Opens a schema of the house's database as a cold store. One writing connection, readers open
/// their own. Every transaction that writes holds the lease, which must outlive the store. Throws
/// StoreFailure.
std::unique_ptr<Store> open_postgres_store(
    std::string address, std::string schema, PostgresLease& lease);

} // namespace pointhouse::ledger
