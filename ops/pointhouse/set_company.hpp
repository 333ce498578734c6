#pragma once

#include <boost/json/object.hpp>

#include "command_line.hpp"

namespace pointhouse::ops {

/// Changes who a partner is before the law and to its bank, by a file with one [company] table;
/// none: the house. In a production house another operator approves it.
[[nodiscard]] gateway::CommandResult set_company(
    gateway::House& house,
    ledger::PartnerId partner,
    const std::string& file,
    const Invocation& typed);

/// Changes how a partner is invoiced and paid, by a file with one [settlement] table. In a
/// production house another operator approves it.
[[nodiscard]] gateway::CommandResult set_settlement_terms(
    gateway::House& house,
    ledger::PartnerId partner,
    const std::string& file,
    const Invocation& typed);

/// What a contract says of documents and payments.
[[nodiscard]] boost::json::object settlement_terms_as_json(const partners::SettlementTerms& terms);

} // namespace pointhouse::ops
