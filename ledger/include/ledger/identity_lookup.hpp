#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/ledger.hpp"
#include "ledger/store.hpp"

namespace pointhouse::ledger {

/// The numbers of those whom identifiers stand for or stood for, in their order; none where nobody
/// is known by it. A member that was merged keeps its number here. For reports: a message is
/// decided by the ledger alone. Any thread (reads a snapshot). Throws StoreFailure.
[[nodiscard]] std::vector<MemberNumber> members_of(
    Store& identities, const LedgerKeys& keys, std::span<const std::string_view> identifiers);

} // namespace pointhouse::ledger
