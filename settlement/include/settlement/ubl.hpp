#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "settlement/document.hpp"

namespace pointhouse::settlement {

/// What forbids issuing a document, in words for a person: the first detail of a party that the law
/// (directive 2006/112/EC, article 226), EN 16931 or the Peppol profile asks for and that is not
/// known, a VAT category with a rate that it may not have, a currency with more decimals than
/// EN 16931 has, or a country whose own Peppol rules for sellers we cannot meet (DK, GR, IS, NO,
/// and DE to DE; those of NL are met). None: it can be issued. A payment statement needs no more
/// than both names. Pure.
[[nodiscard]] std::optional<std::string> missing_for_invoice(const Document& document);

/// The document as UBL 2.1 (OASIS, 2013) in UTF-8: an Invoice or a CreditNote of Peppol BIS Billing
/// 3.0, or of Peppol BIS Self-Billing 3.0 where the buyer wrote it; both are EN 16931. Points are
/// the quantity, with their price per 1,000. The same document gives the same bytes for ever. Pure.
/// Pre: a number, lines, nothing `missing_for_invoice`, and not a payment statement, which is none.
[[nodiscard]] std::string ubl_xml(const Document& document);

/// Invented legal details for a party of a sandbox, always the same for an id: every check digit is
/// right (Latvian VAT and register number, GLN, IBAN), nothing exists (GS1's prefix for examples, a
/// bank named TEST, the domain .example of RFC 2606). Pure.
[[nodiscard]] LegalParty sandbox_party(std::string_view id, std::string_view name);

} // namespace pointhouse::settlement
