#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <openssl/types.h>

namespace pointhouse::gateway {

namespace asio = boost::asio;

/// The socket type of a loop that is known at compile time: Asio's any_io_executor costs an
/// indirect call and an allocation per wait.
using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

/// How an attempt ended. `ended`: the peer closed its side in order.
enum class TlsOutcome : std::uint8_t { done, wants_read, wants_write, ended, failed };

/// OpenSSL on a non-blocking socket. It never waits: the caller waits for the readiness that an
/// outcome asks for and tries again. Must not move, because OpenSSL's callback points at it.
class TlsSocket {
public:
    struct Transfer {
        TlsOutcome outcome;
        std::size_t bytes;
    };

    /// Throws std::bad_alloc when OpenSSL has no memory for one more connection.
    TlsSocket(TcpSocket socket, SSL_CTX* context);
    TlsSocket(const TlsSocket&) = delete;
    TlsSocket& operator=(const TlsSocket&) = delete;
    ~TlsSocket();

    /// Makes a context ask for client certificates and note here, not refuse, what fails to verify.
    static void require_client_certificates(SSL_CTX* context);

    [[nodiscard]] TcpSocket& socket() noexcept { return socket_; }

    [[nodiscard]] TlsOutcome handshake();
    [[nodiscard]] Transfer read(std::span<char> room);
    /// May write a part only.
    [[nodiscard]] Transfer write(std::string_view bytes);
    /// Bytes are here already that the socket's readiness will not announce.
    [[nodiscard]] bool has_buffered() const noexcept;

    /// Sends close_notify and ends our side of the TCP connection; the peer can still read all.
    void send_close() noexcept;
    /// Throws away what the peer still sends: `ended` once it has closed its side too.
    [[nodiscard]] TlsOutcome discard() noexcept;
    void close() noexcept;

    /// After the handshake: the first reason why the client's chain did not verify, 0 for none.
    [[nodiscard]] int client_fault() const noexcept { return client_fault_; }
    /// After the handshake: the client's certificate, owned by this.
    [[nodiscard]] X509* client_certificate() const noexcept;

private:
    struct SslDeleter {
        void operator()(SSL* ssl) const noexcept;
    };

    [[nodiscard]] TlsOutcome outcome_of(int result) const noexcept;

    TcpSocket socket_;
    std::unique_ptr<SSL, SslDeleter> ssl_;
    int client_fault_ = 0;
};

} // namespace pointhouse::gateway
