#pragma once

#include <string>
#include <string_view>

namespace pointhouse::settlement {

/// Whether a country's accounts are reached by SEPA credit transfers (EPC409-09).
[[nodiscard]] bool is_in_sepa(std::string_view iban);

/// Whether it is a creditor reference: "RF", check digits, up to 21 characters (ISO 11649).
[[nodiscard]] bool is_creditor_reference(std::string_view reference);

/// UTF-8 in the characters that every bank of SEPA must take: letters, digits, space and / - ? : (
/// ) . , ' +. Accents go, Greek and Bulgarian letters are transliterated, all else becomes what
/// EPC217-08 says or a full stop. Any bytes may come in.
[[nodiscard]] std::string sepa_text(std::string_view utf8);

/// An identification of the SEPA profile: 1 to 35 of these characters, not beginning or ending with
/// a slash and without two of them in a row (EPC132-08).
[[nodiscard]] bool is_sepa_identification(std::string_view text);

} // namespace pointhouse::settlement
