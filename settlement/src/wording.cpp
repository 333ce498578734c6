#include "wording.hpp"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>

namespace pointhouse::settlement {
namespace {

using ledger::EntryKind;

// "-1234567.50" becomes "−1,234,567.50".
std::string grouped(std::string_view number)
{
    const bool is_negative = number.starts_with('-');
    if (is_negative) number.remove_prefix(1);
    const std::size_t whole =
        number.find('.') == std::string_view::npos ? number.size() : number.find('.');
    std::string text = is_negative ? "−" : "";
    for (std::size_t place = 0; place < number.size(); ++place) {
        if (place > 0 && place < whole && (whole - place) % 3 == 0) text += ',';
        text += number[place];
    }
    return text;
}

// Drops trailing zeros of a decimal, but keeps `places_min` places.
std::string trimmed(std::string number, std::size_t places_min)
{
    const std::size_t point = number.find('.');
    if (point == std::string::npos) return number;
    while (number.back() == '0' && number.size() - point - 1 > places_min) number.pop_back();
    if (number.back() == '.') number.pop_back();
    return number;
}

/// amount / points · `scale`, with `places` decimals or as many as there is room for, half away
/// from zero.
std::string share_of(const LineDetail& detail, std::int64_t scale, int places)
{
    const auto magnitude = [](std::int64_t number) { return number < 0 ? -number : number; };
    const ledger::Wide points = magnitude(detail.points);
    const ledger::Wide amount = ledger::Wide{magnitude(detail.amount.count())} * scale;
    const auto scaled = [&](int decimals) {
        ledger::Wide unit = 1; // an amount has six decimals already
        for (int place = 6; place < decimals; ++place) unit *= 10;
        return (2 * amount * unit + points) / (2 * points);
    };
    while (places > 6 && scaled(places) > INT64_MAX) --places;
    const ledger::Currency decimals{.code = {}, .minor_digits = places};
    return format_minor(ledger::Minor{static_cast<std::int64_t>(scaled(places))}, decimals);
}

/// In another currency the price of a point is rounded: points × price is not the amount.
bool is_price_rounded(const LineDetail& detail)
{
    return detail.points != 0 &&
           ledger::Wide{detail.price.count()} * detail.points != detail.amount.count();
}

int digits_of(std::int64_t points)
{
    return static_cast<int>(fmt::to_string(points < 0 ? -points : points).size());
}

} // namespace

std::string_view title_of(DocumentKind kind) noexcept
{
    switch (kind) {
    case DocumentKind::payment_statement: return "Payment statement";
    case DocumentKind::self_billed_credit_note: return "Self-billed credit note";
    case DocumentKind::invoice: return "Invoice";
    case DocumentKind::credit_note: return "Credit note";
    case DocumentKind::self_billed_invoice: return "Self-billed invoice";
    }
    return "Document";
}

std::string_view label_of(Charge charge) noexcept
{
    switch (charge) {
    case Charge::price: return "Issue price";
    case Charge::fee: return "Service fee";
    case Charge::reimbursement: return "Reimbursement";
    case Charge::donation: return "Donation";
    case Charge::breakage_shared: return "Breakage share";
    }
    return "";
}

std::string_view item_name_of(Charge charge) noexcept
{
    switch (charge) {
    case Charge::price: return "Loyalty points, issue price";
    case Charge::fee: return "Loyalty points, service fee";
    case Charge::reimbursement: return "Loyalty points taken, reimbursement";
    case Charge::donation: return "Loyalty points donated";
    case Charge::breakage_shared: return "Loyalty points expired, issuer's share";
    }
    return "";
}

std::string_view label_of(EntryKind kind, Charge charge) noexcept
{
    // Under a price line, spending brings due what was not prefunded.
    const bool is_price = charge == Charge::price;
    switch (kind) {
    case EntryKind::issued: return "issued";
    case EntryKind::redeemed: return is_price ? "redeemed, rest of the price" : "redeemed";
    case EntryKind::refunded: return is_price ? "refunded, rest of the price" : "refunded";
    case EntryKind::donated: return is_price ? "donated, rest of the price" : "donated";
    case EntryKind::clawed_back: return "clawed back";
    case EntryKind::debt_incurred: return "clawed back, owed by members";
    case EntryKind::recovered: return "recovered from members' debt";
    case EntryKind::opened: return "brought along";
    case EntryKind::expired: return "expired";
    case EntryKind::expiry_undone: return "expired, clawed back since";
    case EntryKind::reinstated: return "expired, reinstated since";
    case EntryKind::reinstated_by_house: return "expired, reinstated at the house's cost";
    case EntryKind::matured:
    case EntryKind::held:
    case EntryKind::released:
    case EntryKind::moved_out:
    case EntryKind::moved_in:
    case EntryKind::debt_moved_out:
    case EntryKind::debt_moved_in:
    case EntryKind::creditable_moved:
    case EntryKind::folded_out:
    case EntryKind::folded_in: break; // no money moves
    }
    return "";
}

std::string earlier_in_words(const EarlierPart& part, Charge charge)
{
    std::string why = part.undoes ? "" : ", late";
    if (part.billed_on) why = ", billed on " + part.billed_on->number;
    return fmt::format(
        "{} points of {}{} ({})",
        points_in_words(part.points),
        month_in_words(part.origin),
        why,
        label_of(part.kind, charge));
}

std::string_view words_of_self_billing(DocumentKind kind) noexcept
{
    if (!is_self_billed(kind)) return "";
    return "Self-billing: issued by the buyer in the name and on behalf of the seller.";
}

std::string_view words_of_tax_point(TaxPoint point) noexcept
{
    return point == TaxPoint::payment ? "Cash accounting." : "";
}

std::string words_of_objection(const Document& document)
{
    const auto last = document.object_by();
    if (!last) return {};
    if (document.number.empty())
        return fmt::format(
            "Without an objection within {} days of its issue it counts as accepted.",
            document.objection_days);
    return fmt::format("Without an objection until {} it counts as accepted.", day_in_words(*last));
}

std::string netting_in_words(const Document& document)
{
    const auto program = document.program.empty() ? "" : ", program " + document.program;
    if (document.corrects) return "net with other open documents" + program;
    return "net with the other documents of " + month_in_words(document.window) + program;
}

std::string points_in_words(std::int64_t points)
{
    return grouped(fmt::to_string(points));
}

std::string amount_in_words(ledger::Minor amount, const ledger::Currency& currency)
{
    return grouped(format_minor(amount, currency));
}

std::string price_per_thousand(ledger::Micro price_per_point, int places)
{
    // Micro-units per point are thousandths per 1,000 points.
    const ledger::Currency thousandths{.code = {}, .minor_digits = 3};
    const std::string price = format_minor(ledger::Minor{price_per_point.count()}, thousandths);
    return grouped(trimmed(price, static_cast<std::size_t>(places)));
}

std::string price_per_thousand(const LineDetail& detail, int places)
{
    if (!is_price_rounded(detail)) return price_per_thousand(detail.price, places);
    constexpr int places_min = 6;
    const auto price = share_of(detail, 1'000, std::max(places_min, digits_of(detail.points)));
    return grouped(trimmed(price, static_cast<std::size_t>(places)));
}

std::string net_price_per_thousand(const DocumentLine& line, const ledger::Currency& currency)
{
    const LineDetail net{
        .points = line.points, .amount = ledger::Micro{micro_per_minor(currency)} * line.net.count};
    constexpr int places_min = 6;
    return trimmed(share_of(net, 1'000, std::max(places_min, digits_of(line.points))), 2);
}

std::string price_per_point(const LineDetail& detail)
{
    if (!is_price_rounded(detail)) return format_micro(detail.price);
    return trimmed(share_of(detail, 1, 6 + digits_of(detail.points)), 6);
}

int price_places(const Document& document)
{
    const std::int64_t unit = micro_per_minor(document.currency);
    for (const DocumentLine& line : document.lines) {
        if (line.price && line.price->count() * 1'000 % unit != 0) return 3;
        for (const LineDetail& detail : line.details)
            if (detail.price.count() * 1'000 % unit != 0) return 3;
    }
    return document.currency.minor_digits;
}

std::string_view exemption_in_words(std::string_view category) noexcept
{
    if (category == "E") return "Exempt from VAT";
    if (category == "AE") return "Reverse charge";
    return category == "O" ? "Not subject to VAT" : "";
}

std::string exchange_rate_in_words(std::int64_t rate_millionths)
{
    return trimmed(format_micro(ledger::Micro{rate_millionths}), 0);
}

bool is_outside_scope(const VatRate& rate)
{
    return rate.category == "O" && rate.basis_points == 0;
}

std::string rate_in_words(const VatRate& rate)
{
    if (is_outside_scope(rate)) return "—";
    const ledger::Currency hundredths{.code = {}, .minor_digits = 2};
    return trimmed(format_minor(ledger::Minor{rate.basis_points}, hundredths), 0) + " %";
}

} // namespace pointhouse::settlement
