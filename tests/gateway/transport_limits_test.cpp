#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "partner_limits.hpp"
#include "transport_fixture.hpp"

namespace pointhouse::gateway {
namespace {

using namespace std::chrono_literals;
using testing::get_request;
using testing::post_request;
using testing::ReceivedAnswer;
using testing::TestClient;
using testing::TestServer;

ListenerOptions hasty()
{
    ListenerOptions options;
    options.deadlines.handshake = 200ms;
    options.deadlines.header = 200ms;
    options.deadlines.body = 200ms;
    options.deadlines.idle = 600ms;
    options.deadlines.shutdown = 200ms;
    options.deadlines.sweep = 20ms;
    options.deadlines.bytes_per_second_min = 10'000;
    return options;
}

/// How long the house waits, sent a byte each 50 ms of `bytes`, until it closes.
std::chrono::milliseconds time_until_closed(TestClient& client, const std::string& bytes)
{
    client.set_timeout(50ms);
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t at = 0; std::chrono::steady_clock::now() - start < 4s; ++at) {
        if (at < bytes.size()) client.send({&bytes[at], 1});
        if (client.is_closed_by_house()) break;
    }
    return std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - start);
}

TEST(TransportDeadlines, EndAHeaderThatDrips)
{
    TestServer server{hasty()};
    TestClient client{server.port, &server.partner};
    const auto waited = time_until_closed(client, get_request("/v1/echo") + std::string(200, 'x'));
    EXPECT_GE(waited, 150ms);
    EXPECT_LT(waited, 1500ms);
    EXPECT_EQ(server.counters().deadlines_passed, 1U);
    EXPECT_EQ(server.handler.begun, 0U);
}

TEST(TransportDeadlines, GiveABodyTimeForItsLength)
{
    TestServer server{hasty()};
    const std::string head = "POST /v1/accruals HTTP/1.1\r\nHost: localhost\r\n"
                             "Content-Type: application/json\r\nContent-Length: ";
    TestClient small{server.port, &server.partner};
    ASSERT_TRUE(small.send(head + "100\r\n\r\n"));
    EXPECT_LT(time_until_closed(small, std::string(99, 'x')), 1000ms);
    TestClient large{server.port, &server.partner};
    ASSERT_TRUE(large.send(head + "10000\r\n\r\n"));
    EXPECT_GE(time_until_closed(large, std::string(99, 'x')), 1100ms);
}

TEST(TransportDeadlines, EndAnIdleConnection)
{
    TestServer server{hasty()};
    TestClient client{server.port, &server.partner};
    ASSERT_TRUE(client.send(get_request("/v1/echo")));
    ASSERT_TRUE(client.receive());
    const auto waited = time_until_closed(client, "");
    EXPECT_GE(waited, 500ms);
    EXPECT_LT(waited, 2000ms);
    EXPECT_TRUE(
        server.eventually([&] { return server.listener->counters().connections_open == 0; }));
}

TEST(TransportDeadlines, EndASilentHandshake)
{
    TestServer server{hasty()};
    const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::send(descriptor, "\x16\x03\x01", 3, 0), 3);
    EXPECT_TRUE(
        server.eventually([&] { return server.listener->counters().handshakes_failed == 1; }));
    char byte = 0;
    EXPECT_LE(::recv(descriptor, &byte, 1, 0), 0);
    ::close(descriptor);
}

TEST(TransportDeadlines, LeaveARequestThatWaitsForItsAnswerAlone)
{
    TestServer server{hasty()};
    TestClient client{server.port, &server.partner};
    ASSERT_TRUE(client.send(get_request("/v1/messages/hold")));
    std::this_thread::sleep_for(1s);
    server.on_loop([&] { server.handler.release(); });
    EXPECT_EQ(client.receive().value_or(ReceivedAnswer{}).status, 200);
}

TEST(TransportDeadlines, EndAReaderThatTakesNothing)
{
    TestServer server{hasty()};
    TestClient client{server.port, &server.partner};
    std::string bytes;
    for (int i = 0; i < 20; ++i) bytes += get_request("/v1/messages/large-1000000");
    ASSERT_TRUE(client.send(bytes));
    std::this_thread::sleep_for(1s); // the largest backlog is a megabyte: 0.2 s + 100 s
    EXPECT_EQ(server.counters().connections_open, 1U);
    ListenerOptions options = hasty();
    options.deadlines.bytes_per_second_min = 10'000'000;
    TestServer strict{options};
    TestClient slow{strict.port, &strict.partner};
    ASSERT_TRUE(slow.send(bytes));
    EXPECT_TRUE(
        strict.eventually([&] { return strict.listener->counters().deadlines_passed == 1; }));
    EXPECT_TRUE(
        strict.eventually([&] { return strict.listener->counters().connections_open == 0; }));
}

