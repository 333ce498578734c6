#pragma once

#include <optional>

#include "gateway/house.hpp"
#include "ledger/movements.hpp"
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

    /// Reads the books, and of the journal what they do not have yet. Throws ledger::StoreFailure.
    [[nodiscard]] settlement::CloseChecklist checklist() const;

private:
    settlement::Register documents_;
    ledger::Month window_;
    std::optional<ledger::Movements> movements_;
    settlement::BroughtAlong brought_along_;
    ledger::Currency currency_;
};

} // namespace pointhouse::ops
