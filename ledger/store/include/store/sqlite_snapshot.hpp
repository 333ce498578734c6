#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "ledger/store.hpp"

namespace pointhouse::ledger {

/// A database as it is at this moment, held while its writer goes on: for backups. The writer's log
/// cannot shrink before it ends. Made on one thread, copied on another. Throws StoreFailure.
class SqliteSnapshot {
public:
    explicit SqliteSnapshot(const std::filesystem::path& file);
    ~SqliteSnapshot();
    SqliteSnapshot(SqliteSnapshot&& other) noexcept;
    SqliteSnapshot& operator=(SqliteSnapshot&& other) noexcept;

    /// Writes it to a file that is not there yet, durable when it returns. `progress` is told the
    /// share done, in thousandths, and may throw to give up.
    void copy_to(const std::filesystem::path& file, const std::function<void(int)>& progress) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace pointhouse::ledger
