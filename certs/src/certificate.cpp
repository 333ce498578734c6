#include "certificate.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <ctime>
#include <fmt/format.h>
#include <tuple>
#include <utility>

#include <openssl/pem.h>

#include "files.hpp"

namespace pointhouse::certs {
namespace {

constexpr long version_3 = 2;
constexpr int serial_bits = 128;
constexpr std::size_t dns_name_size_max = 253;
constexpr std::size_t request_size_max = 16384;

const unsigned char* bytes_of(std::string_view text)
{
    return reinterpret_cast<const unsigned char*>(text.data());
}

void set_serial(X509& certificate)
{
    const BigNumber number{BN_new()};
    require(number != nullptr, "cannot make a serial number");
    // Zero is not a serial number (RFC 5280, 4.1.2.2).
    do {
        require(
            BN_rand(number.get(), serial_bits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1,
            "cannot draw a serial number");
    } while (BN_is_zero(number.get()));
    require(
        BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr,
        "cannot set a serial number");
}

void set_validity(X509& certificate, const Draft& draft)
{
    const auto seconds = [](ledger::Time time) {
        return static_cast<std::time_t>(
            std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
    };
    const bool set =
        ASN1_TIME_set(X509_getm_notBefore(&certificate), seconds(draft.not_before)) != nullptr &&
        ASN1_TIME_set(X509_getm_notAfter(&certificate), seconds(draft.not_after)) != nullptr;
    require(set, "cannot set a certificate's validity");
}

void set_subject(X509& certificate, std::string_view common_name)
{
    require(
        X509_NAME_add_entry_by_NID(
            X509_get_subject_name(&certificate),
            NID_commonName,
            MBSTRING_UTF8,
            bytes_of(common_name),
            static_cast<int>(common_name.size()),
            -1,
            0) == 1,
        "cannot set a certificate's subject");
}

void add_extension(X509& certificate, X509& issuer, const Draft::Extension& extension)
{
    X509V3_CTX context{};
    X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
    const Extension made{X509V3_EXT_conf_nid(nullptr, &context, extension.nid, extension.value)};
    require(
        made != nullptr && X509_add_ext(&certificate, made.get(), -1) == 1,
        "cannot add an extension to a certificate");
}

void push(GeneralNames& names, GeneralName name)
{
    require(sk_GENERAL_NAME_push(names.get(), name.get()) > 0, "cannot add a name");
    std::ignore = name.release(); // owned by the list now
}

void add_text_name(GeneralNames& names, int type, std::string_view text)
{
    std::unique_ptr<ASN1_IA5STRING, FreeWith<ASN1_IA5STRING_free>> string{ASN1_IA5STRING_new()};
    GeneralName name{GENERAL_NAME_new()};
    require(
        string && name &&
            ASN1_STRING_set(string.get(), text.data(), static_cast<int>(text.size())) == 1,
        "cannot make a name");
    GENERAL_NAME_set0_value(name.get(), type, string.release());
    push(names, std::move(name));
}

bool is_dns_name(std::string_view name)
{
    const auto is_allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.';
    };
    return !name.empty() && name.size() <= dns_name_size_max && name.front() != '.' &&
           name.front() != '-' && name.find("..") == std::string_view::npos &&
           std::ranges::all_of(name, is_allowed);
}

std::string contents_of(const Bio& bio)
{
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    require(size >= 0, "cannot write PEM");
    return {data, static_cast<std::size_t>(size)};
}

} // namespace

namespace {

/// No issuer: the key signs its own.
Certificate certificate_of(const Draft& draft, EVP_PKEY& key, const Pair* issuer)
{
    Certificate made{X509_new()};
    require(made != nullptr, "cannot make a certificate");
    X509& certificate = *made;
    X509& signer = issuer ? *issuer->certificate : certificate;

    require(X509_set_version(&certificate, version_3) == 1, "cannot set a certificate's version");
    set_serial(certificate);
    set_validity(certificate, draft);
    set_subject(certificate, draft.common_name);
    require(
        X509_set_issuer_name(&certificate, X509_get_subject_name(&signer)) == 1 &&
            X509_set_pubkey(&certificate, &key) == 1,
        "cannot fill a certificate");

    for (const auto& extension : draft.extensions) add_extension(certificate, signer, extension);
    add_extension(certificate, signer, {.nid = NID_subject_key_identifier, .value = "hash"});
    if (issuer) {
        add_extension(
            certificate, signer, {.nid = NID_authority_key_identifier, .value = "keyid:always"});
    }
    if (draft.alternative_names) {
        require(
            X509_add1_ext_i2d(
                &certificate,
                NID_subject_alt_name,
                draft.alternative_names.get(),
                0,
                X509V3_ADD_APPEND) == 1,
            "cannot add names to a certificate");
    }

    EVP_PKEY* signing_key = issuer ? issuer->key.get() : &key;
    require(X509_sign(&certificate, signing_key, EVP_sha256()) > 0, "cannot sign a certificate");
    return made;
}

} // namespace

Pair make_pair(const Draft& draft, const Pair* issuer)
{
    PrivateKey key{EVP_EC_gen("P-256")};
    require(key != nullptr, "cannot make a key");
    auto certificate = certificate_of(draft, *key, issuer);
    return {.certificate = std::move(certificate), .key = std::move(key)};
}

Certificate certify(const Draft& draft, EVP_PKEY& key, const Pair& issuer)
{
    return certificate_of(draft, key, &issuer);
}

PrivateKey key_of_request(std::string_view pem)
{
    require(pem.size() <= request_size_max, "the certificate request is too long");
    const Bio in{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    const Request request{
        in ? PEM_read_bio_X509_REQ(in.get(), nullptr, nullptr, nullptr) : nullptr};
    require(request != nullptr, "this is no certificate request in PEM (PKCS #10)");
    PrivateKey key{X509_REQ_get_pubkey(request.get())};
    require(key != nullptr, "the certificate request has no key that can be read");
    std::array<char, 64> curve{};
    std::size_t length = 0;
    const bool is_on_curve =
        EVP_PKEY_is_a(key.get(), "EC") == 1 &&
        EVP_PKEY_get_group_name(key.get(), curve.data(), curve.size(), &length) == 1 &&
        std::string_view{curve.data(), length} == SN_X9_62_prime256v1;
    require(is_on_curve, "the certificate request's key is not on the curve P-256");
    require(
        X509_REQ_verify(request.get(), key.get()) == 1,
        "the certificate request is not signed by its own key");
    return key;
}

GeneralNames uri_name(std::string_view uri)
{
    GeneralNames names{GENERAL_NAMES_new()};
    require(names != nullptr, "cannot make a name");
    add_text_name(names, GEN_URI, uri);
    return names;
}

void add_server_name(GeneralNames& names, const std::string& name)
{
    if (!names) names.reset(GENERAL_NAMES_new());
    require(names != nullptr, "cannot make a name");

    if (OctetString address{a2i_IPADDRESS(name.c_str())}) {
        GeneralName entry{GENERAL_NAME_new()};
        require(entry != nullptr, "cannot make a name");
        GENERAL_NAME_set0_value(entry.get(), GEN_IPADD, address.release());
        push(names, std::move(entry));
        return;
    }
    ERR_clear_error();
    if (!is_dns_name(name)) {
        throw CertificateFailure{
            fmt::format("\"{}\" is neither a DNS name nor an IP address", name)};
    }
    add_text_name(names, GEN_DNS, name);
}

std::string pem_of(const X509& certificate)
{
    const Bio out{BIO_new(BIO_s_mem())};
    require(out && PEM_write_bio_X509(out.get(), &certificate) == 1, "cannot write a certificate");
    return contents_of(out);
}

std::string pem_of(const EVP_PKEY& key)
{
    const Bio out{BIO_new(BIO_s_secmem())};
    require(
        out && PEM_write_bio_PKCS8PrivateKey(
                   out.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
        "cannot write a key");
    return contents_of(out);
}

Certificate read_certificate(const std::filesystem::path& file)
{
    const auto pem = read_file(file);
    const Bio in{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    Certificate certificate{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)};
    require(
        certificate != nullptr,
        fmt::format("{} holds no certificate that can be read", file.string()));
    return certificate;
}

ledger::Time not_after_of(const X509& certificate)
{
    std::tm calendar{};
    require(
        ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &calendar) == 1,
        "cannot read a certificate's end of validity");
    return ledger::Time{std::chrono::seconds{::timegm(&calendar)}};
}

} // namespace pointhouse::certs
