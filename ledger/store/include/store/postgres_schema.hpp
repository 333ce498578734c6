#pragma once

#include <string>

namespace pointhouse::ledger {

/// The schemas of a house in a PostgreSQL database: `pointhouse` (versions, leases), `journal`,
/// `house`, `identities`, `books`. All throw StoreFailure.

/// Makes them in a database that holds none of them.
void create_postgres_schemas(const std::string& address);
/// Brings those of an older version up to this one; a newer one is refused.
void migrate_postgres_schemas(const std::string& address);
/// Drops the tables of the books; their schema stays.
void drop_postgres_books(const std::string& address);
/// Drops them with all that is in them.
void drop_postgres_schemas(const std::string& address);

} // namespace pointhouse::ledger
