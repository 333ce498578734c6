#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "ledger/accounts.hpp"
#include "ledger/books.hpp"
#include "ledger/ids.hpp"
#include "ledger/journal.hpp"
#include "ledger/position.hpp"
#include "ledger/posting.hpp"
#include "ledger/terms.hpp"

namespace pointhouse::ledger {

/// What moved points or money: one posting, or all of a kind that a window booked, as the books sum
/// it. Valid during the call.
struct Movement {
    Month window{};
    std::span<const PositionRow> positions; // none of the house's own entries
    std::span<const AccountLine> lines;
    const Terms& terms; // under which its tariffs are known
    /// The house's own entry that it is of, the newest of a window; none: members' postings.
    HouseSequence house_entry{};
    const Record* record = nullptr; // none: it is of a window
};

/// How the movements of a window are asked for.
enum class Taken : std::uint8_t { summed, one_by_one, left_out };

/// All movements up to the journal's end, without reading the journal where the books have them
/// summed: a report of a big house costs what changed since, not what ever happened. Made on the
/// thread that writes the journal, asked on any one at a time.
class Movements {
public:
    /// Of what a house has; `windows` and `through` are the journal's as it is now.
    struct Sources {
        Books& books;
        std::shared_ptr<JournalReader> journal;
        const TermsHistory& history;
        std::shared_ptr<const Terms> terms; // that know every partner and tariff
        std::vector<Window> windows;
        Sequence through;
    };

    /// Reads what the books have of windows that still take postings. Throws StoreFailure.
    explicit Movements(Sources sources);

    /// Calls `use` for the movements of every window that is not left out: twice at most for those
    /// that are summed, and once for each posting that the books did not have of it yet; once for
    /// each posting of the others, in the journal's order. Summed windows come first. Throws
    /// StoreFailure, also while the books are made anew.
    void for_each(
        const std::function<Taken(const Window&)>& taken,
        const std::function<void(const Movement&)>& use) const;
    /// What was spent and given back: of windows that are summed as the books have it, and posting
    /// by posting as `for_each` what they do not have and what is asked for so. Throws
    /// StoreFailure, also while the books are made anew.
    void for_each_spent(
        const std::function<Taken(const Window&)>& taken,
        const std::function<void(const SpentPoints&)>& use,
        const std::function<void(const Movement&)>& use_posting) const;
    /// When the last posting up to a record of the journal was made; none: there was none. Reads
    /// the window that it is in. Throws StoreFailure.
    [[nodiscard]] std::optional<Time> last_posted_at(Sequence sequence) const;
    /// The last record that is counted.
    [[nodiscard]] Sequence through() const { return sources_.through; }

private:
    /// Windows by how they are asked for.
    struct Asked {
        std::set<Month> summed{};
        std::set<Month> one_by_one{};
        Sequence one_by_one_from{}; // none: there are none
    };
    [[nodiscard]] Asked asked(const std::function<Taken(const Window&)>& taken) const;
    [[nodiscard]] bool is_settled(Month window) const;
    [[nodiscard]] Sequence last_asked(const Asked& asked) const;
    void require_whole(const std::set<Month>& months, Sequence through) const;
    void use_journal(
        const Asked& asked,
        Sequence summed_through,
        const std::function<void(const Movement&)>& use) const;
    void use_sum(const WindowSum& sum, const std::function<void(const Movement&)>& use) const;
    void use_settled(
        const std::set<Month>& months, const std::function<void(const Movement&)>& use) const;

    Sources sources_;
    WindowSums moving_; // of windows that still take postings
};

} // namespace pointhouse::ledger
