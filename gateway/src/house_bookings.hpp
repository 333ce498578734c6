#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/house.hpp"
#include "message_form.hpp"

namespace pointhouse::gateway {

/// Books in the journal what the house's own record moves and the journal does not have yet: after
/// the command that recorded it, or at the first occasion after a crash between the two. The
/// ledger's terms are the registry's newest. Throws HouseFailure when the file of an opening is
/// missing or not the one that was approved.
void book_house_entries(
    const partners::Registry& registry, ledger::Ledger& points, const HouseFolder& folder);

/// Prepares a message for approval: the record has its digest, a file what it says, because that
/// names a member and must be erasable. A fault: another operator turned it down, or other content
/// has its id.
[[nodiscard]] ledger::Result<ledger::HouseSequence, Fault> propose_message(
    House& house, const ledger::Message& message, std::string_view operator_name);

/// Books the messages that were approved and are not booked yet; a message is booked once, whatever
/// happens between. Returns what was not booked, by its proposal.
[[nodiscard]] std::map<ledger::HouseSequence, NotBooked> book_approved_messages(
    const partners::Registry& registry, ledger::Ledger& points, const HouseFolder& folder);

/// Why what waits could not be booked if it was approved; none when it can.
[[nodiscard]] std::optional<std::string> fault_of_proposal(
    const partners::Registry& registry, ledger::HouseSequence id, const HouseFolder& folder);

} // namespace pointhouse::gateway
