#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

namespace pointhouse::client {

using Instant = std::chrono::steady_clock::time_point;

/// Something with a socket that a Loop wakes up.
class Pollable {
public:
    virtual ~Pollable() = default;
    /// The socket can be read or written (epoll's bits).
    virtual void on_ready(std::uint32_t events) = 0;
    /// Called once before the loop sleeps after `Loop::flush_later(this)`.
    virtual void flush() = 0;
};

/// One epoll loop for the connections of a client. One thread. Waits, wakes up what is ready, runs
/// timers; writes are gathered until it would sleep, so that many requests leave in one write.
class Loop {
public:
    /// Throws std::system_error when the system gives no epoll.
    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// One turn: flushes, waits at most `wait_max` for something to do, does it.
    void run_once(std::chrono::microseconds wait_max);
    /// Calls `action` once, not before `delay` has passed.
    void after(std::chrono::microseconds delay, std::function<void()> action);
    /// The time at the start of this turn's work.
    [[nodiscard]] Instant now() const { return now_; }

    void watch(int socket, std::uint32_t events, Pollable& pollable);
    void change(int socket, std::uint32_t events, Pollable& pollable);
    /// The pollable may go after this; events that are already fetched for it are dropped.
    void forget(int socket, Pollable& pollable);
    void flush_later(Pollable& pollable) { unflushed_.push_back(&pollable); }

private:
    void flush_all();
    void run_timers();

    int epoll_ = -1;
    Instant now_;
    std::vector<Pollable*> unflushed_;
    std::vector<Pollable*> fetched_; // of this turn; null when forgotten meanwhile
    std::multimap<Instant, std::function<void()>> timers_;
};

} // namespace pointhouse::client
