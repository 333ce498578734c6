#include "client/endpoint.hpp"

#include <fmt/format.h>

#include <boost/url/parse.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace pointhouse::client {
namespace {

std::string openssl_reason()
{
    const unsigned long code = ERR_peek_last_error();
    ERR_clear_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    return reason == nullptr ? "cannot be used" : reason;
}

void require(bool done, const std::filesystem::path& file)
{
    if (done) return;
    const auto reason = std::filesystem::exists(file) ? openssl_reason() : "there is no such file";
    throw SetupFault{fmt::format("{}: {}", file.string(), reason)};
}

/// The name or address that the server's certificate must carry.
void expect_host(SSL_CTX* context, const std::string& host)
{
    X509_VERIFY_PARAM* parameters = SSL_CTX_get0_param(context);
    if (X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1) return;
    ERR_clear_error();
    X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size());
}

bool is_address(const std::string& host)
{
    return host.find(':') != std::string::npos ||
           host.find_first_not_of("0123456789.") == std::string::npos;
}

} // namespace

Endpoint parse_endpoint(std::string_view url)
{
    const auto parsed = boost::urls::parse_uri(boost::urls::string_view{url.data(), url.size()});
    const auto fault = [url](std::string_view reason) {
        return SetupFault{fmt::format("{}: {} (like https://127.0.0.1:8443)", url, reason)};
    };
    if (!parsed) throw fault("this is not a URL");
    if (parsed->scheme() != "https") throw fault("the house speaks https only");
    if (parsed->host().empty()) throw fault("the host is missing");
    if (!(parsed->path().empty() || parsed->path() == "/") || parsed->has_query() ||
        parsed->has_fragment() || parsed->has_userinfo()) {
        throw fault("give host and port alone");
    }
    if (parsed->has_port() && parsed->port_number() == 0) throw fault("the port is not a port");

    Endpoint endpoint{.host = parsed->host_address(), .port = 443};
    if (parsed->has_port()) endpoint.port = parsed->port_number();
    return endpoint;
}

Credentials credentials_in(const std::filesystem::path& certificates, std::string_view name)
{
    return {
        .certificate = certificates / name / "cert.pem",
        .key = certificates / name / "key.pem",
        .authority = certificates / "ca.pem",
    };
}

void TlsIdentity::Deleter::operator()(ssl_ctx_st* context) const noexcept
{
    SSL_CTX_free(context);
}

TlsIdentity::TlsIdentity(const Credentials& credentials, const Endpoint& endpoint)
    : context_{SSL_CTX_new(TLS_client_method())}, host_{endpoint.host}
{
    SSL_CTX* context = context_.get();
    if (context == nullptr) throw SetupFault{"TLS: " + openssl_reason()};
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // One read of the socket brings in whole records, instead of a read for each header and body.
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    expect_host(context, host_);

    ERR_clear_error();
    const auto& [certificate, key, authority] = credentials;
    require(SSL_CTX_load_verify_file(context, authority.c_str()) == 1, authority);
    require(SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) == 1, certificate);
    require(SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) == 1, key);
    require(SSL_CTX_check_private_key(context) == 1, key);
}

ssl_st* TlsIdentity::open_session(int socket) const
{
    SSL* session = SSL_new(context_.get());
    if (session == nullptr) throw SetupFault{"TLS: " + openssl_reason()};
    SSL_set_fd(session, socket);
    if (!is_address(host_)) {
        // SSL_set_tlsext_host_name, whose macro has a cast that our warnings do not take.
        SSL_ctrl(
            session,
            SSL_CTRL_SET_TLSEXT_HOSTNAME,
            TLSEXT_NAMETYPE_host_name,
            const_cast<char*>(host_.c_str()));
    }
    return session;
}

} // namespace pointhouse::client
