#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "transport_fixture.hpp"

namespace pointhouse::gateway {
namespace {

using testing::get_request;
using testing::post_request;
using testing::ReceivedAnswer;
using testing::TestClient;
using testing::TestServer;

bool has_code(const ReceivedAnswer& answer, const std::string& code)
{
    return answer.body.find("\"code\":\"" + code + "\"") != std::string::npos;
}

/// Sends the bytes and expects one problem, then the end, although a good request follows.
void expect_one_problem_and_the_end(
    TestServer& server, const std::string& bytes, int status, const std::string& code)
{
    SCOPED_TRACE(bytes.substr(0, 200));
    TestClient client{server.port, &server.partner};
    ASSERT_TRUE(client.is_connected());
    ASSERT_TRUE(client.send(bytes + get_request("/v1/echo")));
    const auto answer = client.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, status);
    EXPECT_TRUE(has_code(*answer, code)) << answer->body;
    EXPECT_NE(answer->header.find("\r\nConnection: close\r\n"), std::string::npos);
    EXPECT_TRUE(client.is_closed_by_house());
}

TEST(TransportSession, AnswersOneRequest)
{
    TestServer server;
    TestClient client{server.port, &server.partner};
    ASSERT_TRUE(client.is_connected());

    ASSERT_TRUE(client.send(post_request("/v1/accruals", R"({"points":1})")));
    const auto answer = client.receive();

    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, R"(0   {"points":1} GRO)");
    EXPECT_TRUE(
        answer->header.starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"));
    const auto id = answer->header.find("\r\nRequest-Id: ");
    ASSERT_NE(id, std::string::npos);
    EXPECT_EQ(answer->header.find("\r\n", id + 2) - id, 14 + 32U);
    EXPECT_NE(answer->header.find(" GMT\r\n"), std::string::npos);
}

TEST(TransportSession, DecodesPathParameters)
{
    TestServer server;
    TestClient client{server.port, &server.partner};
    ASSERT_TRUE(client.send(get_request("/v1/members/a%40b%3ac%2Fd/entries?limit=5")));
    const auto answer = client.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, testing::text_of(RouteId::member_entries) + " a@b:c/d limit=5  GRO");
}

TEST(TransportSession, AnswersPipelinedRequestsInOrder)
{
    TestServer server;
    TestClient client{server.port, &server.partner};
    std::string bytes;
    for (int i = 0; i < 64; ++i) bytes += get_request("/v1/messages/m" + std::to_string(i));
    const auto before = server.counters();

    ASSERT_TRUE(client.send(bytes));

    for (int i = 0; i < 64; ++i) {
        const auto answer = client.receive();
        ASSERT_TRUE(answer) << i;
        EXPECT_EQ(
            answer->body, testing::text_of(RouteId::message) + " m" + std::to_string(i) + "   GRO");
    }
    EXPECT_EQ(server.counters().answers_by_class[2] - before.answers_by_class[2], 64U);
}

TEST(TransportSession, KeepsTheOrderWhenTheHouseDecidesInAnother)
{
    TestServer server;
    server.handler.holds_all = true;
    TestClient client{server.port, &server.partner};
    std::string bytes;
    for (int i = 0; i < 20; ++i) bytes += get_request("/v1/messages/m" + std::to_string(i));
    ASSERT_TRUE(client.send(bytes));
    ASSERT_TRUE(server.eventually([&] { return server.handler.held() == 20; }));
    EXPECT_EQ(server.counters().requests_in_flight, 20U);

    server.on_loop([&] { server.handler.release(); }); // youngest first

    for (int i = 0; i < 20; ++i) {
        const auto answer = client.receive();
        ASSERT_TRUE(answer) << i;
        EXPECT_EQ(
            answer->body, testing::text_of(RouteId::message) + " m" + std::to_string(i) + "   GRO");
    }
    EXPECT_EQ(server.counters().requests_in_flight, 0U);
}

TEST(TransportSession, ReadsOneByteAtATime)
{
    TestServer server;
    TestClient client{server.port, &server.partner};
    const std::string bytes = post_request("/v1/accruals", "{}") + get_request("/v1/echo");
    for (const char byte : bytes) ASSERT_TRUE(client.send({&byte, 1}));
    EXPECT_EQ(
        client.receive().value_or(ReceivedAnswer{}).body,
        testing::text_of(RouteId::accruals) + "   {} GRO");
    EXPECT_EQ(
        client.receive().value_or(ReceivedAnswer{}).body,
        testing::text_of(RouteId::echo) + "    GRO");
}

