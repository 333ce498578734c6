#pragma once

#include <filesystem>
#include <memory>

#include "ledger/store.hpp"

namespace pointhouse::ledger {

/// Opens or creates a SQLite database (WAL, synchronous=FULL) as a cold store. One writing connection,
/// readers open their own. Throws StoreFailure.
std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path& file);

} // namespace pointhouse::ledger
