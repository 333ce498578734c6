#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "exchange.hpp"
#include "gateway/command.hpp"

namespace pointhouse::gateway {

/// Where requests are done that are work and no message: the commands of operators, comparing
/// records with a partner. Their steps run on the I/O thread, which is the house's; their long work
/// on two threads of the desk's own, so that it blocks nobody. One of the two is for operators
/// alone: no partner's file makes them wait.
class Desk {
public:
    /// Makes the answer of what the work came to, on the I/O thread. The desk finishes the
    /// exchange.
    using Answer = std::function<void(Exchange&, const CommandResult&)>;

    /// The house must outlive the executor's posted work, and so must the desk.
    Desk(boost::asio::any_io_executor executor, House& house);
    ~Desk();
    Desk(const Desk&) = delete;
    Desk& operator=(const Desk&) = delete;

    /// What is done once the exchange is finished, however it ended; on the I/O thread.
    using Ended = std::function<void()>;

    /// Takes the work of a request, on the I/O thread, and runs its first step now. False: too much
    /// is under way, and nothing was done.
    [[nodiscard]] bool take(
        Exchange& exchange, const NextStep& first, Answer answer, Ended ended = {});

    /// Interrupts what is under way and waits for it; its exchanges are finished by the executor,
    /// which must go on until then. Any thread but the I/O thread; once.
    void close();

private:
    struct Job {
        Exchange* exchange = nullptr;
        Answer answer;
        Ended ended;
    };
    struct Waiting {
        Job job;
        LongWork work;
    };
    class DeskConsole;

    void run_step(Job job, const NextStep& step);
    void go_on(Job job, CommandStep step);
    void finish(const Job& job, const CommandResult& result);
    static void end(const Job& job);
    void fail(const Job& job, const std::exception& failure);
    void work(bool for_operators_alone);
    void do_work(Waiting waiting);

    boost::asio::any_io_executor executor_;
    House& house_;
    std::size_t under_way_ = 0; // the I/O thread's

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Waiting> of_operators_; // these two guarded by mutex_
    std::deque<Waiting> of_partners_;
    std::atomic<bool> is_closing_ = false;
    std::vector<std::thread> threads_;
};

} // namespace pointhouse::gateway
