#include "settlement/sepa_rules.hpp"

#include <algorithm>

#include "ledger/bank_account.hpp"

namespace pointhouse::settlement {

namespace {

constexpr std::string_view sepa_countries =
    "AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS IT LI LT LU LV MC MD ME MK MT "
    "NL NO PL PT RO RS SE SI SK SM VA ";

bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

bool is_capital(char character)
{
    return character >= 'A' && character <= 'Z';
}

} // namespace

bool is_in_sepa(std::string_view iban)
{
    return iban.size() >= 2 && is_capital(iban[0]) && is_capital(iban[1]) &&
           sepa_countries.find(iban.substr(0, 2)) != std::string_view::npos;
}

bool is_creditor_reference(std::string_view reference)
{
    const auto is_either = [](char each) { return is_capital(each) || is_digit(each); };
    return reference.size() >= 5 && reference.size() <= 25 && reference.starts_with("RF") &&
           is_digit(reference[2]) && is_digit(reference[3]) &&
           std::ranges::all_of(reference, is_either) && ledger::has_sound_check_digits(reference);
}

} // namespace pointhouse::settlement
