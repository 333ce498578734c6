#include "transport_certificates.hpp"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace pointhouse::gateway::testing {
namespace {

void require(bool succeeded, const char* what)
{
    if (!succeeded) throw std::runtime_error{what};
}

struct File {
    explicit File(const std::filesystem::path& path) : handle{std::fopen(path.c_str(), "w")}
    {
        require(handle != nullptr, "cannot write a test certificate");
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() { std::fclose(handle); }
    std::FILE* handle;
};

void extend(X509* certificate, X509* issuer, int kind, const std::string& value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    require(extension != nullptr, "certificate extension");
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

X509* new_certificate(
    EVP_PKEY* key, long serial, const std::string& name, std::chrono::seconds ends)
{
    X509* const certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -7 * 24 * 3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), ends.count());
    X509_NAME_add_entry_by_txt(
        X509_get_subject_name(certificate),
        "CN",
        MBSTRING_UTF8,
        reinterpret_cast<const unsigned char*>(name.c_str()),
        -1,
        -1,
        0);
    X509_set_pubkey(certificate, key);
    return certificate;
}

} // namespace

struct TestCa::Signer {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = nullptr;
    Signer() = default;
    Signer(const Signer&) = delete;
    Signer& operator=(const Signer&) = delete;
    ~Signer()
    {
        X509_free(certificate);
        EVP_PKEY_free(key);
    }
};

TestCa::TestCa() : signer_{std::make_unique<Signer>()}
{
    std::string pattern = std::filesystem::temp_directory_path() / "pointhouse-ca-XXXXXX";
    require(::mkdtemp(pattern.data()) != nullptr, "temporary folder");
    folder_ = pattern;

    X509* const ca = new_certificate(signer_->key, 1, "test CA", std::chrono::hours{24});
    signer_->certificate = ca;
    X509_set_issuer_name(ca, X509_get_subject_name(ca));
    extend(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    extend(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign");
    extend(ca, ca, NID_subject_key_identifier, "hash");
    X509_sign(ca, signer_->key, EVP_sha256());
    PEM_write_X509(File{ca_file()}.handle, ca);
}

TestCa::~TestCa()
{
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::string TestCa::ca_file() const
{
    return folder_ / "ca.pem";
}

TestCa::Identity TestCa::issue(const std::string& subject, std::chrono::seconds ends)
{
    const long serial = ++last_serial_;
    char text[20];
    std::snprintf(text, sizeof text, "%lx", static_cast<unsigned long>(serial));
    Identity identity{
        folder_ / (std::string{text} + ".cert.pem"),
        folder_ / (std::string{text} + ".key.pem"),
        text};

    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = new_certificate(key, serial, subject, ends);
    X509_set_issuer_name(certificate, X509_get_subject_name(signer_->certificate));
    extend(certificate, signer_->certificate, NID_basic_constraints, "critical,CA:FALSE");
    extend(certificate, signer_->certificate, NID_key_usage, "critical,digitalSignature");
    extend(certificate, signer_->certificate, NID_ext_key_usage, "clientAuth,serverAuth");
    extend(
        certificate,
        signer_->certificate,
        NID_subject_alt_name,
        "URI:urn:pointhouse:" + subject + ",IP:127.0.0.1,DNS:localhost");
    X509_sign(certificate, signer_->key, EVP_sha256());
    PEM_write_X509(File{identity.certificate_file}.handle, certificate);
    PEM_write_PrivateKey(
        File{identity.key_file}.handle, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::filesystem::permissions(identity.key_file, std::filesystem::perms::owner_read);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return identity;
}

} // namespace pointhouse::gateway::testing
