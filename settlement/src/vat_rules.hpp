#pragma once

#include <string_view>

#include "settlement/statement.hpp"

namespace pointhouse::settlement {

/// The row in force for a flow; null: there is none.
[[nodiscard]] const VatRule* find_rule(
    const Contracts& contracts,
    ledger::PartnerId partner,
    std::string_view charge,
    ledger::Time at);

/// `agreed` is the row of the window, `rule` that of the tax point.
[[nodiscard]] VatRate rate_of(const VatRule* agreed, const VatRule* rule);

} // namespace pointhouse::settlement
