#pragma once

#include <filesystem>
#include <memory>

#include <openssl/types.h>

#include "certs/failure.hpp"

namespace pointhouse::certs {

struct FreePrivateKey {
    void operator()(EVP_PKEY* key) const noexcept;
};
using PrivateKey = std::unique_ptr<EVP_PKEY, FreePrivateKey>;

/// Reads an unencrypted private key in PEM. Throws CertificateFailure when it cannot, and when
/// anyone but the file's owner may read it.
[[nodiscard]] PrivateKey read_private_key(const std::filesystem::path& file);

} // namespace pointhouse::certs
