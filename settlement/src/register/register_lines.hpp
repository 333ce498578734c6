#pragma once

#include <span>

#include <boost/json/object.hpp>

#include "ledger/accounts.hpp"

namespace pointhouse::settlement {

/// The `lines_micro` of an entry that moves money: micro-units by account, debits above zero;
/// none that comes to zero.
/// Pre: they balance.
[[nodiscard]] inline boost::json::object lines_object(
    std::span<const ledger::AccountLine> lines, const ledger::Terms& terms)
{
    boost::json::object object;
    std::int64_t sum = 0;
    for (const auto& line : lines) {
        auto& amount = object[ledger::account_name(line.account, line.partner, terms)];
        amount = (amount.is_null() ? 0 : amount.to_number<std::int64_t>()) + line.amount;
        sum += line.amount;
    }
    for (auto* each = object.begin(); each != object.end();)
        each = each->value() == 0 ? object.stable_erase(each) : each + 1;
    ledger::invariant(sum == 0, "what settlement books balances");
    return object;
}

} // namespace pointhouse::settlement
