#include "certs/key_file.hpp"

#include <fmt/format.h>

#include <openssl/pem.h>

#include "files.hpp"
#include "openssl.hpp"

namespace pointhouse::certs {
namespace {

// Without this OpenSSL asks the terminal for the passphrase of an encrypted key.
int no_passphrase(char*, int, int, void*)
{
    return -1;
}

} // namespace

void FreePrivateKey::operator()(EVP_PKEY* key) const noexcept
{
    EVP_PKEY_free(key);
}

PrivateKey read_private_key(const std::filesystem::path& file)
{
    auto pem = read_private_file(file);
    const Bio in{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    PrivateKey key{PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr)};
    OPENSSL_cleanse(pem.data(), pem.size());
    require(key != nullptr, fmt::format("{} holds no private key that can be read", file.string()));
    return key;
}

} // namespace pointhouse::certs
