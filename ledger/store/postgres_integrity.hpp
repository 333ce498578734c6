#pragma once

#include <string>

#include "postgres_connection.hpp"

namespace pointhouse::ledger {

/// Reads every table of a schema, so that the server checks its pages' checksums (where the cluster
/// has them), and every index with the extension amcheck, where the database has it. The first
/// complaint; empty when there is none.
[[nodiscard]] std::string fault_of_schema(
    PostgresConnection& connection, const std::string& schema);

} // namespace pointhouse::ledger
