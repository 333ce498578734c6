#include "settlement/document_currency.hpp"

#include <algorithm>

#include "../vat_totals.hpp"
#include "ledger/invariant.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Micro;
using ledger::Minor;
using ledger::Wide;

constexpr std::int64_t rate_unit = 1'000'000;

/// To the millionth, half away from zero.
Micro converted(Micro amount, const ExchangeRate& rate)
{
    const Wide product = Wide{amount.count()} * rate.numerator;
    const Wide magnitude = product < 0 ? -product : product;
    const Wide rounded = (2 * magnitude + rate.denominator) / (Wide{2} * rate.denominator);
    ledger::invariant(rounded <= INT64_MAX, "converted money fits 64 bits");
    return Micro{static_cast<std::int64_t>(product < 0 ? -rounded : rounded)};
}

bool is_whole(Micro amount, const ExchangeRate& rate)
{
    return Wide{amount.count()} * rate.numerator % rate.denominator == 0;
}

DocumentLine in_currency(DocumentLine line, const ExchangeRate& rate)
{
    line.exact = converted(line.exact, rate);
    set_rounded(line, ledger::minor_units_of(line.exact, rate.to));
    for (LineDetail& detail : line.details) {
        detail.price = converted(detail.price, rate);
        detail.amount = converted(detail.amount, rate);
    }
    for (EarlierPart& part : line.earlier) part.amount = converted(part.amount, rate);
    if (line.price && is_whole(*line.price, rate)) {
        line.price = converted(*line.price, rate);
    } else {
        line.price.reset();
        line.points = 0;
    }
    return line;
}

/// What of the draft becomes the largest number.
Wide largest_of(const Document& draft)
{
    const auto magnitude = [](Micro amount) {
        return amount.count() < 0 ? -Wide{amount.count()} : Wide{amount.count()};
    };
    Wide sum = 0;
    Wide largest = 0;
    for (const DocumentLine& line : draft.lines) {
        sum += magnitude(line.exact);
        if (line.price) largest = std::max(largest, magnitude(*line.price));
        for (const LineDetail& detail : line.details)
            largest = std::max({largest, magnitude(detail.price), magnitude(detail.amount)});
        for (const EarlierPart& part : line.earlier)
            largest = std::max(largest, magnitude(part.amount));
    }
    return std::max(sum, largest);
}

Minor worth(Minor amount, const ExchangeRate& rate)
{
    const auto converted = convert(amount, inverse_of(rate));
    ledger::invariant(converted.has_value(), "what a document comes to converts back");
    return *converted;
}

} // namespace

std::expected<Document, ExchangeFault> in_currency(const Document& draft, const ExchangeRate& rate)
{
    ledger::invariant(rate.from == draft.currency, "a draft is converted from its own currency");
    if (rate.numerator > rate_millionths_max || rate.denominator > rate_millionths_max ||
        largest_of(draft) * rate.numerator > document_amount_max / 2 * rate.denominator)
        return std::unexpected{ExchangeFault::amount_overflow};
    Document document = draft;
    document.currency = rate.to;
    Micro exact;
    Micro fee;
    for (DocumentLine& line : document.lines) {
        exact += line.exact;
        if (line.charge == Charge::fee) fee += line.exact;
        line = in_currency(std::move(line), rate);
    }
    // A rate is recorded one way round or the other: what it says is kept as it was said.
    const bool is_inverse = rate.denominator == rate_unit;
    if (draft.seller.id == "house")
        document.accounting = AccountingVat{
            .currency = rate.from,
            .rate_id = rate.id,
            .rate_millionths = is_inverse ? rate.numerator : rate.denominator,
            .is_inverse = is_inverse};
    total_document(document);
    document.booked = BookValue{
        .currency = rate.from,
        .rate_id = rate.id,
        .exact = exact,
        .fee = fee,
        .tax = worth(document.tax, rate),
        .total = worth(document.total, rate)};
    return document;
}

} // namespace pointhouse::settlement
