#pragma once

#include <cstdint>
#include <optional>

#include "ledger/ids.hpp"
#include "ledger/posting.hpp"
#include "ledger/terms.hpp"
#include "ledger/time.hpp"

namespace pointhouse::ledger {

/// Points of one lot that a posting spent, or gave back after that.
struct SpentPoints {
    TariffVersion tariff{};                   // of the lot
    std::int32_t vat_rate = vat_rate_unknown; // of the lot's sale
    Time activity{};                          // when the lot was earned
    PartnerId redeemer{};                     // or charity
    std::int64_t points = 0;                  // below zero: given back
};

/// None: the entry spends nothing. Pure.
[[nodiscard]] std::optional<SpentPoints> spent_by(
    const Record& record, const Entry& entry, const Terms& terms);

} // namespace pointhouse::ledger
