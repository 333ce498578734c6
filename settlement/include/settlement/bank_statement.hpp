#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/money.hpp"
#include "ledger/time.hpp"

namespace pointhouse::settlement {

/// One movement of money on an account of the house: an entry of the statement, or one transaction
/// of an entry that books several at once. Texts are as the bank wrote them, white space drawn
/// together; empty: not said. A reference that says that there is none ("NOTPROVIDED") is empty.
struct BankRow {
    std::int32_t entry = 0;  // its place in the statement, from 1
    std::int32_t detail = 0; // within an entry of several, from 1; 0: it is the entry
    ledger::Minor amount{};  // above zero: came in
    ledger::Day booked_on = 0;
    ledger::Day value_on = 0;
    std::string servicer_reference{}; // the bank's own
    std::string entry_reference{};    // its number within this statement
    std::string end_to_end_id{};      // what the payer of the money gave it
    std::string payment_block{};      // PmtInfId of our own file
    std::string creditor_reference{}; // ISO 11649 or another structured one
    std::string remittance{};
    std::string counterparty{};
    std::string counterparty_account{}; // IBAN where there is one
    std::string return_reason{};        // ISO code, "AC04"; not empty: a payment came back
    bool is_reversal = false;           // the bank undoes what it booked
    std::string code{};                 // bank transaction code, "PMNT-RCDT-ESCT"
    friend bool operator==(const BankRow&, const BankRow&) = default;
};

struct BookedBalance {
    ledger::Minor amount{}; // below zero: overdrawn
    ledger::Day day = 0;
    friend bool operator==(const BookedBalance&, const BookedBalance&) = default;
};

/// One statement, or one page of it, of one account.
struct BankStatement {
    std::string account{}; // IBAN, or the bank's own number
    ledger::Currency currency{};
    std::string id{};
    std::optional<std::int64_t> electronic_sequence{};
    std::optional<std::int64_t> legal_sequence{};
    std::int32_t page = 1;
    std::string from{}; // date and time as the bank wrote them; they sort
    std::string to{};
    BookedBalance opening{};
    BookedBalance closing{};
    std::vector<BankRow> rows{};      // booked ones, in the bank's order
    std::int32_t entries_pending = 0; // not booked, so not among the rows
    friend bool operator==(const BankStatement&, const BankStatement&) = default;
};

enum class StatementRefusal : std::uint8_t {
    too_large,              // more than `statement_bytes_max`
    not_utf8,               // or another encoding is declared, or characters XML forbids
    not_xml,                // not well-formed
    document_type,          // a DTD, and with it entities: no bank sends one
    too_deep,               // more than `statement_depth_max` elements within each other
    not_camt053,            // another message, or another version of it
    element_missing,        // that camt.053 or we cannot do without
    element_repeated,       // that may stand once
    value_invalid,          // an amount, day, number, code or currency that is none
    currency_differs,       // from the account's
    balance_missing,        // opening or closing, booked
    balance_repeated,       // with another amount
    details_do_not_add_up,  // to their entry
    balances_do_not_add_up, // opening plus rows is not closing
};

/// Why a file is not taken, and where: "statement 2, entry 5: \"1,00\" is no amount".
struct StatementFault {
    StatementRefusal refusal{};
    std::string words{};
};

inline constexpr std::size_t statement_bytes_max = std::size_t{64} << 20U;
inline constexpr int statement_depth_max = 40;

/// Reads camt.053.001.08 and, with the same meaning, .02 (ISO 20022), whatever prefix its name
/// space has, and nothing else: UTF-8, no document type, no entities of its own, bounded in size
/// and depth. All statements of the file, or the first fault: a file is taken whole or not at all.
/// Each adds up: opening balance and rows are the closing balance. The opening balance is OPBD or
/// else PRCD, the closing one CLBD; on pages of one statement ITBD stands for either. Any bytes may
/// come in. Pure; any thread.
[[nodiscard]] std::expected<std::vector<BankStatement>, StatementFault> parse_camt053(
    std::string_view xml);

} // namespace pointhouse::settlement
