#include "fault_proxy.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace pointhouse::ledger::test {
namespace {

constexpr int look_again_ms = 20;

sockaddr_in loopback(int port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/// Passes on what `from` has to say, at most until `total` reaches `limit`. False: it is over.
bool pass(int from, int to, std::atomic<std::int64_t>& total, std::int64_t limit, bool swallows)
{
    std::array<char, 4096> bytes{};
    const std::int64_t left = limit - total;
    if (left <= 0) return false;
    const auto wanted = static_cast<std::size_t>(
        std::min<std::int64_t>(left, static_cast<std::int64_t>(bytes.size())));
    const ssize_t size = ::recv(from, bytes.data(), wanted, 0);
    if (size <= 0) return false;
    total += size;
    ssize_t sent = 0;
    while (!swallows && sent < size) {
        const ssize_t part =
            ::send(to, bytes.data() + sent, static_cast<std::size_t>(size - sent), MSG_NOSIGNAL);
        if (part <= 0) return false;
        sent += part;
    }
    return total < limit;
}

} // namespace

FaultProxy::FaultProxy(int server_port) : server_port_{server_port}
{
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error{"the proxy cannot listen"};
    port_ = ntohs(address.sin_port);
    thread_ = std::thread{[this] { accept_all(); }};
}

FaultProxy::~FaultProxy()
{
    ends_ = true;
    thread_.join();
    while (carried_ > 0) std::this_thread::yield();
    ::close(listener_);
}

void FaultProxy::reset()
{
    swallows_ = false;
    client_limit_ = INT64_MAX;
    server_limit_ = INT64_MAX;
    client_bytes_ = 0;
    server_bytes_ = 0;
}

void FaultProxy::accept_all()
{
    pollfd waiting{.fd = listener_, .events = POLLIN, .revents = 0};
    while (!ends_) {
        if (::poll(&waiting, 1, look_again_ms) <= 0) continue;
        const int client = ::accept(listener_, nullptr, nullptr);
        if (client < 0) continue;
        ++carried_;
        std::thread{[this, client] {
            carry(client);
            ::close(client);
            --carried_;
        }}.detach();
    }
}

void FaultProxy::carry(int client)
{
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(server_port_);
    const int now = 1;
    ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &now, sizeof now);
    ::setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &now, sizeof now);
    bool goes_on =
        ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    std::array<pollfd, 2> ends{
        pollfd{.fd = client, .events = POLLIN, .revents = 0},
        pollfd{.fd = server, .events = POLLIN, .revents = 0}};
    while (goes_on && !ends_) {
        if (::poll(ends.data(), ends.size(), look_again_ms) <= 0) continue;
        if (ends[0].revents != 0)
            goes_on = pass(client, server, client_bytes_, client_limit_, false);
        if (goes_on && ends[1].revents != 0)
            goes_on = pass(server, client, server_bytes_, server_limit_, swallows_);
    }
    ::close(server);
}

} // namespace pointhouse::ledger::test
