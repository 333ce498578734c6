#pragma once

#include <boost/json/object.hpp>

#include "settlement/dispute.hpp"

namespace pointhouse::settlement {

/// A dispute as the house shows it, to its operators and to the partner. `today`: it is urgent
/// while it is open and its last day is near or over.
[[nodiscard]] boost::json::object dispute_json(const Dispute& dispute, ledger::Day today);

} // namespace pointhouse::settlement
