#pragma once

#include <span>
#include <string>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/money.hpp"
#include "ledger/terms.hpp"
#include "ledger/time.hpp"
#include "settlement/register.hpp"
#include "settlement/report_table.hpp"

namespace pointhouse::settlement {

/// What is not paid yet of a document that a partner owes.
struct OpenItem {
    ledger::PartnerId partner{};
    std::string number{};
    ledger::Day issued_on = 0;
    ledger::Day due_on = 0;
    ledger::Minor open{};     // as in the account `ar` of the partner
    ledger::Minor disputed{}; // of it
    friend bool operator==(const OpenItem&, const OpenItem&) = default;
};

/// The documents that partners owe, less what was credited, offset and paid. A payment of a net
/// pays the documents in it that were due first, then those of the lowest number. Pure.
/// Post: by partner, the items sum to what the register booked to the account `ar`.
[[nodiscard]] std::vector<OpenItem> open_items(const Register& documents);

/// Items by how long they are due, a row for each and the sum of each partner. Pure.
[[nodiscard]] std::vector<ReportTable> ageing_tables(
    std::span<const OpenItem> items, ledger::Day today, const ledger::Terms& terms);

} // namespace pointhouse::settlement