// Property: however a stream of requests is cut into writes, and whenever the house decides, each
// gets its own answer, in order.
TEST(TransportSession, AnswersTheSameHoweverTheBytesAreCut)
{
    TestServer server;
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        SCOPED_TRACE(::testing::Message() << "seed " << seed);
        std::mt19937_64 random{seed};
        TestClient client{server.port, &server.partner};
        std::string bytes;
        std::vector<std::string> expected;
        for (int i = 0; i < 150; ++i) {
            const std::string body(65 + random() % (random() % 8 == 0 ? 60'000 : 700), 'b');
            if (random() % 3 == 0) {
                const std::string id = random() % 4 == 0 ? "hold" : "m";
                bytes += get_request("/v1/messages/" + id);
                expected.push_back(testing::text_of(RouteId::message) + " " + id + "   GRO");
            } else {
                bytes += post_request("/v1/redemptions", body);
                expected.push_back(
                    testing::text_of(RouteId::redemptions) + "   " + std::to_string(body.size()) +
                    " GRO");
            }
        }
        // Both run until all is answered: the house pauses while a held request fills its buffer.
        std::atomic<bool> is_over = false;
        std::thread releaser{[&] {
            while (!is_over) {
                server.on_loop([&] { server.handler.release(); });
                std::this_thread::sleep_for(std::chrono::milliseconds{1});
            }
        }};
        for (std::size_t at = 0; at < bytes.size();) {
            const std::size_t size = 1 + random() % (random() % 4 == 0 ? 40 : 30'000);
            EXPECT_TRUE(client.send(std::string_view{bytes}.substr(at, size)));
            at += size;
        }
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const auto answer = client.receive();
            EXPECT_TRUE(answer) << i;
            if (!answer) break;
            EXPECT_EQ(answer->body, expected[i]) << i;
        }
        is_over = true;
        releaser.join();
    }
}

TEST(TransportSession, RefusesMalformedRequestsOnceAndCloses)
{
    TestServer server;
    const std::string post = "POST /v1/accruals HTTP/1.1\r\nHost: localhost\r\n"
                             "Content-Type: application/json\r\n";
    const std::string chunk = "5\r\nhello\r\n0\r\n\r\n";
    struct Case {
        std::string bytes;
        int status;
        std::string code;
    };
    const std::vector<Case> cases{
        {post + "Transfer-Encoding: chunked\r\n\r\n" + chunk, 411, "length_required"},
        {post + "Transfer-Encoding: xchunked\r\n\r\n" + chunk, 411, "length_required"},
        {post + "Transfer-Encoding: gzip\r\nContent-Length: 4\r\n\r\n{}{}", 411, "length_required"},
        {post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n{}{}",
         411,
         "length_required"},
        {post + "Transfer-Encoding: chunked, identity\r\n\r\n" + chunk, 411, "length_required"},
        {post + "\r\n{}", 411, "length_required"},
        {post + "Host: localhost\r\nContent-Length: 2\r\n\r\n{}", 400, "malformed"},
        {post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, "malformed"},
        {post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400, "malformed"},
        {post + "Content-Length : 2\r\n\r\n{}", 400, "malformed"},
        {post + "X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}", 400, "malformed"},
        {post + "Content-Length: 2\n\r\n{}", 400, "malformed"},
        {"GET /v1/echo HTTP/1.1\r\n\r\n", 400, "malformed"},
        {"GET /v1/echo HTTP/1.1\nHost: localhost\n\n", 400, "malformed"},
        {"GET /v1/echo HTTP/2.0\r\nHost: localhost\r\n\r\n", 400, "malformed"},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "malformed"},
        {"\r\n", 400, "malformed"},
        {"GET /v1/echo HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(9000, 'x'),
         400,
         "malformed"},
        {post + "Content-Length: 1048577\r\n\r\n", 413, "too_large"},
        {"POST /v1/batches HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
         "Content-Length: 8388609\r\n\r\n",
         413,
         "too_large"},
        {"GET /v1/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
         413,
         "too_large"},
    };
    for (const auto& each : cases) {
        expect_one_problem_and_the_end(server, each.bytes, each.status, each.code);
    }
    EXPECT_EQ(server.handler.begun, 0U);
    EXPECT_EQ(server.counters().answers_by_class[2], 0U);
}

