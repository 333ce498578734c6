#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ledger/accounts.hpp"
#include "ledger/ids.hpp"
#include "ledger/journal.hpp"
#include "ledger/position.hpp"
#include "ledger/spent_points.hpp"
#include "ledger/store.hpp"
#include "ledger/terms.hpp"

namespace pointhouse::ledger {

/// A message that a partner sent and the house booked.
struct BookedMessage {
    PartnerId partner{};
    MessageType type = MessageType::accrual;
    std::string message_id{};
    MemberNumber member{};
    Time occurred_at{};
    Time posted_at{};
    Points points{};               // accrued, redeemed, reversed
    std::int64_t amount_minor = 0; // as in `posting`
};

/// One entry that moved money, and the message that it is of.
struct PricedEntry {
    Sequence sequence{};
    std::int64_t number = 0; // within its posting
    PartnerId sender{};      // none: the house's clock, or an operator
    std::string message_id{};
    Time occurred_at{};
    Time posted_at{};
    PositionRow position{}; // as if it were alone in its window
};

/// A member that goes on as another one.
struct Merge {
    MemberNumber from{};
    MemberNumber into{};
};

/// What a window booked.
struct WindowSum {
    Month month{};
    std::vector<PositionRow> positions{}; // of members' postings
    std::vector<AccountLine> house{};     // of the house's own entries
    HouseSequence last_entry{};           // the newest of these; none: there are none
};

/// Windows as one snapshot of the books has them.
struct WindowSums {
    Sequence through{}; // the last record that the books contained
    std::vector<WindowSum> windows{};
};

/// From an instant up to before another.
struct TimeSpan {
    Time from{};
    Time to{};
};

/// The books: plain SQL tables, derived from the journal by a projector and documented in
/// ledger/BOOKS.md. They can be dropped and rebuilt. The projector is their one writer.
/// Throws StoreFailure.
class Books {
public:
    /// Creates the schema where it is missing; books of another format are refused. `terms` is
    /// asked on the threads that call.
    Books(Store& store, const TermsHistory& terms);
    ~Books();

    /// Appends what the journal has beyond `projected()`, at most `blocks_max` blocks in one
    /// transaction; returns the number of postings written. The projector's thread.
    std::uint64_t project(JournalReader& journal, std::size_t blocks_max);
    /// Makes one index that a drained window has not; false: none. Takes as long as the window is
    /// large, so it is for moments without much to project. The projector's thread.
    bool index_drained_window();
    /// The last sequence that the books contain. Any thread.
    [[nodiscard]] Sequence projected() const;
    /// Drops everything; `project` then derives it again. The projector's thread.
    void clear();

    /// The positions of a window. Any thread (reads a snapshot).
    [[nodiscard]] std::vector<PositionRow> positions(Month window);
    /// The money that the house's own record moved in a window. `terms` know every partner in it.
    [[nodiscard]] std::vector<AccountLine> house_lines(Month window, const Terms& terms);
    /// All that the books sum of some windows. `terms` know every partner in them. Any thread.
    [[nodiscard]] WindowSums sums(std::span<const Month> windows, const Terms& terms);
    /// Positions of all windows before `window`, summed: what opens it. Their `window` is empty.
    [[nodiscard]] std::vector<PositionRow> positions_before(Month window);

    /// What windows spent and gave back, up to a record of the journal, in whatever order the
    /// tables have it. Returns the last record of these that the books contained. Any thread (reads
    /// a snapshot, as do the next two).
    Sequence for_each_spent(
        std::span<const Month> windows,
        Sequence last,
        const std::function<void(const SpentPoints&)>& use);
    /// What windows booked of messages that happened in a span of time, up to a record. `through`
    /// is the last record of these that the books contained.
    [[nodiscard]] WindowSums happened_in(
        const TimeSpan& span, std::span<const Month> windows, Sequence last);

    /// What of a window's positions happened in an earlier month, by `calendar`, or undoes what one
    /// booked: reversals of its messages, and what repays debts that these left. A recovery stands
    /// once for its lot, by when it happened, and once for its debt, by what that is of. Any
    /// thread (reads a snapshot).
    [[nodiscard]] std::vector<EarlierPosition> earlier_positions(
        Month window, const Calendar& calendar);

    /// The messages of one partner that a window booked, in order; none of a window that the books
    /// do not have.
    void for_each_message(
        Month window, PartnerId partner, const std::function<void(const BookedMessage&)>& message);
    /// Those of all partners, mixed, in whatever order the table has them.
    void for_each_message(Month window, const std::function<void(const BookedMessage&)>& message);
    /// The entries of a window that moved money of a partner, mixed with some that did not, in the
    /// order of the journal. Any thread (reads a snapshot).
    void for_each_priced_entry(
        Month window, PartnerId partner, const std::function<void(const PricedEntry&)>& entry);
    /// Those of one record of the journal, whatever window has it.
    void for_each_priced_entry(
        Sequence record, const std::function<void(const PricedEntry&)>& entry);

    /// All merges so far, in order. Reads every window: for what is asked rarely. Any thread.
    [[nodiscard]] std::vector<Merge> merges();

    /// Recomputes every row from the journal and compares: the first row that differs, in words;
    /// none when equal. Books that lag behind the journal are sound. Takes a snapshot of the books,
    /// then of the reader, which must not hold one. Any thread.
    [[nodiscard]] std::optional<std::string> first_fault(JournalReader& journal);

private:
    void read_priced_entries(
        std::span<const Month> windows,
        std::string_view which,
        std::span<const Parameter> cells,
        const std::function<void(const PricedEntry&)>& entry);
    void read_messages(
        Month window,
        std::string_view which,
        std::span<const Parameter> cells,
        const std::function<void(const BookedMessage&)>& message);

    Store& store_;
    const TermsHistory& terms_;
    std::atomic<std::uint64_t> projected_{0};
    struct State;
    std::unique_ptr<State> state_; // the projector's
};

} // namespace pointhouse::ledger
