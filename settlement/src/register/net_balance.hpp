#pragma once

#include <span>
#include <vector>

#include "settlement/register.hpp"

namespace pointhouse::settlement {

/// What documents of a partner in a net come to, by the account that they stand in.
struct Balance {
    ledger::Minor receivable{}; // owed by the partner
    ledger::Minor payable{};    // owed to it
    [[nodiscard]] ledger::Minor net() const { return payable - receivable; }
};

/// `owed` by the partner; below zero: to it.
void add(Balance& balance, const IssuedDocument& issued, ledger::Minor owed);

/// What the net of a window took of documents. Pre: it took something of each.
[[nodiscard]] Balance balance_of(
    std::span<const IssuedDocument* const> documents, ledger::Month window);

/// Books `paid` against the account on whose side the net stands. The first payment brings the
/// other account there, too: what stood in it is paid by that. In minor units; they balance.
[[nodiscard]] std::vector<ledger::AccountLine> lines_of_payment(
    ledger::PartnerId partner, const Balance& balance, ledger::Minor paid, bool is_first);

/// So much of a net's claim in the house's currency is settled by `paid` more in the currency of
/// the payment (less: below zero). In proportion to all that is paid then, so that no order of
/// parts and returns leaves a cent over.
[[nodiscard]] ledger::Minor claim_settled_by(ledger::Minor paid, const NetPayment& payment);

/// What money in another currency is worth, at a rate from the house's.
[[nodiscard]] ledger::Minor worth_of(ledger::Minor amount, const ExchangeRate& rate);

/// Cash moved by what a payment was worth, not by the claim that it settles: the difference goes to
/// the account for exchange differences.
void book_exchange(
    std::vector<ledger::AccountLine>& lines, ledger::Minor claim, ledger::Minor worth);

/// Turns lines in minor units into lines of the books, without those of zero.
void to_micro(std::vector<ledger::AccountLine>& lines, const ledger::Currency& currency);

} // namespace pointhouse::settlement
