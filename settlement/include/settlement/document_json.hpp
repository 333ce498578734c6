#pragma once

#include <string>
#include <string_view>

#include "ledger/result.hpp"
#include "settlement/document.hpp"

namespace pointhouse::settlement {

/// A document as one line of JSON without its end: what the wire shows and the house's record keeps
/// of it. Keys and order are part of the contract. Amounts are integers, `_minor` in the document's
/// currency and `_micro` in millionths of it; days are YYYY-MM-DD. `payer` and `payee` are who pays
/// and who receives, so the payer of a credit note is its seller. Pure.
[[nodiscard]] std::string document_json(const Document& document);

/// Reads what `document_json` wrote, equal in every field. Else the reason in words: no JSON, a key
/// that is missing or of another type, an unknown word, or totals that do not follow from the
/// lines. Pure.
[[nodiscard]] ledger::Result<Document, std::string> document_from_json(std::string_view text);

/// The document as RFC 4180 with a header: rows `line`, their `detail`, `vat` and `total`. Amounts
/// are decimals of the currency: `price` and `exact` to six places, the others in minor digits.
/// Pure.
[[nodiscard]] std::string document_csv(const Document& document);

} // namespace pointhouse::settlement
