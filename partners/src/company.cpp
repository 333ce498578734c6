#include "partners/company.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "ledger/time.hpp"

namespace pointhouse::partners {
namespace {

constexpr std::size_t text_max = 200;

bool is_upper(char sign)
{
    return sign >= 'A' && sign <= 'Z';
}

bool is_digit(char sign)
{
    return sign >= '0' && sign <= '9';
}

/// ISO 13616: country, two check digits, up to 30 of the country's own; modulo 97 it leaves 1.
bool is_iban(std::string_view iban)
{
    if (iban.size() < 15 || iban.size() > 34 || !is_upper(iban[0]) || !is_upper(iban[1]) ||
        !is_digit(iban[2]) || !is_digit(iban[3]))
        return false;
    int rest = 0;
    for (std::size_t place = 0; place < iban.size(); ++place) {
        const char sign = iban[(place + 4) % iban.size()];
        if (is_digit(sign)) {
            rest = (rest * 10 + (sign - '0')) % 97;
        } else if (is_upper(sign)) {
            rest = (rest * 100 + (sign - 'A' + 10)) % 97;
        } else {
            return false;
        }
    }
    return rest == 1;
}

/// ISO 9362: four of the bank, two of the country, two of the place, three of the branch or none.
bool is_bic(std::string_view bic)
{
    if (bic.size() != 8 && bic.size() != 11) return false;
    const auto is_sign = [](char sign) { return is_upper(sign) || is_digit(sign); };
    return std::ranges::all_of(bic, is_sign) && is_upper(bic[4]) && is_upper(bic[5]);
}

} // namespace

std::optional<std::string> fault_of(const Company& company)
{
    for (const auto& [key, field] : company_keys) {
        const std::string& text = company.*field;
        if (text.size() > text_max) return fmt::format("{}: at most {} bytes", key, text_max);
        const auto is_control = [](char sign) { return static_cast<unsigned char>(sign) < 0x20; };
        if (std::ranges::any_of(text, is_control)) return fmt::format("{}: one line of text", key);
    }
    const auto& country = company.country;
    if (!country.empty() && (country.size() != 2 || !is_upper(country[0]) || !is_upper(country[1])))
        return "country: two capital letters of ISO 3166-1, as \"NL\"";
    if (!company.iban.empty() && !is_iban(company.iban))
        return "iban: its check digits do not agree; write it without spaces";
    if (!company.bic.empty() && !is_bic(company.bic)) return "bic: 8 or 11 letters and digits";
    if (company.endpoint.empty() != company.endpoint_scheme.empty())
        return "endpoint: an electronic address has endpoint and endpoint_scheme";
    if (!company.self_billing_agreed.empty() && !ledger::parse_day(company.self_billing_agreed))
        return "self_billing_agreed: a day, as \"2026-01-15\"";
    return std::nullopt;
}

} // namespace pointhouse::partners
