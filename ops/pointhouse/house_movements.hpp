#pragma once

#include "gateway/house.hpp"
#include "ledger/movements.hpp"

namespace pointhouse::ops {

/// All movements of a house, up to now. On the house's thread. Throws ledger::StoreFailure.
[[nodiscard]] ledger::Movements movements_of(gateway::House& house);

} // namespace pointhouse::ops
