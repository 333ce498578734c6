#include "load_generator.hpp"

#include <algorithm>
#include <deque>
#include <stdexcept>
#include <unordered_map>
#include <utility>

namespace pointhouse::ops {
namespace {

using namespace std::chrono_literals;
using client::Instant;

constexpr auto connect_time_max = 20s;
constexpr auto drain_time_max = 10s;
constexpr std::size_t handshakes_at_once = 64;
constexpr std::size_t backlog_max =
    2'000'000; // of an open loop that the house does not keep up with

/// Connections of several callers on one loop; they are opened a few at a time.
class ConnectionSet {
public:
    ConnectionSet(const LoadOptions& options, client::ConnectionObserver& observer)
        : endpoint_{options.endpoint}
    {
        for (const auto& caller : options.callers) {
            identities_.push_back(std::make_unique<client::TlsIdentity>(caller, endpoint_));
        }
        for (std::size_t i = 0; i < options.connections; ++i) {
            connections_.push_back(std::make_unique<client::Connection>(
                loop, *identities_[i % identities_.size()], endpoint_, observer));
        }
    }

    void open_next()
    {
        if (opened_ < connections_.size()) connections_[opened_++]->open();
    }
    void open_first()
    {
        for (std::size_t i = 0; i < handshakes_at_once; ++i) open_next();
    }
    [[nodiscard]] std::size_t size() const { return connections_.size(); }
    [[nodiscard]] client::Connection& at(std::size_t index) { return *connections_.at(index); }

    client::Loop loop;

private:
    client::Endpoint endpoint_;
    std::vector<std::unique_ptr<client::TlsIdentity>> identities_;
    std::vector<std::unique_ptr<client::Connection>> connections_;
    std::size_t opened_ = 0;
};

/// One load, from the first handshake to the last answer.
class Load final : private client::ConnectionObserver {
public:
    Load(const LoadOptions& options, RequestSource& source)
        : options_{options}, source_{source}, connections_{options, *this}
    {}

    LoadResult run()
    {
        connect();
        const auto begun = std::chrono::steady_clock::now();
        measure_from_ = begun + options_.warm_up;
        measure_until_ =
            options_.duration == 0ms ? Instant::max() : measure_from_ + options_.duration;
        if (options_.rate > 0) {
            run_open_loop(begun);
        } else {
            run_closed_loop();
        }
        drain();
        const auto until = std::min(measure_until_, std::chrono::steady_clock::now());
        const std::chrono::duration<double> measured = until - measure_from_;
        result_.seconds = measured.count();
        return std::move(result_);
    }

private:
    void connect()
    {
        connections_.open_first();
        const auto deadline = std::chrono::steady_clock::now() + connect_time_max;
        while (idle_.size() < connections_.size() && result_.failure.empty()) {
            connections_.loop.run_once(10ms);
            if (std::chrono::steady_clock::now() > deadline) result_.failure = "no connection";
        }
    }

    void run_closed_loop()
    {
        for (auto* connection : std::exchange(idle_, {})) {
            send(*connection, connections_.loop.now());
        }
        while (result_.failure.empty() && connections_.loop.now() < measure_until_ &&
               in_flight_ > 0) {
            connections_.loop.run_once(10ms);
        }
    }

    void run_open_loop(Instant begun)
    {
        const std::chrono::duration<double> gap{1 / options_.rate};
        std::uint64_t sent = 0;
        const auto due_at = [&](std::uint64_t number) {
            return begun +
                   std::chrono::duration_cast<Instant::duration>(gap * static_cast<double>(number));
        };
        auto now = begun;
        while (result_.failure.empty() && now < measure_until_) {
            for (; due_at(sent) <= now; ++sent) due_.push_back(due_at(sent));
            while (!due_.empty() && !idle_.empty()) {
                auto* connection = idle_.back();
                idle_.pop_back();
                send(*connection, due_.front());
                due_.pop_front();
            }
            if (due_.size() > backlog_max) result_.failure = "the house does not keep up";
            const auto wait = due_at(sent) - now;
            connections_.loop.run_once(std::chrono::ceil<std::chrono::microseconds>(wait));
            now = std::chrono::steady_clock::now();
        }
    }

