#pragma once

#include <string>
#include <string_view>

#include "settlement/bank_statement.hpp"

namespace pointhouse::settlement {

/// The texts of a bank row in which references are looked for, in a form that compares: SEPA's
/// characters, in capitals.
struct RowTexts {
    std::string end_to_end_id{};
    std::string creditor_reference{};
    std::string remittance{};
};

[[nodiscard]] RowTexts texts_of(const BankRow& row);
[[nodiscard]] std::string comparable(std::string_view text);

/// Whether a row names a reference, in this form: as its end-to-end id or creditor reference, or as
/// a whole word of its text. A hyphen or a dot with more behind it goes on with the word, so that
/// INV-1 is not named by INV-1-2 nor by INV-12, and PH-2026-06-A not by PH-2026-06-A.2.
[[nodiscard]] bool names(const RowTexts& texts, std::string_view reference);

} // namespace pointhouse::settlement
