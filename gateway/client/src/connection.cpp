#include "client/connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <iterator>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace pointhouse::client {
namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

constexpr std::size_t read_bytes_min = std::size_t{17} * 1024; // a whole TLS record fits
constexpr std::size_t input_bytes_max = std::size_t{256} * 1024;
constexpr std::uint64_t answer_bytes_max = 64ULL * 1024 * 1024;

/// Beast's parser, keeping only what a client of the house needs: no allocation but the body's.
class AnswerParser final : public http::basic_parser<false> {
public:
    explicit AnswerParser(std::string& body) : body_{body}
    {
        eager(true);
        body_limit(answer_bytes_max);
        body_.clear();
    }

    Answer answer; // but for the body

private:
    void on_request_impl(http::verb, string_view, string_view, int, error_code&) override {}
    void on_response_impl(int status, string_view, int, error_code&) override
    {
        answer.status = status;
    }
    void on_field_impl(http::field field, string_view name, string_view value, error_code&) override
    {
        if (field == http::field::retry_after) {
            std::from_chars(value.data(), value.data() + value.size(), answer.retry_after_seconds);
        } else if (
            field == http::field::unknown && boost::beast::iequals(name, "Idempotent-Replayed")) {
            answer.replayed = value == "true";
        }
    }
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(string_view part, error_code&) override
    {
        body_.append(part.data(), part.size());
        return part.size();
    }
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view part, error_code&) override
    {
        body_.append(part.data(), part.size());
        return part.size();
    }
    void on_finish_impl(error_code&) override {}

    std::string& body_;
};

/// Connects without waiting. -1 and errno when that fails at once.
int start_connect(const Endpoint& endpoint)
{
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const auto port = std::to_string(endpoint.port);
    if (::getaddrinfo(endpoint.host.c_str(), port.c_str(), &hints, &found) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    const int socket = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int failure = socket < 0 ? errno : 0;
    if (failure == 0) {
        const int on = 1;
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (::connect(socket, found->ai_addr, found->ai_addrlen) != 0 && errno != EINPROGRESS) {
            failure = errno;
        }
    }
    ::freeaddrinfo(found);
    if (failure == 0) return socket;
    if (socket >= 0) ::close(socket);
    errno = failure;
    return -1;
}

struct TlsFailure {
    std::string reason;
    bool refused = false; // the peer, or we, said no for a reason that stays
};

TlsFailure tls_failure(SSL* session)
{
    const int saved_errno = errno;
    const unsigned long code = ERR_peek_error();
    ERR_clear_error();
    const int reason = ERR_GET_REASON(code);
    if (code == 0 || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        if (code == 0 && saved_errno != 0) {
            return {.reason = std::generic_category().message(saved_errno)};
        }
        return {.reason = "the house closed the connection"};
    }
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        const auto* why = X509_verify_cert_error_string(SSL_get_verify_result(session));
        return {.reason = fmt::format("the house's certificate: {}", why), .refused = true};
    }
    // Alerts that the peer sent are numbered from here on.
    constexpr std::array lasting{
        SSL_AD_HANDSHAKE_FAILURE,
        SSL_AD_BAD_CERTIFICATE,
        SSL_AD_UNSUPPORTED_CERTIFICATE,
        SSL_AD_CERTIFICATE_REVOKED,
        SSL_AD_CERTIFICATE_EXPIRED,
        SSL_AD_CERTIFICATE_UNKNOWN,
        SSL_AD_UNKNOWN_CA,
        SSL_AD_ACCESS_DENIED,
        SSL_AD_PROTOCOL_VERSION,
        SSL_AD_CERTIFICATE_REQUIRED,
    };
    const auto* text = ERR_reason_error_string(code);
    return {
        .reason = text == nullptr ? "TLS failed" : text,
        .refused = std::ranges::find(lasting, reason - SSL_AD_REASON_OFFSET) != lasting.end(),
    };
}

} // namespace

std::string format_request(const Endpoint& endpoint, const RequestForm& form)
{
    const bool bracketed = endpoint.host.find(':') != std::string::npos;
    auto request = fmt::format(
        "{} {} HTTP/1.1\r\nHost: {}{}{}:{}\r\n",
        form.method,
        form.target,
        bracketed ? "[" : "",
        endpoint.host,
        bracketed ? "]" : "",
        endpoint.port);
    if (!form.media_type.empty()) {
        fmt::format_to(
            std::back_inserter(request),
            "Content-Type: {}\r\nContent-Length: {}\r\n",
            form.media_type,
            form.body.size());
    }
    request += "\r\n";
    request += form.body;
    return request;
}

class Connection::Parser {
public:
    AnswerParser& begin() { return parser_.emplace(body_); }
    AnswerParser& current() { return parser_ ? *parser_ : begin(); }
    void reset() { parser_.reset(); }
    [[nodiscard]] std::string_view body() const { return body_; }

private:
    std::string body_;
    std::optional<AnswerParser> parser_;
};

Connection::Connection(
    Loop& loop, const TlsIdentity& identity, const Endpoint& endpoint, ConnectionObserver& observer)
    : loop_{loop}, identity_{identity}, endpoint_{endpoint}, observer_{observer},
      parser_{std::make_unique<Parser>()}
{}

// NOLINTNEXTLINE(bugprone-exception-escape): epoll forgets what it watches without fail
Connection::~Connection()
{
    close();
}

void Connection::open()
{
    last_progress_ = loop_.now();
    socket_ = start_connect(endpoint_);
    if (socket_ < 0) return lose(std::generic_category().message(errno), false);
    state_ = State::connecting;
    loop_.watch(socket_, EPOLLOUT, *this);
}