TEST(TransportLimits, RefusesRequestsBeyondTheRate)
{
    ListenerOptions options;
    options.limits.requests_per_second = 1;
    options.limits.requests_burst = 3;
    TestServer server{options};
    TestClient client{server.port, &server.partner};
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(client.send(get_request("/v1/echo")));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(client.receive().value_or(ReceivedAnswer{}).status, 200);
    const auto refused = client.receive();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 429);
    EXPECT_NE(refused->body.find("rate_limited"), std::string::npos);
    EXPECT_NE(refused->header.find("\r\nRetry-After: 1\r\n"), std::string::npos);
    EXPECT_NE(
        refused->header.find("\r\nRateLimit-Policy: \"partner\";q=3;w=3\r\n"), std::string::npos);
    EXPECT_NE(refused->header.find("\r\nRateLimit: \"partner\";r=0;t=1\r\n"), std::string::npos);

    // Another partner has a bucket of its own, and this one's fills again.
    const auto other_identity = server.ca.issue("HTL");
    TestClient other{server.port, &other_identity};
    ASSERT_TRUE(other.send(get_request("/v1/echo")));
    EXPECT_EQ(other.receive().value_or(ReceivedAnswer{}).status, 200);
    std::this_thread::sleep_for(1100ms);
    ASSERT_TRUE(client.send(get_request("/v1/echo")));
    EXPECT_EQ(client.receive().value_or(ReceivedAnswer{}).status, 200);
}

TEST(TransportLimits, RefillsTokensAtTheRateUpToTheBurst)
{
    TransportLimits limits;
    limits.requests_per_second = 10;
    limits.requests_burst = 5;
    PartnerLimits partners{limits};
    CallerUse& use = partners.use_of({Caller::Kind::partner, "GRO", ledger::PartnerId{1}});
    const PartnerLimits::TimePoint start{1h};
    const auto taken_at = [&](std::chrono::milliseconds after) {
        int taken = 0;
        while (partners.take_token(use, start + after)) ++taken;
        return taken;
    };
    EXPECT_EQ(taken_at(0ms), 5);
    EXPECT_EQ(taken_at(99ms), 0);
    EXPECT_EQ(taken_at(100ms), 1);
    EXPECT_EQ(taken_at(350ms), 2);
    EXPECT_EQ(taken_at(100s), 5);
    // An operator of the same name is somebody else.
    EXPECT_NE(&use, &partners.use_of({Caller::Kind::house_operator, "GRO", {}}));
    EXPECT_EQ(&use, &partners.use_of({Caller::Kind::partner, "GRO", ledger::PartnerId{1}}));
}

TEST(TransportLimits, RefusesMoreRequestsAtOnceThanAllowed)
{
    ListenerOptions options;
    options.limits.in_flight_per_partner_max = 2;
    TestServer server{options};
    server.handler.holds_all = true;
    TestClient client{server.port, &server.partner};
    TestClient second{server.port, &server.partner};
    ASSERT_TRUE(client.send(get_request("/v1/echo") + get_request("/v1/echo")));
    ASSERT_TRUE(server.eventually([&] { return server.handler.held() == 2; }));
    ASSERT_TRUE(second.send(get_request("/v1/echo")));
    const auto refused = second.receive();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 503);
    EXPECT_NE(refused->body.find("overloaded"), std::string::npos);
    EXPECT_NE(refused->header.find("\r\nRetry-After: 1\r\n"), std::string::npos);
    server.on_loop([&] {
        server.handler.holds_all = false;
        server.handler.release();
    });
    ASSERT_TRUE(client.receive());
    ASSERT_TRUE(second.send(get_request("/v1/echo")));
    EXPECT_EQ(second.receive().value_or(ReceivedAnswer{}).status, 200);
}

