#pragma once

#include <optional>
#include <string>

#include "gateway/house.hpp"

namespace pointhouse::gateway {

/// Books in the journal what the house's own record moves and the journal does not have yet: after
/// the command that recorded it, or at the first occasion after a crash between the two. The
/// ledger's terms are the registry's newest. Throws HouseFailure when the file of an opening is
/// missing or not the one that was approved.
void book_house_entries(
    const partners::Registry& registry, ledger::Ledger& points, const HouseFolder& folder);

/// Why what waits could not be booked if it was approved; none when it can.
[[nodiscard]] std::optional<std::string> fault_of_proposal(
    const partners::Registry& registry, ledger::HouseSequence id, const HouseFolder& folder);

} // namespace pointhouse::gateway
