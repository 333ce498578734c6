#include "store/postgres_dump.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

#include "postgres_connection.hpp"

namespace pointhouse::ledger {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view rows_suffix = ".rows";
constexpr const char* tables_file = "tables.sql";
constexpr const char* constraints_file = "constraints.sql";

// The tables of the journal come with the schemas; these are made by those who own them.
constexpr const char* create_tables = R"sql(
SELECT format('CREATE TABLE %I.%I (%s)', n.nspname, c.relname, string_agg(
         format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END), ', ' ORDER BY a.attnum))
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind = 'r' AND n.nspname IN ('house', 'identities')
GROUP BY n.nspname, c.relname ORDER BY n.nspname, c.relname
)sql";

constexpr const char* create_constraints = R"sql(
WITH own AS (
  SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND n.nspname IN ('house', 'identities'))
SELECT format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s',
              own.nspname, own.relname, k.conname, pg_get_constraintdef(k.oid)) AS sql, 1 AS turn
FROM own JOIN pg_catalog.pg_constraint k ON k.conrelid = own.oid
UNION ALL
SELECT pg_get_indexdef(i.indexrelid), 2
FROM own JOIN pg_catalog.pg_index i ON i.indrelid = own.oid
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid)
UNION ALL
SELECT pg_get_triggerdef(t.oid), 3
FROM own JOIN pg_catalog.pg_trigger t ON t.tgrelid = own.oid WHERE NOT t.tgisinternal
ORDER BY turn, sql
)sql";

constexpr const char* tables_with_rows = R"sql(
SELECT format('%I.%I', schemaname, tablename) FROM pg_catalog.pg_tables
WHERE schemaname IN ('journal', 'house', 'identities') ORDER BY 1
)sql";

std::string script_of(PostgresConnection& connection, const char* query)
{
    std::string script;
    const auto rows = connection.run(query);
    for (int row = 0; row < rows.rows(); ++row) {
        script += rows.text(row, 0);
        script += ";\n";
    }
    return script;
}

std::string read_file(const fs::path& file)
{
    std::ifstream in{file, std::ios::binary};
    if (!in) throw StoreFailure{file.string() + " cannot be read"};
    return {std::istreambuf_iterator<char>{in}, {}};
}

class DumpFile {
public:
    explicit DumpFile(const fs::path& file) : file_{file}, out_{file, std::ios::binary}
    {
        fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
    }
    void write(std::string_view bytes)
    {
        out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
    void close()
    {
        out_.close();
        if (!out_) throw StoreFailure{file_.string() + " cannot be written"};
    }

private:
    fs::path file_;
    std::ofstream out_;
};

void copy_rows_in(PostgresConnection& connection, const std::string& table, const fs::path& file)
{
    std::ifstream in{file, std::ios::binary};
    std::string bytes(std::size_t{1} << 20U, '\0');
    connection.begin_copy_in(fmt::format("COPY {} FROM STDIN (FORMAT binary)", table));
    while (in.read(bytes.data(), static_cast<std::streamsize>(bytes.size())) || in.gcount() > 0)
        connection.put_copied(
            std::string_view{bytes}.substr(0, static_cast<std::size_t>(in.gcount())));
    connection.end_copy_in();
}

} // namespace

PostgresDump::PostgresDump(const std::string& address)
    : connection_{std::make_unique<PostgresConnection>(address)}
{
    // The first statement fixes what the transaction sees.
    connection_->execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1");
}

PostgresDump::~PostgresDump() = default;

std::vector<std::string> PostgresDump::write_to(
    const fs::path& folder, const std::function<void(std::string_view)>& progress) const
{
    std::vector<std::string> names;
    const auto write = [&](const std::string& name, const auto& fill) {
        progress("copying " + name);
        DumpFile file{folder / name};
        fill(file);
        file.close();
        names.push_back(name);
    };
    const auto write_script = [&](const char* name, const char* query) {
        write(name, [&](DumpFile& file) { file.write(script_of(*connection_, query)); });
    };
    write_script(tables_file, create_tables);
    const auto tables = connection_->run(tables_with_rows);
    for (int row = 0; row < tables.rows(); ++row) {
        const std::string table{tables.text(row, 0)};
        write(table + std::string{rows_suffix}, [&](DumpFile& file) {
            connection_->copy_out(
                fmt::format("COPY {} TO STDOUT (FORMAT binary)", table),
                [&](std::string_view part) { file.write(part); });
        });
    }
    write_script(constraints_file, create_constraints);
    return names;
}

void load_postgres_dump(
    const std::string& address,
    const fs::path& folder,
    const std::function<void(std::string_view)>& progress)
{
    PostgresConnection connection{address};
    connection.execute("BEGIN");
    connection.execute(read_file(folder / tables_file));
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator{folder})
        if (entry.path().extension() == rows_suffix) files.push_back(entry.path());
    std::ranges::sort(files);
    for (const auto& file : files) {
        progress("loading " + file.stem().string());
        copy_rows_in(connection, file.stem().string(), file);
    }
    connection.execute(read_file(folder / constraints_file));
    connection.execute("COMMIT");
}

} // namespace pointhouse::ledger
