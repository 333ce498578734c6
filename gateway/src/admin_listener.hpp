#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

namespace pointhouse::gateway {

/// What the admin listener serves. The functions run on the loop's thread and must not block.
struct AdminOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 9443; // 0: any free one
    /// What /readyz says with its 503; empty: ready, 200.
    std::function<std::string()> why_not_ready;
    std::function<std::string()> metrics; // /metrics, in the Prometheus text format
};

/// The operator's window on a running house: plain HTTP, loopback by default. /healthz says that
/// the loop turns, /readyz that messages are taken. It must outlive the loop's run.
class AdminListener {
public:
    /// Listens at once. Throws std::runtime_error when the address cannot be used.
    AdminListener(boost::asio::io_context& loop, AdminOptions options);
    ~AdminListener();

    [[nodiscard]] std::uint16_t port() const;
    /// Closes the door and what came through it.
    void stop();

private:
    class State;
    std::shared_ptr<State> state_; // shared with its sessions
};

} // namespace pointhouse::gateway
