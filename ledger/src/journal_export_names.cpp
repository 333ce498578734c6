#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "ledger/invariant.hpp"
#include "ledger/journal_export.hpp"

namespace pointhouse::ledger {
namespace {

bool is_capital_or_digit(char letter)
{
    return (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9');
}

bool is_alphanumeric(char letter)
{
    return is_capital_or_digit(letter) || (letter >= 'a' && letter <= 'z');
}

// Beancount: parts of accounts are letters, digits and '-', the first a capital or digit;
// commodities are at most 24 capitals, digits and .'_-, the last a capital or digit.
constexpr std::size_t plain_symbol_max = 20;
constexpr std::size_t shortened_symbol_max = 10;

bool is_beancount_symbol(std::string_view name)
{
    return !name.empty() && name.size() <= plain_symbol_max && is_capital_or_digit(name.front()) &&
           is_capital_or_digit(name.back()) && std::ranges::all_of(name, [](char letter) {
               return is_capital_or_digit(letter) || letter == '-';
           });
}

/// The partner's id where beancount takes it; else like it, made unique by `mark` and its number.
/// The mark is one that no id taken as it stands has there: 'n' in accounts, '.' in commodities.
std::string beancount_partner(PartnerId id, std::string_view mark, const Terms& terms)
{
    const std::string& name = terms.partner(id).name;
    if (is_beancount_symbol(name)) return name;
    std::string symbol;
    for (const char letter : name.substr(0, shortened_symbol_max)) {
        const auto capital = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
        symbol += is_alphanumeric(letter) ? capital : '-';
    }
    if (symbol.empty() || symbol.front() == '-') symbol.insert(0, "X");
    symbol.resize(std::min(symbol.size(), shortened_symbol_max));
    return fmt::format("{}{}{}", symbol, mark, id.value());
}

std::string_view beancount_root(Account account)
{
    switch (account) {
    case Account::issued: return "Equity:Points:Issued";
    case Account::redeemed: return "Equity:Points:Redeemed";
    case Account::clawback: return "Equity:Points:Clawback";
    case Account::recovery: return "Equity:Points:Recovery";
    case Account::members_active: return "Equity:Points:Members:Active";
    case Account::members_debt: return "Equity:Points:Members:Debt";
    case Account::unbilled: return "Assets:Unbilled";
    case Account::accrued_redemption: return "Liabilities:Accrued-Redemption";
    case Account::deferred_revenue: return "Liabilities:Deferred-Revenue";
    case Account::service_fee: return "Income:Service-Fee";
    case Account::redemption_margin: return "Income:Redemption-Margin";
    case Account::prepaid_block: return "Liabilities:Prepaid-Block";
    case Account::prepaid_fee: return "Liabilities:Prepaid-Fee";
    case Account::cash_trust: return "Assets:Cash:Trust";
    case Account::cash_operating: return "Assets:Cash:Operating";
    case Account::receivable: return "Assets:Receivable";
    case Account::payable: return "Liabilities:Payable";
    case Account::vat_output: return "Liabilities:VAT:Output";
    case Account::vat_input: return "Assets:VAT:Input";
    case Account::rounding: return "Expenses:Rounding";
    case Account::write_off: return "Expenses:WriteOff";
    case Account::collateral: return "Liabilities:Collateral";
    case Account::exchange: return "Expenses:Exchange";
    case Account::bank_charges: return "Expenses:BankCharges";
    case Account::accrued_breakage_share: return "Liabilities:Accrued-Breakage-Share";
    case Account::breakage: return "Income:Breakage";
    case Account::members_pending: return "Equity:Points:Members:Pending";
    case Account::members_held: return "Equity:Points:Members:Held";
    case Account::members_expired: return "Equity:Points:Expired";
    case Account::transit: return "Equity:Points:Transit";
    }
    invariant(false, "every account has its name");
    return {};
}

} // namespace

std::optional<ExportFormat> find_export_format(std::string_view name)
{
    if (name == "hledger") return ExportFormat::hledger;
    if (name == "beancount") return ExportFormat::beancount;
    if (name == "csv") return ExportFormat::csv;
    return std::nullopt;
}

std::string exported_partner(PartnerId id, const Terms& terms)
{
    const std::string& name = terms.partner(id).name;
    const bool is_plain = !name.empty() && std::ranges::all_of(name, [](char letter) {
        return is_alphanumeric(letter) || letter == '.' || letter == '_' || letter == '-';
    });
    return is_plain ? name : fmt::format("#{}", id.value());
}

std::string exported_account(
    ExportFormat format, Account account, PartnerId partner, const Terms& terms)
{
    switch (format) {
    case ExportFormat::csv: return account_name(account, partner, terms);
    case ExportFormat::hledger: {
        std::string name = account_name(account, PartnerId{}, terms);
        if (!partner.is_none()) name += ":" + exported_partner(partner, terms);
        return name;
    }
    case ExportFormat::beancount: {
        std::string name{beancount_root(account)};
        if (!partner.is_none()) name += ":" + beancount_partner(partner, "-n", terms);
        return name;
    }
    }
    return {};
}

std::string exported_unit(ExportFormat format, PartnerId issuer, const Terms& terms)
{
    if (issuer.is_none()) return terms.currency.code;
    switch (format) {
    case ExportFormat::csv: return unit_name(issuer, terms);
    case ExportFormat::hledger: return fmt::format("\"P.{}\"", exported_partner(issuer, terms));
    case ExportFormat::beancount: return "P." + beancount_partner(issuer, ".", terms);
    }
    return {};
}

} // namespace pointhouse::ledger
