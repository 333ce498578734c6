#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <openssl/types.h>

#include "listener.hpp"
#include "transport_certificates.hpp"

namespace pointhouse::gateway::testing {

/// How a scripted answer names its route.
std::string text_of(RouteId route);

/// Answers each request with what it was, or does as the path parameter of /v1/messages/… says:
/// `hold` waits for release(), `throw` throws, `large-N` answers N bytes. All on the loop's thread.
class ScriptedHandler final : public ExchangeHandler {
public:
    void begin(Exchange& exchange) override;
    /// Finishes what is held, the youngest first, to try the order of answers.
    void release();
    [[nodiscard]] std::size_t held() const { return held_.size(); }

    bool holds_all = false;
    std::size_t begun = 0;

private:
    std::vector<Exchange*> held_;
};

/// Knows the test CA's partners by their serials.
class ScriptedAuthority final : public ClientAuthority {
public:
    [[nodiscard]] std::optional<ClientIdentity> identify(X509* certificate) override;
    [[nodiscard]] bool is_refused(std::string_view serial) const override;

    std::set<std::string, std::less<>> unknown;
    std::set<std::string, std::less<>> revoked;
};

/// A listener on a free port, on a thread of its own.
class TestServer {
public:
    explicit TestServer(ListenerOptions options = {});
    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;
    ~TestServer();

    /// Runs the work on the loop's thread and waits for it.
    void on_loop(const std::function<void()>& work);
    [[nodiscard]] TransportCounters counters();
    /// Waits, a few seconds at most, until the condition holds on the loop's thread.
    [[nodiscard]] bool eventually(const std::function<bool()>& condition);

    TestCa ca;
    TestCa::Identity server_identity;
    TestCa::Identity partner;
    ScriptedHandler handler;
    ScriptedAuthority authority;
    boost::asio::io_context loop{1};
    std::unique_ptr<Listener> listener;
    std::uint16_t port = 0;

private:
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::thread thread_;
};

/// One response as a client reads it.
struct ReceivedAnswer {
    int status = 0;
    std::string header;
    std::string body;
};

struct ClientSettings {
    int version_min = 0; // OpenSSL's numbers, 0 for its defaults
    int version_max = 0;
    std::string suites; // of TLS 1.2
};

/// A blocking TLS client straight on OpenSSL, so that tests can send what no library would.
class TestClient {
public:
    /// Connects and shakes hands; see is_connected(). No certificate when `identity` is null.
    TestClient(
        std::uint16_t port, const TestCa::Identity* identity, const ClientSettings& settings = {});
    TestClient(const TestClient&) = delete;
    TestClient& operator=(const TestClient&) = delete;
    ~TestClient();

    [[nodiscard]] bool is_connected() const { return is_connected_; }
    /// True when all went out.
    bool send(std::string_view bytes);
    /// The next response; none when the connection ended or nothing came for twenty seconds.
    [[nodiscard]] std::optional<ReceivedAnswer> receive();
    /// True when the house has closed and no byte came before.
    [[nodiscard]] bool is_closed_by_house();
    /// Sends close_notify and can still receive.
    void stop_sending();
    void set_timeout(std::chrono::milliseconds timeout);
    [[nodiscard]] SSL* ssl() const { return ssl_; }
    [[nodiscard]] int descriptor() const { return descriptor_; }

private:
    [[nodiscard]] bool receive_more();

    SSL_CTX* context_ = nullptr;
    SSL* ssl_ = nullptr;
    int descriptor_ = -1;
    bool is_connected_ = false;
    std::string received_;
};

/// A request with Host, and with Content-Type and Content-Length when it has a body.
[[nodiscard]] std::string get_request(const std::string& path);
[[nodiscard]] std::string post_request(const std::string& path, const std::string& body);

} // namespace pointhouse::gateway::testing
