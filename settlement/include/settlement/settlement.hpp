#pragma once

#include <span>
#include <vector>

#include "ledger/money.hpp"
#include "settlement/netting.hpp"
#include "settlement/statement.hpp"
#include "settlement/window.hpp"
#include "settlement/window_figures.hpp"

namespace pointhouse::settlement {

/// Everything that a window is settled from: values, so that the same input gives the same bytes
/// whenever it is settled again. The spans live through the call.
struct SettlementInput {
    Window window{};
    WindowPositions positions{};
    const ledger::Terms& terms;
    const Contracts& contracts;
};

/// One window, settled: what `settle show` and `settle invoices` render.
struct Settlement {
    Window window{};
    ledger::Currency currency{};
    Party house{};
    std::vector<Party> partners{}; // partners[id - 1]
    WindowFigures figures{};
    std::vector<Statement> statements{};
    NetPositions nets{}; // of every partner and of the house; above zero: it receives

    [[nodiscard]] ledger::Minor net_of(ledger::PartnerId partner) const;
};

/// Pure; any thread.
/// Post: a partner's net is what statements pay it less what it pays on them; all nets, the house's
/// among them, sum to zero.
[[nodiscard]] Settlement settle(const SettlementInput& input);

} // namespace pointhouse::settlement
