#include "net_balance.hpp"

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

void to_micro(std::vector<AccountLine>& lines, const ledger::Currency& currency)
{
    for (AccountLine& line : lines) line.amount *= ledger::micro_per_minor(currency);
    std::erase_if(lines, [](const AccountLine& line) { return line.amount == 0; });
}

} // namespace pointhouse::settlement
