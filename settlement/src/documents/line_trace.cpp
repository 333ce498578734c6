#include "settlement/line_trace.hpp"

namespace pointhouse::settlement {

std::int64_t sign_on_statement(const Document& document)
{
    // A payment statement that is taken back has amounts below zero itself.
    if (document.kind == DocumentKind::payment_statement) return 1;
    const bool is_usually_credit = document.supply == StatementType::breakage;
    return is_credit(document.kind) == is_usually_credit ? 1 : -1;
}

std::vector<TracedPart> parts_on(
    const Document& document, const ledger::PositionRow& entry, const ledger::Terms& terms)
{
    std::vector<TracedPart> parts;
    const std::int64_t sign = sign_on_statement(document);
    for (const LineShare& share : line_shares(entry, terms)) {
        if (share.line.partner != document.partner || share.line.type != document.supply) continue;
        for (std::size_t place = 0; place < document.lines.size(); ++place) {
            const DocumentLine& line = document.lines[place];
            if (line.tariff == share.line.tariff && line.charge == share.line.charge)
                parts.push_back(
                    {.line = place, .points = sign * share.points, .amount = share.amount * sign});
        }
    }
    return parts;
}

} // namespace pointhouse::settlement
