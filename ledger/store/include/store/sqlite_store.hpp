#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "ledger/store.hpp"

namespace pointhouse::ledger {

/// `full`: durable when a transaction returns. `relaxed`: a power cut may lose the newest
/// transactions, never the file's consistency; for what can be derived again.
enum class Durability : std::uint8_t { full, relaxed };

/// Opens or creates a SQLite database (WAL) as a cold store. One writing connection, readers open
/// their own. Throws StoreFailure.
std::unique_ptr<Store> open_sqlite_store(
    const std::filesystem::path& file, Durability durability = Durability::full);

} // namespace pointhouse::ledger
