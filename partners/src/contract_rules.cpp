#include "contract_rules.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>
#include <stdexcept>
#include <utility>

#include "ledger/journal.hpp"
#include "ledger/printable.hpp"

namespace pointhouse::partners {
namespace {

using Fault = std::optional<std::string>;

constexpr std::size_t id_size_max = 32;
constexpr std::size_t name_size_max = 100;
constexpr std::int32_t pending_days_max = 366;
constexpr std::int32_t days_in_month_min = 28;
constexpr std::int32_t notice_days_max = 366;
constexpr std::int32_t expiry_months_max = 1200;
constexpr std::int32_t late_window_days_max = 3660;
constexpr std::int32_t refund_grace_days_max = 366;
constexpr std::int32_t denominator_max = 1'000'000;
constexpr std::int32_t basis_points_max = 10'000;
// Times a rate in basis points it stays far inside 128 bits, and what is owed inside 64.
constexpr ledger::Micro credit_limit_max{1'000'000'000'000'000};

// Names that would mean something else in a URL, on the wire or among the files of the
// certificates.
constexpr std::array reserved_ids{"house", "root", "issuing", "others", "ca.pem"};
constexpr std::string_view operator_prefix = "operator-";

constexpr std::array<std::string_view, 3> tax_points{"period_end", "issue", "payment"};
constexpr std::array flows{
    "price", "fee", "reimbursement", "donation", "breakage_shared", "breakage_retained", "block"};

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> treatments{
    {{"taxed", "S"},
     {"zero_rated", "Z"},
     {"exempt", "E"},
     {"reverse_charge", "AE"},
     {"out_of_scope", "O"}}};

bool is_one_of(std::string_view word, const auto& words)
{
    return std::ranges::any_of(words, [&](std::string_view one) { return one == word; });
}

bool is_id(std::string_view id)
{
    const auto is_alphanumeric = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    return !id.empty() && id.size() <= id_size_max && is_alphanumeric(id.front()) &&
           std::ranges::all_of(
               id, [&](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

Fault fault_of_name(std::string_view name)
{
    if (name.empty() || name.size() > name_size_max || !ledger::is_printable(name)) {
        return fmt::format("name: 1 to {} bytes of printable text", name_size_max);
    }
    return std::nullopt;
}

Fault fault_of_id(std::string_view id)
{
    if (!is_id(id)) {
        return fmt::format(
            "id: 1 to {} letters, digits, '.', '_' or '-', the first a letter or digit",
            id_size_max);
    }
    if (is_one_of(id, reserved_ids) || id.starts_with(operator_prefix)) {
        return fmt::format("id: {} is a name of the house's own", id);
    }
    return std::nullopt;
}

Fault fault_of_price(std::string_view key, ledger::Micro price)
{
    if (price < ledger::Micro{0} || price > price_max) {
        return fmt::format("{}: from 0 to {}", key, ledger::format_micro(price_max));
    }
    return std::nullopt;
}

// Every date is written into the record, and must be read from it again.
Fault fault_of_date(ledger::Time from)
{
    if (ledger::parse_time(ledger::format_time(from)) != from) {
        return "from: a day from 1970 to 2199";
    }
    return std::nullopt;
}

Fault fault_of_prefunding(const ledger::Tariff& tariff)
{
    const auto [numerator, denominator] = tariff.prefund_share;
    if (denominator < 1 || denominator > denominator_max || numerator < 0 ||
        numerator > denominator) {
        return "prefund_share: from 0 to 1";
    }
    const auto product = ledger::Wide{tariff.issue_price.count()} * numerator;
    if (product % denominator != 0) {
        return fmt::format(
            "prefund_share: {}/{} of {} is no whole number of millionths",
            numerator,
            denominator,
            ledger::format_micro(tariff.issue_price));
    }
    return std::nullopt;
}

// Pre: the prefund share is sound.
Fault fault_of_breakage(const ledger::Tariff& tariff)
{
    const auto for_operator = tariff.breakage_operator;
    const auto for_issuer = tariff.breakage_issuer;
    if (for_operator < 0 || for_issuer < 0 || for_operator > denominator_max ||
        for_issuer > denominator_max || for_operator + for_issuer < 1) {
        return fmt::format("breakage: integer shares from 0 to {}, not both 0", denominator_max);
    }
    const auto product = ledger::Wide{tariff.prefunded_price().count()} * for_issuer;
    if (product % (for_operator + for_issuer) != 0) {
        return fmt::format(
            "breakage: {} to {} of {} is no whole number of millionths",
            for_operator,
            for_issuer,
            ledger::format_micro(tariff.prefunded_price()));
    }
    return std::nullopt;
}

Fault fault_of_tariffs(const PartnerContract& contract)
{
    const auto& tariffs = contract.tariffs;
    if (tariffs.empty() && (contract.terms.roles.issuer || contract.terms.roles.redeemer)) {
        return "tariff: an issuer or redeemer needs one";
    }
    for (const auto& tariff : tariffs) {
        if (auto fault = fault_of(tariff)) return fault;
    }
    for (std::size_t later = 1; later < tariffs.size(); ++later) {
        if (tariffs[later].valid_from <= tariffs[later - 1].valid_from) {
            return "tariff: each begins after the one before it";
        }
    }
    return std::nullopt;
}

Fault fault_of_billing(const PartnerContract& contract)
{
    const bool is_prepaid = contract.terms.billing == ledger::Billing::prepaid;
    const auto& limit = contract.terms.credit_limit;
    if (limit && is_prepaid) return "credit_limit: only for postpaid";
    if (limit && (*limit < ledger::Micro{0} || *limit > credit_limit_max)) {
        return fmt::format("credit_limit: from 0 to {}", ledger::format_micro(credit_limit_max));
    }
    for (const auto& tariff : contract.tariffs) {
        if (is_prepaid) {
            if (auto fault = fault_of_prepayment(tariff)) return fault;
        }
    }
    return std::nullopt;
}

Fault fault_of_vat(const PartnerContract& contract)
{
    std::set<std::pair<std::string_view, ledger::Time>> seen;
    for (const auto& row : contract.vat) {
        if (auto fault = fault_of(row)) return fault;
        for (const auto& flow : row.flows) {
            if (!seen.emplace(flow, row.valid_from).second) {
                return fmt::format("vat: two rows for {} from the same day", flow);
            }
        }
    }
    return std::nullopt;
}

} // namespace

Fault fault_of_prepayment(const ledger::Tariff& tariff)
{
    // A block is paid in full when it is bought, so nothing of it is left to pay later.
    if (tariff.prefund_share == ledger::Share{}) return std::nullopt;
    return "prefund_share: a prepaid partner prefunds the whole, 1";
}

Fault fault_of_promise(const ledger::Tariff& tariff, const Registry::Founding& founding)
{
    if (tariff.minimum_burn_value <= ledger::parse_micro(founding.face_value)) return std::nullopt;
    return fmt::format(
        "minimum_burn_value: a point is worth {} in this house", founding.face_value);
}

std::optional<std::string_view> category_of(std::string_view treatment)
{
    for (const auto& [name, category] : treatments) {
        if (name == treatment) return category;
    }
    return std::nullopt;
}

Fault fault_of(const Registry::Founding& founding)
{
    if (!ledger::find_currency(founding.currency)) {
        return fmt::format("the house does not book in currency \"{}\"", founding.currency);
    }
    try {
        static_cast<void>(ledger::Calendar{founding.time_zone});
    } catch (const std::runtime_error&) {
        return fmt::format("there is no time zone \"{}\"", founding.time_zone);
    }
    const auto face_value = ledger::parse_micro(founding.face_value);
    if (!face_value || *face_value <= ledger::Micro{0} || *face_value > price_max) {
        return fmt::format("the face value is above 0, up to {}", ledger::format_micro(price_max));
    }
    if (founding.late_window_days < 0 || founding.late_window_days > late_window_days_max) {
        return fmt::format("the late window has 0 to {} days", late_window_days_max);
    }
    if (founding.shards < 1 || founding.shards > ledger::shards_max) {
        return fmt::format("a journal has 1 to {} shards", ledger::shards_max);
    }
    return std::nullopt;
}

Fault fault_of(const ledger::Tariff& tariff)
{
    if (auto fault = fault_of_date(tariff.valid_from)) return fault;
    if (auto fault = fault_of_price("issue_price", tariff.issue_price)) return fault;
    if (auto fault = fault_of_price("service_fee", tariff.service_fee)) return fault;
    if (auto fault = fault_of_price("reimbursement", tariff.reimbursement)) return fault;
    if (auto fault = fault_of_price("minimum_burn_value", tariff.minimum_burn_value)) return fault;
    if (auto fault = fault_of_prefunding(tariff)) return fault;
    if (auto fault = fault_of_breakage(tariff)) return fault;
    if (tariff.pending_days < 0 || tariff.pending_days > pending_days_max) {
        return fmt::format("pending_days: from 0 to {}", pending_days_max);
    }
    if (tariff.expiry && (tariff.expiry->months < 1 || tariff.expiry->months > expiry_months_max)) {
        return fmt::format("expiry: from 1 to {} months", expiry_months_max);
    }
    if (tariff.expiry && tariff.pending_days > days_in_month_min * tariff.expiry->months) {
        return fmt::format(
            "pending_days: at most {} for each month of expiry, or points end before they can be "
            "spent",
            days_in_month_min);
    }
    return std::nullopt;
}

Fault fault_of(const SettlementTerms& terms)
{
    if (!terms.currency.empty() && !ledger::find_currency(terms.currency)) {
        return fmt::format("currency: the house does not know \"{}\"", terms.currency);
    }
    const auto& limit = terms.net_debit_limit;
    if (limit && (*limit < ledger::Micro{0} || *limit > credit_limit_max)) {
        return fmt::format("net_debit_limit: from 0 to {}", ledger::format_micro(credit_limit_max));
    }
    return std::nullopt;
}

Fault fault_of(const VatTerms& row)
{
    if (auto fault = fault_of_date(row.valid_from)) return fault;
    if (row.flows.empty()) return "flows: at least one";
    for (const auto& flow : row.flows) {
        if (!is_one_of(flow, flows)) {
            return fmt::format("flows: \"{}\" is none of {}", flow, fmt::join(flows, ", "));
        }
        if (std::ranges::count(row.flows, flow) > 1)
            return fmt::format("flows: {} stands there twice", flow);
    }
    const auto category = category_of(row.treatment);
    if (!category) return fmt::format("treatment: \"{}\" is unknown", row.treatment);
    if (row.category != *category) {
        return fmt::format("category: \"{}\" goes with {}", *category, row.treatment);
    }
    const bool is_taxed = row.treatment == "taxed";
    if (is_taxed ? row.rate_basis_points < 1 || row.rate_basis_points > basis_points_max
                 : row.rate_basis_points != 0) {
        return fmt::format("rate_bp: from 1 to {} when taxed, else 0", basis_points_max);
    }
    if (row.is_gross && !is_taxed) return "price: \"gross\" goes with taxed: else it holds no VAT";
    if (!is_one_of(row.tax_point, tax_points)) {
        return fmt::format(
            "tax_point: \"{}\" is none of {}", row.tax_point, fmt::join(tax_points, ", "));
    }
    if (row.tax_point == tax_points.front()) return std::nullopt;
    if (row.treatment == "out_of_scope") return "tax_point: out of scope there is none";
    // Directive 2006/112/EC, article 65: what is paid ahead is taxed when it is paid.
    if (std::ranges::find(row.flows, "block") != row.flows.end())
        return "tax_point: a block is taxed when it is paid";
    return std::nullopt;
}

Fault fault_of(const PromotionTerms& promotion)
{
    if (!is_id(promotion.id)) return "id: of the form of a partner's";
    if (promotion.funders.empty()) return fmt::format("{}: nobody funds it", promotion.id);
    if (promotion.funders.size() > ledger::funders_max) {
        return fmt::format("{}: at most {} funders", promotion.id, ledger::funders_max);
    }
    std::set<std::string_view> seen;
    for (const auto& [funder, share] : promotion.funders) {
        if (!is_id(funder) || share < 1 || share > denominator_max) {
            return fmt::format("{}: funder {}: a share of 1 or more", promotion.id, funder);
        }
        if (!seen.emplace(funder).second) {
            return fmt::format("{}: funder {} stands there twice", promotion.id, funder);
        }
    }
    if (promotion.to < promotion.from) {
        return fmt::format("{}: ends before it begins", promotion.id);
    }
    if (promotion.cap_points < 0) return fmt::format("{}: cap below zero", promotion.id);
    return std::nullopt;
}

Fault fault_of(const PartnerContract& contract)
{
    if (auto fault = fault_of_id(contract.terms.name)) return fault;
    if (auto fault = fault_of_name(contract.display_name)) return fault;
    const auto& roles = contract.terms.roles;
    if (!roles.issuer && !roles.redeemer && !roles.charity) {
        return "roles: at least one of issuer, redeemer, charity";
    }
    const auto [issuer, redeemer, house] = contract.terms.debt_shares;
    const bool are_shares =
        std::ranges::all_of(std::array{issuer, redeemer, house}, [](auto share) {
            return share >= 0 && share <= denominator_max;
        });
    if (!are_shares || issuer + redeemer + house < 1) {
        return fmt::format("debt_bearer: integer shares from 0 to {}, not all 0", denominator_max);
    }
    if (auto fault = fault_of_billing(contract)) return fault;
    if (contract.notice_days < 0 || contract.notice_days > notice_days_max) {
        return fmt::format("notice_days: from 0 to {}", notice_days_max);
    }
    if (auto fault = fault_of(contract.settlement)) return "settlement: " + *fault;
    if (auto fault = fault_of_tariffs(contract)) return fault;
    if (auto fault = fault_of_vat(contract)) return fault;
    for (const auto& promotion : contract.promotions) {
        if (auto fault = fault_of(promotion)) return "promotion: " + *fault;
    }
    return std::nullopt;
}

std::optional<ledger::MessageType> find_member_act(std::string_view name)
{
    using enum ledger::MessageType;
    for (const auto act : {block, unblock, close, merge})
        if (ledger::name_of(act) == name) return act;
    return std::nullopt;
}

// References of payments have their names, and a bank carries 35 characters of these.
Fault fault_of_programs(const std::vector<std::string>& programs)
{
    constexpr std::size_t length_max = 12;
    std::set<std::string_view> seen;
    for (const std::string& program : programs) {
        const bool is_word =
            program.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string::npos;
        if (program.empty() || program.size() > length_max || !is_word || program == "none") {
            return fmt::format(
                "programs: \"{}\" is no name of one: 1 to {} small letters and digits, and not "
                "\"none\"",
                program,
                length_max);
        }
        if (!seen.insert(program).second) {
            return fmt::format("programs: {} stands there twice", program);
        }
    }
    return std::nullopt;
}

Fault fault_of_program(std::string_view program, const std::vector<std::string>& programs)
{
    if (program.empty() || is_one_of(program, programs)) return std::nullopt;
    return fmt::format(
        "settlement: program: \"{}\" is none of the house's: {}",
        program,
        programs.empty() ? "it has none" : fmt::to_string(fmt::join(programs, ", ")));
}

ledger::HouseTerms changed(ledger::HouseTerms terms, const HouseTable& table, ledger::Day from)
{
    terms.refund_grace_days = table.refund_grace_days.value_or(terms.refund_grace_days);
    if (table.inactivity_months && *table.inactivity_months != terms.inactivity_months) {
        terms.inactivity_months = *table.inactivity_months;
        // A sandbox's clock that nobody moved yet stands, west of Greenwich, at a day that no entry
        // can name.
        terms.inactivity_from = std::max(from, ledger::Day{0});
    }
    if (table.approval_above_points) {
        terms.approval_above.reset();
        if (*table.approval_above_points >= 0) {
            terms.approval_above = ledger::Points{*table.approval_above_points};
        }
    }
    if (table.approval_of) terms.approval_of = *table.approval_of;
    return terms;
}

Fault fault_of(const ledger::HouseTerms& terms)
{
    if (terms.refund_grace_days < 0 || terms.refund_grace_days > refund_grace_days_max) {
        return fmt::format("refund_grace_days: from 0 to {}", refund_grace_days_max);
    }
    if (terms.inactivity_months < 0 || terms.inactivity_months > expiry_months_max) {
        return fmt::format("inactivity_months: from 0 to {}", expiry_months_max);
    }
    return std::nullopt;
}

Fault fault_of(
    const HouseTable& expected, const Registry::Founding& founding, const ledger::HouseTerms& terms)
{
    const auto differs = [](std::string_view key, const auto& theirs, const auto& ours) {
        return fmt::format(
            "house.{}: the contract is written for {}; this house has {}", key, theirs, ours);
    };
    if (expected.currency && *expected.currency != founding.currency) {
        return differs("currency", *expected.currency, founding.currency);
    }
    if (expected.time_zone && *expected.time_zone != founding.time_zone) {
        return differs("time_zone", *expected.time_zone, founding.time_zone);
    }
    if (expected.face_value && expected.face_value != ledger::parse_micro(founding.face_value)) {
        return differs(
            "face_value", ledger::format_micro(*expected.face_value), founding.face_value);
    }
    if (expected.late_window_days && *expected.late_window_days != founding.late_window_days) {
        return differs("late_window_days", *expected.late_window_days, founding.late_window_days);
    }
    if (changed(terms, expected, terms.inactivity_from) != terms) {
        return "house: this house has other refund_grace_days, inactivity_months, "
               "approval_above_points or approval_of";
    }
    return std::nullopt;
}

} // namespace pointhouse::partners
