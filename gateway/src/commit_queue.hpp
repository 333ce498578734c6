#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
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
    bool has_failed = false;                     // the commit threw: nothing is known

    /// An empty message of this partner, ready to be decoded into. Invalidates earlier references.
    ledger::Submission& add_message(ledger::PartnerId partner);
    void drop_last_message() { --message_count; }
    void clear();
};

/// Group commit without artificial delay: the first request of a turn posts the commit behind the
/// reads that are ready, so that all of them share one durable transaction. A thread of its own
/// decides and commits, while the I/O thread reads what comes next; the two share the ledger by
/// turns: between a commit and the next its answers are made, on the I/O thread.
class CommitQueue {
public:
    /// `answer` is called after each commit with its turn; requests that arrive meanwhile go into
    /// the next. Both must outlive the queue; the queue must outlive the executor's posted work.
    CommitQueue(
        boost::asio::any_io_executor executor,
        ledger::Ledger& ledger,
        std::function<void(Turn&)> answer);

    /// The bound of SECURITY section 4: what is beyond it is refused before any work.
    [[nodiscard]] bool has_room(std::size_t messages) const;
    [[nodiscard]] Turn& filling() { return *filling_; }
    /// The request is answered after this turn's commit.
    void wait(const Turn::Waiting& waiting);

private:
    void run();
    void finish(Turn& turn);
    void commit(Turn& turn);
    void commit_turns(const std::stop_token& stop);

    boost::asio::any_io_executor executor_;
    ledger::Ledger& ledger_;
    std::function<void(Turn&)> answer_;
    std::array<Turn, 2> turns_;
    Turn* filling_ = &turns_[0];
    bool is_posted_ = false;
    // Set while a turn is being committed: the loop has work, although it may not see any.
    std::optional<boost::asio::executor_work_guard<boost::asio::any_io_executor>> committing_;

    std::mutex mutex_;
    std::condition_variable_any handed_over_;
    Turn* to_commit_ = nullptr; // guarded by mutex_
    std::jthread writer_;       // last: it uses all of the above
};

} // namespace pointhouse::gateway
