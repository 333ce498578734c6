#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ledger/ids.hpp"
#include "ledger/money.hpp"
#include "ledger/time.hpp"

namespace pointhouse::settlement {

/// What the house estimated, and when it did: a version never changes, the next one follows it.
struct RecordedEstimate {
    ledger::PartnerId issuer{};
    std::int32_t version = 0; // of the issuer's, from 1; given by the register
    ledger::Day as_of = 0;
    std::int32_t redemption_rate_millionths = 0; // the ultimate one: above zero, at most a million
    ledger::Time known_at{};                     // by the house's clock
    std::optional<ledger::Time> withdrawn_at{};  // taken back then; none: it stands
    std::string reason{};                        // why
};

} // namespace pointhouse::settlement
