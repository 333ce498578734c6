#include "opening_rules.hpp"

#include <fmt/format.h>
#include <map>

#include "contract_rules.hpp"
#include "ledger/accounts.hpp"

namespace pointhouse::partners {
namespace {

using Fault = std::optional<std::string>;
using ledger::Account;
using ledger::Micro;

Fault fault_of_lot(const OpeningLot& lot, ledger::Day as_of, const ledger::Terms& terms)
{
    const auto fault = [&](std::string_view why) {
        return fmt::format("lot {}: {}", lot.name, why);
    };
    const auto& calendar = *terms.calendar;
    if (lot.activity >= calendar.start_of(as_of)) return fault("earned after the opening");
    if (lot.expires_on < as_of) return fault("it has expired before the opening");
    if (lot.available_from && *lot.available_from <= as_of) {
        return fault("pending, but available at the opening");
    }
    const auto tariff = opening_tariff(lot.issuer, lot.price, as_of, terms);
    if (!tariff) return fault("its issuer has no tariff at the opening");
    if (auto wrong = fault_of(*tariff)) return fault(*wrong);
    return std::nullopt;
}

Fault fault_of_block(const OpeningBlock& block, ledger::Day as_of, const ledger::Terms& terms)
{
    const auto& partner = terms.partner(block.partner);
    const auto fault = [&](std::string_view why) {
        return fmt::format("block of {}: {}", partner.name, why);
    };
    if (partner.billing != ledger::Billing::prepaid) return fault("the partner is not prepaid");
    auto tariff = opening_tariff(block.partner, block.price, as_of, terms);
    if (!tariff) return fault("the partner has no tariff at the opening");
    tariff->service_fee = block.fee;
    if (auto wrong = fault_of(*tariff)) return fault(*wrong);
    return std::nullopt;
}

/// What the money of lots and blocks comes to, account by account; credits below zero.
std::map<std::string, Micro> implied_balances(const Opening& opening, const ledger::Terms& terms)
{
    std::map<std::string, Micro> balances;
    for (const auto& lot : opening.lots) {
        const auto tariff = opening_tariff(lot.issuer, lot.price, opening.as_of, terms);
        balances["deferred_revenue"] -= tariff->prefunded_price() * lot.points.count();
    }
    for (const auto& block : opening.blocks) {
        const auto& name = terms.partner(block.partner).name;
        balances["prepaid_block:" + name] -= block.price * block.points.count();
        balances["prepaid_fee:" + name] -= block.fee * block.points.count();
    }
    return balances;
}

bool is_implied(Account account)
{
    return account == Account::deferred_revenue || account == Account::prepaid_block ||
           account == Account::prepaid_fee;
}

/// What is more than the books can sum up.
Fault fault_of_size(const Opening& opening)
{
    ledger::Wide money = 0;
    for (const auto& lot : opening.lots)
        money += ledger::Wide{lot.price.count()} * lot.points.count();
    for (const auto& block : opening.blocks)
        money += (ledger::Wide{block.price.count()} + block.fee.count()) * block.points.count();
    for (const auto& [name, amount] : opening.balances)
        money += amount < Micro{} ? -ledger::Wide{amount.count()} : ledger::Wide{amount.count()};
    if (money > house_money_max) return "the opening has more money than the books can hold";
    return std::nullopt;
}

Fault fault_of_balances(const Opening& opening, const ledger::Terms& terms)
{
    ledger::Wide sum = 0;
    auto implied = implied_balances(opening, terms);
    for (const auto& [name, amount] : opening.balances) {
        const auto account = ledger::find_account(name, terms);
        if (!account || !ledger::is_in_money(account->account)) {
            return fmt::format("balances_micro: the house has no money account {}", name);
        }
        sum += amount.count();
        if (!is_implied(account->account)) continue;
        const auto expected = implied[name];
        implied.erase(name);
        if (amount == expected) continue;
        return fmt::format(
            "balances_micro: {} is {}, but lots and blocks come to {}",
            name,
            ledger::format_micro(amount),
            ledger::format_micro(expected));
    }
    for (const auto& [name, amount] : implied) {
        if (amount != Micro{}) return fmt::format("balances_micro: {} is missing", name);
    }
    if (sum != 0) return "balances_micro: debits and credits are not equal";
    return std::nullopt;
}

} // namespace

std::optional<ledger::Tariff> opening_tariff(
    ledger::PartnerId issuer, Micro price, ledger::Day as_of, const ledger::Terms& terms)
{
    const auto* dated = terms.find_tariff(issuer, terms.calendar->start_of(as_of));
    if (!dated) return std::nullopt;
    auto tariff = *dated;
    if (tariff.issue_price == price) return tariff;
    tariff.version = {};
    tariff.issue_price = price;
    return tariff;
}

Fault fault_of(const Opening& opening, const ledger::Terms& terms)
{
    for (const auto& lot : opening.lots) {
        if (auto fault = fault_of_lot(lot, opening.as_of, terms)) return fault;
    }
    for (const auto& block : opening.blocks) {
        if (auto fault = fault_of_block(block, opening.as_of, terms)) return fault;
    }
    if (auto fault = fault_of_size(opening)) return fault;
    return fault_of_balances(opening, terms);
}

} // namespace pointhouse::partners
