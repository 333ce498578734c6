#include "settlement/document_json.hpp"

#include "../json_parts.hpp"

namespace pointhouse::settlement {
namespace {

namespace json = boost::json;

json::object party_object(const LegalParty& party)
{
    return {
        {"id", party.id},
        {"name", party.name},
        {"street", party.street},
        {"city", party.city},
        {"postal_code", party.postal_code},
        {"country", party.country},
        {"vat_id", party.vat_id},
        {"registration", party.registration},
        {"endpoint_scheme", party.endpoint_scheme},
        {"endpoint", party.endpoint},
        {"iban", party.iban},
        {"bic", party.bic},
        {"email", party.email},
    };
}

json::object line_object(const DocumentLine& line)
{
    // An amount without one price is no quantity of points.
    json::value points;
    json::value price;
    if (line.price) {
        points = line.points;
        price = line.price->count();
    }
    json::object object{
        {"flow", name_of(line.charge)},
        {"tariff", line.tariff.value()},
        {"origin", format_month(line.origin)},
        {"points", std::move(points)},
        {"price_micro", std::move(price)},
        {"exact_micro", line.exact.count()},
        {"net_minor", line.net.count},
        {"vat_category", line.vat.category},
        {"vat_rate_basis_points", line.vat.basis_points},
        {"details", details_json(line.details)},
    };
    if (line.vat.is_gross) object.emplace("gross_minor", line.gross.count);
    add_tax_point(object, line.vat);
    add_earlier(object, line.earlier);
    return object;
}

json::value corrects_value(const Document& document)
{
    if (!document.corrects) return nullptr;
    return preceding_json(*document.corrects);
}

json::value accounting_value(const Document& document)
{
    if (!document.accounting) return nullptr;
    const AccountingVat& accounting = *document.accounting;
    json::object value{
        {"currency", accounting.currency.code},
        {"rate_id", accounting.rate_id},
        {"rate_millionths", accounting.rate_millionths},
        {"vat_minor", accounting.tax.count},
    };
    if (accounting.is_inverse) value.emplace("rate_is_inverse", true);
    return value;
}

json::object booked_object(const BookValue& booked)
{
    return {
        {"currency", booked.currency.code},
        {"rate_id", booked.rate_id},
        {"exact_micro", booked.exact.count()},
        {"fee_micro", booked.fee.count()},
        {"vat_minor", booked.tax.count},
        {"total_minor", booked.total.count},
    };
}

} // namespace

std::string document_json(const Document& document)
{
    const bool is_sellers = is_credit(document.kind);
    const LegalParty& payer = is_sellers ? document.seller : document.buyer;
    const LegalParty& payee = is_sellers ? document.buyer : document.seller;
    json::array lines;
    for (const DocumentLine& line : document.lines) lines.push_back(line_object(line));
    json::object object{
        {"number", document.number},
        {"type", name_of(document.kind)},
        {"type_code", static_cast<int>(document.kind)},
        {"supply", name_of(document.supply)},
        {"partner_number", document.partner.value()},
        {"payer", payer.id},
        {"payee", payee.id},
        {"window", format_month(document.window)},
        {"issued_on", ledger::format_day(document.issued_on)},
        {"due_on", ledger::format_day(document.due_on)},
        {"from", ledger::format_day(document.from)},
        {"to", ledger::format_day(document.to)},
        {"currency", document.currency.code},
        {"net_minor", document.net.count},
        {"vat_minor", document.tax.count},
        {"total_minor", document.total.count},
        {"rounding_micro", document.rounding.count()},
        {"vat", vat_json(document.vat)},
        {"lines", std::move(lines)},
        {"seller", party_object(document.seller)},
        {"buyer", party_object(document.buyer)},
        {"corrects", corrects_value(document)},
        {"accounting", accounting_value(document)},
        {"reason", document.reason},
    };
    if (const auto rounding = document.payable_rounding(); rounding != ledger::Minor{})
        object.emplace("payable_rounding_minor", rounding.count);
    if (!document.program.empty()) object.emplace("program", document.program);
    if (const auto last = document.object_by()) {
        object.emplace("objection_days", document.objection_days);
        object.emplace("object_by", ledger::format_day(*last));
    }
    if (document.booked) object.emplace("booked", booked_object(*document.booked));
    return json::serialize(object);
}

} // namespace pointhouse::settlement
