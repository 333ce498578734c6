#include "gateway/projector.hpp"

#include <exception>
#include <fmt/format.h>
#include <sys/resource.h>
#include <utility>

#include "gateway/house.hpp"
#include "log.hpp"

namespace pointhouse::gateway {

namespace {

constexpr std::size_t blocks_per_turn_max = 256;
constexpr int books_niceness = 10;
// A transaction costs as much as hundreds of rows: under load, what comes meanwhile shares one.
constexpr std::chrono::milliseconds idle_pause{20};
constexpr std::chrono::milliseconds gathering_pause{200};
constexpr std::uint64_t worth_gathering = 256; // records of the turn before
constexpr std::chrono::milliseconds hurried_pause{1};
constexpr std::uint64_t worth_a_transaction = 16'384; // records
constexpr std::chrono::milliseconds failure_pause{1000};
constexpr std::chrono::milliseconds progress_pause{100};
constexpr std::chrono::seconds patience{60};
constexpr std::chrono::seconds stopping_patience{2};

/// Counts one who waits for the books.
class Waiting {
public:
    explicit Waiting(std::atomic<int>& waiters) : waiters_{waiters} { ++waiters_; }
    ~Waiting() { --waiters_; }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

private:
    std::atomic<int>& waiters_;
};

std::int64_t steady_nanos()
{
    return std::chrono::steady_clock::now().time_since_epoch().count();
}

} // namespace

Projector::Projector(ledger::Books& books, std::unique_ptr<ledger::JournalReader> journal)
    : books_{books}, journal_{std::move(journal)}, level_at_nanos_{steady_nanos()}
{
    head_ = journal_->head().value();
    thread_ = std::thread{[this] { run(); }};
}

Projector::~Projector()
{
    {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

Projector::Lag Projector::lag() const
{
    const std::uint64_t head = head_;
    const std::uint64_t projected = books_.projected().value();
    if (projected >= head) return {};
    return {
        .records = head - projected,
        .seconds = static_cast<double>(steady_nanos() - level_at_nanos_) / 1e9};
}

std::string Projector::fault() const
{
    const std::scoped_lock lock{mutex_};
    return fault_;
}

void Projector::wait_for(ledger::Sequence sequence, Console& console) const
{
    std::uint64_t seen = 0;
    auto moved_at = std::chrono::steady_clock::now();
    std::unique_lock lock{mutex_};
    const Waiting waiting{waiters_};
    changed_.notify_all();
    while (clearing_ || books_.projected() < sequence) {
        changed_.wait_for(lock, progress_pause);
        const std::uint64_t projected = books_.projected().value();
        const auto now = std::chrono::steady_clock::now();
        if (std::exchange(seen, projected) != projected) moved_at = now;
        if (now - moved_at > patience) {
            throw HouseFailure{fmt::format(
                "the books stand still at {} of {}{}{}",
                projected,
                sequence.value(),
                fault_.empty() ? "" : ": ",
                fault_)};
        }
        lock.unlock();
        console.progress(fmt::format("books: {} of {}", projected, sequence.value()));
        lock.lock();
    }
}

void Projector::rebuild(Console& console)
{
    {
        const std::scoped_lock lock{mutex_};
        clearing_ = true;
    }
    changed_.notify_all();
    wait_for(ledger::Sequence{head_}, console);
}

void Projector::run()
{
    // Where processors are short, those who wait for an answer go first. (Of this thread alone:
    // setpriority(2), "C library/kernel differences".)
    ::setpriority(PRIO_PROCESS, 0, books_niceness);
    bool has_much = true;
    while (true) {
        {
            std::unique_lock lock{mutex_};
            const auto pause = !fault_.empty()                ? failure_pause
                               : waiters_ > 0                 ? hurried_pause
                               : last_turn_ < worth_gathering ? idle_pause
                                                              : gathering_pause;
            // Whoever stops, clears or waits says so by `changed_`; a turn too early costs nothing.
            if (!has_much && !stopping_ && !clearing_) changed_.wait_for(lock, pause);
            if (stopping_) break;
        }
        try {
            has_much = advance();
            if (is_quiet()) books_.index_drained_window();
        } catch (const std::exception& failure) {
            fail(failure.what());
            has_much = false;
        }
    }
    catch_up();
}

// Who reads the books of a house that was stopped finds all of it, unless there is very much.
void Projector::catch_up()
{
    const auto until = std::chrono::steady_clock::now() + stopping_patience;
    try {
        while (books_.projected() < journal_->head() && std::chrono::steady_clock::now() < until)
            static_cast<void>(advance());
    } catch (const std::exception& failure) {
        fail(failure.what());
    }
}

bool Projector::advance()
{
    std::unique_lock lock{mutex_};
    const bool clearing = clearing_;
    lock.unlock();
    if (clearing) books_.clear();

    head_ = journal_->head().value();
    const auto now = steady_nanos();
    const auto before = books_.projected();
    // Under a steady load the books are never level, and never far behind.
    if (before.value() >= mark_.head) mark_ = {.head = head_, .at_nanos = now};
    last_turn_ = before.value() < head_ ? books_.project(*journal_, blocks_per_turn_max) : 0;
    const std::uint64_t projected = books_.projected().value();
    if (projected >= mark_.head) level_at_nanos_ = mark_.at_nanos;
    const bool has_much = projected + worth_a_transaction < journal_->head().value();

    lock.lock();
    // Only now: who waits for a rebuild must not see the old mark.
    if (clearing) clearing_ = false;
    fault_.clear();
    lock.unlock();
    changed_.notify_all();
    return has_much;
}

// An index keeps the books waiting for as long as it takes.
bool Projector::is_quiet() const
{
    return books_.projected().value() >= head_ && last_turn_ < worth_gathering && waiters_ == 0;
}

void Projector::fail(const std::string& reason)
{
    {
        const std::scoped_lock lock{mutex_};
        if (fault_ == reason) return;
        fault_ = reason;
    }
    log_event(LogLevel::error, "projector_failed", {{LogField::reason, reason}});
}

} // namespace pointhouse::gateway
