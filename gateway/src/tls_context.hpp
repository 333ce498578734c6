#pragma once

#include <memory>

#include <openssl/types.h>

#include "transport_options.hpp"

namespace pointhouse::gateway {

struct TlsContextDeleter {
    void operator()(SSL_CTX* context) const noexcept;
};
using TlsContext = std::unique_ptr<SSL_CTX, TlsContextDeleter>;

/// The TLS side of the house: 1.3, or 1.2 with forward-secret AEAD suites; a client certificate is
/// required; no tickets, no resumption, no renegotiation. A certificate that does not verify
/// completes the handshake all the same, so that its holder can be told why
/// (TlsSocket::client_fault). Throws std::runtime_error with a reason for the operator, also when
/// others may read the key file.
[[nodiscard]] TlsContext make_tls_context(const ListenerOptions& options);

} // namespace pointhouse::gateway
