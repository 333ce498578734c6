#include "connection.hpp"

#include <ctime>
#include <utility>

#include <openssl/asn1.h>
#include <openssl/x509.h>

namespace pointhouse::gateway {
namespace {

// A connection that always has more to read lets the others have their turn after so many reads.
constexpr int reads_per_turn_max = 4;

std::int64_t end_of(const X509* certificate)
{
    std::tm end{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) return 0;
    return ::timegm(&end);
}

} // namespace

Connection::Connection(TcpSocket socket, asio::ip::address peer, SSL_CTX* tls, Transport& transport)
    : transport_{transport}, tls_{std::move(socket), tls}, peer_{std::move(peer)}
{}

Connection::~Connection()
{
    while (first_ != nullptr) pop_exchange();
}

void Connection::start()
{
    ++transport_.handshakes[peer_];
    deadline_ = transport_.now + transport_.options.deadlines.handshake;
    act();
}

void Connection::wait_readable()
{
    if (std::exchange(waits_readable_, true)) return;
    tls_.socket().async_wait(TcpSocket::wait_read, [this](boost::system::error_code error) {
        waits_readable_ = false;
        on_ready(error);
    });
}

void Connection::wait_writable()
{
    if (std::exchange(waits_writable_, true)) return;
    tls_.socket().async_wait(TcpSocket::wait_write, [this](boost::system::error_code error) {
        waits_writable_ = false;
        on_ready(error);
    });
}

void Connection::on_ready(boost::system::error_code error)
{
    if (state_ == State::closed) return retire_if_over();
    if (error) return close();
    transport_.now = Transport::Clock::now();
    act();
}

void Connection::act()
{
    switch (state_) {
    case State::handshaking: return go_on_handshaking();
    case State::open: return serve();
    case State::closing: return go_on_closing();
    case State::closed: return;
    }
}

void Connection::go_on_handshaking()
{
    switch (tls_.handshake()) {
    case TlsOutcome::wants_read: return wait_readable();
    case TlsOutcome::wants_write: return wait_writable();
    case TlsOutcome::done:
        admit();
        return serve(); // the first request may have come with the client's last handshake message
    case TlsOutcome::ended:
    case TlsOutcome::failed: return close();
    }
}

void Connection::admit()
{
    leave_handshake();
    ++transport_.counters.handshakes_completed;
    state_ = State::open;

    X509* const certificate = tls_.client_certificate();
    const int fault = tls_.client_fault();
    if (fault != 0 || certificate == nullptr) {
        refusal_ = last_fault("certificate_refused", X509_verify_cert_error_string(fault));
    } else if (auto identity = transport_.authority.identify(certificate)) {
        identity_ = *std::move(identity);
        certificate_ends_ = end_of(certificate);
        use_ = &transport_.partners.use_of(identity_.caller);
        if (use_->connections++ >= transport_.options.limits.connections_per_partner_max) {
            refusal_ = last_fault("overloaded", "too many connections of this partner");
        }
    } else {
        refusal_ = last_fault(
            "certificate_refused", "not the certificate of a partner or operator of this house");
    }
    if (refusal_ && use_ == nullptr) ++transport_.counters.certificates_refused;
}

void Connection::leave_handshake()
{
    const auto handshakes = transport_.handshakes.find(peer_);
    if (--handshakes->second == 0) transport_.handshakes.erase(handshakes);
}

void Connection::serve()
{
    is_serving_ = true;
    send_backlog();
    for (int reads = 0;; ++reads) {
        if (state_ != State::open || !backlog_.empty()) break;
        if (reads == reads_per_turn_max) {
            if (!std::exchange(is_revisited_, true)) transport_.revisit(*this);
            break;
        }
        has_more_ = read_input();
        if (state_ != State::open) break;
        take_requests();
        answer();
        // With requests in the line the input cannot move: their answers go on from here.
        if (!has_more_ || first_ != nullptr) break;
    }
    is_serving_ = false;
    settle();
}

void Connection::resume()
{
    is_revisited_ = false;
    if (state_ == State::open) {
        is_serving_ = true;
        answer();
        is_serving_ = false;
        if (has_more_ && first_ == nullptr) return serve();
    }
    settle();
}

void Connection::on_finished(const HttpExchange& exchange)
{
    --unfinished_;
    unsent_bytes_ += exchange.answer.size();
    if (is_serving_ || std::exchange(is_revisited_, true)) return;
    transport_.revisit(*this);
}

/// The end of each look at the connection: gives back what it does not need, and says what it waits
/// for and until when.
void Connection::settle()
{
    if (state_ == State::closed) return retire_if_over();
    if (state_ != State::open) return;

    if (!backlog_.empty()) {
        enter(Phase::sending);
        return wait_writable();
    }
    if (first_ == nullptr) {
        if (input_left() == 0) release_input();
        const bool is_idle = input_left() == 0 && !has_more_;
        const bool is_over = peer_ended_ && !has_more_;
        if (is_over || takes_no_more_ || (is_idle && transport_.is_draining)) {
            return begin_closing();
        }
    }
    if (first_ != nullptr) {
        enter(Phase::answering);
    } else if (awaited_ > 0) {
        enter(Phase::body);
    } else {
        enter(input_left() > 0 ? Phase::header : Phase::idle);
    }
    if (!has_more_ && !peer_ended_ && !takes_no_more_) wait_readable();
}

void Connection::enter(Phase phase)
{
    if (phase == phase_ && phase != Phase::idle) return;
    phase_ = phase;
    const TransportDeadlines& deadlines = transport_.options.deadlines;
    const auto time_for = [&](std::size_t bytes) {
        return deadlines.body +
               std::chrono::milliseconds{bytes * 1000 / deadlines.bytes_per_second_min};
    };
    switch (phase) {
    case Phase::fresh:
    case Phase::answering: deadline_ = Transport::Clock::time_point::max(); break;
    case Phase::idle: deadline_ = transport_.now + deadlines.idle; break;
    case Phase::header: deadline_ = transport_.now + deadlines.header; break;
    case Phase::body: deadline_ = transport_.now + time_for(awaited_); break;
    case Phase::sending: deadline_ = transport_.now + time_for(backlog_.size()); break;
    }
}

void Connection::check_deadline()
{
    if (state_ == State::closed || transport_.now < deadline_) return;
    if (phase_ != Phase::idle) ++transport_.counters.deadlines_passed;
    if (state_ == State::open && backlog_.empty()) return begin_closing();
    close();
}

void Connection::drain()
{
    if (state_ == State::handshaking) return close();
    if (state_ == State::open && !is_serving_) serve();
}

void Connection::begin_closing()
{
    release_input();
    state_ = State::closing;
    deadline_ = transport_.now + transport_.options.deadlines.shutdown;
    tls_.send_close();
    go_on_closing();
}

/// What the peer still sends is read and dropped: closing over unread bytes would reset the
/// connection, and the peer might never see the last answer.
void Connection::go_on_closing()
{
    if (tls_.discard() != TlsOutcome::wants_read) return close();
    wait_readable();
}

void Connection::close()
{
    if (state_ == State::closed) return;
    if (state_ == State::handshaking) {
        leave_handshake();
        ++transport_.counters.handshakes_failed;
    }
    if (use_ != nullptr) --use_->connections;
    state_ = State::closed;
    tls_.close();
    backlog_ = {};
    retire_if_over();
}

void Connection::retire_if_over()
{
    const bool is_watched = waits_readable_ || waits_writable_ || is_revisited_ || is_serving_;
    if (state_ != State::closed || is_watched || unfinished_ > 0 || is_retired_) return;
    is_retired_ = true;
    while (first_ != nullptr) pop_exchange();
    release_input();
    transport_.retire(*this);
}

} // namespace pointhouse::gateway
