#pragma once

#include <cstddef>
#include <span>

#include "byte_codec.hpp"
#include "ledger/posting.hpp"

namespace pointhouse::ledger {

/// An upper bound of what `write_record` writes.
[[nodiscard]] std::size_t record_bytes_max(const Record& record);

/// Writes a record as a block of the given time holds it (ledger/JOURNAL.md).
void write_record(ByteWriter& out, const Record& record, Time block_time);

/// Reads one back; false when the bytes are not exactly one record. `record.sequence` is the
/// caller's.
[[nodiscard]] bool read_record(
    std::span<const std::byte> bytes, Sequence sequence, Time block_time, Record& record);

} // namespace pointhouse::ledger
