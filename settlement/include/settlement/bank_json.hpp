#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "settlement/bank_matching.hpp"
#include "settlement/bank_statement.hpp"

namespace pointhouse::settlement {

/// What the house's record keeps of the bank: one line of JSON without its end each. Amounts are
/// integers in minor units, days are YYYY-MM-DD, what is empty is left out. Pure; any thread.

[[nodiscard]] std::string bank_statement_json(const BankStatement& statement);
/// Reads what `bank_statement_json` wrote, equal in every field; else why not, in words.
[[nodiscard]] std::expected<BankStatement, std::string> bank_statement_from_json(
    std::string_view text);

[[nodiscard]] std::string match_json(const Match& match);
[[nodiscard]] std::expected<Match, std::string> match_from_json(std::string_view text);

/// A suggestion, to be shown; nobody reads it back.
[[nodiscard]] std::string suggestion_json(const Suggestion& suggestion);

} // namespace pointhouse::settlement
