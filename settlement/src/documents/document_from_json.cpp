#include <array>
#include <fmt/format.h>
#include <stdexcept>

#include <boost/json.hpp>

#include "ledger/posting.hpp"
#include "settlement/document_json.hpp"

namespace pointhouse::settlement {
namespace {

namespace json = boost::json;

/// Why a text is no document. Does not leave this file.
class Unreadable : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

const json::value& member(const json::object& object, std::string_view key)
{
    const json::value* found = object.if_contains(key);
    if (found == nullptr) throw Unreadable{fmt::format("{} is missing", key)};
    return *found;
}

const json::object& object_of(const json::value& value, std::string_view key)
{
    if (!value.is_object()) throw Unreadable{fmt::format("{} is no object", key)};
    return value.get_object();
}

const json::array& array_in(const json::object& object, std::string_view key)
{
    const json::value& value = member(object, key);
    if (!value.is_array()) throw Unreadable{fmt::format("{} is no array", key)};
    return value.get_array();
}

std::string text_in(const json::object& object, std::string_view key)
{
    const json::value& value = member(object, key);
    if (!value.is_string()) throw Unreadable{fmt::format("{} is no text", key)};
    return std::string{std::string_view{value.get_string()}};
}

template <class Integer>
Integer integer_in(const json::object& object, std::string_view key)
{
    boost::system::error_code fault;
    const auto number = member(object, key).to_number<Integer>(fault);
    if (fault) throw Unreadable{fmt::format("{} is no number that fits", key)};
    return number;
}

ledger::Minor minor_in(const json::object& object, std::string_view key)
{
    return ledger::Minor{integer_in<std::int64_t>(object, key)};
}

ledger::Micro micro_in(const json::object& object, std::string_view key)
{
    return ledger::Micro{integer_in<std::int64_t>(object, key)};
}

/// Reads a word with `read`, which gives nothing for one that it does not know.
auto word_in(const json::object& object, std::string_view key, auto read)
{
    const std::string word = text_in(object, key);
    const auto found = read(word);
    if (!found) throw Unreadable{fmt::format("{} \"{}\" is unknown", key, word)};
    return *found;
}

/// The one of `values` that has this name.
template <class Value, std::size_t count>
auto named(const std::array<Value, count>& values)
{
    return [&values](std::string_view name) -> std::optional<Value> {
        for (const Value value : values)
            if (name_of(value) == name) return value;
        return std::nullopt;
    };
}

constexpr std::array supplies{
    StatementType::issuance,
    StatementType::redemption,
    StatementType::donation,
    StatementType::breakage,
    StatementType::block};
constexpr std::array charges{
    Charge::price, Charge::fee, Charge::reimbursement, Charge::donation, Charge::breakage_shared};

std::optional<ledger::EntryKind> find_entry_kind(std::string_view name)
{
    for (int number = 0; number <= static_cast<int>(ledger::last_entry_kind); ++number) {
        const auto kind = static_cast<ledger::EntryKind>(number);
        if (ledger::name_of(kind) == name) return kind;
    }
    return std::nullopt;
}

LegalParty party_in(const json::object& document, std::string_view key)
{
    const json::object& object = object_of(member(document, key), key);
    return {
        .id = text_in(object, "id"),
        .name = text_in(object, "name"),
        .street = text_in(object, "street"),
        .city = text_in(object, "city"),
        .postal_code = text_in(object, "postal_code"),
        .country = text_in(object, "country"),
        .vat_id = text_in(object, "vat_id"),
        .registration = text_in(object, "registration"),
        .endpoint_scheme = text_in(object, "endpoint_scheme"),
        .endpoint = text_in(object, "endpoint"),
        .iban = text_in(object, "iban"),
        .bic = text_in(object, "bic"),
        .email = text_in(object, "email"),
    };
}

TaxPoint tax_point_in(const json::object& object)
{
    return object.contains("tax_point") ? word_in(object, "tax_point", find_tax_point)
                                        : TaxPoint::period_end;
}

Preceding preceding_of(const json::value& value, std::string_view key)
{
    const json::object& object = object_of(value, key);
    return {
        .number = text_in(object, "number"),
        .issued_on = word_in(object, "issued_on", ledger::parse_day),
    };
}

bool flag_in(const json::object& object, std::string_view key)
{
    const json::value& value = member(object, key);
    if (!value.is_bool()) throw Unreadable{fmt::format("{} is neither true nor false", key)};
    return value.get_bool();
}

EarlierPart earlier_part_of(const json::value& value)
{
    const json::object& object = object_of(value, "an earlier part");
    EarlierPart part{
        .origin = word_in(object, "origin", ledger::parse_month),
        .kind = word_in(object, "kind", find_entry_kind),
        .undoes = flag_in(object, "undoes"),
        .points = integer_in<std::int64_t>(object, "points"),
        .amount = micro_in(object, "amount_micro"),
    };
    if (object.contains("billed_on"))
        part.billed_on = preceding_of(member(object, "billed_on"), "billed_on");
    return part;
}

LineDetail detail_of(const json::value& value)
{
    const json::object& object = object_of(value, "a detail");
    return {
        .kind = word_in(object, "kind", find_entry_kind),
        .price = micro_in(object, "price_micro"),
        .points = integer_in<std::int64_t>(object, "points"),
        .amount = micro_in(object, "amount_micro"),
    };
}

DocumentLine line_of(const json::value& value)
{
    const json::object& object = object_of(value, "a line");
    DocumentLine line{
        .charge = word_in(object, "flow", named(charges)),
        .tariff = ledger::TariffVersion{integer_in<std::uint32_t>(object, "tariff")},
        .origin = word_in(object, "origin", ledger::parse_month),
        .exact = micro_in(object, "exact_micro"),
        .net = minor_in(object, "net_minor"),
        .vat =
            {.category = text_in(object, "vat_category"),
             .basis_points = integer_in<std::int32_t>(object, "vat_rate_basis_points"),
             .is_gross = object.contains("gross_minor"),
             .tax_point = tax_point_in(object)},
    };
    if (line.vat.is_gross) line.gross = minor_in(object, "gross_minor");
    if (!member(object, "price_micro").is_null()) {
        line.points = integer_in<std::int64_t>(object, "points");
        line.price = micro_in(object, "price_micro");
    }
    for (const json::value& detail : array_in(object, "details"))
        line.details.push_back(detail_of(detail));
    if (object.contains("earlier"))
        for (const json::value& part : array_in(object, "earlier"))
            line.earlier.push_back(earlier_part_of(part));
    return line;
}

VatTotal total_of(const json::value& value)
{
    const json::object& object = object_of(value, "a VAT total");
    VatTotal total{
        .rate =
            {.category = text_in(object, "category"),
             .basis_points = integer_in<std::int32_t>(object, "rate_basis_points"),
             .is_gross = object.contains("gross_minor"),
             .tax_point = tax_point_in(object)},
        .net = minor_in(object, "net_minor"),
        .tax = minor_in(object, "vat_minor"),
    };
    if (total.rate.is_gross) total.gross = minor_in(object, "gross_minor");
    return total;
}

std::optional<Preceding> corrects_in(const json::object& document)
{
    const json::value& value = member(document, "corrects");
    if (value.is_null()) return std::nullopt;
    return preceding_of(value, "corrects");
}

std::optional<AccountingVat> accounting_in(const json::object& document)
{
    const json::value& value = member(document, "accounting");
    if (value.is_null()) return std::nullopt;
    const json::object& object = object_of(value, "accounting");
    return AccountingVat{
        .currency = word_in(object, "currency", ledger::find_currency),
        .rate_id = text_in(object, "rate_id"),
        .rate_millionths = integer_in<std::int64_t>(object, "rate_millionths"),
        .tax = minor_in(object, "vat_minor"),
        .is_inverse = object.contains("rate_is_inverse"),
    };
}

std::optional<BookValue> booked_in(const json::object& document)
{
    const json::value* value = document.if_contains("booked");
    if (value == nullptr) return std::nullopt;
    const json::object& object = object_of(*value, "booked");
    return BookValue{
        .currency = word_in(object, "currency", ledger::find_currency),
        .rate_id = text_in(object, "rate_id"),
        .exact = micro_in(object, "exact_micro"),
        .fee = micro_in(object, "fee_micro"),
        .tax = minor_in(object, "vat_minor"),
        .total = minor_in(object, "total_minor"),
    };
}

std::vector<VatTotal> vat_in(const json::object& document)
{
    std::vector<VatTotal> totals;
    for (const json::value& value : array_in(document, "vat")) totals.push_back(total_of(value));
    return totals;
}

/// What the JSON says twice for its readers has to be the same.
void check_sides(const Document& document, const json::object& object)
{
    const bool is_sellers = is_credit(document.kind);
    const bool is_sound =
        integer_in<int>(object, "type_code") == static_cast<int>(document.kind) &&
        text_in(object, "payer") == (is_sellers ? document.seller.id : document.buyer.id) &&
        text_in(object, "payee") == (is_sellers ? document.buyer.id : document.seller.id);
    if (!is_sound) throw Unreadable{"type_code, payer and payee do not follow from the rest"};
}

ledger::Minor rounding_in(const json::object& document)
{
    const std::string_view key = "payable_rounding_minor";
    return document.contains(key) ? minor_in(document, key) : ledger::Minor{};
}

Document document_of(const json::object& object)
{
    Document document{
        .kind = word_in(object, "type", find_document_kind),
        .number = text_in(object, "number"),
        .partner = ledger::PartnerId{integer_in<std::uint32_t>(object, "partner_number")},
        .supply = word_in(object, "supply", named(supplies)),
        .window = word_in(object, "window", ledger::parse_month),
        .issued_on = word_in(object, "issued_on", ledger::parse_day),
        .due_on = word_in(object, "due_on", ledger::parse_day),
        .from = word_in(object, "from", ledger::parse_day),
        .to = word_in(object, "to", ledger::parse_day),
        .seller = party_in(object, "seller"),
        .buyer = party_in(object, "buyer"),
        .currency = word_in(object, "currency", ledger::find_currency),
        .vat = vat_in(object),
        .net = minor_in(object, "net_minor"),
        .tax = minor_in(object, "vat_minor"),
        .total = minor_in(object, "total_minor"),
        .rounding = micro_in(object, "rounding_micro"),
        .corrects = corrects_in(object),
        .accounting = accounting_in(object),
        .booked = booked_in(object),
        .reason = text_in(object, "reason"),
    };
    for (const json::value& line : array_in(object, "lines"))
        document.lines.push_back(line_of(line));
    if (object.contains("program")) document.program = text_in(object, "program");
    if (object.contains("objection_days"))
        document.objection_days = integer_in<std::int32_t>(object, "objection_days");
    check_sides(document, object);
    return document;
}

} // namespace

ledger::Result<Document, std::string> document_from_json(std::string_view text)
{
    try {
        boost::system::error_code fault;
        const json::value value = json::parse(json::string_view{text}, fault);
        if (fault) return std::unexpected{"no JSON: " + fault.message()};
        Document document = document_of(object_of(value, "the document"));
        if (!is_in_range(document)) return std::unexpected{"an amount or a rate is out of range"};
        Document recomputed = document;
        total_document(recomputed);
        if (recomputed != document ||
            recomputed.payable_rounding() != rounding_in(value.get_object()))
            return std::unexpected{"its totals do not follow from its lines"};
        return document;
    } catch (const Unreadable& unreadable) {
        return std::unexpected{std::string{unreadable.what()}};
    }
}

} // namespace pointhouse::settlement
