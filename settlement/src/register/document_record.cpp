#include "document_record.hpp"

#include <array>
#include <stdexcept>
#include <string>
#include <utility>

#include <boost/json/array.hpp>

namespace pointhouse::settlement {
namespace {

namespace json = boost::json;
using ledger::Micro;
using ledger::Minor;

constexpr std::array<std::pair<std::string_view, std::string LegalParty::*>, 13> party_keys{
    {{"id", &LegalParty::id},
     {"name", &LegalParty::name},
     {"street", &LegalParty::street},
     {"city", &LegalParty::city},
     {"postal_code", &LegalParty::postal_code},
     {"country", &LegalParty::country},
     {"vat_id", &LegalParty::vat_id},
     {"registration", &LegalParty::registration},
     {"endpoint_scheme", &LegalParty::endpoint_scheme},
     {"endpoint", &LegalParty::endpoint},
     {"iban", &LegalParty::iban},
     {"bic", &LegalParty::bic},
     {"email", &LegalParty::email}}};

constexpr std::array charges{
    Charge::price, Charge::fee, Charge::reimbursement, Charge::donation, Charge::breakage_shared};
constexpr std::array supplies{
    StatementType::issuance,
    StatementType::redemption,
    StatementType::donation,
    StatementType::breakage};

std::string_view text_at(const json::object& record, std::string_view key)
{
    return record.at(key).as_string();
}

std::int64_t number_at(const json::object& record, std::string_view key)
{
    return record.at(key).to_number<std::int64_t>();
}

ledger::Day day_at(const json::object& record, std::string_view key)
{
    return ledger::parse_day(text_at(record, key)).value();
}

template <class Enumeration, std::size_t count>
Enumeration named(const std::array<Enumeration, count>& all, std::string_view name)
{
    for (const Enumeration each : all) {
        if (name_of(each) == name) return each;
    }
    throw std::invalid_argument{"there is no " + std::string{name}};
}

json::object party_record(const LegalParty& party)
{
    json::object record;
    for (const auto& [key, field] : party_keys) {
        if (!(party.*field).empty()) record.emplace(key, party.*field);
    }
    return record;
}

LegalParty party_from(const json::object& record)
{
    LegalParty party;
    for (const auto& [key, field] : party_keys) {
        if (record.contains(key)) party.*field = text_at(record, key);
    }
    return party;
}

json::array details_record(const DocumentLine& line)
{
    json::array details;
    for (const LineDetail& detail : line.details) {
        details.push_back(json::object{
            {"kind", static_cast<int>(detail.kind)},
            {"price_micro", detail.price.count()},
            {"points", detail.points},
            {"amount_micro", detail.amount.count()}});
    }
    return details;
}

LineDetail detail_from(const json::object& record)
{
    const auto kind = record.at("kind").to_number<int>();
    if (kind < 1 || kind > static_cast<int>(ledger::last_entry_kind))
        throw std::invalid_argument{"there is no such kind of entry"};
    return {
        .kind = static_cast<ledger::EntryKind>(kind),
        .price = Micro{number_at(record, "price_micro")},
        .points = number_at(record, "points"),
        .amount = Micro{number_at(record, "amount_micro")}};
}

json::object line_record(const DocumentLine& line)
{
    json::object record{
        {"charge", name_of(line.charge)},
        {"tariff", line.tariff.value()},
        {"origin", ledger::format_month(line.origin)},
        {"points", line.points},
        {"exact_micro", line.exact.count()},
        {"net_minor", line.net.count},
        {"vat_category", line.vat.category},
        {"vat_rate_bp", line.vat.basis_points},
        {"details", details_record(line)}};
    if (line.price) record.emplace("price_micro", line.price->count());
    return record;
}

DocumentLine line_from(const json::object& record)
{
    DocumentLine line{
        .charge = named(charges, text_at(record, "charge")),
        .tariff = ledger::TariffVersion{record.at("tariff").to_number<std::uint32_t>()},
        .origin = ledger::parse_month(text_at(record, "origin")).value(),
        .points = number_at(record, "points"),
        .exact = Micro{number_at(record, "exact_micro")},
        .net = Minor{number_at(record, "net_minor")},
        .vat = {
            .category = std::string{text_at(record, "vat_category")},
            .basis_points = record.at("vat_rate_bp").to_number<std::int32_t>()}};
    for (const auto& detail : record.at("details").as_array())
        line.details.push_back(detail_from(detail.as_object()));
    if (record.contains("price_micro")) line.price = Micro{number_at(record, "price_micro")};
    return line;
}

json::object vat_record(const VatTotal& total)
{
    return {
        {"category", total.rate.category},
        {"rate_bp", total.rate.basis_points},
        {"net_minor", total.net.count},
        {"vat_minor", total.tax.count}};
}

VatTotal vat_from(const json::object& record)
{
    return {
        .rate =
            {.category = std::string{text_at(record, "category")},
             .basis_points = record.at("rate_bp").to_number<std::int32_t>()},
        .net = Minor{number_at(record, "net_minor")},
        .tax = Minor{number_at(record, "vat_minor")}};
}

ledger::Currency currency_at(const json::object& record, std::string_view key)
{
    return ledger::find_currency(text_at(record, key)).value();
}

} // namespace

json::object record_of(const Document& document)
{
    json::array lines;
    for (const DocumentLine& line : document.lines) lines.push_back(line_record(line));
    json::array vat;
    for (const VatTotal& total : document.vat) vat.push_back(vat_record(total));
    json::object record{
        {"kind", name_of(document.kind)},
        {"number", document.number},
        {"partner", document.partner.value()},
        {"supply", name_of(document.supply)},
        {"window", ledger::format_month(document.window)},
        {"issued_on", ledger::format_day(document.issued_on)},
        {"due_on", ledger::format_day(document.due_on)},
        {"from", ledger::format_day(document.from)},
        {"to", ledger::format_day(document.to)},
        {"seller", party_record(document.seller)},
        {"buyer", party_record(document.buyer)},
        {"currency", document.currency.code},
        {"lines", std::move(lines)},
        {"vat", std::move(vat)},
        {"net_minor", document.net.count},
        {"vat_minor", document.tax.count},
        {"total_minor", document.total.count},
        {"rounding_micro", document.rounding.count()}};
    if (document.corrects) {
        record.emplace("corrects", document.corrects->number);
        record.emplace("corrects_issued_on", ledger::format_day(document.corrects->issued_on));
    }
    if (const auto& accounting = document.accounting) {
        record.emplace(
            "accounting",
            json::object{
                {"currency", accounting->currency.code},
                {"rate_id", accounting->rate_id},
                {"rate_millionths", accounting->rate_millionths},
                {"vat_minor", accounting->tax.count}});
    }
    if (!document.reason.empty()) record.emplace("reason", document.reason);
    return record;
}

Document document_from(const json::object& record)
{
    Document document{
        .kind = find_document_kind(text_at(record, "kind")).value(),
        .number = std::string{text_at(record, "number")},
        .partner = ledger::PartnerId{record.at("partner").to_number<std::uint32_t>()},
        .supply = named(supplies, text_at(record, "supply")),
        .window = ledger::parse_month(text_at(record, "window")).value(),
        .issued_on = day_at(record, "issued_on"),
        .due_on = day_at(record, "due_on"),
        .from = day_at(record, "from"),
        .to = day_at(record, "to"),
        .seller = party_from(record.at("seller").as_object()),
        .buyer = party_from(record.at("buyer").as_object()),
        .currency = currency_at(record, "currency"),
        .net = Minor{number_at(record, "net_minor")},
        .tax = Minor{number_at(record, "vat_minor")},
        .total = Minor{number_at(record, "total_minor")},
        .rounding = Micro{number_at(record, "rounding_micro")}};
    for (const auto& line : record.at("lines").as_array())
        document.lines.push_back(line_from(line.as_object()));
    for (const auto& total : record.at("vat").as_array())
        document.vat.push_back(vat_from(total.as_object()));
    if (record.contains("corrects")) {
        document.corrects = Preceding{
            .number = std::string{text_at(record, "corrects")},
            .issued_on = day_at(record, "corrects_issued_on")};
    }
    if (const auto* found = record.if_contains("accounting")) {
        const auto& accounting = found->as_object();
        document.accounting = AccountingVat{
            .currency = currency_at(accounting, "currency"),
            .rate_id = std::string{text_at(accounting, "rate_id")},
            .rate_millionths = number_at(accounting, "rate_millionths"),
            .tax = Minor{number_at(accounting, "vat_minor")}};
    }
    if (record.contains("reason")) document.reason = text_at(record, "reason");
    return document;
}

} // namespace pointhouse::settlement
