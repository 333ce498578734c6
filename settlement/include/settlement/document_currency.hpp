#pragma once

#include "settlement/document.hpp"
#include "settlement/exchange.hpp"

namespace pointhouse::settlement {

/// A draft in the currency of its partner: each line's exact amount is converted once, to the
/// millionth, and then rounded as all lines are; VAT is that of the new amounts. A line whose price
/// is no whole number of millionths then has none and stands as one unit with its details. What the
/// draft is worth in the currency that it came in is kept in `booked`; where the house sells, it
/// accounts for its VAT in that (EN 16931 BT-6, BT-111; directive 2006/112/EC, article 230). Pure.
/// Pre: `rate` is from the draft's currency. Error: amount_overflow, when it would come to more
/// than document_amount_max.
[[nodiscard]] std::expected<Document, ExchangeFault> in_currency(
    const Document& draft, const ExchangeRate& rate);

} // namespace pointhouse::settlement
