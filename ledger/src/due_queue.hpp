#pragma once

#include <cstddef>
#include <queue>
#include <vector>

#include "ledger/ids.hpp"
#include "timed_events.hpp"

namespace pointhouse::ledger {

/// Who is due when, over all members, in memory: 16 bytes for each member with something to come.
/// An entry is a reminder: it is never later than what it reminds of, and may be earlier when that
/// was spent or moved meanwhile. Who takes one looks at the member and, when there is more to come,
/// puts the next one in. The writer's thread.
class DueQueue {
public:
    struct Reminder {
        Due due;
        MemberNumber member;
        friend auto operator<=>(const Reminder&, const Reminder&) = default;
    };

    void clear() { reminders_ = {}; }
    /// A due that is never is not kept.
    void remind(Due due, MemberNumber member);
    [[nodiscard]] bool is_due(Due limit) const
    {
        return !reminders_.empty() && reminders_.top().due <= limit;
    }
    /// The first of all; there is one.
    [[nodiscard]] const Reminder& first() const { return reminders_.top(); }
    Reminder take();

private:
    std::priority_queue<Reminder, std::vector<Reminder>, std::greater<>> reminders_;
};

} // namespace pointhouse::ledger