void Connection::send(std::string_view request)
{
    if (in_flight_ == 0) last_progress_ = loop_.now();
    output_ += request;
    ++in_flight_;
    if (!flush_asked_) loop_.flush_later(*this);
    flush_asked_ = true;
}

void Connection::close()
{
    if (socket_ >= 0) {
        loop_.forget(socket_, *this);
        if (session_ != nullptr && state_ == State::open) SSL_shutdown(session_);
        SSL_free(session_);
        ::close(socket_);
        ERR_clear_error();
    }
    state_ = State::closed;
    socket_ = -1;
    session_ = nullptr;
    in_flight_ = 0;
    flush_asked_ = false;
    wants_write_ = false;
    input_begin_ = input_end_ = output_begin_ = 0;
    output_.clear();
    parser_->reset();
}

void Connection::give_up(std::string_view reason)
{
    lose(reason, false);
}

void Connection::lose(std::string_view reason, bool refused)
{
    close();
    observer_.lost(*this, reason, refused);
}

void Connection::on_ready(std::uint32_t events)
{
    if (state_ == State::connecting) return finish_connect();
    if (state_ == State::handshaking) return continue_handshake();
    if ((events & EPOLLOUT) != 0) {
        write_pending();
        if (state_ != State::open) return;
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read_available();
}

void Connection::finish_connect()
{
    int failure = 0;
    socklen_t size = sizeof failure;
    ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure != 0) return lose(std::generic_category().message(failure), false);
    session_ = identity_.open_session(socket_);
    SSL_set_connect_state(session_);
    state_ = State::handshaking;
    continue_handshake();
}

void Connection::continue_handshake()
{
    ERR_clear_error();
    errno = 0;
    const int result = SSL_do_handshake(session_);
    if (result == 1) {
        state_ = State::open;
        wants_write_ = false;
        loop_.change(socket_, EPOLLIN, *this);
        last_progress_ = loop_.now();
        observer_.opened(*this);
        return;
    }
    switch (SSL_get_error(session_, result)) {
    case SSL_ERROR_WANT_READ: loop_.change(socket_, EPOLLIN, *this); return;
    case SSL_ERROR_WANT_WRITE: loop_.change(socket_, EPOLLOUT, *this); return;
    default: {
        const auto failure = tls_failure(session_);
        lose(failure.reason, failure.refused);
    }
    }
}

void Connection::read_available()
{
    int error = SSL_ERROR_NONE;
    TlsFailure failure;
    while (input_end_ < input_bytes_max) {
        if (input_.size() - input_end_ < read_bytes_min) {
            input_.resize(std::max(2 * input_.size(), read_bytes_min));
        }
        ERR_clear_error();
        errno = 0;
        std::size_t count = 0;
        const int result =
            SSL_read_ex(session_, input_.data() + input_end_, input_.size() - input_end_, &count);
        input_end_ += count;
        if (result != 1) {
            error = SSL_get_error(session_, result);
            if (error != SSL_ERROR_WANT_READ) failure = tls_failure(session_);
            break;
        }
        // The socket is asked again only by epoll: a read that must find nothing costs a system
        // call.
        if (SSL_has_pending(session_) == 0) break;
    }

    if (!deliver_answers()) return;
    if (error == SSL_ERROR_NONE || error == SSL_ERROR_WANT_READ) return;
    if (error == SSL_ERROR_WANT_WRITE) return want_write(true);
    lose(failure.reason, failure.refused);
}

bool Connection::deliver_answers()
{
    while (input_begin_ < input_end_) {
        auto& parser = parser_->current();
        error_code error;
        const boost::asio::const_buffer bytes{
            input_.data() + input_begin_, input_end_ - input_begin_};
        input_begin_ += parser.put(bytes, error);
        if (error == http::error::need_more) break;
        if (error || in_flight_ == 0) {
            lose(error ? error.message() : "the house answered what was not asked", false);
            return false;
        }
        if (!parser.is_done()) continue;

        auto answer = parser.answer;
        answer.body = parser_->body();
        const bool stays = parser.keep_alive();
        parser_->reset();
        --in_flight_;
        last_progress_ = loop_.now();
        observer_.answered(*this, answer);
        if (state_ != State::open) return false;
        if (!stays) {
            lose("the house closed the connection", false);
            return false;
        }
    }

    std::copy(
        input_.begin() + static_cast<std::ptrdiff_t>(input_begin_),
        input_.begin() + static_cast<std::ptrdiff_t>(input_end_),
        input_.begin());
    input_end_ -= input_begin_;
    input_begin_ = 0;
    return true;
}

void Connection::flush()
{
    flush_asked_ = false;
    if (state_ == State::open && !wants_write_) write_pending();
}

void Connection::write_pending()
{
    while (output_begin_ < output_.size()) {
        ERR_clear_error();
        errno = 0;
        std::size_t count = 0;
        const int result = SSL_write_ex(
            session_, output_.data() + output_begin_, output_.size() - output_begin_, &count);
        if (result != 1) {
            const int error = SSL_get_error(session_, result);
            if (error == SSL_ERROR_WANT_WRITE) return want_write(true);
            if (error == SSL_ERROR_WANT_READ) return;
            const auto failure = tls_failure(session_);
            return lose(failure.reason, failure.refused);
        }
        output_begin_ += count;
    }
    output_.clear();
    output_begin_ = 0;
    want_write(false);
}

void Connection::want_write(bool wanted)
{
    if (wants_write_ == wanted) return;
    wants_write_ = wanted;
    const std::uint32_t events = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN;
    loop_.change(socket_, events, *this);
}

} // namespace pointhouse::client
