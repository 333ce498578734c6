#pragma once

#include <memory>
#include <vector>

#include "gateway/house.hpp"
#include "gateway/settlement_source.hpp"
#include "settlement/restatement.hpp"

namespace pointhouse::ops {

/// All that a closed window is restated from. Made on the house's thread, restated on any other.
class RestatementSource {
public:
    /// Throws gateway::HouseFailure when the house has no such window, or it is not closed.
    RestatementSource(gateway::House& house, ledger::Month month);

    /// Waits for the books to hold the window; reads of the journal what they do not have yet.
    /// Throws HouseFailure, ledger::StoreFailure, Interrupted.
    [[nodiscard]] settlement::Restatement restate(gateway::Console& console) const;

private:
    [[nodiscard]] std::vector<settlement::LatePositions> late() const;

    settlement::Window window_;
    std::vector<ledger::Month> others_; // windows that may have booked what happened in it
    ledger::Sequence through_;
    ledger::Sequence drained_;
    ledger::Time now_;
    std::shared_ptr<const ledger::Terms> terms_;
    settlement::Contracts contracts_;
    settlement::Register documents_;
    const ledger::TermsHistory& history_;
    std::shared_ptr<ledger::JournalReader> journal_;
    ledger::Books& books_;
    gateway::Projector& projector_;
};

} // namespace pointhouse::ops