TEST(TransportLimits, CapsConnectionsInAllAndPerPartner)
{
    ListenerOptions options;
    options.limits.connections_max = 4;
    options.limits.connections_per_partner_max = 2;
    TestServer server{options};
    TestClient first{server.port, &server.partner};
    TestClient second{server.port, &server.partner};
    TestClient third{server.port, &server.partner};
    ASSERT_TRUE(third.send(get_request("/v1/echo")));
    EXPECT_EQ(third.receive().value_or(ReceivedAnswer{}).status, 503);
    EXPECT_TRUE(third.is_closed_by_house());

    const auto other_identity = server.ca.issue("HTL");
    std::vector<std::unique_ptr<TestClient>> clients;
    for (int i = 0; i < 4; ++i) {
        clients.push_back(std::make_unique<TestClient>(server.port, &other_identity));
    }
    EXPECT_FALSE(clients.back()->is_connected());
    EXPECT_GE(server.counters().connections_refused, 1U);
    ASSERT_TRUE(first.send(get_request("/v1/echo")));
    EXPECT_EQ(first.receive().value_or(ReceivedAnswer{}).status, 200);
}

TEST(TransportLimits, CapsHandshakesPerPeer)
{
    ListenerOptions options;
    options.limits.handshakes_per_peer_max = 2;
    TestServer server{options};
    std::vector<int> descriptors;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 3; ++i) {
        descriptors.push_back(::socket(AF_INET, SOCK_STREAM, 0));
        ::connect(descriptors.back(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    EXPECT_TRUE(
        server.eventually([&] { return server.listener->counters().connections_refused == 1; }));
    for (const int descriptor : descriptors) ::close(descriptor);
    EXPECT_TRUE(
        server.eventually([&] { return server.listener->counters().connections_open == 0; }));
    TestClient client{server.port, &server.partner};
    EXPECT_TRUE(client.is_connected());
}

std::chrono::microseconds processor_time()
{
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec});
}

TEST(TransportLimits, PausesWhenDescriptorsRunOut)
{
    TestServer server;
    TestClient before{server.port, &server.partner};
    std::vector<int> waiting;
    for (int i = 0; i < 4; ++i) waiting.push_back(::socket(AF_INET, SOCK_STREAM, 0));
    rlimit usual{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
    const int next = ::dup(0); // the lowest free number: from here on there are none
    ::close(next);
    rlimit tight = usual;
    tight.rlim_cur = static_cast<rlim_t>(next);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);

    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (const int descriptor : waiting) {
        ::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    const auto start = processor_time();
    std::this_thread::sleep_for(1s);
    const auto used = processor_time() - start;
    before.send(get_request("/v1/echo"));
    const auto answer = before.receive();
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);

    EXPECT_LT(used, 100ms); // 100 % of a core without the pause
    EXPECT_EQ(answer.value_or(ReceivedAnswer{}).status, 200);
    const auto pauses = server.counters().accept_pauses;
    EXPECT_GE(pauses, 3U);
    EXPECT_LE(pauses, 15U);
    for (const int descriptor : waiting) ::close(descriptor);
    TestClient after{server.port, &server.partner};
    EXPECT_TRUE(after.is_connected());
}

TEST(TransportDrain, AnswersWhatWasReceivedAndCloses)
{
    TestServer server;
    TestClient idle{server.port, &server.partner};
    ASSERT_TRUE(idle.send(get_request("/v1/echo")));
    ASSERT_TRUE(idle.receive());
    TestClient busy{server.port, &server.partner};
    ASSERT_TRUE(busy.send(get_request("/v1/messages/hold") + get_request("/v1/echo")));
    ASSERT_TRUE(server.eventually([&] { return server.handler.held() == 1; }));
    bool is_drained = false;

    server.on_loop([&] { server.listener->drain([&] { is_drained = true; }); });

    EXPECT_TRUE(idle.is_closed_by_house());
    TestClient late{server.port, &server.partner};
    EXPECT_FALSE(late.is_connected());
    std::this_thread::sleep_for(100ms);
    bool is_drained_early = true;
    server.on_loop([&] {
        is_drained_early = is_drained;
        server.handler.release();
    });
    EXPECT_FALSE(is_drained_early);
    const auto first = busy.receive();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->body, testing::text_of(RouteId::message) + " hold   GRO");
    EXPECT_EQ(first->header.find("Connection: close"), std::string::npos);
    const auto last = busy.receive();
    ASSERT_TRUE(last);
    EXPECT_NE(last->header.find("\r\nConnection: close\r\n"), std::string::npos);
    EXPECT_TRUE(busy.is_closed_by_house());
}

TEST(TransportDrain, IsOverWhenTheLastClientHasGone)
{
    TestServer server;
    bool is_drained = false;
    {
        TestClient client{server.port, &server.partner};
        server.on_loop([&] { server.listener->drain([&] { is_drained = true; }); });
    }
    EXPECT_TRUE(server.eventually([&] { return is_drained; }));
}

