#include "settlement/block_invoice.hpp"

#include "../vat_totals.hpp"
#include "ledger/invariant.hpp"

namespace pointhouse::settlement {

using ledger::Micro;
using ledger::Minor;

namespace {

/// What of one line of an invoice credit notes took back.
struct GivenBack {
    Micro exact{};
    Minor rounded{};
};

GivenBack given_back(std::span<const Document> credits, Charge charge)
{
    GivenBack sum;
    for (const Document& credit : credits) {
        for (const DocumentLine& line : credit.lines) {
            if (line.charge != charge) continue;
            sum.exact += line.exact;
            sum.rounded += rounded_amount(line);
        }
    }
    return sum;
}

Micro exact_of(const Document& document, Charge charge)
{
    return given_back(std::span{&document, 1}, charge).exact;
}

} // namespace

Document block_invoice(
    const SoldBlock& block,
    ledger::Month window,
    const ledger::Currency& currency,
    const LegalParty& house,
    const LegalParty& buyer)
{
    Document document{
        .kind = DocumentKind::invoice,
        .partner = block.partner,
        .supply = StatementType::block,
        .window = window,
        .issued_on = block.sold_on,
        .due_on = block.sold_on,
        .from = block.sold_on,
        .to = block.sold_on,
        .seller = house,
        .buyer = buyer,
        .currency = currency};
    const auto add_line = [&](Charge charge, Micro price) {
        if (price == Micro{}) return;
        const Micro exact = price * block.points.count();
        document.lines.push_back(
            {.charge = charge,
             .tariff = block.tariff,
             .origin = window,
             .points = block.points.count(),
             .price = price,
             .exact = exact,
             .vat = block.vat});
        set_rounded(document.lines.back(), ledger::minor_units_of(exact, currency));
    };
    add_line(Charge::price, block.price);
    add_line(Charge::fee, block.fee);
    total_document(document);
    ledger::invariant(document.rounding == Micro{}, "a block costs whole minor units");
    return document;
}

std::optional<Document> block_credit(
    const Document& invoice,
    const BlockRest& rest,
    std::span<const Document> earlier,
    ledger::Day today)
{
    Document credit = full_credit_of(invoice, today);
    credit.due_on = today; // paid with its issue
    credit.lines.clear();
    for (DocumentLine part : invoice.lines) {
        const Micro exact = part.charge == Charge::fee ? rest.fee : rest.price;
        const GivenBack before = given_back(earlier, part.charge);
        if (exact == Micro{}) continue;
        if (exact < Micro{} || before.exact + exact > part.exact) return std::nullopt;
        // What is left of a point that was partly prefunded is no whole number of points.
        const bool is_in_points = exact.count() % part.price.value().count() == 0;
        part.points = is_in_points ? exact.count() / part.price->count() : 0;
        if (!is_in_points) part.price.reset();
        part.exact = exact;
        set_rounded(
            part, ledger::minor_units_of(before.exact + exact, invoice.currency) - before.rounded);
        credit.lines.push_back(std::move(part));
    }
    if (credit.lines.empty()) return std::nullopt;
    total_document(credit);
    Minor total = credit.total;
    for (const Document& document : earlier) total += document.total;
    if (total > invoice.total) return std::nullopt;
    return credit;
}

std::vector<ledger::AccountLine> lines_of_block_credit(
    const Document& credit, const ledger::Currency& currency)
{
    using ledger::Account;
    const std::int64_t scale = ledger::micro_per_minor(currency);
    const Micro price = exact_of(credit, Charge::price);
    const Micro fee = exact_of(credit, Charge::fee);
    const std::int64_t paid = credit.total.count * scale;
    const TaxInPrices within = tax_in_prices(credit);
    // Whole cents are paid: what is less of the price than one stays in trust.
    const std::int64_t of_trust = price.count() / scale * scale;
    std::vector<ledger::AccountLine> lines{
        {.account = Account::prepaid_block, .partner = credit.partner, .amount = price.count()},
        {.account = Account::prepaid_fee, .partner = credit.partner, .amount = fee.count()},
        {.account = Account::vat_output, .amount = credit.tax.count * scale},
        {.account = Account::cash_trust, .amount = -of_trust},
        {.account = Account::cash_operating, .amount = of_trust - paid},
        {.account = Account::service_fee, .amount = -within.fee.count * scale},
        {.account = Account::redemption_margin, .amount = -within.other.count * scale},
        {.account = Account::rounding, .amount = credit.rounding.count()}};
    std::erase_if(lines, [](const auto& line) { return line.amount == 0; });
    return lines;
}

} // namespace pointhouse::settlement
