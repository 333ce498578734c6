#include "settlement/block_invoice.hpp"

#include "ledger/invariant.hpp"

namespace pointhouse::settlement {

using ledger::Micro;

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
             .net = ledger::minor_units_of(exact, currency),
             .vat = block.vat});
    };
    add_line(Charge::price, block.price);
    add_line(Charge::fee, block.fee);
    total_document(document);
    ledger::invariant(document.rounding == Micro{}, "a block costs whole minor units");
    return document;
}

} // namespace pointhouse::settlement
