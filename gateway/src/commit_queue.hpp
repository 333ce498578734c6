#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory_resource>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include "exchange.hpp"
#include "ledger/ledger.hpp"
#include "message_form.hpp"

namespace pointhouse::gateway {

/// What one turn of the I/O loop collected: the messages of all sockets that were ready, and the
/// requests that wait for them to be durable.
struct Turn {
    /// A request and where its part of the turn is: messages of a single, items of a batch,
    /// questions of a quote or a look-up.
    struct Waiting {
        Exchange* exchange = nullptr;
        std::size_t first = 0;
        std::size_t count = 0;
    };
    /// One message of a batch: decoded, then its place among the messages, or its fault.
    struct Item {
        std::size_t message = 0;
        std::string_view message_id; // where known
        Fault fault;                 // no code: decoded
    };

    std::vector<ledger::Submission>
        messages; // the first `message_count`; the rest is kept for reuse
    std::size_t message_count = 0;
    std::vector<ledger::Submission> questions; // of quotes and look-ups: nothing of them is booked
    std::vector<Item> items;
    std::vector<Waiting> waiting;
    std::pmr::monotonic_buffer_resource scratch; // what messages point into beside the requests
    bool asks_ledger = false; // of something beside the outcomes: a read, a quote, a proposal
    bool has_failed = false;  // the commit threw: nothing is known

    /// An empty message of this partner, ready to be decoded into. Invalidates earlier references.
    ledger::Submission& add_message(ledger::PartnerId partner);
    void drop_last_message() { --message_count; }
    void clear();
};

/// Group commit without artificial delay: the first request of a turn posts its hand-over behind
/// the reads that are ready, so that all of them share one durable transaction. A thread of its own
/// decides and commits one turn after the other, while the I/O thread reads what comes next and
/// answers what was committed; what waits behind a commit is joined by what comes meanwhile. The
/// two share the ledger by turns: a turn that asks the ledger something is answered between its
/// commit and the next.
class CommitQueue {
public:
    /// `answer` is called after each commit with its turn, and with a turn that has nothing to
    /// commit; requests that arrive meanwhile go into the next. Both must outlive the queue; the
    /// queue must outlive the executor's posted work.
    CommitQueue(
        boost::asio::any_io_executor executor,
        ledger::Ledger& ledger,
        std::function<void(Turn&)> answer);

    /// The bound of SECURITY section 4: what is beyond it is refused before any work.
    [[nodiscard]] bool has_room(std::size_t messages) const;
    [[nodiscard]] Turn& filling();
    /// The request is answered after the commit of the turn that fills.
    void wait(const Turn::Waiting& waiting);

private:
    void take_back();
    void hand_over_soon();
    void hand_over();
    void finish(Turn& turn);
    void answer(Turn& turn);
    void recycle(Turn& turn);
    void commit(Turn& turn);
    void commit_turns(const std::stop_token& stop);

    boost::asio::any_io_executor executor_;
    ledger::Ledger& ledger_;
    std::function<void(Turn&)> answer_;
    std::deque<Turn> turns_{1}; // as many as are in use at once: five at most
    Turn* filling_ = &turns_.front();
    std::vector<Turn*> free_;
    bool is_posted_ = false;      // the hand-over of the turn that fills
    std::size_t handed_over_ = 0; // turns that are not answered yet
    // Set while there are any: the loop has work, although it may not see it.
    std::optional<boost::asio::executor_work_guard<boost::asio::any_io_executor>> committing_;

    std::mutex mutex_; // guards what follows
    std::condition_variable_any changed_;
    Turn* ready_ = nullptr;      // handed over, and neither taken nor taken back
    bool is_awaited_ = false;    // the next one waits until that one is taken
    bool is_committing_ = false; // the writer
    bool is_asked_ = false;      // what it took last asks the ledger: until it is answered
    std::jthread writer_;        // last: it uses all of the above
};

} // namespace pointhouse::gateway
