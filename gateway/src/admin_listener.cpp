#include "admin_listener.hpp"

#include <chrono>
#include <fmt/format.h>
#include <stdexcept>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace pointhouse::gateway {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::seconds request_timeout{5};
constexpr std::chrono::milliseconds accept_pause{100};
constexpr std::size_t sessions_max = 32;
constexpr std::size_t input_bytes_max = 8192;

} // namespace

class AdminListener::State : public std::enable_shared_from_this<State> {
public:
    State(asio::io_context& loop, AdminOptions options)
        : options_{std::move(options)}, acceptor_{loop}, pause_{loop}
    {
        try {
            const tcp::endpoint endpoint{asio::ip::make_address(options_.address), options_.port};
            acceptor_.open(endpoint.protocol());
            acceptor_.set_option(tcp::acceptor::reuse_address{true});
            acceptor_.bind(endpoint);
            acceptor_.listen();
        } catch (const boost::system::system_error& error) {
            throw std::runtime_error{fmt::format(
                "cannot listen on {}:{}: {}",
                options_.address,
                options_.port,
                error.code().message())};
        }
    }

    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

    void accept()
    {
        acceptor_.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
            if (!self->acceptor_.is_open()) return;
            if (!error && self->sessions_ < sessions_max) {
                std::make_shared<Session>(self, std::move(socket))->read();
            }
            if (!error) return self->accept();
            self->pause_.expires_after(accept_pause); // no descriptors: do not ask again at once
            self->pause_.async_wait([self](error_code stopped) {
                if (!stopped && self->acceptor_.is_open()) self->accept();
            });
        });
    }

    void stop()
    {
        error_code ignored;
        acceptor_.close(ignored);
        pause_.cancel();
    }

private:
    using Request = http::request<http::string_body>;
    using Response = http::response<http::string_body>;

    /// One request and its answer; then the connection closes.
    struct Session : std::enable_shared_from_this<Session> {
        Session(std::shared_ptr<State> owner, tcp::socket socket)
            : admin{std::move(owner)}, stream{std::move(socket)}
        {
            ++admin->sessions_;
        }
        Session(const Session&) = delete;
        Session& operator=(const Session&) = delete;
        ~Session() { --admin->sessions_; }

        void read()
        {
            stream.expires_after(request_timeout);
            parser.body_limit(0);
            http::async_read(
                stream, buffer, parser, [self = shared_from_this()](error_code error, std::size_t) {
                    if (!error) self->write();
                });
        }

        void write()
        {
            response = admin->answer(parser.get());
            http::async_write(
                stream, response, [self = shared_from_this()](error_code, std::size_t) {
                    error_code ignored;
                    self->stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
                });
        }

        std::shared_ptr<State> admin;
        beast::tcp_stream stream;
        beast::flat_buffer buffer{input_bytes_max};
        http::request_parser<http::string_body> parser;
        Response response;
    };

    Response answer(const Request& request)
    {
        Response response{http::status::ok, 11};
        response.keep_alive(false);
        response.set(http::field::content_type, "text/plain; charset=utf-8");
        if (request.method() != http::verb::get) {
            response.result(http::status::method_not_allowed);
            response.set(http::field::allow, "GET");
            response.body() = "only GET\n";
        } else if (request.target() == "/healthz") {
            response.body() = "ok\n";
        } else if (request.target() == "/readyz") {
            const auto reason = options_.why_not_ready();
            response.body() = (reason.empty() ? "ready" : reason) + "\n";
            if (!reason.empty()) response.result(http::status::service_unavailable);
        } else if (request.target() == "/metrics") {
            response.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
            response.body() = options_.metrics();
        } else {
            response.result(http::status::not_found);
            response.body() = "see /healthz, /readyz, /metrics\n";
        }
        response.prepare_payload();
        return response;
    }

    AdminOptions options_;
    tcp::acceptor acceptor_;
    asio::steady_timer pause_;
    std::size_t sessions_ = 0;
};

AdminListener::AdminListener(boost::asio::io_context& loop, AdminOptions options)
    : state_{std::make_shared<State>(loop, std::move(options))}
{
    state_->accept();
}

// NOLINTNEXTLINE(bugprone-exception-escape): a timer that is cancelled here has nothing to throw
AdminListener::~AdminListener()
{
    stop();
}

std::uint16_t AdminListener::port() const
{
    return state_->port();
}

void AdminListener::stop()
{
    state_->stop();
}

} // namespace pointhouse::gateway
