#pragma once

#include <map>
#include <string>
#include <vector>

#include "coalition.hpp"
#include "settlement/netting.hpp"

namespace pointhouse::settlement {

/// The five partners of the worked example of netting, A to E, and what each owes the others.
[[nodiscard]] std::vector<Obligation> example_obligations();
[[nodiscard]] ledger::PartnerId example_partner(char name);
/// The same as the points of a month: what i owes j are points of i spent at j, at a cent each and
/// without VAT, so that the house stands between them.
[[nodiscard]] Coalition example_coalition();
/// "E->C 1200062", as the example prints its payments; the house is H.
[[nodiscard]] std::vector<std::string> in_words(const std::vector<Payment>& payments);
/// Cents by the partner's letter.
[[nodiscard]] std::map<char, std::int64_t> by_letter(
    const std::map<ledger::PartnerId, ledger::Minor>& amounts);

} // namespace pointhouse::settlement
