#pragma once

#include <optional>
#include <string>
#include <vector>

#include "settlement/close_checklist.hpp"

namespace pointhouse::settlement {

/// Proves hard closes afterwards: each one's checklist is worked out again from the house's record
/// and the journal, as they were, and must be what was recorded; and nothing of a window was
/// recorded after its hard close. One thread.
class CloseProof {
public:
    /// `entries` are the whole record, in order. What an opening brought along counts from its
    /// entry on.
    CloseProof(
        std::vector<ledger::HouseEntry> entries,
        ledger::HouseSequence opening,
        const BroughtAlong& brought_along,
        ledger::Currency currency);

    /// Whether there is anything to prove: then every posting of the journal is to be added.
    [[nodiscard]] bool has_closes() const { return !closes_.empty(); }
    void add(const ledger::PostingLines& posting);
    /// What is wrong first, in words; none: nothing is. Nothing may be added after.
    [[nodiscard]] std::optional<std::string> fault();

private:
    struct HardClose {
        const ledger::HouseEntry* entry = nullptr;
        ledger::Month window{};
        ledger::Sequence through{};
        ledger::HouseSequence documents_through{};
        std::string checks{};
    };

    void prove_next();
    [[nodiscard]] std::optional<std::string> fault_of(const ledger::HouseEntry& entry) const;
    void fold_through(ledger::HouseSequence sequence);

    std::vector<ledger::HouseEntry> entries_;
    ledger::HouseSequence opening_;
    BroughtAlong brought_along_;
    ledger::Currency currency_;
    std::vector<HardClose> closes_; // in order
    std::size_t proved_ = 0;        // of them
    Register documents_;
    std::size_t folded_ = 0; // entries that it has taken
    CloseFigures figures_;
    std::optional<std::string> fault_;
};

} // namespace pointhouse::settlement
