#pragma once

#include <string>
#include <string_view>

#include "settlement/document.hpp"

namespace pointhouse::settlement {

/// The document as PDF, A4, in English: what directive 2006/112/EC, article 226, wants on an
/// invoice, with the totals of each tariff and of each VAT rate. A document without a number says
/// that it is a draft. Deterministic: its only date is the day of issue.
/// `logo` is the PNG that was the house's when the document was issued; empty: it had none.
/// Throws std::runtime_error when the drawing library fails. Pre: it has lines.
[[nodiscard]] std::string document_pdf(const Document& document, std::string_view logo = {});

} // namespace pointhouse::settlement
