#include <fmt/format.h>

#include <boost/json.hpp>

#include "settlement/invoice_replay.hpp"

namespace pointhouse::settlement {
namespace {

namespace json = boost::json;

// The JSON is the house's own: a key that is missing or of another type is reported by the library,
// in its words.
std::string text_in(const json::object& object, std::string_view key)
{
    return json::value_to<std::string>(object.at(key));
}

std::int64_t number_in(const json::object& object, std::string_view key)
{
    return json::value_to<std::int64_t>(object.at(key));
}

/// What a document is of: a statement says it as its type, an issued document beside its own.
std::string supply_in(const json::object& document)
{
    return text_in(document, document.contains("supply") ? "supply" : "type");
}

/// Whether what is issued is of the opposite kind, because its statement sums to less than zero.
bool is_turned(const json::object& document, StatementType type)
{
    const auto kind = text_in(document, "type");
    return kind == "self_billed_credit_note" ||
           kind == (type == StatementType::breakage ? "invoice" : "credit_note");
}

std::optional<StatementType> find_type(std::string_view name)
{
    for (const auto type :
         {StatementType::issuance,
          StatementType::redemption,
          StatementType::donation,
          StatementType::breakage})
        if (name_of(type) == name) return type;
    return std::nullopt;
}

Charge charge_in(const json::object& line)
{
    const std::string name = text_in(line, "flow");
    for (const auto charge :
         {Charge::price,
          Charge::fee,
          Charge::reimbursement,
          Charge::donation,
          Charge::breakage_shared})
        if (name_of(charge) == name) return charge;
    throw std::invalid_argument{"there is no flow " + name};
}

ledger::EntryKind kind_in(const json::object& detail)
{
    const std::string name = text_in(detail, "kind");
    for (auto number = 1; number <= static_cast<int>(ledger::last_entry_kind); ++number)
        if (ledger::name_of(static_cast<ledger::EntryKind>(number)) == name)
            return static_cast<ledger::EntryKind>(number);
    throw std::invalid_argument{"there is no kind " + name};
}

TaxPoint tax_point_in(const json::object& object)
{
    if (!object.contains("tax_point")) return TaxPoint::period_end;
    const auto name = text_in(object, "tax_point");
    if (const auto point = find_tax_point(name)) return *point;
    throw std::invalid_argument{"there is no tax point " + name};
}

StatementLine line_from(const json::object& line)
{
    StatementLine read{
        .charge = charge_in(line),
        .tariff = ledger::TariffVersion{static_cast<std::uint32_t>(number_in(line, "tariff"))},
        .price = {},
        .points = 0,
        .exact = ledger::Micro{number_in(line, "exact_micro")},
        .net = {number_in(line, "net_minor")},
        .vat =
            {.category = text_in(line, "vat_category"),
             .basis_points = static_cast<std::int32_t>(number_in(line, "vat_rate_basis_points"))},
        .details = {}};
    if (line.contains("gross_minor")) {
        read.vat.is_gross = true;
        read.gross = {number_in(line, "gross_minor")};
    }
    read.vat.tax_point = tax_point_in(line);
    for (const auto& each : line.at("details").as_array()) {
        const auto& detail = each.as_object();
        read.details.push_back(
            {.kind = kind_in(detail),
             .price = ledger::Micro{number_in(detail, "price_micro")},
             .points = number_in(detail, "points"),
             .amount = ledger::Micro{number_in(detail, "amount_micro")}});
    }
    if (!line.contains("earlier")) return read;
    for (const auto& each : line.at("earlier").as_array()) {
        const auto& part = each.as_object();
        read.earlier.push_back(
            {.origin = ledger::parse_month(text_in(part, "origin")).value(),
             .kind = kind_in(part),
             .undoes = part.at("undoes").as_bool(),
             .points = number_in(part, "points"),
             .amount = ledger::Micro{number_in(part, "amount_micro")}});
    }
    return read;
}

StatedDocument document_from(const json::object& document, StatementType type)
{
    StatedDocument read{
        .number = text_in(document, "number"),
        .type = type,
        .issued_on = document.contains("issued_on")
                         ? ledger::parse_day(text_in(document, "issued_on"))
                         : std::nullopt,
        .lines = {},
        .vat = {},
        .net = {number_in(document, "net_minor")},
        .tax = {number_in(document, "vat_minor")},
        .total = {number_in(document, "total_minor")}};
    for (const auto& line : document.at("lines").as_array())
        read.lines.push_back(line_from(line.as_object()));
    for (const auto& each : document.at("vat").as_array()) {
        const auto& total = each.as_object();
        const bool is_gross = total.contains("gross_minor");
        read.vat.push_back(
            {.rate =
                 {.category = text_in(total, "category"),
                  .basis_points = static_cast<std::int32_t>(number_in(total, "rate_basis_points")),
                  .is_gross = is_gross,
                  .tax_point = tax_point_in(total)},
             .net = {number_in(total, "net_minor")},
             .tax = {number_in(total, "vat_minor")},
             .gross = {is_gross ? number_in(total, "gross_minor") : 0}});
    }
    return read;
}

/// The other way round, as its statement has it.
void turn(StatedDocument& document)
{
    for (auto& line : document.lines) {
        line.exact = -line.exact;
        line.net = -line.net;
        line.gross = -line.gross;
        for (auto& detail : line.details) {
            detail.points = -detail.points;
            detail.amount = -detail.amount;
        }
        for (auto& part : line.earlier) {
            part.points = -part.points;
            part.amount = -part.amount;
        }
    }
    for (auto& total : document.vat) {
        total.net = -total.net;
        total.tax = -total.tax;
        total.gross = -total.gross;
    }
    document.net = -document.net;
    document.tax = -document.tax;
    document.total = -document.total;
}

/// Corrections and blocks do not come from messages.
bool is_of_messages(const json::object& document)
{
    const auto* corrects = document.if_contains("corrects");
    return (corrects == nullptr || corrects->is_null()) &&
           supply_in(document) != name_of(StatementType::block);
}

} // namespace

std::expected<std::vector<StatedDocument>, std::string> parse_documents(
    std::string_view text, std::string_view partner, ledger::Month window)
{
    try {
        const auto parsed = json::parse(text);
        const auto& root = parsed.as_object();
        const json::array alone{parsed};
        const bool is_alone = !root.contains("documents");
        const auto& documents = is_alone ? alone : root.at("documents").as_array();
        const auto month = ledger::format_month(window);
        std::vector<StatedDocument> found;
        for (const auto& each : documents) {
            const auto& document = each.as_object();
            const bool is_theirs =
                text_in(document, "payer") == partner || text_in(document, "payee") == partner;
            if (!is_theirs || text_in(document, "window") != month || !is_of_messages(document))
                continue;
            const auto type = find_type(supply_in(document));
            if (!type) return std::unexpected("there is no type " + supply_in(document));
            if (document.contains("booked"))
                return std::unexpected(fmt::format(
                    "{} is in {}: its prices are not those of the contract",
                    text_in(document, "number"),
                    text_in(document, "currency")));
            found.push_back(document_from(document, *type));
            found.back().is_alone = is_alone;
            if (is_turned(document, *type)) turn(found.back());
        }
        if (is_alone && found.empty())
            return std::unexpected(fmt::format("it bills no messages of {} in {}", partner, month));
        return found;
    } catch (const std::exception& failure) {
        return std::unexpected(std::string{"is no statement of the house: "} + failure.what());
    }
}

} // namespace pointhouse::settlement
