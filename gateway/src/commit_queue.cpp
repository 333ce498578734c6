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

void CommitQueue::wait(const Turn::Waiting& waiting)
{
    if (!is_posted_) boost::asio::post(executor_, [this] { run(); });
    is_posted_ = true;
    filling_->waiting.push_back(waiting);
}

void CommitQueue::run()
{
    is_posted_ = false;
    if (is_committing_) return; // finish() comes back here
    Turn& turn = *filling_;
    filling_ = filling_ == &turns_[0] ? &turns_[1] : &turns_[0];
    if (turn.message_count == 0) return finish(turn);
    is_committing_ = true;
    {
        const std::scoped_lock lock{mutex_};
        to_commit_ = &turn;
    }
    handed_over_.notify_one();
}

void CommitQueue::finish(Turn& turn)
{
    is_committing_ = false;
    answer_(turn);
    turn.clear();
    if (!is_posted_ && !filling_->waiting.empty()) run();
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
    std::unique_lock lock{mutex_};
    while (handed_over_.wait(lock, stop, [this] { return to_commit_ != nullptr; })) {
        Turn& turn = *std::exchange(to_commit_, nullptr);
        lock.unlock();
        commit(turn);
        boost::asio::post(executor_, [this, &turn] { finish(turn); });
        lock.lock();
    }
}

} // namespace pointhouse::gateway
