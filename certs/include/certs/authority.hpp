#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "certs/failure.hpp"
#include "ledger/time.hpp"

namespace pointhouse::certs {

/// A certificate that was just issued: what the house's record keeps of it, and where its files
/// are.
struct IssuedCertificate {
    std::string serial;  // 128 random bits in lower-case hexadecimal
    std::string subject; // "partner:GRO", "operator:anna" or "house"
    ledger::Time not_after;
    std::filesystem::path certificate; // PEM: the leaf, then the issuing CA
    std::filesystem::path key;         // PEM, mode 0400
    std::filesystem::path trust;       // PEM: what to verify the other side with
};

/// A certificate for a key that the house never had, as it is handed to whom it names.
struct SignedCertificate {
    std::string serial;
    std::string subject;
    ledger::Time not_after;
    std::string certificate; // PEM: the leaf, then the issuing CA
    std::string trust;       // PEM: what to verify the other side with
};

/// SHA-256 over the public key (SubjectPublicKeyInfo) that a PKCS #10 request in PEM is about, in
/// lower-case hexadecimal. Throws CertificateFailure: it is none, not signed by its own key
/// (RFC 2986), or the key is not on P-256.
[[nodiscard]] std::string key_digest_of_request(std::string_view pem);

/// The house's certificate authority, in a folder of its own (DATA/certs):
///
///     ca.pem                          what everyone trusts: root and issuing CA
///     root/{cert,key}.pem             10 years; used once, may be taken off the machine
///     issuing/{cert,key}.pem          3 years, path length 0; signs all leaves
///     house/{cert,key,ca}.pem         the server
///     <partner>/{cert,key,ca}.pem     a client, 90 days
///     operator-<name>/{cert,key,ca}.pem
///     <any of these>/previous-<serial>/   what a renewal replaced, valid until it expires or is
///     revoked
///
/// Keys are P-256. `now` is the machine's time, never the sandbox's test clock. Which certificates
/// are revoked is not known here: that is a fact of the house's record. Everything throws
/// CertificateFailure. One thread, one process a folder.
class Authority {
public:
    /// Makes the folder, the root and the issuing CA. Refuses a folder that has them already.
    static Authority create(const std::filesystem::path& folder, ledger::Time now);
    /// Needs no root key.
    static Authority open(const std::filesystem::path& folder);

    ~Authority();
    Authority(Authority&& other) noexcept;
    Authority& operator=(Authority&& other) noexcept;

    /// A client certificate with the one name `urn:pointhouse:partner:<id>`. Issuing again renews:
    /// both are valid side by side.
    IssuedCertificate issue_partner(std::string_view id, ledger::Time now);
    /// The same for `urn:pointhouse:operator:<name>`.
    IssuedCertificate issue_operator(std::string_view name, ledger::Time now);
    /// The same for the key of a request (`key_digest_of_request` says which are taken). Who is
    /// named is said here: nothing but the key is taken from the request. No file is written.
    [[nodiscard]] SignedCertificate sign_partner(
        std::string_view id, std::string_view request, ledger::Time now) const;
    [[nodiscard]] SignedCertificate sign_operator(
        std::string_view name, std::string_view request, ledger::Time now) const;
    /// The server's certificate, for localhost, 127.0.0.1 and further DNS names or IP addresses.
    IssuedCertificate issue_server(std::span<const std::string> names, ledger::Time now);

private:
    struct Parts;
    explicit Authority(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

/// Whether the CA keeps this name for a folder or file of its own, so that no partner can have it.
[[nodiscard]] bool is_reserved_name(std::string_view partner_id);

} // namespace pointhouse::certs
