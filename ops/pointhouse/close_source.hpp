#pragma once

#include <memory>

#include "gateway/house.hpp"
#include "settlement/close_checklist.hpp"

namespace pointhouse::ops {

/// What an opening brought along to the accounts of partners' documents.
[[nodiscard]] settlement::BroughtAlong brought_along(const partners::Registry& registry);

/// All that the checklist of a window is worked out from. Made on the house's thread, worked out on
/// any other.
class CloseSource {
public:
    /// Throws gateway::HouseFailure when the house has no such window.
    CloseSource(gateway::House& house, ledger::Month window);

    /// Reads the journal. Throws ledger::StoreFailure.
    [[nodiscard]] settlement::CloseChecklist checklist() const;

private:
    settlement::Register documents_;
    std::shared_ptr<ledger::JournalReader> journal_;
    const ledger::TermsHistory& history_;
    ledger::Month window_;
    ledger::Sequence through_;
    settlement::BroughtAlong brought_along_;
    ledger::Currency currency_;
};

} // namespace pointhouse::ops
