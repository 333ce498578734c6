#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pointhouse::ledger {

class PostgresConnection;

/// A house's database as it is at this moment, held while its writers go on: for backups. The books
/// are left out, because they are derived from the journal. Made on one thread, written on another.
/// Throws StoreFailure.
class PostgresDump {
public:
    explicit PostgresDump(const std::string& address);
    ~PostgresDump();

    /// Writes it as files, durable when it returns: `tables.sql`, `<schema>.<table>.rows` (as COPY
    /// … (FORMAT binary) gives them) and `constraints.sql`. Returns their names. `progress` is told
    /// what comes next, and may throw to give up.
    std::vector<std::string> write_to(
        const std::filesystem::path& folder,
        const std::function<void(std::string_view)>& progress) const;

private:
    std::unique_ptr<PostgresConnection> connection_;
};

/// Loads such files into a database where the schemas are new and empty. Throws StoreFailure, and
/// leaves nothing half loaded.
void load_postgres_dump(
    const std::string& address,
    const std::filesystem::path& folder,
    const std::function<void(std::string_view)>& progress);

} // namespace pointhouse::ledger
