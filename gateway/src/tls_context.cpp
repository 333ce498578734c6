#include "tls_context.hpp"

#include <array>
#include <fmt/format.h>
#include <stdexcept>
#include <string>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "tls_socket.hpp"

namespace pointhouse::gateway {
namespace {

void require(bool succeeded, std::string_view what)
{
    if (succeeded) return;
    std::array<char, 256> reason{};
    ERR_error_string_n(ERR_get_error(), reason.data(), reason.size());
    ERR_clear_error();
    throw std::runtime_error{fmt::format("{}: {}", what, reason.data())};
}

void require_private(const std::string& key_file)
{
    struct stat status{};
    if (::stat(key_file.c_str(), &status) != 0) {
        throw std::runtime_error{fmt::format("{}: no such key file", key_file)};
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        throw std::runtime_error{
            fmt::format("{}: others may read this key; make it mode 0400", key_file)};
    }
}

void set_protocol(SSL_CTX* context)
{
    require(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1, "TLS 1.2");
    require(SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1, "TLS 1.3");
    SSL_CTX_set_security_level(context, 2);
    require(SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1, "TLS 1.2 suites");
    require(SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1, "TLS groups");
    // Resumption skips what the house knows of a certificate (SECURITY section 1).
    SSL_CTX_set_options(
        context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    require(SSL_CTX_set_num_tickets(context, 0) == 1, "TLS tickets");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    std::array<unsigned char, 16> session_id_context{};
    require(
        RAND_bytes(session_id_context.data(), static_cast<int>(session_id_context.size())) == 1,
        "random numbers");
    require(
        SSL_CTX_set_session_id_context(
            context,
            session_id_context.data(),
            static_cast<unsigned int>(session_id_context.size())) == 1,
        "TLS session context");
}

void set_buffers(SSL_CTX* context)
{
    SSL_CTX_set_mode(
        context,
        SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // One read takes all that the socket has, instead of one for a record's header and one for the
    // rest.
    SSL_CTX_set_read_ahead(context, 1);
}

} // namespace

void TlsContextDeleter::operator()(SSL_CTX* context) const noexcept
{
    SSL_CTX_free(context);
}

TlsContext make_tls_context(const ListenerOptions& options)
{
    TlsContext owner{SSL_CTX_new(TLS_server_method())};
    SSL_CTX* const context = owner.get();
    require(context != nullptr, "TLS");
    set_protocol(context);
    set_buffers(context);

    require(
        SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) == 1,
        options.certificate_file);
    require_private(options.key_file);
    require(
        SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) == 1,
        options.key_file);
    require(SSL_CTX_check_private_key(context) == 1, options.key_file);

    const char* const ca_file = options.ca_file.c_str();
    require(SSL_CTX_load_verify_locations(context, ca_file, nullptr) == 1, options.ca_file);
    STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(ca_file);
    require(names != nullptr, options.ca_file);
    SSL_CTX_set_client_CA_list(context, names);
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
    TlsSocket::require_client_certificates(context);
    return owner;
}

} // namespace pointhouse::gateway
