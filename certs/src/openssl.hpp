#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "certs/failure.hpp"
#include "certs/key_file.hpp"

namespace pointhouse::certs {

template <auto free_function>
struct FreeWith {
    template <class T>
    void operator()(T* object) const noexcept
    {
        free_function(object);
    }
};

inline void free_text(char* text) noexcept
{
    OPENSSL_free(text);
}

using Text = std::unique_ptr<char, FreeWith<free_text>>;
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;
using Request = std::unique_ptr<X509_REQ, FreeWith<X509_REQ_free>>;
using Bio = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using BigNumber = std::unique_ptr<BIGNUM, FreeWith<BN_free>>;
using GeneralNames = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;
using GeneralName = std::unique_ptr<GENERAL_NAME, FreeWith<GENERAL_NAME_free>>;
using OctetString = std::unique_ptr<ASN1_OCTET_STRING, FreeWith<ASN1_OCTET_STRING_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;

/// Throws CertificateFailure with `what` and OpenSSL's newest reason, and empties its error queue.
[[noreturn]] inline void fail(std::string_view what)
{
    std::string message{what};
    if (const auto code = ERR_peek_last_error(); code != 0) {
        const char* reason = ERR_reason_error_string(code);
        if (reason != nullptr) message.append(": ").append(reason);
    }
    ERR_clear_error();
    throw CertificateFailure{message};
}

/// For the calls of OpenSSL that answer 1 when they have worked.
inline void require(bool worked, std::string_view what)
{
    if (!worked) fail(what);
}

} // namespace pointhouse::certs
