#pragma once

#include <filesystem>

#include "certs/failure.hpp"
#include "certs/identity.hpp"
#include "ledger/time.hpp"

namespace pointhouse::certs {

/// Whom the files of a certificate speak for, in a house's command: `presented` is its PEM file, or
/// the folder that has it as cert.pem; its key lies beside it. Signed by the issuing CA of
/// `authority`, valid at `now`, and the key is its own. Whether it was revoked is not known here.
/// Throws CertificateFailure.
[[nodiscard]] Identity identity_of_files(
    const std::filesystem::path& authority,
    const std::filesystem::path& presented,
    ledger::Time now);

} // namespace pointhouse::certs
