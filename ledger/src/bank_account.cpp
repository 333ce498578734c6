#include "ledger/bank_account.hpp"

#include <algorithm>
#include <array>

namespace pointhouse::ledger {
namespace {

struct Country {
    std::string_view code;
    std::size_t iban_length;
};

// The registry of ISO 13616, by code.
constexpr std::array countries{
    Country{"AD", 24}, Country{"AE", 23}, Country{"AL", 28}, Country{"AT", 20}, Country{"AZ", 28},
    Country{"BA", 20}, Country{"BE", 16}, Country{"BG", 22}, Country{"BH", 22}, Country{"BI", 27},
    Country{"BR", 29}, Country{"BY", 28}, Country{"CH", 21}, Country{"CR", 22}, Country{"CY", 28},
    Country{"CZ", 24}, Country{"DE", 22}, Country{"DJ", 27}, Country{"DK", 18}, Country{"DO", 28},
    Country{"EE", 20}, Country{"EG", 29}, Country{"ES", 24}, Country{"FI", 18}, Country{"FK", 18},
    Country{"FO", 18}, Country{"FR", 27}, Country{"GB", 22}, Country{"GE", 22}, Country{"GI", 23},
    Country{"GL", 18}, Country{"GR", 27}, Country{"GT", 28}, Country{"HN", 28}, Country{"HR", 21},
    Country{"HU", 28}, Country{"IE", 22}, Country{"IL", 23}, Country{"IQ", 23}, Country{"IS", 26},
    Country{"IT", 27}, Country{"JO", 30}, Country{"KW", 30}, Country{"KZ", 20}, Country{"LB", 28},
    Country{"LC", 32}, Country{"LI", 21}, Country{"LT", 20}, Country{"LU", 20}, Country{"LV", 21},
    Country{"LY", 25}, Country{"MC", 27}, Country{"MD", 24}, Country{"ME", 22}, Country{"MK", 19},
    Country{"MN", 20}, Country{"MR", 27}, Country{"MT", 31}, Country{"MU", 30}, Country{"NI", 28},
    Country{"NL", 18}, Country{"NO", 15}, Country{"OM", 23}, Country{"PK", 24}, Country{"PL", 28},
    Country{"PS", 29}, Country{"PT", 25}, Country{"QA", 29}, Country{"RO", 24}, Country{"RS", 22},
    Country{"RU", 33}, Country{"SA", 24}, Country{"SC", 31}, Country{"SD", 18}, Country{"SE", 24},
    Country{"SI", 19}, Country{"SK", 24}, Country{"SM", 27}, Country{"SO", 23}, Country{"ST", 25},
    Country{"SV", 28}, Country{"TL", 23}, Country{"TN", 24}, Country{"TR", 26}, Country{"UA", 29},
    Country{"VA", 22}, Country{"VG", 24}, Country{"XK", 20}, Country{"YE", 30},
};

constexpr bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

constexpr bool is_capital(char character)
{
    return character >= 'A' && character <= 'Z';
}

bool is_capital_or_digit(char character)
{
    return is_capital(character) || is_digit(character);
}

} // namespace

bool has_sound_check_digits(std::string_view text)
{
    unsigned remainder = 0;
    for (std::size_t place = 0; place < text.size(); ++place) {
        const char character = text[(place + 4) % text.size()];
        remainder = is_digit(character)
                        ? remainder * 10 + static_cast<unsigned>(character - '0')
                        : remainder * 100 + static_cast<unsigned>(character - 'A') + 10;
        remainder %= 97;
    }
    return remainder == 1;
}

std::string_view in_words(IbanFault fault) noexcept
{
    switch (fault) {
    case IbanFault::form:
        return "it is not two capital letters, two digits, and then capital letters and digits";
    case IbanFault::country_unknown: return "its first two letters are no country with IBANs";
    case IbanFault::length: return "it is not as long as IBANs of its country are";
    case IbanFault::check_digits: return "its check digits are wrong: some character is mistyped";
    }
    return "";
}

std::optional<IbanFault> find_iban_fault(std::string_view iban)
{
    if (iban.size() < 5 || iban.size() > 34 || !is_capital(iban[0]) || !is_capital(iban[1]) ||
        !is_digit(iban[2]) || !is_digit(iban[3]) ||
        !std::ranges::all_of(iban.substr(4), is_capital_or_digit))
        return IbanFault::form;
    const auto country = std::ranges::find(countries, iban.substr(0, 2), &Country::code);
    if (country == countries.end()) return IbanFault::country_unknown;
    if (country->iban_length != iban.size()) return IbanFault::length;
    // 00, 01 and 99 leave the same remainder as 97, 98 and 02, which is what they ought to be.
    const std::string_view digits = iban.substr(2, 2);
    if (digits < "02" || digits > "98" || !has_sound_check_digits(iban))
        return IbanFault::check_digits;
    return std::nullopt;
}

bool is_bic(std::string_view bic)
{
    return (bic.size() == 8 || bic.size() == 11) && std::ranges::all_of(bic, is_capital_or_digit) &&
           is_capital(bic[4]) && is_capital(bic[5]);
}

} // namespace pointhouse::ledger
