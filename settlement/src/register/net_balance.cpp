#include "net_balance.hpp"

#include "ledger/invariant.hpp"

namespace pointhouse::settlement {

using ledger::Account;
using ledger::AccountLine;
using ledger::Minor;

void add(Balance& balance, const IssuedDocument& issued, Minor owed)
{
    if (issued.document.supply == StatementType::issuance) {
        balance.receivable += owed;
    } else {
        balance.payable -= owed;
    }
}

Balance balance_of(std::span<const IssuedDocument* const> documents, ledger::Month window)
{
    Balance balance;
    for (const auto* issued : documents) add(balance, *issued, issued->claimed_in(window));
    return balance;
}

std::vector<AccountLine> lines_of_payment(
    ledger::PartnerId partner, const Balance& balance, Minor paid, bool is_first)
{
    const bool house_pays = balance.net().count > 0;
    Minor moved; // between the two
    if (is_first) moved = house_pays ? balance.receivable : balance.payable;
    const Minor of_payable = house_pays ? moved + paid : moved;
    const Minor of_receivable = house_pays ? moved : moved - paid;
    return {
        {.account = Account::payable, .partner = partner, .amount = of_payable.count},
        {.account = Account::cash_operating, .amount = -paid.count},
        {.account = Account::receivable, .partner = partner, .amount = -of_receivable.count}};
}

Minor claim_settled_by(Minor paid, const NetPayment& payment)
{
    if (!payment.foreign) return paid;
    const Minor total = payment.foreign->settled + paid;
    if (total == payment.foreign->net) return payment.open();
    if (payment.foreign->net.count == 0) return {};
    const ledger::Wide product = ledger::Wide{payment.net.count} * total.count;
    const Minor claim{static_cast<std::int64_t>(product / payment.foreign->net.count)};
    return claim - payment.settled;
}

Minor worth_of(Minor amount, const ExchangeRate& rate)
{
    const auto worth = convert(amount, inverse_of(rate));
    ledger::invariant(worth.has_value(), "what was converted converts back");
    return *worth;
}

void book_exchange(std::vector<AccountLine>& lines, Minor claim, Minor worth)
{
    const Minor difference = claim - worth;
    lines.push_back({.account = Account::cash_operating, .amount = difference.count});
    lines.push_back({.account = Account::exchange, .amount = -difference.count});
}

void to_micro(std::vector<AccountLine>& lines, const ledger::Currency& currency)
{
    for (AccountLine& line : lines) line.amount *= ledger::micro_per_minor(currency);
    std::erase_if(lines, [](const AccountLine& line) { return line.amount == 0; });
}

} // namespace pointhouse::settlement
