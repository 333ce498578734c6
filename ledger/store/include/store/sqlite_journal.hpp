#pragma once

#include <filesystem>
#include <memory>

#include "ledger/journal.hpp"

namespace pointhouse::ledger {

/// Opens or creates a shard's journal in SQLite. Throws StoreFailure.
std::unique_ptr<Journal> open_sqlite_journal(const std::filesystem::path& file);

} // namespace pointhouse::ledger
