#include "json_parts.hpp"

#include "ledger/posting.hpp"

namespace pointhouse::settlement {

namespace json = boost::json;

json::array details_json(std::span<const LineDetail> details)
{
    json::array array;
    for (const LineDetail& detail : details) {
        array.push_back(json::object{
            {"kind", ledger::name_of(detail.kind)},
            {"points", detail.points},
            {"price_micro", detail.price.count()},
            {"amount_micro", detail.amount.count()},
        });
    }
    return array;
}

json::object preceding_json(const Preceding& document)
{
    return {
        {"number", document.number},
        {"issued_on", ledger::format_day(document.issued_on)},
    };
}

void add_earlier(json::object& object, std::span<const EarlierPart> parts)
{
    if (parts.empty()) return;
    json::array array;
    for (const EarlierPart& part : parts) {
        json::object each{
            {"origin", format_month(part.origin)},
            {"kind", ledger::name_of(part.kind)},
            {"undoes", part.undoes},
            {"points", part.points},
            {"amount_micro", part.amount.count()},
        };
        if (part.billed_on) each.emplace("billed_on", preceding_json(*part.billed_on));
        array.push_back(std::move(each));
    }
    object.emplace("earlier", std::move(array));
}

void add_tax_point(json::object& object, const VatRate& rate)
{
    if (rate.tax_point != TaxPoint::period_end)
        object.emplace("tax_point", name_of(rate.tax_point));
}

json::array vat_json(std::span<const VatTotal> totals)
{
    json::array array;
    for (const VatTotal& total : totals) {
        json::object object{
            {"category", total.rate.category},
            {"rate_basis_points", total.rate.basis_points},
            {"net_minor", total.net.count},
            {"vat_minor", total.tax.count},
        };
        if (total.rate.is_gross) object.emplace("gross_minor", total.gross.count);
        add_tax_point(object, total.rate);
        array.push_back(std::move(object));
    }
    return array;
}

} // namespace pointhouse::settlement
