#pragma once

#include <cstdint>

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

} // namespace pointhouse::ledger
