#include "client/loop.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <sys/epoll.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace pointhouse::client {
namespace {

constexpr int events_per_turn_max = 256;

void control(int epoll, int operation, int socket, epoll_event event)
{
    if (::epoll_ctl(epoll, operation, socket, &event) != 0) {
        throw std::system_error{errno, std::generic_category(), "epoll_ctl"};
    }
}

epoll_event event_for(std::uint32_t events, Pollable& pollable)
{
    epoll_event event{};
    event.events = events;
    event.data.ptr = &pollable;
    return event;
}

} // namespace

Loop::Loop() : epoll_{::epoll_create1(EPOLL_CLOEXEC)}, now_{std::chrono::steady_clock::now()}
{
    if (epoll_ < 0) throw std::system_error{errno, std::generic_category(), "epoll_create1"};
    // OpenSSL writes to the socket itself: a peer that has gone must be an error, not a signal.
    std::signal(SIGPIPE, SIG_IGN); // NOLINT(cert-err33-c): it cannot fail for this signal
}

Loop::~Loop()
{
    ::close(epoll_);
}

void Loop::run_once(std::chrono::microseconds wait_max)
{
    flush_all();
    now_ = std::chrono::steady_clock::now();

    auto wait = wait_max;
    if (!timers_.empty()) {
        const auto due =
            std::chrono::ceil<std::chrono::microseconds>(timers_.begin()->first - now_);
        wait = std::clamp(due, std::chrono::microseconds{0}, wait_max);
    }
    const timespec timeout{
        .tv_sec = wait.count() / 1'000'000, .tv_nsec = wait.count() % 1'000'000 * 1'000};
    std::array<epoll_event, events_per_turn_max> events; // NOLINT: filled by the kernel
    const int count = ::epoll_pwait2(epoll_, events.data(), events_per_turn_max, &timeout, nullptr);
    if (count < 0 && errno != EINTR) {
        throw std::system_error{errno, std::generic_category(), "epoll_pwait2"};
    }
    now_ = std::chrono::steady_clock::now();

    fetched_.clear();
    for (int i = 0; i < count; ++i) {
        fetched_.push_back(static_cast<Pollable*>(events.at(static_cast<std::size_t>(i)).data.ptr));
    }
    for (std::size_t i = 0; i < fetched_.size(); ++i) {
        if (fetched_[i] != nullptr) fetched_[i]->on_ready(events.at(i).events);
    }
    run_timers();
}

void Loop::after(std::chrono::microseconds delay, std::function<void()> action)
{
    timers_.emplace(now_ + delay, std::move(action));
}

void Loop::watch(int socket, std::uint32_t events, Pollable& pollable)
{
    control(epoll_, EPOLL_CTL_ADD, socket, event_for(events, pollable));
}

void Loop::change(int socket, std::uint32_t events, Pollable& pollable)
{
    control(epoll_, EPOLL_CTL_MOD, socket, event_for(events, pollable));
}

void Loop::forget(int socket, Pollable& pollable)
{
    control(epoll_, EPOLL_CTL_DEL, socket, epoll_event{});
    std::ranges::replace(fetched_, &pollable, nullptr);
    std::ranges::replace(unflushed_, &pollable, nullptr);
}

void Loop::flush_all()
{
    // A flush may lose its connection, whose observer may send elsewhere: the list can grow.
    for (std::size_t i = 0; i < unflushed_.size(); ++i) { // NOLINT(modernize-loop-convert)
        if (unflushed_[i] != nullptr) unflushed_[i]->flush();
    }
    unflushed_.clear();
}

void Loop::run_timers()
{
    while (!timers_.empty() && timers_.begin()->first <= now_) {
        const auto action = std::move(timers_.begin()->second);
        timers_.erase(timers_.begin());
        action();
    }
}

} // namespace pointhouse::client
