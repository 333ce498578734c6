#pragma once

#include <functional>
#include <optional>

#include "funding.hpp"
#include "ledger/message.hpp"
#include "ledger/posting.hpp"
#include "ledger/result.hpp"
#include "ledger/terms.hpp"
#include "ledger/time.hpp"
#include "member.hpp"

namespace pointhouse::ledger {

/// When and under which terms a decision is made. The derived instants hold for the day of `now`.
struct DecisionContext {
    const Terms* terms = nullptr;
    const FundingCounters* funding = nullptr; // all records before this one, applied
    Time now{};
    bool may_lie_ahead = false; // message clock: the message has moved the clock already
    bool was_booked = false;    // verify: it was taken, and a newer rule does not take it back
    // Verify: a reversal that took all it asked for. Before each funder's contract was asked, one
    // took an excess that is forfeited now, or was said to have asked for what it took.
    std::optional<Points> took_whole{};
    Day today = 0;
    Time day_ends{};       // from then on `today` is another day
    Time accepted_since{}; // accruals of earlier activity come too late

    /// Derives what depends on the day; cheap when `now` is still in the same one.
    void move_to(Time time, const Terms& under);
};

/// The message that another one is about (a reversal, a capture, a release), and what was reversed
/// of it so far.
struct Original {
    const Record* posting = nullptr;
    Sequence newest_reversal;
    Points reversed;
    std::int64_t returned_minor = 0; // of its purchase
};

/// A member's records, newest first, until the visitor returns false. Clawbacks look there for
/// what became of points that are not in their lot any more; all else is in the member's state.
using MemberPast = std::function<void(const std::function<bool(const Record&)>&)>;

/// A message and all that the house knows about what it names.
struct Question {
    const Message* message = nullptr;
    const Member* member = nullptr;     // null: the house does not know it
    const Member* receiver = nullptr;   // transfer, merge: the same of the other member
    const Original* original = nullptr; // null: the house knows no such message of this partner
    MemberPast past{};                  // of `member`
    MemberNumber identifier_of{};       // another member that has what is to be added; none: nobody
    bool replaces_own = true;           // what is to be replaced is the member's
};

/// Nothing may be dated further ahead of the house's time.
inline constexpr std::chrono::minutes ahead_max{5};

/// Decides one message. Pure: state and time come as values, the answer goes into `posting`:
/// points, tariff, counterparty and entries in the order in which they apply. `posting.sequence` is
/// set by the caller, because new lots are named by it. On a refusal, which may be a frozen one or
/// not, the posting has no entries. Order of the refusals: existence, role, time, currency and
/// funding, limits, balance. What is due for the member by `context.now` has been posted.
[[nodiscard]] std::optional<Refusal> decide(
    const Question& question, const DecisionContext& context, Record& posting);

/// As the house decides what it is sent: before all else, a message carries 1 to
/// points_per_message_max points; after it, what the posting moves is within what books can sum up
/// (FundingCounters::turnover_max, else limit_exceeded).
[[nodiscard]] std::optional<Refusal> decide_within_bounds(
    const Question& question, const DecisionContext& context, Record& posting);

/// The part of `decide` for reversals and clawbacks (clawback.cpp).
[[nodiscard]] std::optional<Refusal> decide_clawback(
    const Question& question, const DecisionContext& context, Record& posting);
[[nodiscard]] std::optional<Refusal> decide_reversal(
    const Question& question, const DecisionContext& context, Record& posting);

/// The part of `decide` for holds, their ends, and the release of pending points (hold.cpp).
[[nodiscard]] std::optional<Refusal> decide_hold(
    const Question& question, const DecisionContext& context, Record& posting);
[[nodiscard]] std::optional<Refusal> decide_hold_end(
    const Question& question, const DecisionContext& context, Record& posting);
[[nodiscard]] std::optional<Refusal> decide_accrual_release(
    const Question& question, const DecisionContext& context, Record& posting);

/// The part of `decide` for points that expired and come back (reinstatement.cpp).
[[nodiscard]] std::optional<Refusal> decide_reinstatement(
    const Question& question, const DecisionContext& context, Record& posting);

/// The part of `decide` for what operators do with a member (membership.cpp).
[[nodiscard]] std::optional<Refusal> decide_status(
    const Question& question, const DecisionContext& context, Record& posting);

/// The part of `decide` for a member's identifiers, and for two members that become one
/// (membership.cpp, merge.cpp).
[[nodiscard]] std::optional<Refusal> decide_identification(
    const Question& question, const DecisionContext& context, Record& posting);
[[nodiscard]] std::optional<Refusal> decide_merge(
    const Question& question, const DecisionContext& context, Record& posting);

/// Whether a member may transact; null may, because it is new.
[[nodiscard]] std::optional<Refusal> check_status(const Member* member);
/// What all of them ask first.
[[nodiscard]] std::optional<Refusal> check_time(
    const Message& message, const DecisionContext& context);
/// The points that a message asks for, by number or by purchase.
[[nodiscard]] Result<Points> points_of(const Message& message, const Terms& terms);

/// The receiver's half of a transfer or a merge: all that `sent` sent away arrives.
void receive(
    const Record& sent, const Member& receiver, const DecisionContext& context, Record& posting);

/// The base rule where no program is set: one point per whole currency unit, floored.
[[nodiscard]] std::int64_t base_points(std::int64_t amount_minor, const Currency& currency);

/// The last day on which points of an activity day can be spent.
[[nodiscard]] Day expiry_day(const std::optional<ExpiryPolicy>& policy, Day activity);

} // namespace pointhouse::ledger
