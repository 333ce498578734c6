#pragma once

#include <string>
#include <string_view>

namespace pointhouse::ledger {

/// Schema statements are written in SQLite's words where the two databases differ:
/// `INTEGER` is a number of 64 bits, `BLOB` is bytes, `WITHOUT ROWID` asks for a table in the order
/// of its key, and a trigger may refuse changes with `RAISE(ABORT, …)`. The same in PostgreSQL's.
[[nodiscard]] std::string in_postgres_words(std::string_view script);

} // namespace pointhouse::ledger