    /// Waits for the last answers. What should have left and never did has waited, too: without it
    /// an overload would look fast.
    void drain()
    {
        const auto drained_by = std::chrono::steady_clock::now() + drain_time_max;
        auto now = std::chrono::steady_clock::now();
        while ((in_flight_ > 0 || !due_.empty()) && result_.failure.empty() && now < drained_by) {
            connections_.loop.run_once(10ms);
            now = std::chrono::steady_clock::now();
        }
        if (options_.rate == 0) return;
        for (const auto& [connection, intended] : begun_) {
            if (connection->in_flight() > 0) count_unanswered(intended, now);
        }
        for (const auto intended : due_) count_unanswered(intended, now);
    }

    void count_unanswered(Instant intended, Instant now)
    {
        if (!is_measured(intended)) return;
        ++result_.unanswered;
        result_.latencies.add(now - intended);
    }

    [[nodiscard]] bool is_measured(Instant when) const
    {
        return when >= measure_from_ && when < measure_until_;
    }

    /// `intended` is when the request should have left.
    void send(client::Connection& connection, Instant intended)
    {
        const auto request = source_.next();
        if (request.empty()) return;
        connection.send(request);
        begun_.at(&connection) = intended;
        ++in_flight_;
    }

    void opened(client::Connection& connection) override
    {
        begun_.emplace(&connection, Instant{});
        idle_.push_back(&connection);
        connections_.open_next();
    }

    void answered(client::Connection& connection, const client::Answer& answer) override
    {
        const auto now = std::chrono::steady_clock::now();
        const auto intended = begun_.at(&connection);
        --in_flight_;
        if (result_.answers_in_all++ == 0) result_.first_answer = answer.body;
        if (is_measured(options_.rate > 0 ? intended : now)) {
            ++result_.answers;
            if (answer.status == 422) {
                ++result_.refused;
            } else if (answer.status >= 300) {
                ++result_.not_booked;
            }
            result_.latencies.add(now - intended);
        }
        if (options_.rate == 0) {
            if (now < measure_until_) send(connection, now);
        } else if (due_.empty()) {
            idle_.push_back(&connection);
        } else {
            // What is overdue leaves at once, with the time at which it should have left.
            send(connection, due_.front());
            due_.pop_front();
        }
    }

    void lost(
        client::Connection& /*connection*/, std::string_view reason, bool /*refused*/) override
    {
        if (result_.failure.empty()) result_.failure = reason;
    }

    const LoadOptions& options_;
    RequestSource& source_;
    LoadResult result_;
    std::vector<client::Connection*> idle_;
    std::unordered_map<const client::Connection*, Instant> begun_; // the request in flight of each
    std::deque<Instant> due_;                                      // requests that should have left
    std::size_t in_flight_ = 0;
    Instant measure_from_ = Instant::max();
    Instant measure_until_ = Instant::max();
    ConnectionSet connections_; // last: it goes first
};

} // namespace

LoadResult run_load(const LoadOptions& options, RequestSource& source)
{
    return Load{options, source}.run();
}

struct IdleConnections::Parts final : client::ConnectionObserver {
    Parts(const LoadOptions& options, std::string_view request)
        : first_request{request}, connections{options, *this}
    {}

    void opened(client::Connection& connection) override { connection.send(first_request); }
    void answered(client::Connection& /*connection*/, const client::Answer& answer) override
    {
        if (answer.status != 200) failure = "an idle connection was not answered";
        ++ready;
        connections.open_next();
    }
    void lost(
        client::Connection& /*connection*/, std::string_view reason, bool /*refused*/) override
    {
        failure = reason;
    }

    std::string first_request;
    std::string failure;
    std::size_t ready = 0;
    ConnectionSet connections;
};

IdleConnections::IdleConnections(const LoadOptions& options, std::string_view first_request)
    : parts_{std::make_unique<Parts>(options, first_request)}
{
    auto& parts = *parts_;
    parts.connections.open_first();
    const auto deadline = std::chrono::steady_clock::now() + connect_time_max;
    while (parts.ready < parts.connections.size() && parts.failure.empty()) {
        parts.connections.loop.run_once(10ms);
        if (std::chrono::steady_clock::now() > deadline) parts.failure = "connecting took too long";
    }
    if (!parts.failure.empty()) throw std::runtime_error{"idle connections: " + parts.failure};
}

IdleConnections::~IdleConnections() = default;

} // namespace pointhouse::ops
