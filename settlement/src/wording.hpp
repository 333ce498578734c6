#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ledger/money.hpp"
#include "settlement/document.hpp"
#include "settlement/statement.hpp"

namespace pointhouse::settlement {

/// The words and numbers of documents for people: English, thousands grouped by commas, a true
/// minus.

[[nodiscard]] std::string_view title_of(DocumentKind kind) noexcept;
[[nodiscard]] std::string_view label_of(Charge charge) noexcept;
/// What an invoice line is about, for a reader who sees nothing else.
[[nodiscard]] std::string_view item_name_of(Charge charge) noexcept;
/// What an entry did, seen from a line of this charge.
[[nodiscard]] std::string_view label_of(ledger::EntryKind kind, Charge charge) noexcept;

/// "5 points of June 2026, late (issued)", "−10 points of May 2026, billed on INV-2026-000007
/// (clawed back)": seen from a line of this charge.
[[nodiscard]] std::string earlier_in_words(const EarlierPart& part, Charge charge);

/// The words that directive 2006/112/EC, article 226(10a), asks for; empty when the seller wrote
/// it.
[[nodiscard]] std::string_view words_of_self_billing(DocumentKind kind) noexcept;
/// Until when its seller may object to it, and what follows; empty: no term was agreed.
[[nodiscard]] std::string words_of_objection(const Document& document);

/// With what a document is netted, after the day it falls due: "net with the other documents of
/// June 2026". A correction is settled whenever it comes.
[[nodiscard]] std::string netting_in_words(const Document& document);

/// What article 226(7a) of directive 2006/112/EC wants said where VAT is due with the payment.
[[nodiscard]] std::string_view words_of_tax_point(TaxPoint point) noexcept;

[[nodiscard]] std::string points_in_words(std::int64_t points);
[[nodiscard]] std::string amount_in_words(ledger::Minor amount, const ledger::Currency& currency);
/// The price of 1,000 points with `places` decimals, at most three: see `price_places`.
[[nodiscard]] std::string price_per_thousand(ledger::Micro price_per_point, int places);
/// The same of a detail. Where the price of a point is rounded, as in another currency, with as
/// many decimals as it takes to come to the amount: to the cent.
[[nodiscard]] std::string price_per_thousand(const LineDetail& detail, int places);
/// The price of 1,000 points of a line without the tax that it holds, as article 226(8) of
/// directive 2006/112/EC wants it said: with so many decimals that points × price comes to the
/// line's net, to the cent. No separators between thousands. Pre: the line has points.
[[nodiscard]] std::string net_price_per_thousand(
    const DocumentLine& line, const ledger::Currency& currency);
/// The price of a point likewise: to the millionth.
[[nodiscard]] std::string price_per_point(const LineDetail& detail);
/// The decimals that every price of a document can be written with, so that they line up: the
/// currency's, or three where a price needs them.
[[nodiscard]] int price_places(const Document& document);
/// "24.715".
[[nodiscard]] std::string exchange_rate_in_words(std::int64_t rate_millionths);
[[nodiscard]] bool is_outside_scope(const VatRate& rate);
/// Why a category bears no tax, as EN 16931 wants it said: "Reverse charge"; empty where it does.
[[nodiscard]] std::string_view exemption_in_words(std::string_view category) noexcept;
/// "21 %", "9.5 %"; "—" outside the scope of the tax.
[[nodiscard]] std::string rate_in_words(const VatRate& rate);

} // namespace pointhouse::settlement
