#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <numeric>
#include <set>
#include <string>
#include <utility>

#include "contract_rules.hpp"
#include "toml_reader.hpp"

namespace pointhouse::partners {
namespace {

std::optional<std::int32_t> parse_whole(std::string_view digits)
{
    std::int32_t value = 0;
    const auto [stop, error] = std::from_chars(digits.begin(), digits.end(), value);
    if (error != std::errc{} || stop != digits.end() || digits.starts_with('-')) {
        return std::nullopt;
    }
    return value;
}

/// "1", "1/2" or "0.5", in lowest terms.
std::optional<ledger::Share> parse_share(std::string_view text)
{
    constexpr std::int32_t millionths = 1'000'000;
    ledger::Share share;
    if (const auto slash = text.find('/'); slash != std::string_view::npos) {
        const auto numerator = parse_whole(text.substr(0, slash));
        const auto denominator = parse_whole(text.substr(slash + 1));
        if (!numerator || !denominator) return std::nullopt;
        share = {.numerator = *numerator, .denominator = *denominator};
    } else {
        const auto decimal = ledger::parse_micro(text);
        if (!decimal || decimal->count() < 0 || decimal->count() > millionths) return std::nullopt;
        share = {
            .numerator = static_cast<std::int32_t>(decimal->count()), .denominator = millionths};
    }
    if (share.denominator < 1 || share.numerator > share.denominator) return std::nullopt;
    const auto divisor = std::gcd(share.numerator, share.denominator);
    return ledger::Share{
        .numerator = share.numerator / divisor, .denominator = share.denominator / divisor};
}

class ContractFile {
public:
    ContractFile(const toml::table& root, const ledger::Calendar& calendar)
        : root_{root}, calendar_{calendar}
    {}

    ledger::Result<PartnerContract, ContractFault> contract(std::string_view id);
    ledger::Result<ledger::Tariff, ContractFault> tariff();
    ledger::Result<std::vector<PromotionTerms>, ContractFault> promotions();
    ledger::Result<HouseTable, ContractFault> house_terms();
    ledger::Result<Company, ContractFault> company();
    ledger::Result<SettlementTerms, ContractFault> settlement_terms();
    ledger::Result<std::vector<VatTerms>, ContractFault> vat();

private:
    const toml::table* find_partner(
        const std::vector<const toml::table*>& partners, std::string_view id);
    static std::optional<std::vector<ledger::MessageType>> member_acts(
        TableReader& reader, const toml::table& table);
    HouseTable house(const toml::table& table);
    PartnerContract partner(const toml::table& table);
    void roles(TableReader& reader, ledger::PartnerTerms& terms);
    void debt_bearer(TableReader& reader, ledger::PartnerTerms& terms);
    void billing(TableReader& reader, ledger::PartnerTerms& terms);
    ledger::Tariff tariff(const toml::table& table, const ledger::Roles& roles);
    void prefund_share(TableReader& reader, ledger::Tariff& tariff);
    void expiry(TableReader& reader, ledger::Tariff& tariff);
    void breakage(TableReader& reader, ledger::Tariff& tariff);
    VatTerms vat(const toml::table& table);
    Company company(TableReader& reader);
    std::map<std::string, BankAccount> accounts(TableReader& company);
    SettlementTerms settlement_terms(TableReader& reader);
    PromotionTerms promotion(const toml::table& table);
    ledger::Time start(TableReader& reader);

    /// Notes what the rules say of a whole table at its first line.
    template <class Terms>
    void judge(const toml::table& table, std::string_view name, const Terms& terms)
    {
        if (fault_.is_noted()) return;
        if (const auto fault = fault_of(terms)) fault_.note(table.source(), name, *fault);
    }

