#include "settlement/document.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "../vat_totals.hpp"
#include "ledger/invariant.hpp"
#include "settlement/exchange.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Day;
using ledger::invariant;
using ledger::Micro;
using ledger::Minor;
using ledger::Wide;

Minor minor_of(Wide amount)
{
    invariant(amount >= INT64_MIN && amount <= INT64_MAX, "sums of minor units fit 64 bits");
    return Minor{static_cast<std::int64_t>(amount)};
}

Day first_day(ledger::Month month)
{
    const std::chrono::year_month_day day{
        std::chrono::year{month.year},
        std::chrono::month{static_cast<unsigned>(month.month)},
        std::chrono::day{1}};
    return static_cast<Day>(std::chrono::sys_days{day}.time_since_epoch().count());
}

Wide power_of_ten(int exponent)
{
    Wide power = 1;
    for (; exponent > 0; --exponent) power *= 10;
    return power;
}

// What the seller's tax return counts: half away from zero, as all that is rounded.
Wide converted(Wide tax, const ledger::Currency& from, const AccountingVat& accounting)
{
    const int digits = accounting.currency.minor_digits - from.minor_digits;
    Wide dividend = tax * power_of_ten(digits);
    Wide divisor = power_of_ten(-digits);
    (accounting.is_inverse ? divisor : dividend) *= accounting.rate_millionths;
    (accounting.is_inverse ? dividend : divisor) *= 1'000'000;
    const Wide magnitude = dividend < 0 ? -dividend : dividend;
    const Wide rounded = (2 * magnitude + divisor) / (2 * divisor);
    return dividend < 0 ? -rounded : rounded;
}

Wide magnitude_of(std::int64_t count)
{
    return count < 0 ? -Wide{count} : Wide{count};
}

DocumentKind opposite_of(DocumentKind kind)
{
    switch (kind) {
    case DocumentKind::invoice: return DocumentKind::credit_note;
    case DocumentKind::credit_note: return DocumentKind::invoice;
    case DocumentKind::self_billed_invoice: return DocumentKind::self_billed_credit_note;
    case DocumentKind::self_billed_credit_note: return DocumentKind::self_billed_invoice;
    case DocumentKind::payment_statement: break;
    }
    return kind;
}

void negate(DocumentLine& line)
{
    line.points = -line.points;
    line.exact = -line.exact;
    line.net = -line.net;
    line.gross = -line.gross;
    for (LineDetail& detail : line.details) {
        detail.points = -detail.points;
        detail.amount = -detail.amount;
    }
    for (EarlierPart& part : line.earlier) {
        part.points = -part.points;
        part.amount = -part.amount;
    }
}

void negate_lines(Document& document)
{
    for (DocumentLine& line : document.lines) negate(line);
    total_document(document);
}

/// The kind of a statement that is above zero.
DocumentKind kind_of(StatementType supply, bool is_outside_scope)
{
    switch (supply) {
    case StatementType::issuance:
    case StatementType::block: return DocumentKind::invoice;
    case StatementType::breakage: return DocumentKind::credit_note; // reduces what was paid
    case StatementType::redemption: return DocumentKind::self_billed_invoice;
    case StatementType::donation: break;
    }
    return is_outside_scope ? DocumentKind::payment_statement : DocumentKind::self_billed_invoice;
}

/// Who supplies: the house its points and service, a partner what it gave for points.
bool is_house_seller(StatementType supply)
{
    return supply == StatementType::issuance || supply == StatementType::breakage ||
           supply == StatementType::block;
}

DocumentLine line_of(const StatementLine& line, ledger::Month window)
{
    return {
        .charge = line.charge,
        .tariff = line.tariff,
        .origin = window,
        .points = line.price ? line.points : 0,
        .price = line.price,
        .exact = line.exact,
        .net = line.net,
        .gross = line.gross,
        .vat = line.vat,
        .details = line.details,
        .earlier = line.earlier,
    };
}

bool is_empty(const Document& document)
{
    return std::ranges::all_of(document.vat, [](const VatTotal& vat) {
        return vat.net == Minor{} && vat.tax == Minor{} && vat.gross == Minor{};
    });
}

