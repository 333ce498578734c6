#pragma once

#include <optional>
#include <span>

#include "ledger/accounts.hpp"
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

/// What of a block's price and fee no point took.
struct BlockRest {
    ledger::TariffVersion tariff{}; // the block
    ledger::Micro price{};
    ledger::Micro fee{};
    [[nodiscard]] ledger::Micro sum() const { return price + fee; }
    friend bool operator==(const BlockRest&, const BlockRest&) = default;
};

/// A draft that gives the rest of a block back: a credit note over its invoice, at the VAT rate of
/// that; paid when it is issued, as the block was. `earlier` are those over the same invoice. None:
/// with them it comes to more than the invoice. Pure.
[[nodiscard]] std::optional<Document> block_credit(
    const Document& invoice,
    const BlockRest& rest,
    std::span<const Document> earlier,
    ledger::Day today);

/// What it books: out of what was prepaid, and of trust no more than lay there for it. Pure.
[[nodiscard]] std::vector<ledger::AccountLine> lines_of_block_credit(
    const Document& credit, const ledger::Currency& currency);

} // namespace pointhouse::settlement
