#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/time.hpp"
#include "openssl.hpp"

namespace pointhouse::certs {

/// What a certificate shall say; the serial number is drawn when it is signed.
struct Draft {
    std::string common_name;
    ledger::Time not_before;
    ledger::Time not_after;
    /// OpenSSL's numbers and notation (x509v3_config), constants of ours only: the notation would
    /// let a name with a comma in it say more than a name.
    struct Extension {
        int nid = 0;
        const char* value = nullptr;
    };
    std::vector<Extension> extensions;
    GeneralNames alternative_names; // none: no such extension
};

/// A certificate and its key.
struct Pair {
    Certificate certificate;
    PrivateKey key;
};

/// A new P-256 key and the certificate that `issuer` signs for it; no issuer: it signs its own.
[[nodiscard]] Pair make_pair(const Draft& draft, const Pair* issuer);

/// The certificate that `issuer` signs for a key of someone else's.
[[nodiscard]] Certificate certify(const Draft& draft, EVP_PKEY& key, const Pair& issuer);

/// The key of a PKCS #10 request in PEM. Throws: it is none, its signature is not that of its key,
/// or the key is not on P-256.
[[nodiscard]] PrivateKey key_of_request(std::string_view pem);

[[nodiscard]] GeneralNames uri_name(std::string_view uri);
/// Adds an IP address when `name` is one, else a DNS name; throws when it is neither.
void add_server_name(GeneralNames& names, const std::string& name);

[[nodiscard]] std::string pem_of(const X509& certificate);
[[nodiscard]] std::string pem_of(const EVP_PKEY& key);

/// The first certificate in a PEM file.
[[nodiscard]] Certificate read_certificate(const std::filesystem::path& file);

[[nodiscard]] ledger::Time not_after_of(const X509& certificate);

} // namespace pointhouse::certs
