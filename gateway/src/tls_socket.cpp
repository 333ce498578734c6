#include "tls_socket.hpp"

#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <new>
#include <sys/socket.h>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace pointhouse::gateway {

void TlsSocket::SslDeleter::operator()(SSL* ssl) const noexcept
{
    SSL_free(ssl);
}

TlsSocket::TlsSocket(TcpSocket socket, SSL_CTX* context)
    : socket_{std::move(socket)}, ssl_{SSL_new(context)}
{
    if (!ssl_ || SSL_set_fd(ssl_.get(), socket_.native_handle()) != 1) throw std::bad_alloc{};
    SSL_set_accept_state(ssl_.get());
    SSL_set_app_data(ssl_.get(), this);
}

TlsSocket::~TlsSocket() = default;

void TlsSocket::require_client_certificates(SSL_CTX* context)
{
    const auto note = [](int verified, X509_STORE_CTX* store) {
        if (verified == 1) return 1;
        void* const ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
        auto* const self = static_cast<TlsSocket*>(SSL_get_app_data(static_cast<SSL*>(ssl)));
        if (self->client_fault_ == 0) self->client_fault_ = X509_STORE_CTX_get_error(store);
        return 1;
    };
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, note);
}

TlsOutcome TlsSocket::outcome_of(int result) const noexcept
{
    switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return TlsOutcome::wants_read;
    case SSL_ERROR_WANT_WRITE: return TlsOutcome::wants_write;
    case SSL_ERROR_ZERO_RETURN: return TlsOutcome::ended;
    default: ERR_clear_error(); return TlsOutcome::failed;
    }
}

TlsOutcome TlsSocket::handshake()
{
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result != 1) return outcome_of(result);
    if (SSL_get_verify_result(ssl_.get()) != X509_V_OK && client_fault_ == 0) {
        client_fault_ = static_cast<int>(SSL_get_verify_result(ssl_.get()));
    }
    // A client with Nagle's algorithm holds its first request back until this ACK: 44 ms.
    const int enabled = 1;
    ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &enabled, sizeof enabled);
    return TlsOutcome::done;
}

TlsSocket::Transfer TlsSocket::read(std::span<char> room)
{
    ERR_clear_error();
    std::size_t bytes = 0;
    const int result = SSL_read_ex(ssl_.get(), room.data(), room.size(), &bytes);
    return {.outcome = result == 1 ? TlsOutcome::done : outcome_of(result), .bytes = bytes};
}

TlsSocket::Transfer TlsSocket::write(std::string_view bytes)
{
    ERR_clear_error();
    std::size_t written = 0;
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
    return {.outcome = result == 1 ? TlsOutcome::done : outcome_of(result), .bytes = written};
}

bool TlsSocket::has_buffered() const noexcept
{
    return SSL_has_pending(ssl_.get()) == 1;
}

void TlsSocket::send_close() noexcept
{
    ERR_clear_error();
    if (SSL_shutdown(ssl_.get()) < 0) ERR_clear_error();
    ::shutdown(socket_.native_handle(), SHUT_WR);
}

TlsOutcome TlsSocket::discard() noexcept
{
    std::array<char, std::size_t{16} << 10U> nowhere;
    // Bounded, so that a peer that keeps sending does not hold the loop; the deadline ends it.
    for (int turn = 0; turn < 16; ++turn) {
        const auto received =
            ::recv(socket_.native_handle(), nowhere.data(), nowhere.size(), MSG_DONTWAIT);
        if (received == 0) return TlsOutcome::ended;
        if (received < 0 && errno == EINTR) continue;
        if (received < 0 && errno != EAGAIN) return TlsOutcome::failed;
        if (received < 0) return TlsOutcome::wants_read;
    }
    return TlsOutcome::wants_read;
}

void TlsSocket::close() noexcept
{
    boost::system::error_code ignored; // nothing is left to do about a socket that fails to close
    socket_.close(ignored);
    ssl_.reset();
}

X509* TlsSocket::client_certificate() const noexcept
{
    return SSL_get0_peer_certificate(ssl_.get());
}

} // namespace pointhouse::gateway
