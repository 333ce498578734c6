#include "sha256.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "ledger/invariant.hpp"

namespace pointhouse::ledger {

Sha256::Sha256() : algorithm_{EVP_MD_fetch(nullptr, "SHA256", nullptr)}, context_{EVP_MD_CTX_new()}
{
    invariant(algorithm_ != nullptr && context_ != nullptr, "OpenSSL has SHA-256");
    invariant(EVP_DigestInit_ex2(context_, algorithm_, nullptr) == 1, "SHA-256 starts");
}

Sha256::~Sha256()
{
    EVP_MD_CTX_free(context_);
    EVP_MD_free(algorithm_);
}

void Sha256::update(std::span<const std::byte> bytes)
{
    invariant(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1, "SHA-256 updates");
}

Digest Sha256::finish()
{
    Digest digest;
    unsigned int size = 0;
    invariant(
        EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(digest.data()), &size) == 1 &&
            size == digest.size(),
        "SHA-256 finishes");
    // Null algorithm: reuse the one of the context, which skips its set-up.
    invariant(EVP_DigestInit_ex2(context_, nullptr, nullptr) == 1, "SHA-256 starts again");
    return digest;
}

Digest Sha256::of(std::span<const std::byte> bytes)
{
    update(bytes);
    return finish();
}

Digest hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> text)
{
    Digest digest;
    unsigned int size = 0;
    const auto* result = HMAC(
        EVP_sha256(),
        key.data(),
        static_cast<int>(key.size()),
        reinterpret_cast<const unsigned char*>(text.data()),
        text.size(),
        reinterpret_cast<unsigned char*>(digest.data()),
        &size);
    invariant(result != nullptr && size == digest.size(), "HMAC-SHA-256 computes");
    return digest;
}

} // namespace pointhouse::ledger
