#include "ledger/money_effect.hpp"

namespace pointhouse::ledger {
namespace {

MoneyEffect balanced(MoneyEffect effect)
{
    invariant(
        effect.issuer == effect.counterparty + effect.liability + effect.fee + effect.margin,
        "the money of an entry balances");
    return effect;
}

MoneyEffect negated(const MoneyEffect& effect)
{
    return {
        .issuer = -effect.issuer,
        .counterparty = -effect.counterparty,
        .liability = -effect.liability,
        .fee = -effect.fee,
        .margin = -effect.margin,
    };
}

MoneyEffect issue(const Tariff& issuer, std::int64_t points)
{
    const Micro liability = issuer.prefunded_price() * points;
    const Micro fee = issuer.service_fee * points;
    return {.issuer = liability + fee, .liability = liability, .fee = fee};
}

// The house's own record brings the liability, with what stands against it.
MoneyEffect open(const Tariff& issuer, std::int64_t points)
{
    const Micro liability = issuer.prefunded_price() * points;
    return {.liability = liability, .margin = -liability};
}

// A charity has no tariff: it is paid each lot's own price.
MoneyEffect spend(const Tariff& issuer, const Tariff* redeemer, std::int64_t points)
{
    const Micro price = issuer.issue_price * points;
    const Micro prefunded = issuer.prefunded_price() * points;
    const Micro paid = redeemer == nullptr ? price : redeemer->reimbursement * points;
    return {
        .issuer = price - prefunded,
        .counterparty = paid,
        .liability = -prefunded,
        .margin = price - paid,
    };
}

// What was prefunded is split by the shares that the lot's tariff froze.
MoneyEffect break_points(const Tariff& issuer, std::int64_t points)
{
    const Micro prefunded = issuer.prefunded_price();
    const Micro shared{static_cast<std::int64_t>(
        Wide{prefunded.count()} * issuer.breakage_issuer /
        (issuer.breakage_operator + issuer.breakage_issuer))};
    return {
        .counterparty = shared * points,
        .liability = -(prefunded * points),
        .margin = (prefunded - shared) * points,
    };
}

// The house pays: whoever kept the breakage keeps it.
MoneyEffect reinstate(const Tariff& issuer, std::int64_t points)
{
    const Micro prefunded = issuer.prefunded_price() * points;
    return {.liability = prefunded, .margin = -prefunded};
}

MoneyEffect incur_debt(const Entry& entry, const Terms& terms, std::int64_t points)
{
    const Tariff& issuer = terms.tariff(entry.debt.tariff);
    const Micro price = issuer.issue_price * points;
    const Micro fee = issuer.service_fee * points;
    switch (entry.debt.kind) {
    case DebtKind::issuer_bears:
    case DebtKind::excess: return {};
    case DebtKind::house_bears: return {.issuer = -(price + fee), .fee = -fee, .margin = -price};
    case DebtKind::redeemer_bears: {
        const Micro paid_back = terms.tariff(entry.counterpart).reimbursement * points;
        return {
            .issuer = -(price + fee),
            .counterparty = -paid_back,
            .fee = -fee,
            .margin = paid_back - price,
        };
    }
    }
    return {};
}

// The lot's issuer pays what it had not prefunded; whoever bore the debt is made whole.
MoneyEffect recover(const Entry& entry, const Terms& terms, std::int64_t points)
{
    const Tariff& lot_issuer = terms.tariff(entry.lot.tariff);
    const Tariff& debt_issuer = terms.tariff(entry.debt.tariff);
    const Micro lot_price = lot_issuer.issue_price * points;
    const Micro prefunded = lot_issuer.prefunded_price() * points;
    const Micro price = debt_issuer.issue_price * points;
    const Micro fee = debt_issuer.service_fee * points;
    MoneyEffect effect{.issuer = lot_price - prefunded, .liability = -prefunded};
    switch (entry.debt.kind) {
    case DebtKind::issuer_bears:
        effect.counterparty = price + fee;
        effect.fee = -fee;
        effect.margin = lot_price - price;
        break;
    case DebtKind::house_bears:
    case DebtKind::excess: effect.margin = lot_price; break;
    case DebtKind::redeemer_bears:
        effect.counterparty = price;
        effect.margin = lot_price - price;
        break;
    }
    return effect;
}

} // namespace

MoneyEffect money_effect(const Entry& entry, const Terms& terms)
{
    const std::int64_t points = entry.points.count();
    const auto redeemer = [&]() -> const Tariff* {
        return entry.counterpart.is_none() ? nullptr : &terms.tariff(entry.counterpart);
    };
    switch (entry.kind) {
    case EntryKind::issued: return balanced(issue(terms.tariff(entry.lot.tariff), points));
    case EntryKind::redeemed:
    case EntryKind::donated:
        return balanced(spend(terms.tariff(entry.lot.tariff), redeemer(), points));
    case EntryKind::refunded:
        return balanced(negated(spend(terms.tariff(entry.lot.tariff), redeemer(), points)));
    case EntryKind::clawed_back:
        return balanced(negated(issue(terms.tariff(entry.lot.tariff), points)));
    case EntryKind::debt_incurred: return balanced(incur_debt(entry, terms, points));
    case EntryKind::recovered: return balanced(recover(entry, terms, points));
    case EntryKind::expired: return balanced(break_points(terms.tariff(entry.lot.tariff), points));
    case EntryKind::expiry_undone:
    case EntryKind::reinstated:
        return balanced(negated(break_points(terms.tariff(entry.lot.tariff), points)));
    case EntryKind::reinstated_by_house:
        return balanced(reinstate(terms.tariff(entry.lot.tariff), points));
    case EntryKind::matured:
    case EntryKind::held:
    case EntryKind::released:
    case EntryKind::moved_out:
    case EntryKind::moved_in: // points move within the liability
    case EntryKind::debt_moved_out:
    case EntryKind::debt_moved_in:
    case EntryKind::creditable_moved:
    case EntryKind::folded_out:
    case EntryKind::folded_in: return {};
    case EntryKind::opened: return balanced(open(terms.tariff(entry.lot.tariff), points));
    }
    invariant(false, "every kind of entry has its money");
    return {};
}

} // namespace pointhouse::ledger