/// Gives a document that sums to less than zero the opposite kind. A payment statement has none.
void set_upright(Document& document)
{
    const DocumentKind opposite = opposite_of(document.kind);
    const bool is_below_zero =
        document.total < Minor{} || (document.total == Minor{} && document.net < Minor{});
    if (!is_below_zero || opposite == document.kind) return;
    document.kind = opposite;
    negate_lines(document);
}

/// What lines of one document have in common.
struct Kinship {
    ledger::Time issued_at{}; // what is on a document already is before what is not
    bool is_outside_scope = false;
    bool is_gross = false;
    TaxPoint tax_point = TaxPoint::period_end;
    friend auto operator<=>(const Kinship&, const Kinship&) = default;
};

Kinship kinship_of(const StatementLine& line)
{
    return {
        .issued_at = line.issued_at,
        .is_outside_scope = line.vat.category == "O",
        .is_gross = line.vat.is_gross,
        .tax_point = line.vat.tax_point};
}

/// What of a statement one document may carry.
Document part_of(const Statement& statement, const Settlement& settlement, Kinship kinship)
{
    const ledger::Month window = settlement.window.month;
    Document document{
        .kind = kind_of(statement.type, kinship.is_outside_scope),
        .partner = statement.partner,
        .supply = statement.type,
        .window = window,
        .from = first_day(window),
        .to = ledger::last_of_month(first_day(window)),
        .currency = settlement.currency,
    };
    document.issued_on = document.to;
    for (const StatementLine& line : statement.lines) {
        if (kinship_of(line) == kinship) document.lines.push_back(line_of(line, window));
    }
    total_document(document);
    set_upright(document);
    return document;
}

/// Every part of every statement, between those who sell and buy it.
std::vector<Document> parts_of(
    const Settlement& settlement, const LegalParty& house, std::span<const LegalParty> parties)
{
    std::vector<Document> parts;
    for (const Statement& statement : settlement.statements) {
        invariant(statement.partner.value() <= parties.size(), "every partner has its details");
        const LegalParty& partner = parties[statement.partner.value() - 1];
        const bool is_house = is_house_seller(statement.type);
        std::set<Kinship> kinships;
        for (const StatementLine& line : statement.lines) kinships.insert(kinship_of(line));
        for (const Kinship kinship : kinships) {
            Document document = part_of(statement, settlement, kinship);
            document.seller = is_house ? house : partner;
            document.buyer = is_house ? partner : house;
            parts.push_back(std::move(document));
        }
    }
    return parts;
}

Minor owed_on(std::span<const Statement> statements)
{
    Minor owed;
    for (const Statement& statement : statements)
        owed = owed + (statement.partner_pays() ? statement.total : -statement.total);
    return owed;
}

Minor owed_on(std::span<const Document> documents)
{
    Minor owed;
    for (const Document& document : documents) owed = owed + document.owed_by_partner();
    return owed;
}

/// The part of what a document is worth that goes with a part of its total: rounded, half away from
/// zero.
std::int64_t part_of(std::int64_t whole, Minor part, Minor total)
{
    const Wide product = Wide{whole} * part.count * (total.count < 0 ? -1 : 1);
    const Wide divisor = total.count < 0 ? -Wide{total.count} : Wide{total.count};
    const Wide magnitude = product < 0 ? -product : product;
    const Wide rounded = (2 * magnitude + divisor) / (2 * divisor);
    return minor_of(product < 0 ? -rounded : rounded).count;
}

/// A correction is worth its part of the original, at the rate of that; on the running sum, so that
/// all of them together are worth what the original is.
void set_booked(Document& credit, const Document& original, std::span<const Document> earlier)
{
    if (!original.booked || original.total == Minor{}) return;
    const BookValue& whole = *original.booked;
    Minor before;
    for (const Document& document : earlier) before = before + document.total;
    const auto part = [&](std::int64_t count) {
        return part_of(count, before + credit.total, original.total) -
               part_of(count, before, original.total);
    };
    credit.booked->exact = Micro{part(whole.exact.count())};
    credit.booked->fee = Micro{part(whole.fee.count())};
    credit.booked->tax = Minor{part(whole.tax.count)};
    credit.booked->total = Minor{part(whole.total.count)};
}

