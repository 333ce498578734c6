#include "due_queue.hpp"

namespace pointhouse::ledger {

void DueQueue::remind(Due due, MemberNumber member)
{
    if (!due.is_never()) reminders_.push({.due = due, .member = member});
}

DueQueue::Reminder DueQueue::take()
{
    const Reminder first = reminders_.top();
    reminders_.pop();
    return first;
}

} // namespace pointhouse::ledger
