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
constexpr std::chrono::milliseconds idle_pause{20};
constexpr std::chrono::milliseconds failure_pause{1000};
constexpr std::chrono::milliseconds progress_pause{100};
constexpr std::chrono::seconds patience{60};

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
    bool more = true;
    while (true) {
        {
            std::unique_lock lock{mutex_};
            const auto pause = fault_.empty() ? idle_pause : failure_pause;
            if (!more) changed_.wait_for(lock, pause, [this] { return stopping_ || clearing_; });
            if (stopping_) return;
        }
        try {
            more = advance();
        } catch (const std::exception& failure) {
            fail(failure.what());
            more = false;
        }
    }
}

bool Projector::advance()
{
    std::unique_lock lock{mutex_};
    const bool clearing = clearing_;
    lock.unlock();
    if (clearing) books_.clear();

    head_ = journal_->head().value();
    const auto before = books_.projected();
    if (before.value() < head_) books_.project(*journal_, blocks_per_turn_max);
    const bool is_level = books_.projected().value() >= head_;
    if (is_level) level_at_nanos_ = steady_nanos();

    lock.lock();
    // Only now: who waits for a rebuild must not see the old mark.
    if (clearing) clearing_ = false;
    fault_.clear();
    lock.unlock();
    changed_.notify_all();
    return !is_level;
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
