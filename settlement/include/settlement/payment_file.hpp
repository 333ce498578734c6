#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "ledger/money.hpp"
#include "ledger/time.hpp"

namespace pointhouse::settlement {

/// An account and who holds it, as a payment names them. Names are UTF-8 of any length: the file
/// takes what SEPA carries of them.
struct AccountHolder {
    std::string name{};
    std::string iban{};    // electronic form
    std::string bic{};     // empty: the bank finds it from the IBAN
    std::string town{};    // the address is left out unless town and country are known
    std::string country{}; // ISO 3166-1 alpha-2
};

/// One pay-out.
struct CreditTransfer {
    std::string end_to_end_id{}; // unique for ever: comes back on the bank statement
    ledger::Minor amount{};
    AccountHolder creditor{};
    std::vector<std::string> documents{}; // what it pays, for the unstructured remittance text
    std::string creditor_reference{};     // ISO 11649: goes out instead of the text
};

/// A file of pay-outs from one account of the house on one day.
struct PaymentOrder {
    std::string message_id{}; // unique for ever
    ledger::Time created_at{};
    ledger::Day execute_on = 0;
    ledger::Currency currency{};
    AccountHolder debtor{};
    bool batch_booking = true; // one line on the bank statement for all of them
    std::vector<CreditTransfer> transfers{};
};

enum class PaymentRefusal : std::uint8_t {
    no_payments,
    too_many_payments, // more than `transfers_max`
    message_id_invalid,
    name_missing, // of debtor or creditor
    iban_invalid,
    iban_outside_sepa, // of a payment in euro
    bic_invalid,
    bic_missing, // of a payment in another currency: it finds no bank by the IBAN alone
    country_invalid,
    end_to_end_id_invalid,
    end_to_end_id_repeated,
    amount_not_positive,
    amount_too_large, // above 99,999,999,999 minor units for one payment (EPC AT-04)
    creditor_reference_invalid,
};

/// Why no file was made, and of what: "payment 3 of BOE-2026-06: its check digits …".
struct PaymentFault {
    PaymentRefusal refusal{};
    std::string words{};
};

inline constexpr std::size_t transfers_max = 100'000;

/// Writes pain.001.001.09: one payment information block, charges shared, control sums on both
/// levels. Euro go in the profile of the SEPA credit transfer (EPC132-08, 2023 version); another
/// currency without its service level, from an account that names the currency, to banks by their
/// BIC. Deterministic: the same order gives the same bytes. Names and texts go through `sepa_text`
/// and are cut at 70 and 140 characters; a text that cannot name all documents says how many more
/// there are. Pure; any thread.
[[nodiscard]] std::expected<std::string, PaymentFault> pain001(const PaymentOrder& order);

} // namespace pointhouse::settlement
