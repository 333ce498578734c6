#include "settlement/window_figures.hpp"

#include <map>
#include <string>
#include <utility>

#include "ledger/accounts.hpp"
#include "ledger/invariant.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::EntryKind;
using ledger::invariant;
using ledger::Micro;
using ledger::PartnerId;
using ledger::PositionRow;

void add(std::int64_t& total, std::int64_t points)
{
    if (__builtin_add_overflow(total, points, &total))
        invariant(false, "sums of points fit 64 bits");
}

/// Partners by registration, from 1.
class Figures {
public:
    explicit Figures(const ledger::Terms& terms) : partners_(terms.partners.size())
    {
        for (std::uint32_t index = 0; index < partners_.size(); ++index)
            partners_[index].partner = PartnerId{index + 1};
    }

    void add_row(const PositionRow& row)
    {
        const std::int64_t points = row.points.count();
        PartnerFigures& own = of(row.partner);
        switch (row.kind) {
        case EntryKind::issued:
            add(own.issued, points);
            add(own.closing, points);
            break;
        case EntryKind::opened: // what the window begins with, though its first entries book it
            add(own.opening, points);
            add(own.closing, points);
            break;
        case EntryKind::redeemed:
        case EntryKind::donated:
            add(own.own_redeemed_anywhere, points);
            add(own.closing, -points);
            if (row.kind == EntryKind::donated) add(own.donated, points);
            add(of(row.counterparty).redeemed_here, points);
            break;
        case EntryKind::refunded:
            add(own.own_redeemed_anywhere, -points);
            add(own.closing, points);
            // A charity has no tariff, so a refund without one undoes a donation.
            if (row.counterpart.is_none()) add(own.donated, -points);
            add(of(row.counterparty).refunded, points);
            break;
        case EntryKind::clawed_back:
            add(own.clawed_back, points);
            add(own.closing, -points);
            break;
        case EntryKind::debt_incurred:
            add(own.clawed_back, points);
            add(own.debt, points);
            break;
        case EntryKind::recovered:
            add(own.recovered_given, points);
            add(own.closing, -points);
            add(of(row.counterparty).recovered_received, points);
            add(of(row.counterparty).debt, -points);
            break;
        case EntryKind::expired:
            add(own.expired, points);
            add(own.closing, -points);
            break;
        case EntryKind::expiry_undone:
        case EntryKind::reinstated:
        case EntryKind::reinstated_by_house:
            add(own.expired, -points);
            add(own.closing, points);
            break;
        case EntryKind::matured:
        case EntryKind::held:
        case EntryKind::released:
        case EntryKind::moved_out:
        case EntryKind::moved_in:
        case EntryKind::debt_moved_out:
        case EntryKind::debt_moved_in:
        case EntryKind::creditable_moved:
        case EntryKind::folded_out:
        case EntryKind::folded_in: break; // open before and after
        }
    }

    /// Starts the next window from the end of this one.
    void open_next()
    {
        for (PartnerFigures& figures : partners_) {
            check(figures);
            figures = {
                .partner = figures.partner,
                .opening = figures.closing - figures.debt,
                .closing = figures.closing,
                .debt = figures.debt,
            };
        }
    }

    /// What was added, without what was open before or is after.
    [[nodiscard]] std::map<PartnerId, PartnerFigures> moved() const
    {
        std::map<PartnerId, PartnerFigures> found;
        for (PartnerFigures figures : partners_) {
            figures.opening = figures.closing = figures.debt = 0;
            if (figures != PartnerFigures{.partner = figures.partner})
                found.emplace(figures.partner, figures);
        }
        return found;
    }

    std::vector<PartnerFigures> closed()
    {
        for (const PartnerFigures& figures : partners_) check(figures);
        return std::move(partners_);
    }

private:
    PartnerFigures& of(PartnerId partner)
    {
        invariant(
            partner.value() >= 1 && partner.value() <= partners_.size(),
            "a position is of a registered partner");
        return partners_[partner.value() - 1];
    }

    // Open points and debt were counted entry by entry; the roll-forward must come to the same.
    static void check(const PartnerFigures& figures)
    {
        std::int64_t net = figures.opening;
        add(net, figures.issued);
        add(net, -figures.own_redeemed_anywhere);
        add(net, -figures.clawed_back);
        add(net, -figures.expired);
        add(net, -figures.recovered_given);
        add(net, figures.recovered_received);
        invariant(net == figures.closing - figures.debt, "the roll-forward ends at what is open");
        invariant(figures.closing >= 0, "no issuer has fewer than zero open points");
        invariant(figures.debt >= 0, "no more debt is recovered than was incurred");
    }

    std::vector<PartnerFigures> partners_;
};

using Pair = std::pair<PartnerId, PartnerId>;

std::vector<PointsFlow> points_flows(std::span<const PositionRow> rows)
{
    std::map<Pair, std::int64_t> totals;
    for (const PositionRow& row : rows) {
        const std::int64_t points = row.points.count();
        if (row.kind == EntryKind::redeemed || row.kind == EntryKind::donated)
            add(totals[{row.partner, row.counterparty}], points);
        if (row.kind == EntryKind::refunded) add(totals[{row.partner, row.counterparty}], -points);
    }
    std::vector<PointsFlow> flows;
    for (const auto& [pair, points] : totals) {
        if (points == 0) continue;
        flows.push_back({.issuer = pair.first, .redeemer = pair.second, .points = points});
    }
    return flows;
}

// The ledger's chart of accounts says the sides; an unbalanced row shows here as it is.
TrialBalance trial_balance_of(const WindowPositions& positions, const ledger::Terms& terms)
{
    TrialBalance balance;
    for (const ledger::AccountLine& line : positions.house)
        (line.amount > 0 ? balance.money_debits : balance.money_credits) +=
            Micro{line.amount > 0 ? line.amount : -line.amount};
    const std::string money = ledger::unit_name({}, terms);
    for (const ledger::TrialBalanceRow& account : ledger::trial_balance(positions.window, terms)) {
        if (account.unit == money) {
            balance.money_debits += Micro{account.debits};
            balance.money_credits += Micro{account.credits};
        } else {
            add(balance.points_debits, account.debits);
            add(balance.points_credits, account.credits);
        }
    }
    return balance;
}

} // namespace

WindowFigures window_figures(const WindowPositions& positions, const ledger::Terms& terms)
{
    Figures figures{terms};
    for (const PositionRow& row : positions.before) figures.add_row(row);
    figures.open_next();
    for (const PositionRow& row : positions.window) figures.add_row(row);
    return {
        .partners = figures.closed(),
        .flows = points_flows(positions.window),
        .trial_balance = trial_balance_of(positions, terms),
    };
}

std::map<PartnerId, PartnerFigures> movements(
    std::span<const PositionRow> rows, const ledger::Terms& terms)
{
    Figures figures{terms};
    for (const PositionRow& row : rows) figures.add_row(row);
    return figures.moved();
}

} // namespace pointhouse::settlement