TEST(TransportSession, AnswersWhatCameBeforeAMalformedRequest)
{
    TestServer server;
    TestClient client{server.port, &server.partner};
    const std::string bad = "GET /v1/echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";
    ASSERT_TRUE(client.send(get_request("/v1/messages/hold") + bad + get_request("/v1/echo")));
    ASSERT_TRUE(server.eventually([&] { return server.handler.held() == 1; }));
    server.on_loop([&] { server.handler.release(); });
    EXPECT_EQ(
        client.receive().value_or(ReceivedAnswer{}).body,
        testing::text_of(RouteId::message) + " hold   GRO");
    EXPECT_EQ(client.receive().value_or(ReceivedAnswer{}).status, 400);
    EXPECT_TRUE(client.is_closed_by_house());
    EXPECT_EQ(server.handler.begun, 1U);
}

TEST(TransportSession, GoesOnAfterARefusalThatIsWellFormed)
{
    TestServer server;
    TestClient client{server.port, &server.partner};
    const std::string text = "POST /v1/accruals HTTP/1.1\r\nHost: localhost\r\n"
                             "Content-Type: text/plain\r\nContent-Length: 28\r\n\r\n"
                             "GET /v1/echo HTTP/1.1\r\nHost:";
    ASSERT_TRUE(client.send(
        get_request("/nowhere") + get_request("/v1/accruals") + text + get_request("/v1/echo")));

    const auto unknown = client.receive();
    ASSERT_TRUE(unknown);
    EXPECT_EQ(unknown->status, 404);
    EXPECT_TRUE(has_code(*unknown, "route_unknown")) << unknown->body;
    const auto method = client.receive();
    ASSERT_TRUE(method);
    EXPECT_EQ(method->status, 405);
    EXPECT_NE(method->header.find("\r\nAllow: POST\r\n"), std::string::npos);
    EXPECT_EQ(client.receive().value_or(ReceivedAnswer{}).status, 415);
    EXPECT_EQ(
        client.receive().value_or(ReceivedAnswer{}).body,
        testing::text_of(RouteId::echo) + "    GRO");
}

TEST(TransportSession, TakesBodiesUpToTheBoundOfTheRoute)
{
    TestServer server;
    TestClient client{server.port, &server.partner};
    ASSERT_TRUE(client.send(post_request("/v1/accruals", std::string(1 << 20, 'x'))));
    EXPECT_EQ(
        client.receive().value_or(ReceivedAnswer{}).body,
        testing::text_of(RouteId::accruals) + "   1048576 GRO");

    const std::string batch = "POST /v1/batches HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                              "application/x-ndjson\r\nContent-Length: 8388608\r\n\r\n";
    ASSERT_TRUE(client.send(batch + std::string(8 << 20, 'x')));
    EXPECT_EQ(
        client.receive().value_or(ReceivedAnswer{}).body,
        testing::text_of(RouteId::batches) + "   8388608 GRO");
    ASSERT_TRUE(client.send(get_request("/v1/echo")));
    EXPECT_EQ(client.receive().value_or(ReceivedAnswer{}).status, 200);
}

