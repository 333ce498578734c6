#pragma once

#include "ledger/money.hpp"
#include "ledger/points.hpp"
#include "settlement/document.hpp"

namespace pointhouse::settlement {

/// Points that a partner bought ahead and paid: the register of partners booked them then.
struct SoldBlock {
    ledger::PartnerId partner{};
    ledger::TariffVersion tariff{}; // the block is one
    ledger::Points points{};
    ledger::Micro price{}; // per point
    ledger::Micro fee{};
    ledger::Day sold_on = 0; // and paid: the tax point (directive 2006/112/EC, article 65)
    VatRate vat{};           // of price and fee: the partner's row for blocks
};

/// The invoice over a block, a draft of the window: a line for the price and one for the fee. It
/// is paid already, so that nothing is due on it and it moves no money. Pure; any thread.
/// Pre: price and fee of all points are whole minor units, as the register of partners demands.
[[nodiscard]] Document block_invoice(
    const SoldBlock& block,
    ledger::Month window,
    const ledger::Currency& currency,
    const LegalParty& house,
    const LegalParty& buyer);

} // namespace pointhouse::settlement
