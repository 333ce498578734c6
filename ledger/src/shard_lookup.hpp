#pragma once

#include "shard.hpp"

namespace pointhouse::ledger {

/// The message that a reversal names, with the memory that its views point into.
struct Shard::LoadedOriginal {
    Outcome outcome;
    Original reversed;
};

} // namespace pointhouse::ledger
