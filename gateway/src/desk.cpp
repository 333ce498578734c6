#include "desk.hpp"

#include <exception>
#include <optional>
#include <sys/resource.h>
#include <utility>
#include <variant>

#include <boost/asio/post.hpp>

#include "answers.hpp"
#include "gateway/house.hpp"
#include "ledger/invariant.hpp"
#include "log.hpp"
#include "problems.hpp"

namespace pointhouse::gateway {
namespace {

constexpr std::size_t under_way_max = 16;
constexpr int desk_niceness = 10;

constexpr std::string_view unknown_outcome = "Ask what became of it, or send it again";

} // namespace

/// Nobody watches the progress of a request; it only can be interrupted.
class Desk::DeskConsole final : public Console {
public:
    explicit DeskConsole(const std::atomic<bool>& is_closing) : is_closing_{is_closing} {}

    void progress(std::string_view) override { look(); }
    void print(std::string_view text) override
    {
        look();
        printed_ += text;
    }
    [[nodiscard]] std::string take_printed() { return std::move(printed_); }

private:
    void look() const
    {
        if (is_closing_) throw Interrupted{"the house stops"};
    }

    const std::atomic<bool>& is_closing_;
    std::string printed_;
};

Desk::Desk(boost::asio::any_io_executor executor, House& house)
    : executor_{std::move(executor)}, house_{house}
{
    threads_.emplace_back([this] { work(true); });
    threads_.emplace_back([this] { work(false); });
}

Desk::~Desk()
{
    if (!is_closing_) close(); // the loop ended by a failure
}

bool Desk::take(Exchange& exchange, const NextStep& first, Answer answer, Ended ended)
{
    if (is_closing_ || under_way_ >= under_way_max) return false;
    ++under_way_;
    run_step(
        {.exchange = &exchange, .answer = std::move(answer), .ended = std::move(ended)}, first);
    return true;
}

void Desk::run_step(Job job, const NextStep& step)
{
    std::optional<CommandStep> came_to;
    try {
        const auto held = house_.hold_messages();
        came_to = step(house_);
    } catch (const std::exception& failure) {
        return fail(job, failure);
    }
    go_on(std::move(job), std::move(*came_to));
}

void Desk::go_on(Job job, CommandStep step)
{
    if (const auto* const result = std::get_if<CommandResult>(&step)) return finish(job, *result);
    const bool is_operators = job.exchange->caller->is_operator();
    {
        const std::scoped_lock lock{mutex_};
        if (!is_closing_) {
            (is_operators ? of_operators_ : of_partners_)
                .push_back({std::move(job), std::move(std::get<LongWork>(step))});
            changed_.notify_all();
            return;
        }
    }
    fail(job, Interrupted{"the house stops"});
}

void Desk::finish(const Job& job, const CommandResult& result)
{
    --under_way_;
    try {
        job.answer(*job.exchange, result);
    } catch (const std::exception& failure) {
        answer_internal(*job.exchange, failure);
    }
    end(job);
}

void Desk::end(const Job& job)
{
    job.exchange->finish();
    if (job.ended) job.ended();
}

void Desk::fail(const Job& job, const std::exception& failure)
{
    --under_way_;
    Exchange& exchange = *job.exchange;
    if (dynamic_cast<const Interrupted*>(&failure) != nullptr) {
        answer_overloaded(exchange, unknown_outcome);
    } else {
        answer_internal(exchange, failure);
    }
    end(job);
}

void Desk::work(bool for_operators_alone)
{
    // Of this thread alone: setpriority(2), "C library/kernel differences".
    ::setpriority(PRIO_PROCESS, 0, desk_niceness);
    while (true) {
        std::unique_lock lock{mutex_};
        const auto queue = [&]() -> std::deque<Waiting>* {
            if (!of_operators_.empty()) return &of_operators_;
            return for_operators_alone || of_partners_.empty() ? nullptr : &of_partners_;
        };
        changed_.wait(lock, [&] { return is_closing_ || queue() != nullptr; });
        auto* const found = queue();
        if (found == nullptr) return; // closing, and nothing is left
        Waiting waiting = std::move(found->front());
        found->pop_front();
        lock.unlock();
        do_work(std::move(waiting));
    }
}

void Desk::do_work(Waiting waiting)
{
    DeskConsole console{is_closing_};
    // What the work threw goes to the I/O thread like its result.
    std::exception_ptr failure;
    std::optional<WorkEnd> end;
    try {
        console.progress("");
        end = waiting.work(console);
        if (auto* const result = std::get_if<CommandResult>(&*end))
            result->output = console.take_printed() + result->output;
    } catch (...) {
        failure = std::current_exception();
    }
    waiting.work = {}; // what it holds is let go here, not on the I/O thread
    boost::asio::post(
        executor_, [this, job = std::move(waiting.job), end = std::move(end), failure]() mutable {
            if (failure) {
                try {
                    std::rethrow_exception(failure);
                } catch (const std::exception& thrown) {
                    return fail(job, thrown);
                }
            }
            if (auto* const step = std::get_if<NextStep>(&*end))
                return run_step(std::move(job), *step);
            finish(job, std::get<CommandResult>(*end));
        });
}

void Desk::close()
{
    {
        const std::scoped_lock lock{mutex_};
        ledger::invariant(!is_closing_, "a desk closes once");
        is_closing_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
}

} // namespace pointhouse::gateway
