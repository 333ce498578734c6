#include <string>
#include <thread>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "admin_listener.hpp"
#include "response.hpp"
#include "transport_counters.hpp"

namespace pointhouse::gateway {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

class AdminListenerTest : public testing::Test {
protected:
    AdminListenerTest()
        : admin_{loop_, {.port = 0,
                         .why_not_ready = [this] { return reason_; },
                         .metrics = [] { return std::string{"pointhouse_up 1\n"}; }}},
          thread_{[this] { loop_.run(); }}
    {}
    ~AdminListenerTest() override
    {
        loop_.stop();
        thread_.join();
    }

    /// The whole response; the listener closes after it.
    std::string ask(const std::string& request)
    {
        asio::io_context client;
        tcp::socket socket{client};
        socket.connect({asio::ip::address_v4::loopback(), admin_.port()});
        asio::write(socket, asio::buffer(request));
        std::string response;
        boost::system::error_code end;
        asio::read(socket, asio::dynamic_buffer(response), end);
        return response;
    }

    std::string reason_ = "not ready: no disk";
    asio::io_context loop_{1};
    AdminListener admin_;
    std::thread thread_;
};

TEST_F(AdminListenerTest, SaysHowTheHouseIs)
{
    const auto get = [&](const std::string& path) {
        return ask("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    };
    EXPECT_TRUE(get("/healthz").starts_with("HTTP/1.1 200 OK\r\n"));
    const auto not_ready = get("/readyz");
    EXPECT_TRUE(not_ready.starts_with("HTTP/1.1 503 "));
    EXPECT_TRUE(not_ready.ends_with("\r\n\r\nnot ready: no disk\n"));
    asio::post(loop_, [this] { reason_.clear(); });
    const auto ready = get("/readyz");
    EXPECT_TRUE(ready.starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_TRUE(ready.ends_with("\r\n\r\nready\n"));
    const auto metrics = get("/metrics");
    EXPECT_NE(metrics.find("text/plain; version=0.0.4"), std::string::npos);
    EXPECT_TRUE(metrics.ends_with("\r\n\r\npointhouse_up 1\n"));
    EXPECT_TRUE(get("/").starts_with("HTTP/1.1 404 "));
    EXPECT_TRUE(ask("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
                    .starts_with("HTTP/1.1 405 "));
}

TEST_F(AdminListenerTest, ClosesOnNonsenseAndServesOn)
{
    EXPECT_EQ(ask("\x16\x03\x01 nonsense\r\n\r\n"), "");
    EXPECT_EQ(ask("GET /healthz HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n"), "");
    EXPECT_TRUE(ask("GET /healthz HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST(TransportCounters, AreRenderedForPrometheus)
{
    TransportCounters counters;
    counters.connections_open = 3;
    counters.count_answer(201, std::chrono::microseconds{0});
    counters.count_answer(422, std::chrono::microseconds{3});
    counters.count_answer(503, std::chrono::hours{1});

    std::string text;
    append_metrics(text, counters);

    const auto has = [&](const std::string& line) {
        return text.find(line + "\n") != std::string::npos;
    };
    EXPECT_TRUE(has("pointhouse_gateway_connections_open 3"));
    EXPECT_TRUE(has("pointhouse_gateway_answers_total{class=\"2xx\"} 1"));
    EXPECT_TRUE(has("pointhouse_gateway_answers_total{class=\"4xx\"} 1"));
    EXPECT_TRUE(has("pointhouse_gateway_latency_seconds_bucket{le=\"0.000001\"} 1"));
    EXPECT_TRUE(has("pointhouse_gateway_latency_seconds_bucket{le=\"0.000002\"} 1"));
    EXPECT_TRUE(has("pointhouse_gateway_latency_seconds_bucket{le=\"0.000004\"} 2"));
    EXPECT_TRUE(has("pointhouse_gateway_latency_seconds_bucket{le=\"+Inf\"} 3"));
    EXPECT_TRUE(has("pointhouse_gateway_latency_seconds_sum 3600.000003"));
    EXPECT_TRUE(has("pointhouse_gateway_latency_seconds_count 3"));
}

TEST(Response, IsWrittenByteForByte)
{
    std::string text;
    append_response(
        text,
        {.status = 429,
         .type = MediaType::json,
         .is_problem = true,
         .closes = true,
         .retry_after_seconds = 7,
         .request_id = "0123",
         .date = "Sun, 22 Nov 2026 00:00:00 GMT",
         .rate_limit = "RateLimit: \"partner\";r=0;t=1\r\n"},
        "{}");
    EXPECT_EQ(
        text,
        "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/problem+json\r\n"
        "Content-Length: 2\r\nRequest-Id: 0123\r\nDate: Sun, 22 Nov 2026 00:00:00 GMT\r\n"
        "Retry-After: 7\r\nConnection: close\r\nRateLimit: \"partner\";r=0;t=1\r\n\r\n{}");
    text.clear();
    append_response(
        text,
        {.status = 201,
         .type = MediaType::protobuf,
         .replayed = true,
         .request_id = "4",
         .date = "d"},
        "");
    EXPECT_EQ(
        text,
        "HTTP/1.1 201 Created\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n"
        "Request-Id: 4\r\nDate: d\r\nIdempotent-Replayed: true\r\n\r\n");
}

} // namespace
} // namespace pointhouse::gateway