    const toml::table& root_;
    const ledger::Calendar& calendar_;
    FirstFault fault_;
};

ledger::Result<PartnerContract, ContractFault> ContractFile::contract(std::string_view id)
{
    TableReader reader{root_, fault_};
    const auto partners = reader.tables("partner");
    const auto promotions = reader.tables("promotion");
    const auto* house_table = reader.table("house");
    reader.refuse_unknown();
    const auto* found = find_partner(partners, id);
    if (!found) return std::unexpected(fault_.fault());

    auto contract = partner(*found);
    if (house_table) contract.house = house(*house_table);
    for (const auto* table : promotions) {
        auto terms = promotion(*table);
        if (terms.is_funded_by(contract.terms.name)) {
            contract.promotions.push_back(std::move(terms));
        }
    }
    judge(*found, "partner", contract);
    if (fault_.is_noted()) return std::unexpected(fault_.fault());
    return contract;
}

ledger::Result<ledger::Tariff, ContractFault> ContractFile::tariff()
{
    // Nothing is known here of the partner's roles, so every price has to be said.
    constexpr ledger::Roles all{.issuer = true, .redeemer = true, .charity = false};
    TableReader reader{root_, fault_};
    reader.require("tariff");
    ledger::Tariff tariff;
    if (const auto* table = reader.table("tariff")) tariff = this->tariff(*table, all);
    reader.refuse_unknown();
    if (fault_.is_noted()) return std::unexpected(fault_.fault());
    return tariff;
}

ledger::Result<Company, ContractFault> ContractFile::company()
{
    TableReader reader{root_, fault_};
    reader.require("company");
    auto company = this->company(reader);
    reader.refuse_unknown();
    if (fault_.is_noted()) return std::unexpected(fault_.fault());
    return company;
}

ledger::Result<SettlementTerms, ContractFault> ContractFile::settlement_terms()
{
    TableReader reader{root_, fault_};
    reader.require("settlement");
    auto terms = settlement_terms(reader);
    reader.refuse_unknown();
    if (fault_.is_noted()) return std::unexpected(fault_.fault());
    return terms;
}

ledger::Result<std::vector<VatTerms>, ContractFault> ContractFile::vat()
{
    TableReader reader{root_, fault_};
    reader.require("vat");
    std::vector<VatTerms> rows;
    for (const auto* table : reader.tables("vat")) rows.push_back(vat(*table));
    reader.refuse_unknown();
    if (fault_.is_noted()) return std::unexpected(fault_.fault());
    return rows;
}

ledger::Result<std::vector<PromotionTerms>, ContractFault> ContractFile::promotions()
{
    // The file may hold the terms of a whole coalition.
    TableReader reader{root_, fault_};
    static_cast<void>(reader.tables("partner"));
    static_cast<void>(reader.table("house"));
    reader.require("promotion");
    std::vector<PromotionTerms> promotions;
    for (const auto* table : reader.tables("promotion")) promotions.push_back(promotion(*table));
    reader.refuse_unknown();
    if (fault_.is_noted()) return std::unexpected(fault_.fault());
    return promotions;
}

ledger::Result<HouseTable, ContractFault> ContractFile::house_terms()
{
    // The file may hold the terms of a whole coalition.
    TableReader reader{root_, fault_};
    static_cast<void>(reader.tables("partner"));
    static_cast<void>(reader.tables("promotion"));
    reader.require("house");
    HouseTable terms;
    if (const auto* table = reader.table("house")) terms = house(*table);
    reader.refuse_unknown();
    if (fault_.is_noted()) return std::unexpected(fault_.fault());
    return terms;
}

/// Post: a table, or a fault is noted.
const toml::table* ContractFile::find_partner(
    const std::vector<const toml::table*>& partners, std::string_view id)
{
    const toml::table* found = nullptr;
    std::string ids;
    for (const auto* table : partners) {
        TableReader reader{*table, fault_};
        reader.require("id");
        const auto name = reader.text("id").value_or("");
        if (name == id && found) reader.refuse("id", fmt::format("{} stands there twice", id));
        if (name == id) found = table;
        ids += (ids.empty() ? "" : ", ") + name;
    }
    if (!found) {
        fault_.note(
            root_.source(),
            "partner",
            fmt::format(
                "no [[partner]] has id = \"{}\"; the file has {}", id, ids.empty() ? "none" : ids));
    }
    return fault_.is_noted() ? nullptr : found;
}

/// `approval_of`, in the order of the messages' numbers; none: the table does not say.
std::optional<std::vector<ledger::MessageType>> ContractFile::member_acts(
    TableReader& reader, const toml::table& table)
{
    const auto names = reader.texts("approval_of");
    if (!table.contains("approval_of")) return std::nullopt;
    std::set<ledger::MessageType> acts;
    for (const auto& name : names) {
        if (const auto act = find_member_act(name))
            acts.insert(*act);
        else
            reader.refuse("approval_of", "is a list of block, unblock, merge and close");
    }
    return std::vector(acts.begin(), acts.end());
}

HouseTable ContractFile::house(const toml::table& table)
{
    TableReader reader{table, fault_};
    HouseTable house{
        .currency = reader.text("currency"),
        .time_zone = reader.text("time_zone"),
        .face_value = reader.decimal("face_value"),
        .late_window_days = reader.small_integer("late_window_days"),
        .refund_grace_days = reader.small_integer("refund_grace_days"),
        .inactivity_months = reader.small_integer("inactivity_months"),
        .approval_above_points = reader.integer("approval_above_points"),
        .approval_of = member_acts(reader, table)};
    const auto programs = reader.texts("programs");
    if (table.contains("programs")) house.programs = programs;
    if (reader.text("breakage_retained_vat").value_or("as price") != "as price") {
        reader.refuse("breakage_retained_vat", R"(only "as price" is possible)");
    }
    reader.refuse_unknown();
    return house;
}

PartnerContract ContractFile::partner(const toml::table& table)
{
    TableReader reader{table, fault_};
    PartnerContract contract;
    contract.terms.name = reader.text("id").value_or("");
    contract.display_name = reader.text("name").value_or(contract.terms.name);
    roles(reader, contract.terms);
    debt_bearer(reader, contract.terms);
    contract.terms.excess_clawbacks_allowed = reader.boolean("excess_clawbacks").value_or(true);
    billing(reader, contract.terms);
    contract.company = company(reader);
    contract.settlement = settlement_terms(reader);
    contract.notice_days = reader.small_integer("notice_days").value_or(0);
    for (const auto* row : reader.tables("tariff")) {
        contract.tariffs.push_back(tariff(*row, contract.terms.roles));
    }
    for (const auto* row : reader.tables("vat")) contract.vat.push_back(vat(*row));
    reader.refuse_unknown();
    return contract;
}

void ContractFile::roles(TableReader& reader, ledger::PartnerTerms& terms)
{
    reader.require("roles");
    for (const auto& role : reader.texts("roles")) {
        if (role == "issuer") {
            terms.roles.issuer = true;
        } else if (role == "redeemer") {
            terms.roles.redeemer = true;
        } else if (role == "charity") {
            terms.roles.charity = true;
        } else {
            reader.refuse(
                "roles", fmt::format("\"{}\" is none of issuer, redeemer, charity", role));
        }
    }
}

/// One who bears all, or integer shares: "issuer", or { issuer = 1, operator = 1 }.
void ContractFile::debt_bearer(TableReader& reader, ledger::PartnerTerms& terms)
{
    auto& [issuer, redeemer, house] = terms.debt_shares;
    if (reader.has_table("debt_bearer")) {
        TableReader shares{*reader.table("debt_bearer"), fault_};
        issuer = shares.small_integer("issuer").value_or(0);
        redeemer = shares.small_integer("redeemer").value_or(0);
        house = shares.small_integer("operator").value_or(0);
        return shares.refuse_unknown();
    }
    const auto bearer = reader.text("debt_bearer").value_or("issuer");
    if (bearer != "issuer" && bearer != "redeemer" && bearer != "operator") {
        reader.refuse("debt_bearer", R"("issuer", "redeemer" or "operator", or shares of them)");
    }
    issuer = bearer == "issuer" ? 1 : 0;
    redeemer = bearer == "redeemer" ? 1 : 0;
    house = bearer == "operator" ? 1 : 0;
}

void ContractFile::billing(TableReader& reader, ledger::PartnerTerms& terms)
{
    const auto billing = reader.text("billing").value_or("postpaid");
    if (billing != "postpaid" && billing != "prepaid") {
        reader.refuse("billing", R"("postpaid" or "prepaid")");
    }
    if (billing == "prepaid") terms.billing = ledger::Billing::prepaid;

    terms.credit_limit = reader.decimal("credit_limit");
    const auto on_short = reader.text("on_short");
    if (on_short && *on_short != "refuse" && *on_short != "next_block") {
        reader.refuse("on_short", R"("refuse" or "next_block")");
    }
    if (on_short && billing != "prepaid") reader.refuse("on_short", "only for prepaid");
    if (on_short == "next_block") terms.on_short = ledger::OnShort::next_block;
}

ledger::Tariff ContractFile::tariff(const toml::table& table, const ledger::Roles& roles)
{
    TableReader reader{table, fault_};
    // A price that somebody forgot must not be read as nothing.
    for (const auto* key : {"issue_price", "service_fee", "prefund_share"}) {
        if (roles.issuer) reader.require(key);
    }
    if (roles.redeemer) reader.require("reimbursement");

    ledger::Tariff tariff;
    tariff.valid_from = start(reader);
    tariff.issue_price = reader.decimal("issue_price").value_or(ledger::Micro{});
    tariff.service_fee = reader.decimal("service_fee").value_or(ledger::Micro{});
    tariff.reimbursement = reader.decimal("reimbursement").value_or(ledger::Micro{});
    prefund_share(reader, tariff);
    tariff.minimum_burn_value = reader.decimal("minimum_burn_value").value_or(ledger::Micro{});
    tariff.pending_days = reader.small_integer("pending_days").value_or(0);
    expiry(reader, tariff);
    breakage(reader, tariff);
    reader.refuse_unknown();
    judge(table, "tariff", tariff);
    return tariff;
}

void ContractFile::prefund_share(TableReader& reader, ledger::Tariff& tariff)
{
    const auto text = reader.text("prefund_share");
    if (!text) return;
    const auto share = parse_share(*text);
    if (!share) reader.refuse("prefund_share", R"(from 0 to 1, as "1", "1/2" or "0.5")");
    tariff.prefund_share = share.value_or(ledger::Share{});
}

void ContractFile::expiry(TableReader& reader, ledger::Tariff& tariff)
{
    const auto* table = reader.table("expiry");
    if (!table) return;
    TableReader parts{*table, fault_};
    parts.require("months");
    parts.require("at");
    const auto at = parts.text("at").value_or("month_end");
    if (at != "month_end" && at != "day") parts.refuse("at", R"("month_end" or "day")");
    tariff.expiry = ledger::ExpiryPolicy{
        .months = parts.small_integer("months").value_or(1), .at_month_end = at == "month_end"};
    parts.refuse_unknown();
}

void ContractFile::breakage(TableReader& reader, ledger::Tariff& tariff)
{
    if (!reader.has_table("breakage")) {
        const auto keeper = reader.text("breakage").value_or("operator");
        if (keeper != "operator" && keeper != "issuer") {
            reader.refuse("breakage", R"("operator" or "issuer", or shares of them)");
        }
        tariff.breakage_operator = keeper == "operator" ? 1 : 0;
        tariff.breakage_issuer = keeper == "issuer" ? 1 : 0;
        return;
    }
    TableReader shares{*reader.table("breakage"), fault_};
    shares.require("operator");
    shares.require("issuer");
    tariff.breakage_operator = shares.small_integer("operator").value_or(1);
    tariff.breakage_issuer = shares.small_integer("issuer").value_or(0);
    shares.refuse_unknown();
}

/// [company.account.SEK] and others.
std::map<std::string, BankAccount> ContractFile::accounts(TableReader& company)
{
    std::map<std::string, BankAccount> accounts;
    if (!company.has_table("account")) return accounts;
    TableReader currencies{*company.table("account"), fault_};
    for (const auto& currency : currencies.keys_as_written()) {
        const auto* const table = currencies.table(currency);
        if (table == nullptr) continue;
        TableReader keys{*table, fault_};
        accounts[currency] = {
            .iban = keys.text("iban").value_or(""), .bic = keys.text("bic").value_or("")};
        keys.refuse_unknown();
    }
    return accounts;
}

Company ContractFile::company(TableReader& reader)
{
    Company company;
    if (!reader.has_table("company")) return company;
    const auto& table = *reader.table("company");
    TableReader keys{table, fault_};
    for (const auto& [key, field] : company_keys) company.*field = keys.text(key).value_or("");
    company.accounts = accounts(keys);
    keys.refuse_unknown();
    judge(table, "company", company);
    return company;
}

SettlementTerms ContractFile::settlement_terms(TableReader& reader)
{
    SettlementTerms terms;
    if (!reader.has_table("settlement")) return terms;
    const auto& table = *reader.table("settlement");
    TableReader keys{table, fault_};
    terms.currency = keys.text("currency").value_or("");
    terms.net_debit_limit = keys.decimal("net_debit_limit");
    terms.mutualised = keys.boolean("mutualised").value_or(false);
    terms.program = keys.text("program").value_or("");
    keys.refuse_unknown();
    judge(table, "settlement", terms);
    return terms;
}

VatTerms ContractFile::vat(const toml::table& table)
{
    TableReader reader{table, fault_};
    reader.require("flows");
    reader.require("treatment");
    VatTerms row;
    row.valid_from = start(reader);
    row.flows = reader.texts("flows");
    row.treatment = reader.text("treatment").value_or("");
    row.category =
        reader.text("category").value_or(std::string{category_of(row.treatment).value_or("")});
    row.rate_basis_points = reader.small_integer("rate_bp").value_or(0);
    const auto price = reader.text("price").value_or("net");
    row.is_gross = price == "gross";
    if (price != price_form_of(row)) reader.refuse("price", "net or gross");
    row.tax_point = reader.text("tax_point").value_or(row.tax_point);
    reader.refuse_unknown();
    judge(table, "vat", row);
    return row;
}

PromotionTerms ContractFile::promotion(const toml::table& table)
{
    TableReader reader{table, fault_};
    for (const auto* key : {"id", "funders", "from", "to"}) reader.require(key);
    PromotionTerms promotion{
        .id = reader.text("id").value_or(""),
        .funders = {},
        .from = reader.day("from").value_or(0),
        .to = reader.day("to").value_or(0),
        .cap_points = reader.integer("cap_points").value_or(0)};
    if (const auto* funders = reader.table("funders")) {
        TableReader shares{*funders, fault_};
        for (const auto& funder : shares.keys_as_written()) {
            promotion.funders.emplace_back(funder, shares.small_integer(funder).value_or(1));
        }
    }
    reader.refuse_unknown();
    judge(table, "promotion", promotion);
    return promotion;
}

/// The first instant of the day `from`. A house knows no time before 1970.
ledger::Time ContractFile::start(TableReader& reader)
{
    reader.require("from");
    return std::max(calendar_.start_of(reader.day("from").value_or(0)), ledger::Time{});
}

template <class Read>
auto read_file(std::string_view toml, const ledger::Calendar& calendar, Read read)
    -> decltype(read(std::declval<ContractFile&>()))
{
    try {
        const auto root = toml::parse(toml);
        ContractFile file{root, calendar};
        return read(file);
    } catch (const toml::parse_error& error) {
        return std::unexpected(ContractFault{
            fmt::format("line {}: {}", error.source().begin.line, error.description())});
    }
}

} // namespace

ledger::Result<PartnerContract, ContractFault> parse_contract(
    std::string_view toml, std::string_view id, const ledger::Calendar& calendar)
{
    return read_file(toml, calendar, [id](ContractFile& file) { return file.contract(id); });
}

ledger::Result<Company, ContractFault> parse_company(
    std::string_view toml, const ledger::Calendar& calendar)
{
    return read_file(toml, calendar, [](ContractFile& file) { return file.company(); });
}

ledger::Result<SettlementTerms, ContractFault> parse_settlement_terms(
    std::string_view toml, const ledger::Calendar& calendar)
{
    return read_file(toml, calendar, [](ContractFile& file) { return file.settlement_terms(); });
}

ledger::Result<std::vector<VatTerms>, ContractFault> parse_vat(
    std::string_view toml, const ledger::Calendar& calendar)
{
    return read_file(toml, calendar, [](ContractFile& file) { return file.vat(); });
}

ledger::Result<std::vector<PromotionTerms>, ContractFault> parse_promotions(
    std::string_view toml, const ledger::Calendar& calendar)
{
    return read_file(toml, calendar, [](ContractFile& file) { return file.promotions(); });
}

ledger::Result<HouseTable, ContractFault> parse_house_terms(
    std::string_view toml, const ledger::Calendar& calendar)
{
    return read_file(toml, calendar, [](ContractFile& file) { return file.house_terms(); });
}

ledger::Result<ledger::Tariff, ContractFault> parse_tariff(
    std::string_view toml, const ledger::Calendar& calendar)
{
    return read_file(toml, calendar, [](ContractFile& file) { return file.tariff(); });
}

} // namespace pointhouse::partners
