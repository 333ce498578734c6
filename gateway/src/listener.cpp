#include "listener.hpp"

#include <algorithm>
#include <csignal>
#include <fmt/format.h>
#include <stdexcept>
#include <string>
#include <utility>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include "connection.hpp"
#include "tls_context.hpp"
#include "transport.hpp"

namespace pointhouse::gateway {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;
using Timer = asio::basic_waitable_timer<
    Transport::Clock,
    asio::wait_traits<Transport::Clock>,
    asio::io_context::executor_type>;

constexpr int backlog_connections = 4096;
constexpr TransportDeadlines::Milliseconds drain_pause{20}; // between looks at who is still here

void open(Acceptor& acceptor, const ListenerOptions& options)
{
    try {
        const tcp::endpoint endpoint{asio::ip::make_address(options.address), options.port};
        acceptor.open(endpoint.protocol());
        acceptor.set_option(tcp::acceptor::reuse_address{true});
        acceptor.bind(endpoint);
        acceptor.listen(backlog_connections);
    } catch (const boost::system::system_error& error) {
        throw std::runtime_error{fmt::format(
            "cannot listen on {}:{}: {}", options.address, options.port, error.code().message())};
    }
}

/// Every value of Host that means this house: each name alone, and with the port where it has none.
std::vector<std::string> host_values(const ListenerOptions& options, std::uint16_t port)
{
    std::vector<std::string> names{"127.0.0.1", "localhost", "[::1]"};
    names.insert(names.end(), options.allowed_hosts.begin(), options.allowed_hosts.end());
    std::vector<std::string> values;
    for (const std::string& name : names) {
        const auto colon = name.rfind(':');
        const bool has_port =
            colon != std::string::npos && name.find(']', colon) == std::string::npos;
        if (!has_port) values.push_back(fmt::format("{}:{}", name, port));
        values.push_back(name);
    }
    return values;
}

} // namespace

class Listener::State {
public:
    State(
        asio::io_context& loop,
        const ListenerOptions& options,
        ExchangeHandler& handler,
        ClientAuthority& authority)
        : loop_{loop}, transport_{loop, options, handler, authority},
          tls_{make_tls_context(options)}, acceptor_{loop.get_executor()},
          sweep_{loop.get_executor()}, pause_{loop.get_executor()}
    {
        std::signal(SIGPIPE, SIG_IGN);
        open(acceptor_, options);
        transport_.rules.hosts = host_values(options, port());
        transport_.rules.operator_routes = options.operator_routes;
        accept();
        sweep_later();
    }

    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    [[nodiscard]] const TransportCounters& counters() const { return transport_.counters; }

    void reload_certificates() { tls_ = make_tls_context(transport_.options); }

    void drain(std::function<void()> done)
    {
        drained_ = std::move(done);
        transport_.is_draining = true;
        transport_.now = Transport::Clock::now();
        drain_ends_ = transport_.now + transport_.options.deadlines.drain;
        error_code ignored; // a listening socket that fails to close takes no connection either
        acceptor_.close(ignored);
        pause_.cancel();
        for (const auto& connection : transport_.connections) connection->drain();
        if (!finish_drain()) sweep_later();
    }

private:
    void accept()
    {
        acceptor_.async_accept(loop_.get_executor(), [this](error_code error, TcpSocket socket) {
            if (!acceptor_.is_open()) return;
            if (!error) begin(std::move(socket));
            // Without descriptors the connection stays in the queue and accepting fails at once,
            // again and again.
            const bool is_short = error == error_code{EMFILE, boost::system::system_category()} ||
                                  error == error_code{ENFILE, boost::system::system_category()} ||
                                  error == asio::error::no_buffer_space ||
                                  error == asio::error::no_memory;
            if (is_short) return accept_later();
            accept();
        });
    }

    void accept_later()
    {
        ++transport_.counters.accept_pauses;
        pause_.expires_after(transport_.options.deadlines.accept_pause);
        pause_.async_wait([this](error_code error) {
            if (!error && acceptor_.is_open()) accept();
        });
    }

    void begin(TcpSocket socket)
    {
        TransportCounters& counters = transport_.counters;
        ++counters.connections_accepted;
        error_code error;
        const auto peer = socket.remote_endpoint(error).address();
        if (error) return; // it has gone already
        const TransportLimits& limits = transport_.options.limits;
        const auto handshakes = transport_.handshakes.find(peer);
        const bool is_greedy = handshakes != transport_.handshakes.end() &&
                               handshakes->second >= limits.handshakes_per_peer_max;
        if (is_greedy || transport_.connections.size() >= limits.connections_max) {
            ++counters.connections_refused;
            return; // closed by its destructor
        }
        socket.set_option(tcp::no_delay{true}, error);
        socket.native_non_blocking(true, error);
        if (error) return;
        transport_.now = Transport::Clock::now();
        auto connection =
            std::make_unique<Connection>(std::move(socket), peer, tls_.get(), transport_);
        connection->set_place(transport_.connections.size());
        transport_.connections.push_back(std::move(connection));
        counters.connections_open = transport_.connections.size();
        transport_.connections.back()->start();
    }

    void sweep_later()
    {
        const auto pause = transport_.options.deadlines.sweep;
        sweep_.expires_after(transport_.is_draining ? std::min(pause, drain_pause) : pause);
        sweep_.async_wait([this](error_code error) {
            if (error) return;
            transport_.set_clocks();
            // A connection that closes now is destroyed at the end of the turn, not under this
            // loop.
            for (const auto& connection : transport_.connections) connection->check_deadline();
            if (transport_.is_draining && finish_drain()) return;
            sweep_later();
        });
    }

    /// True when the drain is over.
    bool finish_drain()
    {
        if (!drained_) return true;
        const bool is_late = Transport::Clock::now() >= drain_ends_;
        if (is_late) {
            for (const auto& connection : transport_.connections) connection->close();
        }
        if (!is_late && !transport_.connections.empty()) return false;
        sweep_.cancel();
        asio::post(loop_, std::exchange(drained_, {}));
        return true;
    }

    asio::io_context& loop_;
    Transport transport_;
    TlsContext tls_;
    Acceptor acceptor_;
    Timer sweep_;
    Timer pause_;
    std::function<void()> drained_;
    Transport::Clock::time_point drain_ends_;
};

Listener::Listener(
    asio::io_context& loop,
    const ListenerOptions& options,
    ExchangeHandler& handler,
    ClientAuthority& authority)
    : state_{std::make_unique<State>(loop, options, handler, authority)}
{}

Listener::~Listener() = default;

std::uint16_t Listener::port() const
{
    return state_->port();
}

const TransportCounters& Listener::counters() const
{
    return state_->counters();
}

void Listener::drain(std::function<void()> done)
{
    state_->drain(std::move(done));
}

void Listener::reload_certificates()
{
    state_->reload_certificates();
}

} // namespace pointhouse::gateway
