#include "commit_queue.hpp"

#include <exception>
#include <utility>

#include <boost/asio/post.hpp>

#include "ledger/block.hpp"
#include "log.hpp"

namespace pointhouse::gateway {
namespace {

// One commit makes one block, and the house may add steps of its own to it.
constexpr std::size_t messages_per_turn_max = ledger::records_per_block_max / 2;
constexpr std::size_t waiting_per_turn_max = 16'384;
static_assert(batch_messages_max < messages_per_turn_max);

} // namespace

ledger::Submission& Turn::add_message(ledger::PartnerId partner)
{
    if (message_count == messages.size()) messages.emplace_back();
    ledger::Submission& submission = messages[message_count++];
    submission.message = {};
    submission.message.partner = partner;
    submission.outcome.disposition = ledger::Disposition::unavailable;
    return submission;
}

void Turn::clear()
{
    message_count = 0;
    questions.clear();
    items.clear();
    waiting.clear();
    scratch.release();
    asks_ledger = false;
    has_failed = false;
}

CommitQueue::CommitQueue(
    boost::asio::any_io_executor executor,
    ledger::Ledger& ledger,
    std::function<void(Turn&)> answer)
    : executor_{std::move(executor)}, ledger_{ledger}, answer_{std::move(answer)},
      writer_{[this](const std::stop_token& stop) { commit_turns(stop); }}
{}

bool CommitQueue::has_room(std::size_t messages) const
{
    return filling_->message_count + messages <= messages_per_turn_max &&
           filling_->waiting.size() < waiting_per_turn_max;
}

Turn& CommitQueue::filling()
{
    if (!is_posted_) take_back();
    return *filling_;
}

// While the writer is busy, what waits for it is joined by what comes.
void CommitQueue::take_back()
{
    {
        const std::scoped_lock lock{mutex_};
        if (ready_ == nullptr || !(is_committing_ || is_asked_)) return;
        recycle(*std::exchange(filling_, std::exchange(ready_, nullptr)));
    }
    hand_over_soon();
    if (--handed_over_ == 0) committing_.reset();
}

void CommitQueue::wait(const Turn::Waiting& waiting)
{
    if (!is_posted_) hand_over_soon();
    filling_->waiting.push_back(waiting);
    if (waiting.count == 0 || !filling_->questions.empty()) filling_->asks_ledger = true;
}

void CommitQueue::hand_over_soon()
{
    boost::asio::post(executor_, [this] { hand_over(); });
    is_posted_ = true;
}

void CommitQueue::hand_over()
{
    {
        const std::scoped_lock lock{mutex_};
        // The writer was told of the last one and has not woken yet: when it has, it asks for this.
        is_awaited_ = ready_ != nullptr;
        if (is_awaited_) return;
    }
    is_posted_ = false;
    if (free_.empty()) free_.push_back(&turns_.emplace_back());
    Turn& turn = *std::exchange(filling_, free_.back());
    free_.pop_back();
    if (turn.message_count == 0 && handed_over_ == 0) return answer(turn);
    if (!committing_) committing_.emplace(executor_);
    ++handed_over_;
    {
        const std::scoped_lock lock{mutex_};
        ready_ = &turn;
    }
    changed_.notify_one();
}

void CommitQueue::finish(Turn& turn)
{
    if (--handed_over_ == 0) committing_.reset();
    const bool asked_ledger = turn.asks_ledger;
    answer(turn);
    if (!asked_ledger) return;
    {
        const std::scoped_lock lock{mutex_};
        is_asked_ = false;
    }
    changed_.notify_one();
}

void CommitQueue::answer(Turn& turn)
{
    answer_(turn);
    recycle(turn);
}

void CommitQueue::recycle(Turn& turn)
{
    turn.clear();
    free_.push_back(&turn);
}

void CommitQueue::commit(Turn& turn)
{
    try {
        ledger_.commit({turn.messages.data(), turn.message_count});
    } catch (const std::exception& failure) {
        log_event(LogLevel::error, "commit_failed", {{LogField::reason, failure.what()}});
        turn.has_failed = true;
    }
}

void CommitQueue::commit_turns(const std::stop_token& stop)
{
    const auto has_work = [this] { return ready_ != nullptr && !is_asked_; };
    std::unique_lock lock{mutex_};
    while (changed_.wait(lock, stop, has_work)) {
        Turn& turn = *std::exchange(ready_, nullptr);
        is_asked_ = turn.asks_ledger;
        is_committing_ = true;
        const bool is_next_awaited = std::exchange(is_awaited_, false);
        lock.unlock();
        if (is_next_awaited) boost::asio::post(executor_, [this] { hand_over(); });
        if (turn.message_count > 0) commit(turn);
        boost::asio::post(executor_, [this, &turn] { finish(turn); });
        lock.lock();
        is_committing_ = false;
    }
}

} // namespace pointhouse::gateway
