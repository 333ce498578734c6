#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pointhouse::ledger {

enum class IbanFault : std::uint8_t {
    form,            // not two capitals, two digits, then capitals and digits
    country_unknown, // has no IBAN, according to the registry
    length,          // another than the country's
    check_digits,    // the remainder by 97 is not 1 (ISO 7064)
};

/// Words for a person, e.g. "its check digits are wrong: some character is mistyped".
[[nodiscard]] std::string_view in_words(IbanFault fault) noexcept;

/// What is wrong with an IBAN in electronic form, without spaces (ISO 13616, lengths after release
/// 99 of the SWIFT registry); none: it is sound. Checked in the order of the enumerators.
[[nodiscard]] std::optional<IbanFault> find_iban_fault(std::string_view iban);

/// Whether it is 8 or 11 characters in the form of ISO 9362: four letters or digits, a country, a
/// location, perhaps a branch.
[[nodiscard]] bool is_bic(std::string_view bic);

/// ISO 7064 MOD 97-10 with the first four characters at the end; letters count from 10. Pre:
/// capital letters and digits.
[[nodiscard]] bool has_sound_check_digits(std::string_view text);

} // namespace pointhouse::ledger
