#pragma once

#include <cstdint>

#include "ledger/block.hpp"
#include "ledger/ids.hpp"
#include "ledger/money_effect.hpp"
#include "ledger/posting.hpp"
#include "ledger/terms.hpp"
#include "ledger/time.hpp"

namespace pointhouse::ledger {

/// One line of the `position` table: the control totals of a window, summed.
struct PositionRow {
    Month window{};
    EntryKind kind = EntryKind::issued;
    PartnerId partner{}; // the lot's issuer (debt_incurred: the debt's issuer)
    PartnerId
        counterparty{};     // redeemer or charity; recovered: the debt's issuer; expired: the lot's
    TariffVersion tariff{}; // of `partner`
    TariffVersion counterpart{}; // of `counterparty`, where it has one
    TariffVersion bearer{};      // recovered, redeemer_bears: of the redeemer that is made whole
    DebtKind debt = DebtKind::issuer_bears;
    LotState state = LotState::active; // of the lots, as in the entries
    std::int32_t vat_rate = vat_rate_unknown;
    Points points{};
    MoneyEffect money{};
    friend bool operator==(const PositionRow&, const PositionRow&) = default;
};

/// What of a window's positions belongs to an earlier month: it undoes what that booked, or it
/// happened then and came late.
struct EarlierPosition {
    Month origin{};
    bool undoes = false;
    PositionRow position{};
    friend bool operator==(const EarlierPosition&, const EarlierPosition&) = default;
};

/// A control total as a position of its window. Pure.
[[nodiscard]] PositionRow position_of(const ControlTotal& total, Month window, const Terms& terms);

} // namespace pointhouse::ledger