/// A draft without lines that corrects `original`.
Document correction_of(const Document& original, Day today)
{
    Document credit = original;
    credit.kind = opposite_of(original.kind);
    credit.number.clear();
    credit.issued_on = today;
    credit.due_on = std::max(original.due_on, today);
    credit.lines.clear();
    credit.corrects = Preceding{.number = original.number, .issued_on = original.issued_on};
    credit.reason.clear();
    return credit;
}

bool is_same_line(const DocumentLine& left, const DocumentLine& right)
{
    return left.charge == right.charge && left.tariff == right.tariff &&
           left.origin == right.origin && left.vat == right.vat;
}

/// What is credited of one line, in the line's own sign.
struct Credited {
    Micro exact{};
    Minor net{};
    Minor gross{};
};

Credited credited_before(const DocumentLine& line, std::span<const Document> earlier)
{
    Credited sum;
    for (const Document& credit : earlier) {
        const bool is_negated = credit.kind == DocumentKind::payment_statement;
        for (const DocumentLine& part : credit.lines) {
            if (!is_same_line(line, part)) continue;
            sum.exact += is_negated ? -part.exact : part.exact;
            sum.net = sum.net + (is_negated ? -part.net : part.net);
            sum.gross += is_negated ? -part.gross : part.gross;
        }
    }
    return sum;
}

using LineResult = ledger::Result<DocumentLine, CreditRefusal>;

// On the running sum, so that what is rounded stays `exact` rounded whatever the parts are: ten
// points of half a cent are five cents, also when they are credited one at a time.
LineResult points_of_line(DocumentLine part, std::int64_t points, const Credited& before, int sign)
{
    const DocumentLine& line = part;
    if (!line.price) return std::unexpected{CreditRefusal::price_missing};
    const Wide exact = Wide{line.price->count()} * points;
    const Wide rest = Wide{line.exact.count() - before.exact.count()} * sign;
    if (exact > rest) return std::unexpected{CreditRefusal::exceeds_line};
    part.points = sign * points;
    part.exact = *line.price * part.points;
    return part;
}

LineResult amount_of_line(
    DocumentLine part, Minor net, const Credited& before, const ledger::Currency& currency)
{
    const Minor rest = part.net + -before.net;
    if (Wide{net.count} * net.count > Wide{rest.count} * net.count)
        return std::unexpected{CreditRefusal::exceeds_line};
    // The last part takes what rounding gave to the line, or took from it.
    const bool is_rest = net == rest;
    const Minor amount = part.vat.is_gross ? net + ledger::tax_of(net, part.vat.basis_points) : net;
    part.exact =
        is_rest ? part.exact - before.exact : Micro{micro_per_minor(currency)} * amount.count;
    part.points = 0;
    part.price.reset();
    return part;
}

/// Whether `credited` is no more than `charged`, seen from the side of zero that `charged` is on.
bool is_within(Minor credited, Minor charged)
{
    return charged < Minor{} ? credited >= charged : credited <= charged;
}

LineResult credited_line(
    const Document& original, const LineCredit& wanted, std::span<const Document> earlier)
{
    if (wanted.line >= original.lines.size()) return std::unexpected{CreditRefusal::line_unknown};
    const bool has_points = wanted.points > 0 && wanted.net == Minor{};
    const bool has_net = wanted.net > Minor{} && wanted.points == 0;
    if (!has_points && !has_net) return std::unexpected{CreditRefusal::amount_missing};

    const DocumentLine& line = original.lines[wanted.line];
    const Credited before = credited_before(line, earlier);
    const int sign = line.exact < Micro{} ? -1 : 1;
    LineResult part =
        has_points
            ? points_of_line(line, wanted.points, before, sign)
            : amount_of_line(line, Minor{sign * wanted.net.count}, before, original.currency);
    if (!part) return part;
    set_rounded(
        *part,
        minor_units_of(before.exact + part->exact, original.currency) -
            (part->vat.is_gross ? before.gross : before.net));
    if (!is_within(before.gross + part->gross, line.gross))
        return std::unexpected{CreditRefusal::exceeds_line};
    part->details.clear();
    part->earlier.clear();
    return part;
}

