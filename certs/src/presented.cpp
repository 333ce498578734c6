#include "certs/presented.hpp"

#include <fmt/format.h>

#include "certificate.hpp"
#include "certs/key_file.hpp"

namespace pointhouse::certs {

namespace fs = std::filesystem;

Identity identity_of_files(const fs::path& authority, const fs::path& presented, ledger::Time now)
{
    const fs::path file = fs::is_directory(presented) ? presented / "cert.pem" : presented;
    const auto fail = [&](std::string_view why) {
        throw CertificateFailure{fmt::format("{}: {}", file.string(), why)};
    };
    const auto certificate = read_certificate(file);
    const auto issuing = read_certificate(authority / "issuing" / "cert.pem");
    if (X509_verify(certificate.get(), X509_get0_pubkey(issuing.get())) != 1)
        fail("it is not a certificate of this house");
    if (not_after_of(*certificate) < now) fail("it has expired");
    const auto key = read_private_key(file.parent_path() / "key.pem");
    if (X509_check_private_key(certificate.get(), key.get()) != 1)
        fail("the key beside it is another's");
    auto identity = identity_of(*certificate);
    if (!identity) fail(identity.error());
    return std::move(*identity);
}

} // namespace pointhouse::certs
