#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "ledger/printable.hpp"
#include "registration_scheme.hpp"
#include "settlement/ubl.hpp"

namespace pointhouse::settlement {
namespace {

using Fault = std::optional<std::string>;

bool is_capital(char character)
{
    return character >= 'A' && character <= 'Z';
}

bool bears_category(const Document& document, std::string_view category)
{
    return std::ranges::any_of(
        document.lines, [&](const DocumentLine& line) { return line.vat.category == category; });
}

Fault fault_of(const LegalParty& party, std::string_view role)
{
    const auto lacks = [&](std::string_view what) {
        return fmt::format("the {} {} has no {}", role, party.id, what);
    };
    const std::array needed{
        std::pair{&party.id, "identifier"},
        std::pair{&party.name, "registered name"},
        std::pair{&party.street, "street"},
        std::pair{&party.city, "city"},
        std::pair{&party.country, "country"},
        std::pair{&party.endpoint_scheme, "scheme of its electronic address"},
        std::pair{&party.endpoint, "electronic address"},
    };
    for (const auto& [field, what] : needed)
        if (field->empty()) return lacks(what);
    const std::array texts{
        &party.id,
        &party.name,
        &party.street,
        &party.city,
        &party.postal_code,
        &party.country,
        &party.vat_id,
        &party.registration,
        &party.endpoint_scheme,
        &party.endpoint,
        &party.iban,
        &party.bic,
        &party.email};
    if (std::ranges::any_of(texts, [](const auto* text) { return !ledger::is_printable(*text); }))
        return fmt::format("the {} {} has details that cannot be printed", role, party.id);
    if (party.country.size() != 2 || !std::ranges::all_of(party.country, is_capital))
        return lacks("country of two capital letters (ISO 3166-1)");
    return std::nullopt;
}

Fault fault_of_vat_id(const LegalParty& party, std::string_view role)
{
    const std::string& id = party.vat_id;
    if (id.empty()) return fmt::format("the {} {} has no VAT identifier", role, party.id);
    if (id.size() < 4 || !is_capital(id[0]) || !is_capital(id[1])) {
        return fmt::format(
            "the VAT identifier of the {} {} lacks its country's prefix", role, party.id);
    }
    return std::nullopt;
}

bool are_digits(std::string_view text)
{
    return std::ranges::all_of(text, [](char one) { return one >= '0' && one <= '9'; });
}

// PEPPOL-COMMON-R056-2: "NL123456789B01".
bool is_dutch_vat_id(std::string_view id)
{
    return id.size() == 14 && id.starts_with("NL") && are_digits(id.substr(2, 9)) &&
           id[11] == 'B' && are_digits(id.substr(12));
}

Fault fault_of_dutch_party(const LegalParty& party, std::string_view role)
{
    if (party.country != "NL") return std::nullopt;
    if (party.postal_code.empty())
        return fmt::format("the {} {} has no postal code", role, party.id);
    if (registration_scheme_of(party).empty()) {
        return fmt::format("the {} {} has no KVK number of 8 digits nor OIN of 20", role, party.id);
    }
    return std::nullopt;
}

// What Peppol asks of Dutch sellers (NL-R-001 to NL-R-007).
Fault fault_of_dutch_invoice(const Document& document)
{
    for (const auto& [party, role] :
         {std::pair{&document.seller, "seller"}, std::pair{&document.buyer, "buyer"}}) {
        if (auto fault = fault_of_dutch_party(*party, role)) return fault;
    }
    if (is_credit(document.kind) && !document.corrects)
        return "a credit note of a Dutch seller has to name an invoice";
    if (!is_credit(document.kind) && document.seller.iban.empty())
        return fmt::format("the seller {} has no account to be paid to", document.seller.id);
    return std::nullopt;
}

// Countries whose sellers, when they write their invoices themselves, have Peppol rules of their
// own that need details we do not keep: a contact's telephone, other identifiers, other numbers.
Fault fault_of_country(const Document& document)
{
    constexpr std::array<std::string_view, 4> unsupported{"DK", "GR", "IS", "NO"};
    if (is_self_billed(document.kind)) return std::nullopt;
    const std::string& country = document.seller.country;
    if (country == "NL") return fault_of_dutch_invoice(document);
    const bool is_german = country == "DE" && document.buyer.country == "DE";
    if (is_german || std::ranges::count(unsupported, country) > 0) {
        return fmt::format(
            "Peppol's own rules for sellers in {} need details that are not kept", country);
    }
    return std::nullopt;
}

// EN 16931 BR-S-05 and its sisters.
Fault fault_of_rates(const Document& document)
{
    constexpr std::array<std::string_view, 5> categories{"S", "Z", "E", "AE", "O"};
    for (const DocumentLine& line : document.lines) {
        const std::string& category = line.vat.category;
        if (std::ranges::count(categories, category) == 0)
            return fmt::format("VAT category \"{}\" is none of S, Z, E, AE, O", category);
        if ((category == "S") != (line.vat.basis_points > 0)) {
            return fmt::format(
                "VAT category {} goes with a rate {} zero",
                category,
                category == "S" ? "above" : "of");
        }
    }
    return std::nullopt;
}

} // namespace

std::string_view registration_scheme_of(const LegalParty& party)
{
    if (party.country != "NL" || !are_digits(party.registration)) return "";
    if (party.registration.size() == 8) return "0106";
    return party.registration.size() == 20 ? "0190" : "";
}

std::optional<std::string> missing_for_invoice(const Document& document)
{
    if (document.kind == DocumentKind::payment_statement) {
        for (const LegalParty* party : {&document.seller, &document.buyer})
            if (party->name.empty()) return fmt::format("the party {} has no name", party->id);
        return std::nullopt;
    }
    if (auto fault = fault_of(document.seller, "seller")) return fault;
    if (auto fault = fault_of(document.buyer, "buyer")) return fault;
    const bool is_outside_scope = bears_category(document, "O");
    if (!is_outside_scope) {
        if (auto fault = fault_of_vat_id(document.seller, "seller")) return fault;
    }
    if (bears_category(document, "AE")) {
        if (auto fault = fault_of_vat_id(document.buyer, "buyer")) return fault;
    }
    for (const auto& [party, role] :
         {std::pair{&document.seller, "seller"}, std::pair{&document.buyer, "buyer"}}) {
        const bool is_named = !is_outside_scope && party->vat_id.starts_with("NL");
        if (is_named && !is_dutch_vat_id(party->vat_id))
            return fmt::format("the VAT identifier of the {} {} is not Dutch", role, party->id);
    }
    if (auto fault = fault_of_rates(document)) return fault;
    if (auto fault = fault_of_country(document)) return fault;
    if (!ledger::is_printable(document.reason))
        return "the reason has signs that cannot be printed";
    if (document.currency.minor_digits > 2) {
        return fmt::format(
            "an electronic invoice has two decimals, {} has {}",
            document.currency.code,
            document.currency.minor_digits);
    }
    return std::nullopt;
}

} // namespace pointhouse::settlement
