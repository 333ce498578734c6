#pragma once

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
    Day today = 0;
    Time day_ends{};       // from then on `today` is another day
    Time accepted_since{}; // accruals of earlier activity come too late

    /// Derives what depends on the day; cheap when `now` is still in the same one.
    void move_to(Time time, const Terms& under);
};

/// The message that a reversal names, and what was reversed of it so far.
struct Original {
    const Record* posting = nullptr;
    Sequence newest_reversal;
    Points reversed;
    std::int64_t returned_minor = 0; // of its purchase
};

/// Nothing may be dated further ahead of the house's time.
inline constexpr std::chrono::minutes ahead_max{5};

/// Decides one message. Pure: state and time come as values, the answer goes into `posting`:
/// points, tariff, counterparty and entries in the order in which they apply. `posting.sequence` is
/// set by the caller, because new lots are named by it. On a refusal, which may be a frozen one or
/// not, the posting has no entries. Order of the refusals: existence, role, time, currency and
/// funding, limits, balance. `member` is null where the house does not know it; `original` where it
/// knows no such message.
[[nodiscard]] std::optional<Refusal> decide(
    const Message& message,
    const Member* member,
    const Original* original,
    const DecisionContext& context,
    Record& posting);

/// The base rule where no program is set: one point per whole currency unit, floored.
[[nodiscard]] std::int64_t base_points(std::int64_t amount_minor, const Currency& currency);

/// The last day on which points of an activity day can be spent.
[[nodiscard]] Day expiry_day(const std::optional<ExpiryPolicy>& policy, Day activity);

} // namespace pointhouse::ledger
