#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "gateway/command.hpp"
#include "ledger/books.hpp"
#include "ledger/journal.hpp"

namespace pointhouse::gateway {

/// Carries the journal into the books on a thread of its own: the one writer of the books.
/// All calls from any thread.
class Projector {
public:
    /// How far the books are behind the journal.
    struct Lag {
        std::uint64_t records = 0;
        double seconds = 0; // since the last moment of which the books hold the whole journal
    };

    Projector(ledger::Books& books, std::unique_ptr<ledger::JournalReader> journal);
    /// Ends after the transaction that is under way.
    ~Projector();
    Projector(const Projector&) = delete;
    Projector& operator=(const Projector&) = delete;

    [[nodiscard]] Lag lag() const;
    /// Why it last failed; empty when it goes well. It tries again by itself.
    [[nodiscard]] std::string fault() const;

    /// Waits until the books hold `sequence`. Throws HouseFailure when they make no progress for a
    /// minute, and Interrupted.
    void wait_for(ledger::Sequence sequence, Console& console) const;
    /// Drops the books and derives them again; returns when they hold all the journal has now.
    void rebuild(Console& console);

private:
    void run();
    /// One turn of the work. True: there is much more to do.
    bool advance();
    void catch_up();
    [[nodiscard]] bool is_quiet() const;
    void fail(const std::string& reason);

    ledger::Books& books_;
    std::unique_ptr<ledger::JournalReader> journal_;
    std::atomic<std::uint64_t> head_{0};
    std::uint64_t last_turn_ = 0; // its records; the projector's thread
    struct Mark {
        std::uint64_t head = 0; // of the journal
        std::int64_t at_nanos = 0;
    };
    Mark mark_; // what the books shall hold next; the projector's thread
    std::atomic<std::int64_t> level_at_nanos_{0}; // steady clock
    mutable std::atomic<int> waiters_{0};         // they are not kept waiting for more to come
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    bool stopping_ = false;
    bool clearing_ = false;
    std::string fault_;
    std::thread thread_;
};

} // namespace pointhouse::gateway
