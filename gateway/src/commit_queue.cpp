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
    : executor_{std::move(executor)}, ledger_{ledger}, answer_{std::move(answer)}
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
    Turn& turn = *filling_;
    filling_ = filling_ == &turns_[0] ? &turns_[1] : &turns_[0];
    is_posted_ = false;
    if (turn.message_count > 0) {
        try {
            ledger_.commit({turn.messages.data(), turn.message_count});
        } catch (const std::exception& failure) {
            log_event(LogLevel::error, "commit_failed", {{LogField::reason, failure.what()}});
            turn.has_failed = true;
        }
    }
    answer_(turn);
    turn.clear();
}

} // namespace pointhouse::gateway
