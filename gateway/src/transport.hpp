#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>

#include "client_authority.hpp"
#include "exchange.hpp"
#include "http_exchange.hpp"
#include "input_buffer.hpp"
#include "partner_limits.hpp"
#include "request_guard.hpp"
#include "transport_counters.hpp"
#include "transport_options.hpp"

namespace pointhouse::gateway {

namespace asio = boost::asio;

class Connection;

/// What the connections of one listener share: pools, limits, counters, the clock of the current
/// turn, and the list of those to look after at the end of it. One thread, the I/O loop's.
class Transport {
public:
    using Clock = std::chrono::steady_clock;

    Transport(
        asio::io_context& loop,
        const ListenerOptions& options,
        ExchangeHandler& handler,
        ClientAuthority& authority);
    ~Transport();

    /// The connection is looked at again behind everything that is ready now: once, however many of
    /// its exchanges finish until then, so that their answers leave in one write.
    void revisit(Connection& connection);
    /// Destroys the connection at the end of the turn. It must have no waits and no exchanges left.
    void retire(Connection& connection);
    void write_request_id(std::array<char, 32>& id) noexcept;
    /// Once per sweep: sets the clocks and the Date of responses.
    void set_clocks();

    ListenerOptions options;
    GuardRules rules;
    ExchangeHandler& handler;
    ClientAuthority& authority;
    TransportCounters counters;
    PartnerLimits partners;
    InputBufferPool buffers;
    ExchangePool exchanges;

    std::vector<std::unique_ptr<Connection>> connections;
    std::map<asio::ip::address, std::size_t> handshakes; // in progress, by peer

    std::string output; // where the responses of a turn are put together
    std::string date;
    std::int64_t unix_seconds = 0;
    Clock::time_point now;
    bool is_draining = false;

private:
    void schedule_end_of_turn();
    void end_turn();

    asio::io_context& loop_;
    std::vector<Connection*> revisits_;
    std::vector<Connection*> visiting_;
    std::vector<Connection*> retired_;
    bool is_end_scheduled_ = false;
    std::array<char, 16> request_id_prefix_{}; // of this process
    std::uint64_t last_request_ = 0;
};

} // namespace pointhouse::gateway
