#pragma once

#include "ledger/money.hpp"
#include "ledger/posting.hpp"
#include "ledger/terms.hpp"

namespace pointhouse::ledger {

/// The money that an entry moves, by account (DESIGN section 4). Exact, in micro-units.
/// Debit positive: `issuer` (what the lot's issuer owes the house). Credit positive: the others.
/// Invariant: issuer = counterparty + liability + fee + margin.
struct MoneyEffect {
    Micro issuer{}; // receivable from the lot's issuer (debt_incurred: from the debt's issuer)
    Micro counterparty{}; // payable to the redeemer or charity (recovered: to the debt's issuer;
                          // expired: the lot's issuer's share of the breakage)
    Micro liability{};    // points liability
    Micro fee{};          // revenue:service_fee
    Micro margin{}; // revenue:redemption_margin (expired: revenue:breakage; opened: brought by
                    // the house's own record)
    friend bool operator==(const MoneyEffect&, const MoneyEffect&) = default;
};

/// Pure: price follows from the frozen tariff versions alone.
[[nodiscard]] MoneyEffect money_effect(const Entry& entry, const Terms& terms);

} // namespace pointhouse::ledger
