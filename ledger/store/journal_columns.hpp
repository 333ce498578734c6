#pragma once

#include <cstdint>
#include <string>

#include "ledger/ids.hpp"
#include "ledger/time.hpp"

namespace pointhouse::ledger {

// How the journal's tables hold numbers and months (JOURNAL.md), the same in either store.

inline std::int64_t stored(Sequence sequence)
{
    return static_cast<std::int64_t>(sequence.value());
}
inline Sequence sequence_of(std::int64_t value)
{
    return Sequence{static_cast<std::uint64_t>(value)};
}
inline std::int64_t stored(Month month)
{
    return std::int64_t{month.year} * 12 + month.month - 1;
}
inline Month month_of(std::int64_t value)
{
    return {
        .year = static_cast<std::int32_t>(value / 12),
        .month = static_cast<std::int32_t>(value % 12) + 1};
}

/// Contents that are of no block: their place was changed, or the block is gone.
inline std::string fault_of_content(std::int64_t first)
{
    return "the contents kept for block " + std::to_string(first) + " are of no block";
}

} // namespace pointhouse::ledger
