#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
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

/// What the partners of a program come to in a window. With the house they sum to zero.
struct ProgramPosition {
    std::int64_t partners = 0;
    ledger::Minor paid_in{};  // by those that pay
    ledger::Minor paid_out{}; // to those that receive
    [[nodiscard]] ledger::Minor house() const { return paid_in - paid_out; }
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
    /// By name; partners of none under the empty one. Of a house without programs: nothing.
    [[nodiscard]] std::map<std::string, ProgramPosition> positions_by_program() const;
};

/// Pure; any thread.
/// Post: a partner's net is what statements pay it less what it pays on them; all nets, the house's
/// among them, sum to zero.
[[nodiscard]] Settlement settle(const SettlementInput& input);

} // namespace pointhouse::settlement