bool exceeds(const Document& original, const Document& credit, std::span<const Document> earlier)
{
    std::map<VatRate, Minor> taxes;
    Minor total;
    const auto add = [&](const Document& document) {
        const bool is_negated = document.kind == DocumentKind::payment_statement;
        for (const VatTotal& vat : document.vat)
            taxes[vat.rate] = taxes[vat.rate] + (is_negated ? -vat.tax : vat.tax);
        total = total + (is_negated ? -document.total : document.total);
    };
    for (const Document& document : earlier) add(document);
    add(credit);
    for (const VatTotal& vat : original.vat)
        if (!is_within(taxes[vat.rate], vat.tax)) return true;
    return !is_within(total, original.total);
}

} // namespace

std::string_view name_of(DocumentKind kind) noexcept
{
    switch (kind) {
    case DocumentKind::payment_statement: return "payment_statement";
    case DocumentKind::self_billed_credit_note: return "self_billed_credit_note";
    case DocumentKind::invoice: return "invoice";
    case DocumentKind::credit_note: return "credit_note";
    case DocumentKind::self_billed_invoice: return "self_billed_invoice";
    }
    return "unknown";
}

std::optional<DocumentKind> find_document_kind(std::string_view name) noexcept
{
    for (const DocumentKind kind :
         {DocumentKind::payment_statement,
          DocumentKind::self_billed_credit_note,
          DocumentKind::invoice,
          DocumentKind::credit_note,
          DocumentKind::self_billed_invoice}) {
        if (name_of(kind) == name) return kind;
    }
    return std::nullopt;
}

std::string_view words_of(CreditRefusal refusal) noexcept
{
    switch (refusal) {
    case CreditRefusal::line_unknown: return "the document has no such line";
    case CreditRefusal::line_twice: return "a line is named twice";
    case CreditRefusal::amount_missing: return "either points or an amount, above zero";
    case CreditRefusal::price_missing:
        return "the line has points at several prices: credit an amount";
    case CreditRefusal::exceeds_line:
        return "with what was credited before, it is more than the line";
    case CreditRefusal::exceeds_document:
        return "with what was credited before, it takes back more VAT or more in all than the "
               "document charged";
    }
    return "unknown";
}

std::optional<Day> Document::object_by() const
{
    if (objection_days == 0) return std::nullopt;
    return issued_on + objection_days;
}

std::vector<Preceding> Document::preceding() const
{
    if (corrects) return {*corrects};
    std::map<std::pair<Day, std::string>, Preceding> found;
    for (const DocumentLine& line : lines)
        for (const EarlierPart& part : line.earlier)
            if (part.billed_on)
                found.try_emplace(
                    {part.billed_on->issued_on, part.billed_on->number}, *part.billed_on);
    std::vector<Preceding> documents;
    for (auto& [key, document] : found) documents.push_back(std::move(document));
    return documents;
}

Minor Document::owed_by_partner() const
{
    return is_house_seller(supply) == is_credit(kind) ? -total : total;
}

void total_document(Document& document)
{
    Micro exact;
    Minor rounded;
    document.net = {};
    document.tax = {};
    document.total = {};
    for (const DocumentLine& line : document.lines) {
        exact += line.exact;
        rounded += rounded_amount(line);
    }
    document.vat = vat_totals(document.lines);
    for (const VatTotal& vat : document.vat) {
        document.net += vat.net;
        document.tax += vat.tax;
        document.total += vat.total();
    }
    document.rounding = Micro{micro_per_minor(document.currency)} * rounded.count - exact;
    if (document.accounting) {
        document.accounting->tax =
            minor_of(converted(document.tax.count, document.currency, *document.accounting));
    }
}

