#pragma once

#include <expected>
#include <span>
#include <string>
#include <vector>

#include "ledger/money.hpp"
#include "ledger/time.hpp"
#include "settlement/document.hpp"
#include "settlement/netting.hpp"
#include "settlement/statement.hpp"
#include "settlement/window_net.hpp"

namespace pointhouse::settlement {

/// A document that a window settles. One side of it is the house.
struct SettledDocument {
    std::string number{};
    DocumentKind kind = DocumentKind::invoice;
    ledger::PartnerId partner{};
    ledger::Month window{};    // its own; an earlier one when it was carried forward
    ledger::Minor gross{};     // its total, VAT included, never below zero
    ledger::Minor held_back{}; // of it, when the window was netted: disputed, and still to come
    ledger::Minor effect{};    // on the partner, above zero: it receives; what this window took
};

/// One party's view of a window: every document, what it is worth and what it does.
struct PartyStatement {
    ledger::PartnerId party{}; // the house comes last, with all documents
    std::string id{};
    std::vector<SettledDocument> documents{}; // effects are those on this party
    ledger::Minor net{};                      // their sum; above zero: the party receives
};

/// What a net comes to. The clearing account is where the house brings all pay-ins and its own
/// share together and pays out of: it holds nothing afterwards.
struct NetStatement {
    ledger::Month window{};
    std::string program{}; // empty: of none
    ledger::Currency currency{};
    std::vector<PartyStatement> parties{}; // by id, then the house
    ledger::Minor paid_in{};               // by partners
    ledger::Minor paid_out{};              // to partners
    ledger::Minor house_share{};           // above zero: the house adds it; below: it keeps it
    /// paid_in + house_share − paid_out: zero.
    [[nodiscard]] ledger::Minor clearing() const { return paid_in + house_share - paid_out; }
};

/// Lists the documents of a net by party. `partners[id - 1]` names them. Pure; any thread.
/// Refused when a net does not fit 64 bits. Pre: each document has a partner.
/// Post: the nets of all parties sum to zero, and the clearing account does.
[[nodiscard]] std::expected<NetStatement, NettingFault> net_statement(
    const NetKey& key,
    const ledger::Currency& currency,
    std::span<const SettledDocument> documents,
    std::span<const Party> partners);

/// One line of JSON without its end; amounts in minor units.
[[nodiscard]] std::string net_statement_json(const NetStatement& statement);
/// RFC 4180 with a header: rows `document`, then one `net` for each party; decimals of the
/// currency; of programs one table with their names in a last column.
[[nodiscard]] std::string net_statements_csv(std::span<const NetStatement> statements);
/// For a terminal or a letter: a table for each party.
[[nodiscard]] std::string net_statement_text(const NetStatement& statement);

} // namespace pointhouse::settlement
