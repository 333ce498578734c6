#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/journal.hpp"
#include "ledger/money_effect.hpp"
#include "ledger/posting.hpp"
#include "ledger/store.hpp"
#include "ledger/terms.hpp"

namespace pointhouse::ledger {

/// One line of the `position` table: the control totals of a window, summed.
struct PositionRow {
    Month window{};
    EntryKind kind = EntryKind::issued;
    PartnerId partner{};          // the lot's issuer (debt_incurred: the debt's issuer)
    PartnerId counterparty{};     // redeemer or charity; recovered: the debt's issuer; else none
    TariffVersion tariff{};       // of `partner`
    TariffVersion counterpart{};  // of `counterparty`, where it has one
    DebtKind debt = DebtKind::issuer_bears;
    std::int32_t vat_rate = vat_rate_unknown;
    Points points{};
    MoneyEffect money{};
};

/// The books: plain SQL tables, derived from the journal by a projector and documented in
/// ledger/BOOKS.md. They can be dropped and rebuilt. The projector is their one writer.
class Books {
public:
    /// Creates the schema where it is missing.
    Books(Store& store, const TermsHistory& terms);

    /// Appends what the journal has beyond `projected()`, at most `blocks_max` blocks in one
    /// transaction; returns the number of postings written. The projector's thread.
    std::uint64_t project(JournalReader& journal, std::size_t blocks_max);
    /// The last sequence that the books contain. Any thread.
    [[nodiscard]] Sequence projected() const;
    /// Drops everything; `project` then derives it again. The projector's thread.
    void clear();

    /// The positions of a window. Any thread (reads a snapshot).
    [[nodiscard]] std::vector<PositionRow> positions(Month window);
    /// Positions of all windows before `window`: what opens it.
    [[nodiscard]] std::vector<PositionRow> positions_before(Month window);

    /// Recomputes every row from the journal (in the reader's snapshot) and compares: the first row
    /// that differs, in words; none when equal. Any thread, its own read snapshot.
    [[nodiscard]] std::optional<std::string> first_fault(JournalReader& journal);

private:
    Store& store_;
    const TermsHistory& terms_;
    std::atomic<std::uint64_t> projected_{0};
};

} // namespace pointhouse::ledger
