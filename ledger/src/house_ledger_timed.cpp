#include <algorithm>
#include <unordered_set>

#include "fold.hpp"
#include "house_ledger.hpp"
#include "ledger/invariant.hpp"
#include "timed_events.hpp"

namespace pointhouse::ledger {
namespace {

// How many members a commit looks at beside its own messages, so that a month's end stalls nobody.
constexpr int members_per_slice = 256;

} // namespace

void HouseLedger::apply(Member& member, const Record& record)
{
    const Day expiry_before = member.next_last_day(*terms_);
    const Time end_before = member.first_end();
    member.apply(record, *terms_);
    funding_.apply(record, *terms_);
    if (shards_ > 1) note_limits(record);
    members_.mark_dirty(member);
    if (member.next_last_day(*terms_) < expiry_before)
        due_.remind(next_expiry(member, *terms_), member.number());
    if (member.first_end() < end_before) due_.remind(next_end(member), member.number());
}

void HouseLedger::remind_of(const Member& member)
{
    due_.remind(next_expiry(member, *terms_), member.number());
    due_.remind(next_end(member), member.number());
}

// Rows contain all once recovery has written back.
void HouseLedger::find_due_members()
{
    due_.clear();
    remind_of_rows();
}

void HouseLedger::remind_of_rows()
{
    const auto reader = journal_.open_reader();
    reader->for_each_member([this](const MemberRow& row) {
        if (row.member == house_row) return;
        Member member{row.member};
        if (!member.decode(row.state, row.through))
            throw StoreFailure{"the state of a member does not read back"};
        remind_of(member);
    });
}

// New terms may end points sooner. What a row does not have yet is in the member that waits for its
// write-back; a reminder too many does no harm.
void HouseLedger::remind_anew()
{
    remind_of_rows();
    members_.for_each([this](const Member& member) { remind_of(member); });
}

bool HouseLedger::has_due(const Member& member, Time now)
{
    context_.move_to(now, *terms_);
    return member.next_last_day(*terms_) < context_.today || member.first_end() <= now;
}

void HouseLedger::post_due_of(Member& member, Due limit)
{
    while (true) {
        const Due due = next_due(member, *terms_);
        if (due > limit) return;
        Record& record = own_records_.emplace_back();
        record.sequence = next_sequence();
        context_.move_to(due.posted_at(), *terms_);
        post_due(member, due, context_, record);
        append_own(record, member, window_of(due));
    }
}

// What the house posts about a member. The record is kept until the commit is durable.
void HouseLedger::append_own(Record& record, Member& member, std::size_t window)
{
    record.member = member.number();
    record.previous = member.last();
    record.terms = terms_->as_of;
    record.occurred_at = context_.now;
    record.posted_at = context_.now;
    const std::size_t lots_before = member.lots().size();
    apply(member, record);
    record.balance = member.balance(context_.today);
    if (is_message_clock()) house_time_ = std::max(house_time_, context_.now);
    append(record, window);
    decided_.back() = &record;
    if (!record.original.is_none())
        index_.insert(index_keys_.reversal_key(record.original), record.sequence);
    fold_lots_of(member, lots_before, window);
}

// Right after the record that left a member with too many lots, in the same commit.
void HouseLedger::fold_lots_of(Member& member, std::size_t lots_before, std::size_t window)
{
    const LotLimits& limits = options_.lot_limits;
    if (!has_to_fold(lots_before, member.lots().size(), limits)) return;
    while (member.lots().size() > limits.folded_to) {
        Record& record = own_records_.emplace_back();
        record.sequence = next_sequence();
        if (!fold_lots(member, limits, *terms_, record)) return own_records_.pop_back();
        append_own(record, member, window);
    }
}

// The reminders of one member: all that it has to come by then is posted.
void HouseLedger::take_reminder(Due limit)
{
    const DueQueue::Reminder reminder = due_.take();
    Member* member = load_member(reminder.member);
    invariant(member != nullptr, "a member that is due has a state");
    post_due_of(*member, limit);
    const Due next = reminder.due.is_expiry() ? next_expiry(*member, *terms_) : next_end(*member);
    due_.remind(next, reminder.member);
}

// A posting that was due before the cut belongs to the window that it ends, also when the window
// has been cut since.
std::size_t HouseLedger::window_of(Due due) const
{
    std::size_t window = windows_.size() - 1;
    const auto began = [&] {
        return Due::before(terms_->calendar->start_of(windows_[window].month));
    };
    while (window > 0 && windows_[window - 1].drained.is_none() && due <= began()) --window;
    return window;
}

// The message clock: all that was due up to `now`, in order of time, and the cut-offs between.
void HouseLedger::follow_clock(Time now)
{
    if (windows_.empty()) {
        house_time_ = now;
        open_window(terms_->calendar->month_of(now));
        flush();
    }
    while (true) {
        const Due cut_off = Due::before(next_cut_off_);
        const Due limit = std::min(Due::at(now), cut_off);
        // One instant after the other: what one posting brings about may be due before the rest.
        while (due_.is_due(limit)) take_reminder(due_.first().due);
        if (now < next_cut_off_) break;
        cut_window();
        flush(); // no record of a window is durable before the end of the last one is
        drain_windows();
    }
}

// The system's clock: the cut is marked at once, and the house goes on; what was due before it
// follows in slices.
void HouseLedger::mark_cut_offs(Time now)
{
    if (windows_.empty()) {
        open_window(terms_->calendar->month_of(now));
        flush();
        return;
    }
    while (now >= next_cut_off_) {
        cut_window();
        flush();
    }
}

void HouseLedger::post_slice()
{
    for (int left = members_per_slice; left > 0 && due_.is_due(Due::at(house_time_)); --left)
        take_reminder(Due::at(house_time_));
    drain_windows();
}

void HouseLedger::cut_window()
{
    // The marker is the last record of its window.
    append_house_step(MessageType::cut, next_cut_off_);
    finish_block();
    windows_.back().cut = written_;
    commit_.windows.push_back(windows_.back());
    open_window(windows_.back().month.next());
}

void HouseLedger::drain_windows()
{
    for (Window& window : windows_) {
        if (!window.drained.is_none()) continue;
        if (window.cut.is_none()) return;
        const Time cut_off = terms_->calendar->start_of(window.month.next());
        if (due_.is_due(Due::before(cut_off))) return;
        flush(); // what was due is durable before it is said that it was posted
        append_house_step(MessageType::drained, cut_off);
        window.drained = written_;
        commit_.windows.push_back(window);
    }
}

Member HouseLedger::brought_up_to(
    const Member& member, Time now, std::vector<Record>* postings) const
{
    Member later = member;
    DecisionContext context;
    for (Due due = next_due(later, *terms_); due <= Due::at(now); due = next_due(later, *terms_)) {
        Record record{.sequence = Sequence{later.last().value() + 1}};
        context.move_to(due.posted_at(), *terms_);
        post_due(later, due, context, record);
        later.apply(record, *terms_);
        if (postings != nullptr) postings->push_back(std::move(record));
    }
    return later;
}

// A message that moves the clock finds all posted that was due on the way, of every member; what it
// brings back to blocks and credit counts. On the system's clock that follows in slices, and a
// message meets the counters as they are.
FundingCounters HouseLedger::funding_as_of(Time now)
{
    FundingCounters funding = funding_;
    if (!is_message_clock() || !due_.is_due(Due::at(now))) return funding;
    std::vector<Record> postings;
    std::unordered_set<std::uint64_t> seen;
    for (DueQueue coming = due_; coming.is_due(Due::at(now));) {
        const MemberNumber number = coming.take().member;
        if (!seen.insert(number.value()).second) continue;
        // A commit that failed may have left a reminder of somebody who never was.
        if (const Member* member = load_member(number))
            (void)brought_up_to(*member, now, &postings);
    }
    for (const Record& posting : postings) funding.apply(posting, *terms_);
    return funding;
}

} // namespace pointhouse::ledger
