#include "store/postgres_schema.hpp"

#include <array>
#include <fmt/format.h>
#include <string_view>

#include "postgres_connection.hpp"

namespace pointhouse::ledger {
namespace {

struct Migration {
    std::string_view name;
    std::string_view sql;
};

// Never edited once released: a change is a migration of its own. The tables of the house's
// record, the identities and the books are made by those who own them.
constexpr std::array migrations{
    Migration{.name = "journal, lease and schemas", .sql = R"sql(
CREATE SCHEMA house;
CREATE SCHEMA identities;
CREATE SCHEMA books;
CREATE SCHEMA journal;

CREATE TABLE pointhouse.lease (
    shard integer PRIMARY KEY CHECK (shard >= 1),
    epoch bigint NOT NULL CHECK (epoch >= 0),
    holder text NOT NULL,
    taken_at timestamptz
) WITH (fillfactor = 10);
INSERT INTO pointhouse.lease (shard, epoch, holder) VALUES (1, 0, '');

CREATE FUNCTION pointhouse.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$function$;

CREATE TABLE journal.block (
    shard integer NOT NULL,
    first bigint NOT NULL CHECK (first >= 1),
    count bigint NOT NULL CHECK (count >= 1),
    bytes bytea NOT NULL,
    PRIMARY KEY (shard, first)
);
CREATE TABLE journal.content (
    shard integer NOT NULL,
    first bigint NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (shard, first)
);
CREATE TABLE journal.member (
    shard integer NOT NULL,
    number bigint NOT NULL CHECK (number >= 1),
    through bigint NOT NULL CHECK (through >= 1),
    state bytea NOT NULL,
    PRIMARY KEY (shard, number)
) WITH (fillfactor = 70);
CREATE TABLE journal.index_run (
    shard integer NOT NULL,
    name text NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    entries bigint NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (shard, name)
);
CREATE TABLE journal.settlement_window (
    shard integer NOT NULL,
    month bigint NOT NULL,
    first bigint NOT NULL,
    cut bigint NOT NULL,
    drained bigint NOT NULL,
    PRIMARY KEY (shard, month)
);
-- A watermark is stored with its complement, so that a change of either shows.
CREATE TABLE journal.watermark (
    shard integer PRIMARY KEY,
    sequence bigint NOT NULL,
    complement bigint NOT NULL
);

-- So that the questions in ledger/BOOKS.md are the same on both stores.
CREATE FUNCTION books.datetime(seconds bigint, form text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_char(to_timestamp(seconds) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS');

-- Blocks are dense already: to try and compress them costs more than writing them.
ALTER TABLE journal.block ALTER COLUMN bytes SET STORAGE EXTERNAL;
ALTER TABLE journal.member ALTER COLUMN state SET STORAGE EXTERNAL;
)sql"},
};

constexpr const char* one_at_a_time = "SELECT pg_advisory_xact_lock(hashtext('pointhouse'))";

bool holds_a_house(PostgresConnection& connection)
{
    return connection
               .run("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname IN"
                    " ('pointhouse', 'journal', 'house', 'identities', 'books')")
               .rows() > 0;
}

void apply(PostgresConnection& connection, std::size_t from)
{
    for (std::size_t place = from; place < migrations.size(); ++place) {
        connection.execute(std::string{migrations[place].sql});
        PostgresParameters parameters;
        parameters.add(static_cast<std::int64_t>(place + 1)).add(migrations[place].name);
        connection.run(
            "INSERT INTO pointhouse.migration (version, name, applied_at)"
            " VALUES ($1, $2, now())",
            parameters);
    }
}

} // namespace

void create_postgres_schemas(const std::string& address)
{
    PostgresConnection connection{address};
    connection.execute("BEGIN");
    connection.execute(one_at_a_time);
    if (holds_a_house(connection))
        throw StoreFailure{"this database holds a house already; a house needs a database of its "
                           "own"};
    connection.execute("CREATE SCHEMA pointhouse; CREATE TABLE pointhouse.migration ("
                       " version bigint PRIMARY KEY, name text NOT NULL,"
                       " applied_at timestamptz NOT NULL)");
    apply(connection, 0);
    connection.execute("COMMIT");
}

void migrate_postgres_schemas(const std::string& address)
{
    PostgresConnection connection{address};
    const auto version_of = [&connection] {
        return connection.run("SELECT COALESCE(MAX(version), 0) FROM pointhouse.migration")
            .int64(0, 0);
    };
    if (connection.run("SELECT 1 WHERE to_regclass('pointhouse.migration') IS NOT NULL").rows() ==
        0)
        throw StoreFailure{"the database holds no house", false, true};
    const auto newest = static_cast<std::int64_t>(migrations.size());
    if (version_of() == newest) return;
    connection.execute("BEGIN");
    connection.execute(one_at_a_time);
    const std::int64_t version = version_of();
    if (version > newest)
        throw StoreFailure{fmt::format(
            "the database is of version {}, this program knows {}: use a newer one",
            version,
            newest)};
    apply(connection, static_cast<std::size_t>(version));
    connection.execute("COMMIT");
}

void drop_postgres_books(const std::string& address)
{
    PostgresConnection connection{address};
    connection.execute(R"sql(
DO $do$
DECLARE one record;
BEGIN
    FOR one IN SELECT relname, relkind FROM pg_catalog.pg_class
        WHERE relnamespace = 'books'::regnamespace AND relkind IN ('r', 'v')
    LOOP
        EXECUTE format('DROP %s IF EXISTS books.%I CASCADE',
            CASE one.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, one.relname);
    END LOOP;
END
$do$)sql");
}

void drop_postgres_schemas(const std::string& address)
{
    PostgresConnection connection{address};
    connection.execute(
        "DROP SCHEMA IF EXISTS pointhouse, journal, house, identities, books CASCADE");
}

} // namespace pointhouse::ledger
