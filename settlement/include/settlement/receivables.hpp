#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ledger/terms.hpp"
#include "settlement/ageing.hpp"
#include "settlement/register.hpp"
#include "settlement/report_table.hpp"

namespace pointhouse::settlement {

/// In which currency amounts are: the house's, as they were booked, or that of each document.
enum class Amounts : std::uint8_t { booked, of_documents };

/// The documents that partners owe, less what was credited, offset and paid. A payment of a net
/// pays the documents in it that were due first, then those of the lowest number. Pure.
/// Post: as booked, by partner, they sum to what the register booked to the account `ar`.
[[nodiscard]] std::vector<Receivable> receivables_of(
    const Register& documents, Amounts amounts = Amounts::booked);

/// The documents that the house owes, in the same way. Pure.
/// Post: by partner, they sum to what the register booked to the account `ap`, as credits.
[[nodiscard]] std::vector<Receivable> payables_of(const Register& documents);

/// What partners are asked for: receivables less what their nets offset already, though the first
/// payment has yet to book it. Pure.
[[nodiscard]] std::vector<Receivable> claims_of(
    const Register& documents, Amounts amounts = Amounts::booked);

/// So many days the house takes at most to find what a row of its bank pays.
inline constexpr ledger::Day days_to_match = 5;

/// What is overdue, the oldest first, and whose turn it is, a partner's or the house's: documents
/// to be paid (undisputed and not set off) or to be sent, disputes to be acted on, rows of the bank
/// to be matched. Pure.
[[nodiscard]] ReportTable breach_table(
    const Register& documents, ledger::Day today, const ledger::Terms& terms);

/// A row for each document, and each partner's sums by age. Pure.
[[nodiscard]] std::vector<ReportTable> ageing_tables(
    std::span<const Receivable> receivables, ledger::Day today, const ledger::Terms& terms);

/// Each partner's sums by age in the currencies of its documents, which `receivables` are in. Pure.
[[nodiscard]] ReportTable ageing_by_currency(
    std::span<const Receivable> receivables, ledger::Day today, const ledger::Terms& terms);

} // namespace pointhouse::settlement
