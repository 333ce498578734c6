#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "router.hpp"

namespace pointhouse::gateway {

/// How long the transport waits for what. Deadlines are checked by one sweep over all connections,
/// so each may be exceeded by one sweep.
struct TransportDeadlines {
    using Milliseconds = std::chrono::milliseconds;
    Milliseconds handshake = std::chrono::seconds{5};
    Milliseconds header = std::chrono::seconds{10}; // from its first byte to its last
    Milliseconds body = std::chrono::seconds{10};   // and its length at the lowest rate
    Milliseconds idle = std::chrono::seconds{60};
    Milliseconds shutdown = std::chrono::seconds{2}; // for the peer's side of the close
    Milliseconds drain = std::chrono::seconds{10};
    Milliseconds sweep = std::chrono::seconds{1};
    Milliseconds accept_pause = std::chrono::milliseconds{100}; // when file descriptors run out
    std::uint64_t bytes_per_second_min =
        16UL * 1024; // of a body that comes, of an answer that goes
};

/// How much one partner, one peer and all of them together may take.
struct TransportLimits {
    std::size_t connections_max = 16'000;
    std::size_t connections_per_partner_max = 8'000;
    std::size_t handshakes_per_peer_max = 1'000; // at the same time, per address
    std::size_t in_flight_max = 65'536;
    std::size_t in_flight_per_partner_max = 32'768;
    std::uint64_t requests_per_second = 1'000'000; // per partner, sustained
    std::uint64_t requests_burst = 200'000;
    std::size_t large_input_bytes_max = std::size_t{256} << 20U; // bodies over 16 KiB, all together
};

/// Where the house listens, as whom, and within which bounds.
struct ListenerOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8443;    // 0: any free one
    std::string certificate_file; // PEM, with its chain
    std::string key_file;         // PEM, readable by its owner alone
    std::string ca_file;          // PEM: whose client certificates are accepted
    /// Further values of Host, "name" or "name:port"; localhost and the loopback addresses are
    /// always accepted, with and without the port.
    std::vector<std::string> allowed_hosts;
    std::span<const Route> operator_routes{}; // of this house; they outlive the listener
    TransportDeadlines deadlines;
    TransportLimits limits;
};

} // namespace pointhouse::gateway