TEST(TransportSession, RefusesLargeBodiesWhenTooManyComeAtOnce)
{
    ListenerOptions options;
    options.limits.large_input_bytes_max = 100'000;
    TestServer server{options};
    TestClient client{server.port, &server.partner};
    ASSERT_TRUE(client.send(post_request("/v1/accruals", std::string(150'000, 'x'))));
    const auto answer = client.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 503);
    EXPECT_NE(answer->header.find("\r\nRetry-After: 1\r\n"), std::string::npos);
    EXPECT_TRUE(client.is_closed_by_house());
    // The memory came back.
    TestClient second{server.port, &server.partner};
    ASSERT_TRUE(second.send(post_request("/v1/accruals", std::string(90'000, 'x'))));
    EXPECT_EQ(second.receive().value_or(ReceivedAnswer{}).status, 200);
}

TEST(TransportSession, SaysContinueToAClientThatAsks)
{
    TestServer server;
    TestClient client{server.port, &server.partner};
    const std::string head =
        "POST /v1/accruals HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
        "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n";
    ASSERT_TRUE(client.send(get_request("/v1/messages/hold") + head));
    ASSERT_TRUE(server.eventually([&] { return server.handler.held() == 1; }));
    server.on_loop([&] { server.handler.release(); });
    EXPECT_EQ(client.receive().value_or(ReceivedAnswer{}).status, 200); // the earlier one first
    EXPECT_EQ(client.receive().value_or(ReceivedAnswer{}).status, 100);
    ASSERT_TRUE(client.send("{}"));
    EXPECT_EQ(
        client.receive().value_or(ReceivedAnswer{}).body,
        testing::text_of(RouteId::accruals) + "   {} GRO");

    // A body that came with its header needs no permission.
    ASSERT_TRUE(client.send(head + "{}"));
    EXPECT_EQ(client.receive().value_or(ReceivedAnswer{}).status, 200);
}

TEST(TransportSession, ClosesWhenTheClientAsksForIt)
{
    TestServer server;
    for (const std::string line :
         {"HTTP/1.1\r\nConnection: close", "HTTP/1.0", "HTTP/1.0\r\nConnection: keep-alive"}) {
        TestClient client{server.port, &server.partner};
        const std::string request = "GET /v1/echo " + line + "\r\nHost: localhost\r\n\r\n";
        ASSERT_TRUE(client.send(request + request));
        const auto answer = client.receive();
        ASSERT_TRUE(answer) << line;
        EXPECT_EQ(answer->status, 200);
        EXPECT_NE(answer->header.find("\r\nConnection: close\r\n"), std::string::npos) << line;
        EXPECT_TRUE(client.is_closed_by_house()) << line;
    }
    EXPECT_EQ(server.handler.begun, 3U);
}

TEST(TransportSession, AnswersAClientThatHasStoppedSending)
{
    TestServer server;
    TestClient client{server.port, &server.partner};
    ASSERT_TRUE(client.send(get_request("/v1/messages/hold")));
    client.stop_sending();
    ASSERT_TRUE(server.eventually([&] { return server.handler.held() == 1; }));
    server.on_loop([&] { server.handler.release(); });
    EXPECT_EQ(
        client.receive().value_or(ReceivedAnswer{}).body,
        testing::text_of(RouteId::message) + " hold   GRO");
    EXPECT_TRUE(client.is_closed_by_house());
}

TEST(TransportSession, AnswersAnUnforeseenFailureAndCloses)
{
    TestServer server;
    TestClient client{server.port, &server.partner};
    ASSERT_TRUE(client.send(get_request("/v1/messages/throw") + get_request("/v1/echo")));
    const auto answer = client.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 500);
    EXPECT_TRUE(has_code(*answer, "internal"));
    EXPECT_EQ(answer->body.find("as asked"), std::string::npos); // our words stay inside
    EXPECT_TRUE(client.is_closed_by_house());
    TestClient other{server.port, &server.partner};
    ASSERT_TRUE(other.send(get_request("/v1/echo")));
    EXPECT_EQ(other.receive().value_or(ReceivedAnswer{}).status, 200);
}

TEST(TransportSession, KeepsAnExchangeWhoseClientHasGone)
{
    TestServer server;
    {
        TestClient client{server.port, &server.partner};
        ASSERT_TRUE(client.send(
            get_request("/v1/messages/hold") + post_request("/v1/accruals", "{}") +
            get_request("/v1/messages/hold")));
        ASSERT_TRUE(server.eventually([&] { return server.handler.held() == 2; }));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    server.on_loop([&] { server.handler.release(); });
    EXPECT_TRUE(
        server.eventually([&] { return server.listener->counters().connections_open == 0; }));
    EXPECT_EQ(server.counters().requests_in_flight, 0U);
}

TEST(TransportSession, WaitsForASlowReaderWithoutReadingOn)
{
    TestServer server;
    TestClient client{server.port, &server.partner};
    std::string bytes;
    for (int i = 0; i < 60; ++i) bytes += get_request("/v1/messages/large-1000000");
    ASSERT_TRUE(client.send(bytes));
    std::this_thread::sleep_for(std::chrono::milliseconds{300});
    EXPECT_LT(server.counters().bytes_sent, 30'000'000U); // the kernel's buffers, and no more
    for (int i = 0; i < 60; ++i) {
        const auto answer = client.receive();
        ASSERT_TRUE(answer) << i;
        EXPECT_EQ(answer->body.size(), 1'000'000U);
    }
    ASSERT_TRUE(client.send(get_request("/v1/echo")));
    EXPECT_EQ(client.receive().value_or(ReceivedAnswer{}).status, 200);
}

} // namespace
} // namespace pointhouse::gateway
