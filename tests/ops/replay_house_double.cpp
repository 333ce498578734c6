#include "replay_house_double.hpp"

#include <atomic>
#include <chrono>
#include <fmt/format.h>
#include <list>
#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/json.hpp>
#include <openssl/x509.h>

#include "certs/authority.hpp"
#include "certs/identity.hpp"
#include "ledger/time.hpp"

namespace pointhouse::ops {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace json = boost::json;
using Stream = asio::ssl::stream<asio::ip::tcp::socket>;
using Request = http::request<http::string_body>;

struct Reply {
    int status = 201;
    std::string body;
    bool replayed = false;
};

std::filesystem::path make_certificates(const std::vector<std::string>& partners)
{
    static std::atomic<int> count = 0;
    const auto folder = std::filesystem::temp_directory_path() /
                        fmt::format("house_double_{}_{}", ::getpid(), ++count);
    const auto now =
        std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    auto authority = certs::Authority::create(folder, now);
    authority.issue_server({}, now);
    for (const auto& partner : partners) authority.issue_partner(partner, now);
    return folder;
}

} // namespace

struct HouseDouble::Server {
    Server(const std::vector<std::string>& partners, Moods moods_to_have)
        : moods{std::move(moods_to_have)}, folder{make_certificates(partners)},
          context{asio::ssl::context::tls_server},
          acceptor{io, {asio::ip::address_v4::loopback(), 0}}
    {
        context.use_certificate_chain_file(folder / "house" / "cert.pem");
        context.use_private_key_file(folder / "house" / "key.pem", asio::ssl::context::pem);
        context.load_verify_file(folder / "ca.pem");
        context.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
        SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_3_VERSION);
        listener = std::thread{[this] { listen(); }};
    }

    ~Server()
    {
        stopping = true;
        // Wakes the accept call; closing the acceptor from another thread would be a race.
        asio::ip::tcp::socket knock{io};
        knock.connect(acceptor.local_endpoint());
        listener.join();
        {
            const std::lock_guard lock{mutex};
            for (auto& stream : streams) ::shutdown(stream.next_layer().native_handle(), SHUT_RDWR);
        }
        for (auto& session : sessions) session.join();
        std::filesystem::remove_all(folder);
    }

    void listen()
    {
        while (true) {
            auto socket = acceptor.accept();
            if (stopping) return;
            socket.set_option(asio::ip::tcp::no_delay{true});
            ++connections;
            const std::lock_guard lock{mutex};
            auto& stream = streams.emplace_back(std::move(socket), context);
            sessions.emplace_back([this, &stream] {
                try {
                    serve(stream);
                } catch (const boost::system::system_error&) {
                    // The client went: part of the tests.
                }
                ::shutdown(stream.next_layer().native_handle(), SHUT_RDWR);
            });
        }
    }

    void serve(Stream& stream)
    {
        stream.handshake(asio::ssl::stream_base::server);
        const std::unique_ptr<X509, void (*)(X509*)> certificate{
            SSL_get1_peer_certificate(stream.native_handle()), X509_free};
        const auto partner = certs::identity_of(*certificate).value().name;
        boost::beast::flat_buffer buffer;
        while (true) {
            Request request;
            http::read(stream, buffer, request);
            const auto mood = moods(++requests);
            if (mood == Mood::drop_before) return;
            const auto reply = decide(partner, request, mood);
            if (mood == Mood::drop_after) return;
            if (mood == Mood::silent) {
                while (true) http::read(stream, buffer, request = {});
            }
            send(stream, reply, mood);
            if (mood == Mood::last_answer) return;
        }
    }

    Reply decide(const std::string& partner, const Request& request, Mood mood)
    {
        if (mood == Mood::overloaded) return {.status = 503, .body = R"({"code":"overloaded"})"};
        if (mood == Mood::limited) return {.status = 429, .body = R"({"code":"rate_limited"})"};
        if (mood == Mood::refuse) {
            return {.status = 422, .body = R"({"code":"member_blocked","detail":"so it is"})"};
        }
        if (request.method() == http::verb::get) return {.status = 200, .body = "{}"};
        const auto message = json::parse(request.body()).as_object();
        const auto text = [&message](std::string_view field) {
            return message.contains(field) ? std::string{message.at(field).as_string()} : "";
        };
        const auto id = text("message_id");

        const std::lock_guard lock{mutex};
        const auto [first, is_new] = answers.try_emplace(partner + " " + id);
        if (!is_new) return {.body = first->second, .replayed = true};
        taken.push_back(
            {.partner = partner,
             .target = request.target(),
             .message_id = id,
             .member = text("member"),
             .occurred_at = text("occurred_at")});
        std::int64_t points = 0;
        if (message.contains("points")) points = message.at("points").as_int64();
        if (message.contains("purchase")) {
            points = message.at("purchase").at("amount_minor").as_int64() / 100;
        }
        auto& balance = balances[text("member")];
        balance += request.target() == "/v1/accruals" ? points : -points;
        first->second = fmt::format(
            R"({{"message_id":"{}","points":{},"balance":{{"available":{}}}}})",
            id,
            points,
            balance);
        return {.body = first->second};
    }

    static void send(Stream& stream, const Reply& reply, Mood mood)
    {
        const auto bytes = fmt::format(
            "HTTP/1.1 {} Whatever\r\nContent-Type: application/json\r\n{}{}Content-Length: {}\r\n"
            "Request-Id: 1\r\n\r\n{}",
            reply.status,
            reply.replayed ? "Idempotent-Replayed: true\r\n" : "",
            mood == Mood::last_answer ? "Connection: close\r\n" : "",
            reply.body.size(),
            reply.body);
        const std::size_t step = mood == Mood::byte_by_byte ? 1 : bytes.size();
        for (std::size_t at = 0; at < bytes.size(); at += step) {
            asio::write(stream, asio::buffer(bytes.data() + at, step));
        }
    }

    Moods moods;
    std::filesystem::path folder;
    asio::io_context io;
    asio::ssl::context context;
    asio::ip::tcp::acceptor acceptor;
    std::atomic<bool> stopping = false;
    std::atomic<std::uint64_t> requests = 0;
    std::atomic<std::uint64_t> connections = 0;
    std::mutex mutex;
    std::map<std::string, std::string> answers; // by partner and message id
    std::map<std::string, std::int64_t> balances;
    std::vector<TakenMessage> taken;
    std::list<Stream> streams;
    std::list<std::thread> sessions;
    std::thread listener;
};

HouseDouble::HouseDouble(const std::vector<std::string>& partners, Moods moods)
    : server_{std::make_unique<Server>(partners, std::move(moods))}
{}

HouseDouble::~HouseDouble() = default;

ServedHouse HouseDouble::served() const
{
    return {
        .url = fmt::format("https://127.0.0.1:{}", server_->acceptor.local_endpoint().port()),
        .certificates = server_->folder};
}

std::vector<TakenMessage> HouseDouble::taken() const
{
    const std::lock_guard lock{server_->mutex};
    return server_->taken;
}

std::uint64_t HouseDouble::requests() const
{
    return server_->requests;
}

std::uint64_t HouseDouble::connections() const
{
    return server_->connections;
}

} // namespace pointhouse::ops
