#include "partners/company.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <set>

#include "ledger/bank_account.hpp"
#include "ledger/money.hpp"
#include "ledger/printable.hpp"
#include "ledger/time.hpp"

namespace pointhouse::partners {
namespace {

constexpr std::size_t text_max = 200;
constexpr std::int32_t objection_days_max = 365;

bool is_upper(char sign)
{
    return sign >= 'A' && sign <= 'Z';
}

/// What is wrong with an account; none: nothing, or there is none.
std::optional<std::string> fault_of(const BankAccount& account)
{
    const auto fault = account.iban.empty() ? std::nullopt : ledger::find_iban_fault(account.iban);
    if (fault)
        return fmt::format("iban: {}; it is written without spaces", ledger::in_words(*fault));
    if (!account.bic.empty() && !ledger::is_bic(account.bic))
        return "bic: 8 or 11 letters and digits";
    return std::nullopt;
}

/// A statement says whose account it is, and so of which currency: no two have one IBAN.
std::optional<std::string> fault_of_accounts(const Company& company)
{
    std::set<std::string_view> ibans{company.iban};
    for (const auto& [currency, account] : company.accounts) {
        const auto name = fmt::format("account.{}", currency);
        if (!ledger::find_currency(currency))
            return fmt::format("{}: the house does not know this currency", name);
        if (account.iban.empty()) return fmt::format("{}.iban: an account has one", name);
        if (const auto fault = fault_of(account)) return fmt::format("{}.{}", name, *fault);
        if (!ibans.insert(account.iban).second)
            return fmt::format("{}.iban: another currency has it, too", name);
    }
    return std::nullopt;
}

} // namespace

BankAccount account_for(const Company& company, std::string_view currency)
{
    const auto found = company.accounts.find(std::string{currency});
    if (found != company.accounts.end()) return found->second;
    return {.iban = company.iban, .bic = company.bic};
}

std::optional<std::int32_t> objection_days_of(const Company& company)
{
    const std::string& text = company.self_billing_objection_days;
    std::int32_t days = 0;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, days);
    if (text.empty() || read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return days;
}

std::optional<std::string> fault_of(const Company& company)
{
    for (const auto& [key, field] : company_keys) {
        const std::string& text = company.*field;
        if (text.size() > text_max) return fmt::format("{}: at most {} bytes", key, text_max);
        if (!ledger::is_printable(text)) return fmt::format("{}: one line of printable text", key);
    }
    const auto& country = company.country;
    if (!country.empty() && (country.size() != 2 || !is_upper(country[0]) || !is_upper(country[1])))
        return "country: two capital letters of ISO 3166-1, as \"NL\"";
    if (auto fault = fault_of(BankAccount{.iban = company.iban, .bic = company.bic})) return fault;
    if (auto fault = fault_of_accounts(company)) return fault;
    if (company.endpoint.empty() != company.endpoint_scheme.empty())
        return "endpoint: an electronic address has endpoint and endpoint_scheme";
    if (!company.self_billing_agreed.empty() && !ledger::parse_day(company.self_billing_agreed))
        return "self_billing_agreed: a day, as \"2026-01-15\"";
    const auto days = objection_days_of(company);
    if (!company.self_billing_objection_days.empty() &&
        (!days || *days < 1 || *days > objection_days_max))
        return fmt::format(
            "self_billing_objection_days: a number from 1 to {}, as \"30\"", objection_days_max);
    return std::nullopt;
}

} // namespace pointhouse::partners
