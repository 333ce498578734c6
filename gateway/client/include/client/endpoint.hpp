#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

struct ssl_ctx_st;
struct ssl_st;

namespace pointhouse::client {

/// Why a client cannot be set up at all: a bad URL, an unreadable certificate. In words for a
/// person.
class SetupFault : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Where a house serves.
struct Endpoint {
    std::string host; // a name or an address, without brackets
    std::uint16_t port = 443;
};

/// Reads "https://host:port", with nothing behind it but an optional "/". Throws SetupFault.
[[nodiscard]] Endpoint parse_endpoint(std::string_view url);

/// The files that say who a partner is, and whom it believes.
struct Credentials {
    std::filesystem::path certificate; // PEM, the leaf and what the house needs to chain it
    std::filesystem::path key;         // PEM
    std::filesystem::path authority;   // PEM: the house's CA, for the server's certificate
};

/// The folder layout of `pointhouse cert issue`: ca.pem and <name>/{cert,key}.pem.
[[nodiscard]] Credentials credentials_in(
    const std::filesystem::path& certificates, std::string_view name);

/// One partner's side of TLS: version 1.3 only, the server's name and chain are checked.
/// Immutable once made; connections of one thread share it.
class TlsIdentity {
public:
    /// Throws SetupFault, naming the file that cannot be used.
    TlsIdentity(const Credentials& credentials, const Endpoint& endpoint);

    /// A TLS session object on a connected socket, ready for SSL_connect. The caller frees it.
    [[nodiscard]] ssl_st* open_session(int socket) const;

private:
    struct Deleter {
        void operator()(ssl_ctx_st* context) const noexcept;
    };
    std::unique_ptr<ssl_ctx_st, Deleter> context_;
    std::string host_;
};

} // namespace pointhouse::client