TEST(TransportDrain, IsBoundedWhenTheHouseDoesNotAnswer)
{
    ListenerOptions options = hasty();
    options.deadlines.drain = 300ms;
    TestServer server{options};
    TestClient client{server.port, &server.partner};
    ASSERT_TRUE(client.send(get_request("/v1/messages/hold")));
    ASSERT_TRUE(server.eventually([&] { return server.handler.held() == 1; }));
    bool is_drained = false;
    server.on_loop([&] { server.listener->drain([&] { is_drained = true; }); });
    EXPECT_TRUE(server.eventually([&] { return is_drained; }));
    EXPECT_FALSE(client.receive());
    server.on_loop([&] { server.handler.release(); }); // still valid
}

std::size_t resident_kib()
{
    std::size_t pages = 0;
    std::FILE* const file = std::fopen("/proc/self/statm", "r");
    if (std::fscanf(file, "%*u %zu", &pages) != 1) pages = 0;
    std::fclose(file);
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 1024;
}

struct IdleOrder {
    std::uint16_t port;
    char certificate_file[200];
    char key_file[200];
};

/// In a process of its own, so that the clients' memory is not counted: connects, asks once on each
/// connection, says so with a byte, and stays until the pipe closes.
[[noreturn]] void run_idle_clients(int port_pipe, int ready_pipe)
{
    IdleOrder order{};
    if (::read(port_pipe, &order, sizeof order) != sizeof order) ::_exit(1);
    const testing::TestCa::Identity identity{order.certificate_file, order.key_file, {}};
    std::vector<std::unique_ptr<TestClient>> clients;
    for (int i = 0; i < 64 + 8; ++i) {
        clients.push_back(std::make_unique<TestClient>(order.port, &identity));
        if (!clients.back()->send(get_request("/v1/echo"))) ::_exit(1);
        if (!clients.back()->receive()) ::_exit(1);
        if (i != 7 && i != 64 + 7) continue; // the first eight warm the pools up
        char go = 0;
        if (::write(ready_pipe, "r", 1) != 1 || ::read(port_pipe, &go, 1) != 1) ::_exit(1);
    }
    ::_exit(0);
}

TEST(TransportLimits, AnIdleConnectionIsSmall)
{
#if defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "a sanitizer's memory says nothing";
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    GTEST_SKIP() << "a sanitizer's memory says nothing";
#endif
#endif
    // What earlier tests freed would be taken again unseen: the measurement needs a fresh process.
    if (std::getenv("POINTHOUSE_MEASURES_ALONE") == nullptr) {
        const auto self = std::filesystem::read_symlink("/proc/self/exe").string();
        const std::string command = "POINTHOUSE_MEASURES_ALONE=1 '" + self +
                                    "' --gtest_filter=TransportLimits.AnIdleConnectionIsSmall";
        EXPECT_EQ(std::system(command.c_str()), 0); // NOLINT(cert-env33-c): our own name
        return;
    }
    int orders[2];
    int answers[2];
    ASSERT_EQ(::pipe(orders), 0);
    ASSERT_EQ(::pipe(answers), 0);
    const pid_t child = ::fork(); // before the server's thread is there
    if (child == 0) run_idle_clients(orders[0], answers[1]);

    TestServer server;
    IdleOrder order{};
    order.port = server.port;
    std::snprintf(order.certificate_file, 200, "%s", server.partner.certificate_file.c_str());
    std::snprintf(order.key_file, 200, "%s", server.partner.key_file.c_str());
    ASSERT_EQ(::write(orders[1], &order, sizeof order), ssize_t{sizeof order});
    char byte = 0;
    ASSERT_EQ(::read(answers[0], &byte, 1), 1);
    const std::size_t before = resident_kib();
    ASSERT_EQ(::write(orders[1], "g", 1), 1);
    ASSERT_EQ(::read(answers[0], &byte, 1), 1);
    const std::size_t after = resident_kib();
    EXPECT_EQ(server.counters().connections_open, 72U);
    ASSERT_EQ(::write(orders[1], "g", 1), 1);
    ::waitpid(child, nullptr, 0);
    for (const int descriptor : {orders[0], orders[1], answers[0], answers[1]}) ::close(descriptor);

    const double each = static_cast<double>(after - before) / 64;
    std::printf("64 idle connections: %.1f KiB each\n", each);
    EXPECT_GT(each, 4); // else the measurement has missed them
    EXPECT_LE(each, 40);
}

} // namespace
} // namespace pointhouse::gateway
