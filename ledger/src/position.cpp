#include "ledger/position.hpp"

namespace pointhouse::ledger {

PositionRow position_of(const ControlTotal& total, Month window, const Terms& terms)
{
    PositionRow position{
        .window = window,
        .kind = total.kind,
        .partner = terms.tariff(total.tariff).partner,
        .tariff = total.tariff,
        .counterpart = total.counterpart,
        .debt = total.debt,
        .state = total.state,
        .vat_rate = total.vat_rate,
        .points = total.points,
        .money = total.money};
    if (total.kind == EntryKind::recovered) {
        position.counterpart = total.debt_tariff;
        position.bearer = total.counterpart;
    }
    const bool is_spent = total.kind == EntryKind::donated || total.kind == EntryKind::refunded;
    if (!position.counterpart.is_none())
        position.counterparty = terms.tariff(position.counterpart).partner;
    else if (is_spent)
        position.counterparty = total.charity;
    else if (is_breakage(total.kind))
        position.counterparty = position.partner;
    return position;
}

} // namespace pointhouse::ledger
