#include "transport_fixture.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <future>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace pointhouse::gateway::testing {

std::string text_of(RouteId route)
{
    return std::to_string(static_cast<int>(route));
}

void ScriptedHandler::begin(Exchange& exchange)
{
    ++begun;
    const auto argument = exchange.arguments[0];
    if (argument == "throw") throw std::runtime_error{"as asked"};
    exchange.status = 200;
    if (argument.starts_with("large-")) {
        exchange.answer.assign(std::stoul(std::string{argument.substr(6)}), 'l');
        return exchange.finish();
    }
    exchange.answer = text_of(exchange.route) + " ";
    exchange.answer += argument;
    exchange.answer += ' ';
    exchange.answer += exchange.query;
    exchange.answer += ' ';
    exchange.answer += exchange.body.size() > 64 ? std::to_string(exchange.body.size())
                                                 : std::string{exchange.body};
    exchange.answer += ' ';
    exchange.answer += exchange.caller->name;
    if (holds_all || argument == "hold") {
        held_.push_back(&exchange);
    } else {
        exchange.finish();
    }
}

void ScriptedHandler::release()
{
    while (!held_.empty()) {
        Exchange* const exchange = held_.back();
        held_.pop_back();
        exchange->finish();
    }
}

std::optional<ClientIdentity> ScriptedAuthority::identify(X509* certificate)
{
    BIGNUM* const number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr);
    char* const text = BN_bn2hex(number);
    std::string serial{text};
    OPENSSL_free(text);
    BN_free(number);
    std::ranges::transform(
        serial, serial.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (unknown.contains(serial)) return std::nullopt;
    std::array<char, 64> name{};
    X509_NAME_get_text_by_NID(
        X509_get_subject_name(certificate), NID_commonName, name.data(), int{name.size()});
    return ClientIdentity{
        .caller = {Caller::Kind::partner, name.data(), ledger::PartnerId{1}}, .serial = serial};
}

bool ScriptedAuthority::is_refused(std::string_view serial) const
{
    return revoked.contains(serial);
}

TestServer::TestServer(ListenerOptions options)
    : server_identity{ca.issue("house")}, partner{ca.issue("GRO")}, work_{loop.get_executor()}
{
    options.port = 0;
    options.certificate_file = server_identity.certificate_file;
    options.key_file = server_identity.key_file;
    options.ca_file = ca.ca_file();
    listener = std::make_unique<Listener>(loop, options, handler, authority);
    port = listener->port();
    thread_ = std::thread{[this] { loop.run(); }};
}

TestServer::~TestServer()
{
    loop.stop();
    thread_.join();
}

void TestServer::on_loop(const std::function<void()>& work)
{
    std::promise<void> done;
    boost::asio::post(loop, [&] {
        work();
        done.set_value();
    });
    done.get_future().wait();
}

TransportCounters TestServer::counters()
{
    TransportCounters counters;
    on_loop([&] { counters = listener->counters(); });
    return counters;
}

bool TestServer::eventually(const std::function<bool()>& condition)
{
    for (int tries = 0; tries < 500; ++tries) {
        bool holds = false;
        on_loop([&] { holds = condition(); });
        if (holds) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return false;
}

TestClient::TestClient(
    std::uint16_t port, const TestCa::Identity* identity, const ClientSettings& settings)
    : context_{SSL_CTX_new(TLS_client_method())}, descriptor_{::socket(AF_INET, SOCK_STREAM, 0)}
{
    if (identity != nullptr) {
        SSL_CTX_use_certificate_chain_file(context_, identity->certificate_file.c_str());
        SSL_CTX_use_PrivateKey_file(context_, identity->key_file.c_str(), SSL_FILETYPE_PEM);
    }
    SSL_CTX_set_security_level(context_, 0); // to offer what the house must refuse
    SSL_CTX_set_min_proto_version(context_, settings.version_min);
    SSL_CTX_set_max_proto_version(context_, settings.version_max);
    if (!settings.suites.empty()) SSL_CTX_set_cipher_list(context_, settings.suites.c_str());

    const int enabled = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &enabled, sizeof enabled);
    set_timeout(std::chrono::seconds{20});
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // The API of sockets wants this cast.
    if (::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return;
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, descriptor_);
    is_connected_ = SSL_connect(ssl_) == 1;
}

TestClient::~TestClient()
{
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    ::close(descriptor_);
}

void TestClient::set_timeout(std::chrono::milliseconds timeout)
{
    const timeval limit{timeout.count() / 1000, timeout.count() % 1000 * 1000};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

void TestClient::stop_sending()
{
    SSL_shutdown(ssl_);
}

bool TestClient::send(std::string_view bytes)
{
    std::size_t written = 0;
    return SSL_write_ex(ssl_, bytes.data(), bytes.size(), &written) == 1 && written == bytes.size();
}

bool TestClient::receive_more()
{
    std::array<char, 16384> part{};
    std::size_t bytes = 0;
    if (SSL_read_ex(ssl_, part.data(), part.size(), &bytes) != 1) return false;
    received_.append(part.data(), bytes);
    return true;
}

std::optional<ReceivedAnswer> TestClient::receive()
{
    std::size_t end = 0;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
        if (!receive_more()) return std::nullopt;
    }
    ReceivedAnswer answer;
    answer.header = received_.substr(0, end + 2);
    answer.status = std::stoi(answer.header.substr(9, 3));
    received_.erase(0, end + 4);
    const auto field = answer.header.find("\r\nContent-Length: ");
    if (field == std::string::npos) return answer;
    const std::size_t length = std::stoul(answer.header.substr(field + 18));
    while (received_.size() < length) {
        if (!receive_more()) return std::nullopt;
    }
    answer.body = received_.substr(0, length);
    received_.erase(0, length);
    return answer;
}

bool TestClient::is_closed_by_house()
{
    if (!received_.empty() || receive_more()) return false;
    const int error = SSL_get_error(ssl_, 0);
    const bool has_timed_out = error == SSL_ERROR_WANT_READ;
    return !has_timed_out;
}

std::string get_request(const std::string& path)
{
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

std::string post_request(const std::string& path, const std::string& body)
{
    return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

} // namespace pointhouse::gateway::testing
