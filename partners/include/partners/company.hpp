#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pointhouse::partners {

/// A further account, for one currency.
struct BankAccount {
    std::string iban{};
    std::string bic{}; // empty: the bank finds it from the IBAN
    friend bool operator==(const BankAccount&, const BankAccount&) = default;
};

/// Who a partner, or the house, is before the law and to its bank, as documents name it (EN 16931
/// BG-4 and BG-7) and payments reach it. Empty: not known.
struct Company {
    std::string name{}; // registered
    std::string street{};
    std::string city{};
    std::string postal_code{};
    std::string country{};         // ISO 3166-1 alpha-2
    std::string vat_id{};          // with the country's prefix
    std::string registration{};    // number with the trade register
    std::string endpoint_scheme{}; // CEF electronic address scheme, "0088"
    std::string endpoint{};
    std::string iban{};
    std::string bic{};
    std::string email{};
    /// Day, "2026-01-15", on which the partner agreed that the house writes its invoices (directive
    /// 2006/112/EC, article 224); empty: it did not.
    std::string self_billing_agreed{};
    /// Days from its issue on in which the partner may object to such an invoice, as was agreed;
    /// empty: the house's usual ones.
    std::string self_billing_objection_days{};
    std::map<std::string, BankAccount> accounts{}; // by currency, ISO 4217: "SEK"
    friend bool operator==(const Company&, const Company&) = default;
};

/// The keys of a [company] table, in the order in which records have them.
inline constexpr std::array<std::pair<std::string_view, std::string Company::*>, 14> company_keys{
    {{"name", &Company::name},
     {"street", &Company::street},
     {"city", &Company::city},
     {"postal_code", &Company::postal_code},
     {"country", &Company::country},
     {"vat_id", &Company::vat_id},
     {"registration", &Company::registration},
     {"endpoint_scheme", &Company::endpoint_scheme},
     {"endpoint", &Company::endpoint},
     {"iban", &Company::iban},
     {"bic", &Company::bic},
     {"email", &Company::email},
     {"self_billing_agreed", &Company::self_billing_agreed},
     {"self_billing_objection_days", &Company::self_billing_objection_days}}};

/// Of a company without a fault; none: the house's usual ones. Pure.
[[nodiscard]] std::optional<std::int32_t> objection_days_of(const Company& company);

/// Where it is paid in a currency: the account of that currency, else its own first one, `iban`.
[[nodiscard]] BankAccount account_for(const Company& company, std::string_view currency);

/// What is wrong with it, "iban: …"; none when nothing is. Pure.
[[nodiscard]] std::optional<std::string> fault_of(const Company& company);

} // namespace pointhouse::partners
