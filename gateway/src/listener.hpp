#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>

#include "client_authority.hpp"
#include "exchange.hpp"
#include "transport_counters.hpp"
#include "transport_options.hpp"

namespace pointhouse::gateway {

/// The partners' door: HTTP/1.1 over mutual TLS on one address. All of it runs on the one thread
/// that runs the loop. The loop must have stopped, or drained, before the listener is destroyed,
/// and so must the handler: it may not finish an exchange afterwards.
class Listener {
public:
    /// Listens at once. Throws std::runtime_error when a file or the address cannot be used.
    /// Ignores SIGPIPE in the whole process, because OpenSSL writes to sockets whose peer may be
    /// gone.
    Listener(
        boost::asio::io_context& loop,
        const ListenerOptions& options,
        ExchangeHandler& handler,
        ClientAuthority& authority);
    ~Listener();

    /// The port that it listens on, also when the options left it open.
    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] const TransportCounters& counters() const;

    /// Accepts no more, answers what has been received, closes; calls `done` when no connection is
    /// left or the time for it is over.
    void drain(std::function<void()> done);

    /// Reads certificate, key and CA again, for new connections. Throws std::runtime_error and
    /// keeps the old ones when they are not usable.
    void reload_certificates();

private:
    class State;
    std::unique_ptr<State> state_;
};

} // namespace pointhouse::gateway
