#pragma once

#include "answers.hpp"

namespace pointhouse::ops {

/// The whole check of a house, in two steps: what it needs is taken on the house's thread, the work
/// goes on beside it. The ledger is not opened for it: recovery would write before anything was
/// looked at.
[[nodiscard]] gateway::LongWork verification_of(
    gateway::House& house, bool from_scratch, const Invocation& typed);

} // namespace pointhouse::ops
