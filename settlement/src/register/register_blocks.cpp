#include <algorithm>
#include <fmt/format.h>

#include "settlement/block_invoice.hpp"
#include "settlement/register.hpp"

// What is left of a block goes back: as the block was, it is paid with its document.

namespace pointhouse::settlement {

const IssuedDocument* Register::find_block_invoice(ledger::TariffVersion block) const
{
    const auto found = std::ranges::find_if(issued_, [&](const auto& each) {
        const Document& document = each.second.document;
        return document.is_prepaid() && !document.corrects &&
               document.lines.front().tariff == block;
    });
    return found == issued_.end() ? nullptr : &found->second;
}

BlockRest Register::left_to_give_back(const BlockRest& rest) const
{
    BlockRest left = rest;
    const auto* invoice = find_block_invoice(rest.tariff);
    if (!invoice) return left;
    for (const Document& credit : corrections_of(invoice->document.number))
        for (const DocumentLine& line : credit.lines)
            (line.charge == Charge::fee ? left.fee : left.price) -= line.exact;
    return left;
}

Registered<NewEntry> Register::give_block_back(const BlockRest& rest, const IssueTerms& terms) const
{
    const auto refused = [](std::string reason) {
        return std::unexpected(RegisterFault{std::move(reason)});
    };
    const auto* invoice = find_block_invoice(rest.tariff);
    if (!invoice)
        return refused(fmt::format(
            "the invoice over block {} is not issued: there is nothing to credit",
            rest.tariff.value()));
    const Document& sold = invoice->document;
    if (sold.booked)
        return refused(fmt::format(
            "{} is in {}: what is left of its block goes back by hand",
            sold.number,
            sold.currency.code));
    const auto credit =
        block_credit(sold, left_to_give_back(rest), corrections_of(sold.number), terms.today);
    if (!credit)
        return refused(fmt::format("{} has no such rest of its block to give back", sold.number));
    Document dated = *credit;
    dated.window = ledger::parse_month(ledger::format_day(terms.today).substr(0, 7)).value();
    dated.reason = "What was left of the block when the partner left";
    return issue_entry(std::move(dated), terms);
}

} // namespace pointhouse::settlement
