#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/connection.hpp"

namespace pointhouse::client {

struct ChannelOptions {
    std::size_t connections = 1;
    std::size_t pipeline_max = 16;                    // requests in flight on one connection
    std::chrono::milliseconds answer_timeout{30'000}; // then the connection is given up
    std::chrono::milliseconds give_up_after{60'000};  // of trying again without an answer
};

/// A partner's way to the house: a few connections that pipeline requests, are opened again when
/// they drop, and send again what was not answered. That is safe because the house answers the same
/// message id with the first outcome. 503 and 429 are tried again, too, until `give_up_after`.
/// Requests are independent: order is the caller's business, who waits for an answer.
/// One thread, the loop's.
class Channel final : private ConnectionObserver {
public:
    using OnAnswer = std::function<void(const Answer&)>;

    /// Connects when the first request is sent. Throws SetupFault.
    Channel(
        Loop& loop,
        const Endpoint& endpoint,
        const Credentials& credentials,
        ChannelOptions options);
    ~Channel() override;
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    /// Sends a request (`format_request`), and calls `on_answer` exactly once, from the loop. An
    /// answer of status 0 means that the house could not be reached in time: the outcome is
    /// unknown.
    void send(std::string request, OnAnswer on_answer);

    /// How many requests were sent another time, whatever the cause.
    [[nodiscard]] std::uint64_t sent_again() const { return sent_again_; }

private:
    struct Pending {
        std::string request;
        OnAnswer on_answer;
        int losses = 0;   // connections lost while it was the next to be answered
        int put_offs = 0; // 503 and 429 in a row
        Instant put_off_since{};
    };
    struct Lane {
        std::unique_ptr<Connection> connection;
        std::deque<Pending> in_flight{};
        bool resting = false; // before it is opened again
    };

    void opened(Connection& connection) override;
    void answered(Connection& connection, const Answer& answer) override;
    void lost(Connection& connection, std::string_view reason, bool refused) override;

    Lane& lane_of(const Connection& connection);
    Lane* find_lane_with_room();
    void fill_lanes();
    void open_a_lane();
    void rest(Lane& lane);
    void put_off(Pending pending, const Answer& answer);
    void fail_all(std::string_view reason);
    void watch_timeouts();
    void give_up_silent_lanes();
    void after(std::chrono::milliseconds delay, std::function<void()> action);

    Loop& loop_;
    Endpoint endpoint_;
    TlsIdentity identity_;
    ChannelOptions options_;
    std::vector<Lane> lanes_;
    std::deque<Pending> waiting_;
    std::optional<Instant> trouble_since_; // connections are lost and nothing is answered
    int losses_ = 0;                       // since then
    std::uint64_t sent_again_ = 0;
    bool watching_ = false;
    std::shared_ptr<const bool> alive_; // timers may outlive the channel: they hold it weakly
};

} // namespace pointhouse::client
