#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/money.hpp"
#include "ledger/position.hpp"
#include "ledger/terms.hpp"

namespace pointhouse::settlement {

/// What a window did to the points of one partner, in points. Two identities hold:
///
///     closing − debt = opening + issued − own_redeemed_anywhere − clawed_back − expired
///                      − recovered_given + recovered_received
///     opening        = closing − debt of the window before
///
/// `opening` is therefore net: open points less the member debt that the window began with. It is
/// below zero when members owe this partner more points than they hold of it.
struct PartnerFigures {
    ledger::PartnerId partner{};
    std::int64_t opening = 0;
    std::int64_t issued = 0;
    std::int64_t redeemed_here = 0;         // of any issuer, spent at (or donated to) this partner
    std::int64_t own_redeemed_anywhere = 0; // own points spent and donated, less those refunded
    std::int64_t refunded = 0;              // of any issuer, given back by this partner
    std::int64_t donated = 0;               // the donations among own_redeemed_anywhere
    std::int64_t clawed_back = 0;           // from lots, and what became debt, excess included
    std::int64_t recovered_given = 0;       // own points that repaid members' debts
    std::int64_t recovered_received = 0;    // points that repaid debts owed for this partner's
    std::int64_t expired = 0;
    std::int64_t closing = 0; // open points at the window's end
    std::int64_t debt = 0;    // member debt owed for this partner's points then
    friend bool operator==(const PartnerFigures&, const PartnerFigures&) = default;
};

/// Points of one issuer redeemed at (or donated to) one partner, net of refunds.
struct PointsFlow {
    ledger::PartnerId issuer{};
    ledger::PartnerId redeemer{};
    std::int64_t points = 0;
    friend bool operator==(const PointsFlow&, const PointsFlow&) = default;
};

/// Both sides of all that a window posted. A sound book has them equal, to the unit.
struct TrialBalance {
    std::int64_t points_debits = 0;
    std::int64_t points_credits = 0;
    ledger::Micro money_debits{};
    ledger::Micro money_credits{};
    friend bool operator==(const TrialBalance&, const TrialBalance&) = default;
};

struct WindowFigures {
    std::vector<PartnerFigures> partners; // every partner of the terms, in order of registration
    std::vector<PointsFlow> flows;        // those that are not zero, by issuer, then redeemer
    TrialBalance trial_balance;
};

/// The positions of a window, and of all windows before it. The spans live through the call.
struct WindowPositions {
    std::span<const ledger::PositionRow> before;
    std::span<const ledger::PositionRow> window;
    std::span<const ledger::EarlierPosition> earlier{}; // what of the window's is of others
    std::span<const ledger::AccountLine> house{};       // what the house's own record moved in it
};

/// Folds positions into figures. Pure; any thread. The order of rows does not matter.
/// Pre: the rows are of the books, so no partner's open points or debt end below zero.
[[nodiscard]] WindowFigures window_figures(
    const WindowPositions& positions, const ledger::Terms& terms);

/// What rows moved, of each partner that they moved something of, whatever came before them:
/// opening, closing and debt stay zero. Pure; any thread. The order of rows does not matter.
[[nodiscard]] std::map<ledger::PartnerId, PartnerFigures> movements(
    std::span<const ledger::PositionRow> rows, const ledger::Terms& terms);

} // namespace pointhouse::settlement
