#include "crafted_certificate.hpp"

#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

namespace pointhouse::certs {
namespace {

void check(bool worked)
{
    if (!worked) throw std::runtime_error{"OpenSSL could not craft a certificate"};
}

void add_configured(X509& certificate, int nid, const std::string& value)
{
    if (value.empty()) return;
    X509V3_CTX context{};
    X509V3_set_ctx(&context, &certificate, &certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    check(extension != nullptr && X509_add_ext(&certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

void add_names(X509& certificate, const std::vector<CraftedName>& names)
{
    if (names.empty()) return;
    GENERAL_NAMES* list = GENERAL_NAMES_new();
    for (const auto& [type, text] : names) {
        ASN1_IA5STRING* string = ASN1_IA5STRING_new();
        check(ASN1_STRING_set(string, text.data(), static_cast<int>(text.size())) == 1);
        GENERAL_NAME* name = GENERAL_NAME_new();
        GENERAL_NAME_set0_value(name, type, string);
        check(sk_GENERAL_NAME_push(list, name) > 0);
    }
    check(X509_add1_ext_i2d(&certificate, NID_subject_alt_name, list, 0, X509V3_ADD_APPEND) == 1);
    GENERAL_NAMES_free(list);
}

void add_raw_names(X509& certificate, const std::vector<unsigned char>& bytes)
{
    ASN1_OCTET_STRING* octets = ASN1_OCTET_STRING_new();
    check(ASN1_OCTET_STRING_set(octets, bytes.data(), static_cast<int>(bytes.size())) == 1);
    X509_EXTENSION* extension =
        X509_EXTENSION_create_by_NID(nullptr, NID_subject_alt_name, 0, octets);
    check(extension != nullptr && X509_add_ext(&certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(octets);
}

} // namespace

CraftedCertificate crafted(const Craft& craft)
{
    CraftedCertificate owned{X509_new()};
    X509& certificate = *owned;
    EVP_PKEY* key = EVP_EC_gen("P-256");
    check(key != nullptr && X509_set_version(&certificate, 2) == 1);
    check(ASN1_INTEGER_set_uint64(X509_get_serialNumber(&certificate), 0xABCDEF) == 1);
    X509_gmtime_adj(X509_getm_notBefore(&certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(&certificate), 3600);
    X509_NAME* subject = X509_get_subject_name(&certificate);
    const auto* common_name = reinterpret_cast<const unsigned char*>(craft.common_name.data());
    check(
        X509_NAME_add_entry_by_NID(
            subject,
            NID_commonName,
            MBSTRING_UTF8,
            common_name,
            static_cast<int>(craft.common_name.size()),
            -1,
            0) == 1);
    check(
        X509_set_issuer_name(&certificate, subject) == 1 &&
        X509_set_pubkey(&certificate, key) == 1);

    add_configured(certificate, NID_basic_constraints, craft.constraints);
    add_configured(certificate, NID_key_usage, craft.key_usage);
    add_configured(certificate, NID_ext_key_usage, craft.extended_key_usage);
    if (craft.raw_names.empty()) {
        add_names(certificate, craft.names);
    } else {
        add_raw_names(certificate, craft.raw_names);
    }
    if (craft.names_twice) add_names(certificate, craft.names);

    check(X509_sign(&certificate, key, EVP_sha256()) > 0);
    EVP_PKEY_free(key);
    return owned;
}

} // namespace pointhouse::certs
