#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pointhouse::settlement {

enum class IbanFault : std::uint8_t {
    form,            // not two capitals, two digits, then capitals and digits
    country_unknown, // has no IBAN, according to the registry
    length,          // another than the country's
    check_digits,    // the remainder by 97 is not 1 (ISO 7064)
};

/// Words for a person, e.g. "the check digits are wrong: a character was mistyped".
[[nodiscard]] std::string_view in_words(IbanFault fault) noexcept;

/// What is wrong with an IBAN in electronic form, without spaces (ISO 13616, lengths after release
/// 99 of the SWIFT registry); none: it is sound. Checked in the order of the enumerators.
[[nodiscard]] std::optional<IbanFault> find_iban_fault(std::string_view iban);

/// Without spaces, in capitals: as people write it becomes as machines do. Nothing else is mended.
[[nodiscard]] std::string electronic_iban(std::string_view printed);

/// Whether a country's accounts are reached by SEPA credit transfers (EPC409-09).
[[nodiscard]] bool is_in_sepa(std::string_view iban);

/// Whether it is 8 or 11 characters in the form of ISO 9362: four letters or digits, a country, a
/// location, perhaps a branch.
[[nodiscard]] bool is_bic(std::string_view bic);

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
