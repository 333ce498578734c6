#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ledger/money.hpp"
#include "settlement/statement.hpp"

namespace pointhouse::settlement {

/// The words and numbers of documents for people: English, thousands grouped by commas, a true
/// minus.

[[nodiscard]] std::string_view title_of(StatementType type) noexcept;
[[nodiscard]] std::string_view label_of(Charge charge) noexcept;
/// What an entry did, seen from a line of this charge.
[[nodiscard]] std::string_view label_of(ledger::EntryKind kind, Charge charge) noexcept;

[[nodiscard]] std::string points_in_words(std::int64_t points);
[[nodiscard]] std::string amount_in_words(ledger::Minor amount, const ledger::Currency& currency);
/// The price of 1,000 points: at least the currency's places, at most three.
[[nodiscard]] std::string price_per_thousand(
    ledger::Micro price_per_point, const ledger::Currency& currency);
/// "21 %", "9.5 %".
[[nodiscard]] std::string percent_in_words(std::int32_t basis_points);

} // namespace pointhouse::settlement
