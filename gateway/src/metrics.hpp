#pragma once

#include <string>

#include "gateway/house.hpp"
#include "transport_counters.hpp"

namespace pointhouse::gateway {

/// Everything that is counted, in the Prometheus text format. The house's thread.
[[nodiscard]] std::string metrics_text(House& house, const TransportCounters& transport);

} // namespace pointhouse::gateway