bool is_in_range(const Document& document)
{
    Wide exact = 0;
    Wide net = 0; // of which VAT is at most as much again
    for (const DocumentLine& line : document.lines) {
        if (line.vat.basis_points < 0 || line.vat.basis_points > 10'000) return false;
        exact += magnitude_of(line.exact.count());
        net += std::max(magnitude_of(line.net.count), magnitude_of(line.gross.count));
    }
    if (std::max(exact, net * micro_per_minor(document.currency)) > document_amount_max)
        return false;
    const auto& accounting = document.accounting;
    if (!accounting) return true;
    if (magnitude_of(accounting->rate_millionths) > rate_millionths_max) return false;
    if (accounting->is_inverse && accounting->rate_millionths <= 0) return false;
    const Wide accounted = converted(net, document.currency, *accounting);
    return (accounted < 0 ? -accounted : accounted) * micro_per_minor(accounting->currency) <=
           document_amount_max;
}

TaxInPrices tax_in_prices(const Document& document)
{
    if (!document.is_gross()) return {};
    Minor fee;
    for (const DocumentLine& line : document.lines)
        if (line.charge == Charge::fee) fee += line.gross - line.net;
    const Minor tax = document.booked ? document.booked->tax : document.tax;
    if (document.booked)
        fee = document.total == Minor{}
                  ? Minor{}
                  : Minor{part_of(document.booked->total.count, fee, document.total)};
    return {.fee = fee, .other = tax - fee};
}

std::vector<Document> drafts(
    const Settlement& settlement,
    const LegalParty& house,
    std::span<const LegalParty> parties,
    std::span<const std::int32_t> payment_days)
{
    auto made = parts_of(settlement, house, parties);
    std::erase_if(made, is_empty);
    for (Document& document : made)
        document.due_on = document.to + payment_days[document.partner.value() - 1];
    invariant(owed_on(made) == owed_on(settlement.statements), "documents owe what was settled");
    return made;
}

std::vector<Document> too_small(
    const Settlement& settlement, const LegalParty& house, std::span<const LegalParty> parties)
{
    auto left_out = parts_of(settlement, house, parties);
    std::erase_if(left_out, [](const Document& document) {
        return document.lines.empty() || !is_empty(document);
    });
    return left_out;
}

Document full_credit_of(const Document& original, Day today)
{
    Document credit = correction_of(original, today);
    credit.lines = original.lines;
    for (DocumentLine& line : credit.lines) line.earlier.clear();
    if (credit.kind == original.kind) {
        negate_lines(credit);
    } else {
        total_document(credit);
    }
    set_booked(credit, original, {});
    return credit;
}

bool adds_to(const Document& correction, const Document& original)
{
    return correction.kind == original.kind &&
           (correction.total < Minor{}) == (original.total < Minor{});
}

Document further_of(const Document& original, std::size_t line, Minor net, Day today)
{
    Document further = correction_of(original, today);
    further.kind = original.kind;
    DocumentLine part = original.lines.at(line);
    part.points = 0;
    part.price.reset();
    const bool is_gross = part.vat.is_gross;
    set_rounded(part, is_gross ? net + ledger::tax_of(net, part.vat.basis_points) : net);
    part.exact = Micro{micro_per_minor(original.currency)} * rounded_amount(part).count;
    part.details.clear();
    part.earlier.clear();
    further.lines.push_back(std::move(part));
    total_document(further);
    set_booked(further, original, {});
    return further;
}

ledger::Result<Document, CreditRefusal> credit_of(
    const Document& original,
    std::span<const LineCredit> parts,
    std::span<const Document> earlier,
    Day today)
{
    Document credit = correction_of(original, today);
    for (std::size_t index = 0; index < parts.size(); ++index) {
        const LineCredit& wanted = parts[index];
        if (std::ranges::count(parts.first(index), wanted.line, &LineCredit::line) > 0)
            return std::unexpected{CreditRefusal::line_twice};
        auto line = credited_line(original, wanted, earlier);
        if (!line) return std::unexpected{line.error()};
        if (credit.kind == original.kind) negate(*line);
        credit.lines.push_back(std::move(*line));
    }
    if (credit.lines.empty()) return std::unexpected{CreditRefusal::amount_missing};
    total_document(credit);
    set_booked(credit, original, earlier);
    if (exceeds(original, credit, earlier)) return std::unexpected{CreditRefusal::exceeds_document};
    return credit;
}

} // namespace pointhouse::settlement
