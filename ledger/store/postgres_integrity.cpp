#include "postgres_integrity.hpp"

#include <fmt/format.h>

namespace pointhouse::ledger {
namespace {

void read_tables(PostgresConnection& connection, const PostgresParameters& schema)
{
    const auto tables = connection.run(
        "SELECT CAST(to_regclass(format('%I.%I', schemaname, tablename)) AS text)"
        " FROM pg_catalog.pg_tables WHERE schemaname = $1",
        schema);
    // The table itself, not an index that has all that a count needs.
    connection.execute("SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_indexscan = off;"
                       "SET LOCAL enable_bitmapscan = off");
    for (int row = 0; row < tables.rows(); ++row)
        connection.run(fmt::format("SELECT count(t) FROM {} AS t", tables.text(row, 0)));
}

void check_indexes(PostgresConnection& connection, const PostgresParameters& schema)
{
    const auto extension =
        connection.run("SELECT n.nspname::text FROM pg_catalog.pg_extension e"
                       " JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace"
                       " WHERE e.extname = 'amcheck'");
    if (extension.rows() == 0) return;
    connection.run(
        fmt::format(
            "SELECT 1 FROM (SELECT \"{}\".bt_index_check(i.indexrelid::regclass, true)"
            " FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
            " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
            " JOIN pg_catalog.pg_am a ON a.oid = c.relam"
            " WHERE n.nspname = $1 AND a.amname = 'btree' AND i.indisvalid) AS checked",
            extension.text(0, 0)),
        schema);
}

} // namespace

std::string fault_of_schema(PostgresConnection& connection, const std::string& schema)
{
    const bool is_nested = connection.in_transaction();
    try {
        PostgresParameters parameters;
        parameters.add(std::string_view{schema});
        if (!is_nested) connection.execute("BEGIN");
        read_tables(connection, parameters);
        check_indexes(connection, parameters);
        if (!is_nested) connection.execute("COMMIT");
    } catch (const PostgresFailure& failure) {
        connection.roll_back();
        if (connection.is_broken()) throw;
        return failure.what();
    }
    return {};
}

} // namespace pointhouse::ledger
