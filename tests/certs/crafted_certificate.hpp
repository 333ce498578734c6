#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/x509.h>

namespace pointhouse::certs {

struct FreeCertificate {
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};
using CraftedCertificate = std::unique_ptr<X509, FreeCertificate>;

/// One name of a subjectAltName: `type` is OpenSSL's GEN_URI, GEN_DNS, …; the text may hold
/// anything.
struct CraftedName {
    int type;
    std::string text;
};

/// What a forger, or a careless CA, could put into a certificate. The defaults make a good one of
/// partner GRO; nothing is escaped or checked.
struct Craft {
    std::string common_name = "partner:GRO";
    std::string constraints = "critical,CA:FALSE";
    std::string key_usage = "critical,digitalSignature";
    std::string extended_key_usage = "clientAuth";
    std::vector<CraftedName> names{{GEN_URI_type, "urn:pointhouse:partner:GRO"}};
    bool names_twice = false;             // the whole extension a second time
    std::vector<unsigned char> raw_names; // these bytes as the extension, when not empty

    static constexpr int GEN_URI_type = 6;
};

/// Signs the craft with a key of its own: `identity_of` comes after the chain has been verified.
[[nodiscard]] CraftedCertificate crafted(const Craft& craft);

} // namespace pointhouse::certs
