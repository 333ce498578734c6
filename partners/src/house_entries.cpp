#include "house_entries.hpp"

#include <array>
#include <stdexcept>
#include <string>
#include <utility>

#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>

#include "contract_rules.hpp"
#include "partners/base64.hpp"

namespace pointhouse::partners {
namespace {

namespace json = boost::json;

constexpr std::string_view month_end = "month_end";
constexpr std::string_view same_day = "day";
constexpr std::string_view prepaid = "prepaid";
constexpr std::string_view postpaid = "postpaid";
constexpr std::string_view next_block = "next_block";
constexpr std::string_view refuse = "refuse";
constexpr std::string_view gross = "gross";

template <class T>
T number_in(const json::object& content, std::string_view key)
{
    return content.at(key).to_number<T>();
}

// Throws what `at` throws for a missing key: the reader of the record names the entry.
template <class T>
T required(std::optional<T> value, std::string_view key)
{
    if (!value) throw std::invalid_argument{"no value in " + std::string{key}};
    return *std::move(value);
}

ledger::Micro micro_in(const json::object& content, std::string_view key)
{
    return required(ledger::parse_micro(text_in(content, key)), key);
}

ledger::Time time_in(const json::object& content, std::string_view key)
{
    return required(ledger::parse_time(text_in(content, key)), key);
}

ledger::Day day_in(const json::object& content, std::string_view key)
{
    return required(ledger::parse_day(text_in(content, key)), key);
}

using DebtShare = std::int32_t ledger::DebtShares::*;
constexpr std::array<std::pair<std::string_view, DebtShare>, 3> debt_bearers{
    {{"issuer", &ledger::DebtShares::issuer},
     {"redeemer", &ledger::DebtShares::redeemer},
     {"operator", &ledger::DebtShares::house}}};

/// One who bears all by name, else the shares.
json::value to_json(const ledger::DebtShares& shares)
{
    json::object parts;
    for (const auto& [name, share] : debt_bearers) {
        if (shares.*share != 0) parts.emplace(name, shares.*share);
    }
    if (parts.size() == 1) return parts.begin()->key();
    return parts;
}

ledger::DebtShares debt_shares_from(const json::value& bearer)
{
    ledger::DebtShares shares{.issuer = 0, .redeemer = 0, .house = 0};
    bool is_known = false;
    for (const auto& [name, share] : debt_bearers) {
        const auto* part = bearer.is_object() ? bearer.get_object().if_contains(name) : nullptr;
        if (part) shares.*share = part->to_number<std::int32_t>();
        if (bearer.is_string() && bearer.get_string() == name) shares.*share = 1;
        is_known = is_known || shares.*share != 0;
    }
    if (!is_known) throw std::invalid_argument{"unknown debt bearer"};
    return shares;
}

json::array to_json(const ledger::Roles& roles)
{
    json::array names;
    if (roles.issuer) names.emplace_back("issuer");
    if (roles.redeemer) names.emplace_back("redeemer");
    if (roles.charity) names.emplace_back("charity");
    return names;
}

ledger::Roles roles_from(const json::array& names)
{
    ledger::Roles roles;
    for (const auto& name : names) {
        if (name == "issuer") {
            roles.issuer = true;
        } else if (name == "redeemer") {
            roles.redeemer = true;
        } else if (name == "charity") {
            roles.charity = true;
        } else {
            throw std::invalid_argument{"unknown role"};
        }
    }
    return roles;
}

VatTerms vat_from(const json::object& content, ledger::PartnerId partner)
{
    VatTerms row{
        .partner = partner,
        .valid_from = time_in(content, "from"),
        .flows = json::value_to<std::vector<std::string>>(content.at("flows")),
        .treatment = std::string{text_in(content, "treatment")},
        .category = std::string{text_in(content, "category")},
        .rate_basis_points = number_in<std::int32_t>(content, "rate_bp"),
        .is_gross = content.contains("price") && text_in(content, "price") == gross};
    if (content.contains("tax_point")) row.tax_point = text_in(content, "tax_point");
    return row;
}

} // namespace

json::object to_json(const VatTerms& row)
{
    json::array flows;
    for (const auto& flow : row.flows) flows.emplace_back(flow);
    json::object content{
        {"from", ledger::format_time(row.valid_from)},
        {"flows", std::move(flows)},
        {"treatment", row.treatment},
        {"category", row.category},
        {"rate_bp", row.rate_basis_points}};
    if (row.is_gross) content.emplace("price", gross);
    if (row.tax_point != VatTerms{}.tax_point) content.emplace("tax_point", row.tax_point);
    return content;
}

std::vector<VatTerms> vat_rows_from(const json::array& rows, ledger::PartnerId partner)
{
    std::vector<VatTerms> vat;
    vat.reserve(rows.size());
    for (const auto& row : rows) vat.push_back(vat_from(row.as_object(), partner));
    return vat;
}

json::object to_json(const Company& company)
{
    json::object content;
    for (const auto& [key, field] : company_keys) {
        if (!(company.*field).empty()) content.emplace(key, company.*field);
    }
    if (company.accounts.empty()) return content;
    json::object accounts;
    for (const auto& [currency, account] : company.accounts)
        accounts.emplace(currency, json::object{{"iban", account.iban}, {"bic", account.bic}});
    content.emplace("accounts", std::move(accounts));
    return content;
}

Company company_from(const json::object& content)
{
    Company company;
    for (const auto& [key, field] : company_keys) {
        if (content.contains(key)) company.*field = text_in(content, key);
    }
    if (const auto* accounts = content.if_contains("accounts")) {
        for (const auto& each : accounts->as_object()) {
            const auto& account = each.value().as_object();
            company.accounts[std::string{std::string_view{each.key()}}] = {
                .iban = std::string{text_in(account, "iban")},
                .bic = std::string{text_in(account, "bic")}};
        }
    }
    return company;
}

std::string logo_from(const json::object& content)
{
    return required(from_base64(text_in(content, "png")), "png");
}

json::object to_json(const SettlementTerms& terms)
{
    json::object content;
    if (!terms.currency.empty()) content.emplace("currency", terms.currency);
    if (terms.net_debit_limit) {
        content.emplace("net_debit_limit", ledger::format_micro(*terms.net_debit_limit));
    }
    if (terms.mutualised) content.emplace("mutualised", true);
    if (!terms.program.empty()) content.emplace("program", terms.program);
    return content;
}

SettlementTerms settlement_terms_from(const json::object& content)
{
    SettlementTerms terms;
    if (content.contains("currency")) terms.currency = text_in(content, "currency");
    if (content.contains("net_debit_limit")) {
        terms.net_debit_limit = micro_in(content, "net_debit_limit");
    }
    terms.mutualised = content.contains("mutualised");
    if (content.contains("program")) terms.program = text_in(content, "program");
    return terms;
}

json::object to_json(const PromotionTerms& promotion)
{
    json::object funders;
    for (const auto& [funder, share] : promotion.funders) funders.emplace(funder, share);
    return {
        {"id", promotion.id},
        {"funders", std::move(funders)},
        {"from", ledger::format_day(promotion.from)},
        {"to", ledger::format_day(promotion.to)},
        {"cap_points", promotion.cap_points}};
}

PromotionTerms promotion_from(const json::object& content)
{
    PromotionTerms promotion{
        .id = std::string{text_in(content, "id")},
        .funders = {},
        .from = day_in(content, "from"),
        .to = day_in(content, "to"),
        .cap_points = number_in<std::int64_t>(content, "cap_points")};
    for (const auto& [funder, share] : content.at("funders").as_object()) {
        promotion.funders.emplace_back(funder, share.to_number<std::int32_t>());
    }
    return promotion;
}

std::string_view text_in(const json::object& content, std::string_view key)
{
    return content.at(key).as_string();
}

json::object to_json(const Registry::Founding& founding)
{
    json::object content{
        {"currency", founding.currency},
        {"time_zone", founding.time_zone},
        {"face_value", founding.face_value},
        {"late_window_days", founding.late_window_days},
        {"production", founding.production}};
    if (founding.shards != 1) content.emplace("shards", founding.shards);
    return content;
}

Registry::Founding founding_from(const json::object& content)
{
    return {
        .currency = std::string{text_in(content, "currency")},
        .time_zone = std::string{text_in(content, "time_zone")},
        .face_value = std::string{text_in(content, "face_value")},
        .late_window_days = number_in<std::int32_t>(content, "late_window_days"),
        .production = content.at("production").as_bool(),
        .shards = content.contains("shards") ? number_in<std::size_t>(content, "shards") : 1};
}

json::object to_json(const ledger::Tariff& tariff)
{
    json::value expiry;
    if (tariff.expiry) {
        expiry = json::object{
            {"months", tariff.expiry->months},
            {"at", tariff.expiry->at_month_end ? month_end : same_day}};
    }
    json::object content{
        {"version", tariff.version.value()},
        {"from", ledger::format_time(tariff.valid_from)},
        {"issue_price", ledger::format_micro(tariff.issue_price)},
        {"service_fee", ledger::format_micro(tariff.service_fee)},
        {"reimbursement", ledger::format_micro(tariff.reimbursement)},
        {"prefund_share",
         json::array{tariff.prefund_share.numerator, tariff.prefund_share.denominator}},
        {"pending_days", tariff.pending_days},
        {"expiry", std::move(expiry)},
        {"breakage",
         json::object{{"operator", tariff.breakage_operator}, {"issuer", tariff.breakage_issuer}}}};
    if (tariff.minimum_burn_value != ledger::Micro{}) {
        content.emplace("minimum_burn_value", ledger::format_micro(tariff.minimum_burn_value));
    }
    if (tariff.is_block()) content.emplace("block", tariff.block.count());
    return content;
}

ledger::Tariff tariff_from(const json::object& content, ledger::PartnerId partner)
{
    const auto& share = content.at("prefund_share").as_array();
    const auto& breakage = content.at("breakage").as_object();
    ledger::Tariff tariff{
        .version = ledger::TariffVersion{number_in<std::uint32_t>(content, "version")},
        .partner = partner,
        .valid_from = time_in(content, "from"),
        .issue_price = micro_in(content, "issue_price"),
        .service_fee = micro_in(content, "service_fee"),
        .reimbursement = micro_in(content, "reimbursement"),
        .prefund_share =
            {.numerator = share.at(0).to_number<std::int32_t>(),
             .denominator = share.at(1).to_number<std::int32_t>()},
        .expiry = std::nullopt,
        .pending_days = number_in<std::int32_t>(content, "pending_days"),
        .breakage_operator = number_in<std::int32_t>(breakage, "operator"),
        .breakage_issuer = number_in<std::int32_t>(breakage, "issuer")};
    if (const auto& expiry = content.at("expiry"); !expiry.is_null()) {
        tariff.expiry = ledger::ExpiryPolicy{
            .months = number_in<std::int32_t>(expiry.as_object(), "months"),
            .at_month_end = text_in(expiry.as_object(), "at") == month_end};
    }
    if (content.contains("minimum_burn_value")) {
        tariff.minimum_burn_value = micro_in(content, "minimum_burn_value");
    }
    if (content.contains("block")) {
        tariff.block = ledger::Points{number_in<std::int64_t>(content, "block")};
    }
    return tariff;
}

json::object to_json(const PartnerContract& contract)
{
    json::array tariffs;
    for (const auto& tariff : contract.tariffs) tariffs.emplace_back(to_json(tariff));
    json::array vat;
    for (const auto& row : contract.vat) vat.emplace_back(to_json(row));
    json::array promotions;
    for (const auto& promotion : contract.promotions) promotions.emplace_back(to_json(promotion));
    json::value credit_limit;
    if (contract.terms.credit_limit) {
        credit_limit = ledger::format_micro(*contract.terms.credit_limit);
    }
    json::object content{
        {"partner", contract.terms.partner.value()},
        {"id", contract.terms.name},
        {"name", contract.display_name},
        {"roles", to_json(contract.terms.roles)},
        {"debt_bearer", to_json(contract.terms.debt_shares)},
        {"excess_clawbacks", contract.terms.excess_clawbacks_allowed},
        {"billing", contract.terms.billing == ledger::Billing::prepaid ? prepaid : postpaid},
        {"credit_limit", std::move(credit_limit)},
        {"on_short", contract.terms.on_short == ledger::OnShort::next_block ? next_block : refuse},
        {"tariffs", std::move(tariffs)},
        {"vat", std::move(vat)},
        {"promotions", std::move(promotions)}};
    if (contract.notice_days != 0) content.emplace("notice_days", contract.notice_days);
    if (contract.company != Company{}) content.emplace("company", to_json(contract.company));
    if (contract.settlement != SettlementTerms{}) {
        content.emplace("settlement", to_json(contract.settlement));
    }
    return content;
}

PartnerContract contract_from(const json::object& content)
{
    PartnerContract contract;
    const ledger::PartnerId partner{number_in<std::uint32_t>(content, "partner")};
    contract.terms = {
        .partner = partner,
        .name = std::string{text_in(content, "id")},
        .roles = roles_from(content.at("roles").as_array()),
        .debt_shares = debt_shares_from(content.at("debt_bearer")),
        .excess_clawbacks_allowed = content.at("excess_clawbacks").as_bool()};
    contract.display_name = text_in(content, "name");
    if (text_in(content, "billing") == prepaid) contract.terms.billing = ledger::Billing::prepaid;
    if (!content.at("credit_limit").is_null()) {
        contract.terms.credit_limit = micro_in(content, "credit_limit");
    }
    if (text_in(content, "on_short") == next_block) {
        contract.terms.on_short = ledger::OnShort::next_block;
    }
    if (const auto* company = content.if_contains("company"))
        contract.company = company_from(company->as_object());
    if (const auto* settlement = content.if_contains("settlement"))
        contract.settlement = settlement_terms_from(settlement->as_object());
    if (content.contains("notice_days")) {
        contract.notice_days = number_in<std::int32_t>(content, "notice_days");
    }
    for (const auto& tariff : content.at("tariffs").as_array()) {
        contract.tariffs.push_back(tariff_from(tariff.as_object(), partner));
    }
    contract.vat = vat_rows_from(content.at("vat").as_array(), partner);
    for (const auto& promotion : content.at("promotions").as_array()) {
        contract.promotions.push_back(promotion_from(promotion.as_object()));
    }
    return contract;
}

json::array names_of(std::span<const ledger::MessageType> acts)
{
    json::array names;
    for (const auto act : acts) names.emplace_back(ledger::name_of(act));
    return names;
}

std::vector<ledger::MessageType> member_acts_from(const json::array& names)
{
    std::vector<ledger::MessageType> acts;
    for (const auto& name : names) {
        const auto act = find_member_act(name.as_string());
        if (!act) throw std::invalid_argument{"no such message about a member"};
        acts.push_back(*act);
    }
    return acts;
}

json::object to_json(const ledger::HouseTerms& terms)
{
    json::value approval_above;
    if (terms.approval_above) approval_above = terms.approval_above->count();
    return {
        {"refund_grace_days", terms.refund_grace_days},
        {"inactivity_months", terms.inactivity_months},
        {"inactivity_from", ledger::format_day(terms.inactivity_from)},
        {"approval_above_points", std::move(approval_above)},
        {"approval_of", names_of(terms.approval_of)}};
}

ledger::HouseTerms house_terms_from(const json::object& content)
{
    ledger::HouseTerms terms{
        .refund_grace_days = number_in<std::int32_t>(content, "refund_grace_days"),
        .inactivity_months = number_in<std::int32_t>(content, "inactivity_months"),
        .inactivity_from = day_in(content, "inactivity_from")};
    if (!content.at("approval_above_points").is_null()) {
        terms.approval_above =
            ledger::Points{number_in<std::int64_t>(content, "approval_above_points")};
    }
    if (const auto* named = content.if_contains("approval_of"))
        terms.approval_of = member_acts_from(named->as_array());
    return terms;
}

std::vector<std::string> programs_from(const json::value& names)
{
    return json::value_to<std::vector<std::string>>(names);
}

json::object to_json(const CertificateTerms& certificate)
{
    return {
        {"serial", certificate.serial},
        {"subject", certificate.subject},
        {"not_after", ledger::format_time(certificate.not_after)}};
}

CertificateTerms certificate_from(const json::object& content)
{
    return {
        .serial = std::string{text_in(content, "serial")},
        .subject = std::string{text_in(content, "subject")},
        .not_after = time_in(content, "not_after"),
        .revoked = false};
}

} // namespace pointhouse::partners
