#pragma once

#include <optional>
#include <string>

#include "ledger/money.hpp"

namespace pointhouse::partners {

/// What a contract says of documents and payments, beside the prices. Each partner's own; it may
/// change, when two operators say so.
struct SettlementTerms {
    std::string currency{}; // ISO 4217, in which it is invoiced and paid; empty: the house's
    /// How much it may owe for one window, net; none: no limit. A net above it is an alert.
    std::optional<ledger::Micro> net_debit_limit{};
    /// When another partner does not pay, this one bears its share of the loss until it does.
    bool mutualised = false;
    /// The program of the house that the contract belongs to: its documents are netted with those
    /// of the same program alone. Empty: of none.
    std::string program{};
    friend bool operator==(const SettlementTerms&, const SettlementTerms&) = default;
};

} // namespace pointhouse::partners
