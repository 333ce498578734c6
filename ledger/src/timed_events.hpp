#pragma once

#include <compare>
#include <cstdint>

#include "decision.hpp"
#include "draft.hpp"
#include "ledger/posting.hpp"
#include "ledger/time.hpp"
#include "member.hpp"

namespace pointhouse::ledger {

/// When something of a member is due, and its place in the order of what is due at one instant: at
/// midnight a lot's last day ends first, then the window, then pending points mature and holds end.
class Due {
public:
    constexpr Due() = default;
    /// Something that happens at `time`.
    [[nodiscard]] static constexpr Due at(Time time) { return Due{micros_of(time) * 2 + 1}; }
    /// Something that ends with the day before `midnight`.
    [[nodiscard]] static constexpr Due before(Time midnight)
    {
        return Due{micros_of(midnight) * 2};
    }
    [[nodiscard]] static constexpr Due never() { return Due{}; }

    [[nodiscard]] constexpr bool is_never() const { return key_ == INT64_MAX; }
    [[nodiscard]] constexpr bool is_expiry() const { return key_ % 2 == 0; }
    /// The house's time of its posting: what ends with a day is of that day's last microsecond.
    [[nodiscard]] constexpr Time posted_at() const
    {
        return time_of_micros(is_expiry() ? key_ / 2 - 1 : key_ / 2);
    }
    friend constexpr auto operator<=>(Due, Due) noexcept = default;

private:
    explicit constexpr Due(std::int64_t key) : key_{key} {}
    std::int64_t key_ = INT64_MAX;
};

/// When the member's first points end, because their lot does or for want of activity.
[[nodiscard]] Due next_expiry(const Member& member, const Terms& terms);
/// When its first pending lot matures or its first hold ends.
[[nodiscard]] Due next_end(const Member& member);
[[nodiscard]] Due next_due(const Member& member, const Terms& terms);

/// Posts what is due first for a member, `due` being its next_due: all lots that end with that
/// day, or all that there are after months without activity, or all that mature at that instant,
/// or one hold. Fills type, points, original and entries.
/// Pure; `context` stands at `due.posted_at()`.
void post_due(const Member& member, Due due, const DecisionContext& context, Record& posting);

/// The entries of a hold's end, whoever ends it, and of a pending lot's.
void release_hold(const Hold& hold, Draft& draft);
[[nodiscard]] Entry matured_entry(const PendingLot& lot);

} // namespace pointhouse::ledger
