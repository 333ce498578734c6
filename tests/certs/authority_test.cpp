#include "certs/authority.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "certs/identity.hpp"
#include "certs/key_file.hpp"
#include "crafted_certificate.hpp"
#include "temporary_folder.hpp"

namespace pointhouse::certs {
namespace {

namespace fs = std::filesystem;
using std::chrono::days;

ledger::Time today()
{
    return std::chrono::floor<std::chrono::seconds>(
        std::chrono::time_point_cast<ledger::Time::duration>(std::chrono::system_clock::now()));
}

std::string text_of(const fs::path& file)
{
    std::stringstream text;
    text << std::ifstream{file}.rdbuf();
    return text.str();
}

std::vector<CraftedCertificate> certificates_in(const fs::path& file)
{
    const auto pem = text_of(file);
    std::vector<CraftedCertificate> certificates;
    BIO* in = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    while (X509* certificate = PEM_read_bio_X509(in, nullptr, nullptr, nullptr)) {
        certificates.emplace_back(certificate);
    }
    BIO_free_all(in);
    return certificates;
}

/// What a TLS stack asks of the other side's certificate file: X509_V_OK, or the reason.
int verification(
    const IssuedCertificate& issued, int purpose, ledger::Time at, const char* address = nullptr)
{
    const auto chain = certificates_in(issued.certificate);
    const auto trusted = certificates_in(issued.trust);
    X509_STORE* store = X509_STORE_new();
    for (const auto& certificate : trusted) X509_STORE_add_cert(store, certificate.get());
    STACK_OF(X509)* untrusted = sk_X509_new_null();
    for (const auto& certificate : chain) sk_X509_push(untrusted, certificate.get());

    X509_STORE_CTX* context = X509_STORE_CTX_new();
    X509_STORE_CTX_init(context, store, chain.at(0).get(), untrusted);
    X509_STORE_CTX_set_purpose(context, purpose);
    X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
    X509_VERIFY_PARAM_set_time(parameters, std::chrono::system_clock::to_time_t(at));
    if (address != nullptr) X509_VERIFY_PARAM_set1_ip_asc(parameters, address);
    X509_verify_cert(context);
    const int result = X509_STORE_CTX_get_error(context);

    X509_STORE_CTX_free(context);
    sk_X509_free(untrusted);
    X509_STORE_free(store);
    return result;
}

/// Runs the `openssl` command; its exit status.
int openssl(std::vector<std::string> arguments)
{
    arguments.insert(arguments.begin(), "openssl");
    std::vector<char*> pointers;
    for (auto& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);

    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    const int failed = posix_spawnp(&child, "openssl", &quiet, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&quiet);
    if (failed != 0) return -1;
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

fs::perms mode_of(const fs::path& file)
{
    return fs::status(file).permissions();
}

bool belong_together(const fs::path& certificate, const fs::path& key)
{
    const auto leaf = certificates_in(certificate);
    return X509_check_private_key(leaf.at(0).get(), read_private_key(key).get()) == 1;
}

class AuthorityTest : public ::testing::Test {
protected:
    TemporaryFolder temporary_;
    fs::path folder_ = temporary_.path() / "certs";
    ledger::Time now_ = today();
    Authority authority_ = Authority::create(folder_, now_);
};

TEST_F(AuthorityTest, SignsAKeyThatItNeverHad)
{
    const auto key = temporary_.path() / "own.pem";
    const auto request = temporary_.path() / "own.csr";
    ASSERT_EQ(
        openssl({"ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key.string()}), 0);
    ASSERT_EQ(
        openssl(
            {"req",
             "-new",
             "-key",
             key.string(),
             "-subj",
             "/CN=operator:anna",
             "-addext",
             "subjectAltName=URI:urn:pointhouse:operator:anna",
             "-addext",
             "basicConstraints=critical,CA:TRUE",
             "-out",
             request.string()}),
        0);
    const auto signed_one = authority_.sign_partner("GRO", text_of(request), now_);
    EXPECT_EQ(signed_one.subject, "partner:GRO");
    EXPECT_EQ(signed_one.serial.size(), 32U);
    EXPECT_FALSE(fs::exists(folder_ / "GRO")) << "nothing is written";
    EXPECT_EQ(signed_one.trust, text_of(folder_ / "ca.pem"));

    const IssuedCertificate as_files{
        .serial = signed_one.serial,
        .subject = signed_one.subject,
        .not_after = signed_one.not_after,
        .certificate = temporary_.path() / "cert.pem",
        .key = key,
        .trust = folder_ / "ca.pem"};
    std::ofstream{as_files.certificate} << signed_one.certificate;
    fs::permissions(key, fs::perms::owner_read);
    EXPECT_TRUE(belong_together(as_files.certificate, key));
    EXPECT_EQ(verification(as_files, X509_PURPOSE_SSL_CLIENT, now_), X509_V_OK);
    EXPECT_NE(verification(as_files, X509_PURPOSE_SSL_SERVER, now_), X509_V_OK);
    // Nothing of what the request says of itself is in it.
    const auto chain = certificates_in(as_files.certificate);
    ASSERT_EQ(chain.size(), 2U);
    const auto identity = identity_of(*chain[0]);
    ASSERT_TRUE(identity) << identity.error();
    EXPECT_EQ(identity->kind, Identity::Kind::partner);
    EXPECT_EQ(identity->name, "GRO");
    EXPECT_EQ(X509_check_ca(chain[0].get()), 0);
    EXPECT_EQ(key_digest_of_request(text_of(request)).size(), 64U);
    EXPECT_EQ(authority_.sign_operator("carl", text_of(request), now_).subject, "operator:carl");
}

TEST_F(AuthorityTest, RefusesRequestsThatProveNothing)
{
    const auto request_on = [&](const char* curve) {
        const auto key = temporary_.path() / (std::string{curve} + ".pem");
        const auto request = temporary_.path() / (std::string{curve} + ".csr");
        EXPECT_EQ(
            openssl({"ecparam", "-name", curve, "-genkey", "-noout", "-out", key.string()}), 0);
        EXPECT_EQ(
            openssl(
                {"req", "-new", "-key", key.string(), "-subj", "/CN=x", "-out", request.string()}),
            0);
        return text_of(request);
    };
    const auto reason_of = [&](const std::string& request) -> std::string {
        try {
            return authority_.sign_partner("GRO", request, now_).subject;
        } catch (const CertificateFailure& failure) {
            return failure.what();
        }
    };
    const auto good = request_on("prime256v1");
    EXPECT_EQ(reason_of(good), "partner:GRO");
    EXPECT_NE(reason_of(request_on("secp384r1")).find("P-256"), std::string::npos);
    EXPECT_NE(reason_of("").find("no certificate request"), std::string::npos);
    EXPECT_NE(reason_of(std::string(20'000, 'x')).find("too long"), std::string::npos);
    // Every letter of it counts: no changed one is signed, but for those that PEM passes over.
    std::size_t refused = 0;
    for (std::size_t place = good.find('\n') + 1; place < good.rfind("-----END"); ++place) {
        auto changed = good;
        changed[place] = changed[place] == 'A' ? 'B' : 'A';
        const auto reason = reason_of(changed);
        if (reason != "partner:GRO") ++refused;
    }
    EXPECT_GT(refused, 300U);
    EXPECT_THROW(
        static_cast<void>(authority_.sign_partner("house", good, now_)), CertificateFailure);
    EXPECT_THROW(static_cast<void>(authority_.sign_partner("a,b", good, now_)), CertificateFailure);
}

TEST_F(AuthorityTest, IssuesAPartnerThatTheHouseRecognises)
{
    const auto issued = authority_.issue_partner("GRO", now_);

    EXPECT_EQ(issued.subject, "partner:GRO");
    EXPECT_EQ(issued.serial.size(), 32U);
    EXPECT_EQ(issued.certificate, folder_ / "GRO" / "cert.pem");
    EXPECT_EQ(issued.key, folder_ / "GRO" / "key.pem");
    EXPECT_EQ(issued.trust, folder_ / "GRO" / "ca.pem");

    const auto chain = certificates_in(issued.certificate);
    ASSERT_EQ(chain.size(), 2U);
    const auto identity = identity_of(*chain[0]);
    ASSERT_TRUE(identity) << identity.error();
    const Identity expected{
        .kind = Identity::Kind::partner,
        .name = "GRO",
        .serial = issued.serial,
        .not_after = issued.not_after};
    EXPECT_EQ(*identity, expected);
    EXPECT_FALSE(identity_of(*chain[1])) << "the issuing CA is nobody";
    EXPECT_TRUE(belong_together(issued.certificate, issued.key));
}

TEST_F(AuthorityTest, IssuesAnOperatorThatTheHouseRecognises)
{
    const auto issued = authority_.issue_operator("anna", now_);

    EXPECT_EQ(issued.subject, "operator:anna");
    EXPECT_EQ(issued.certificate, folder_ / "operator-anna" / "cert.pem");
    const auto identity = identity_of(*certificates_in(issued.certificate).at(0));
    ASSERT_TRUE(identity) << identity.error();
    EXPECT_EQ(identity->kind, Identity::Kind::house_operator);
    EXPECT_EQ(identity->name, "anna");
}

TEST_F(AuthorityTest, ItsClientsVerifyAsClientsAlone)
{
    for (const auto& issued :
         {authority_.issue_partner("GRO", now_), authority_.issue_operator("anna", now_)}) {
        EXPECT_EQ(verification(issued, X509_PURPOSE_SSL_CLIENT, now_), X509_V_OK);
        EXPECT_EQ(verification(issued, X509_PURPOSE_SSL_SERVER, now_), X509_V_ERR_INVALID_PURPOSE);
    }
}

TEST_F(AuthorityTest, ItsServerVerifiesAsAServerAloneUnderItsNames)
{
    const std::vector<std::string> names{"house.example", "192.0.2.7", "localhost"};
    const auto issued = authority_.issue_server(names, now_);

    EXPECT_EQ(issued.certificate, folder_ / "house" / "cert.pem");
    EXPECT_EQ(verification(issued, X509_PURPOSE_SSL_SERVER, now_, "127.0.0.1"), X509_V_OK);
    EXPECT_EQ(verification(issued, X509_PURPOSE_SSL_SERVER, now_, "192.0.2.7"), X509_V_OK);
    EXPECT_EQ(
        verification(issued, X509_PURPOSE_SSL_SERVER, now_, "192.0.2.8"),
        X509_V_ERR_IP_ADDRESS_MISMATCH);
    EXPECT_EQ(verification(issued, X509_PURPOSE_SSL_CLIENT, now_), X509_V_ERR_INVALID_PURPOSE);

    const auto leaf = certificates_in(issued.certificate);
    for (const auto* host : {"localhost", "house.example"}) {
        EXPECT_EQ(X509_check_host(leaf.at(0).get(), host, 0, 0, nullptr), 1) << host;
    }
    EXPECT_NE(X509_check_host(leaf.at(0).get(), "evil.example", 0, 0, nullptr), 1);
    EXPECT_FALSE(identity_of(*leaf.at(0))) << "the house is no partner";
}

TEST_F(AuthorityTest, RefusesServerNamesThatAreNone)
{
    for (const auto* name :
         {"", "house example", "a,DNS:evil.example", "-x", "a..b", "é", "*.example"}) {
        EXPECT_THROW(
            authority_.issue_server(std::vector<std::string>{name}, now_), CertificateFailure)
            << name;
    }
}

TEST_F(AuthorityTest, ItsCertificatesVerifyWithTheOpensslCommand)
{
    const auto client = authority_.issue_partner("home-decor", now_);
    const auto server = authority_.issue_server({}, now_);
    const auto verify = [](const IssuedCertificate& issued, std::string purpose) {
        return openssl(
            {"verify",
             "-x509_strict",
             "-purpose",
             std::move(purpose),
             "-CAfile",
             issued.trust.string(),
             issued.certificate.string()});
    };
    EXPECT_EQ(verify(client, "sslclient"), 0);
    EXPECT_EQ(verify(server, "sslserver"), 0);
    EXPECT_NE(verify(client, "sslserver"), 0);

    TemporaryFolder other;
    static_cast<void>(Authority::create(other.path() / "certs", now_));
    auto stranger = client;
    stranger.trust = other.path() / "certs" / "ca.pem";
    EXPECT_NE(verify(stranger, "sslclient"), 0) << "another house's CA must not trust it";
}

TEST_F(AuthorityTest, ItsLeavesLastNinetyDays)
{
    const auto issued = authority_.issue_partner("GRO", now_);

    EXPECT_EQ(issued.not_after, now_ + days{90});
    EXPECT_EQ(verification(issued, X509_PURPOSE_SSL_CLIENT, now_ + days{89}), X509_V_OK);
    EXPECT_EQ(
        verification(issued, X509_PURPOSE_SSL_CLIENT, now_ + days{91}),
        X509_V_ERR_CERT_HAS_EXPIRED);
    EXPECT_EQ(
        verification(issued, X509_PURPOSE_SSL_CLIENT, now_ - days{1}),
        X509_V_ERR_CERT_NOT_YET_VALID);
}

TEST_F(AuthorityTest, ItsIssuingAuthorityLastsThreeYearsAndSignsLeavesOnly)
{
    const auto issuing = certificates_in(folder_ / "issuing" / "cert.pem");
    ASSERT_EQ(issuing.size(), 1U);
    EXPECT_EQ(X509_get_pathlen(issuing[0].get()), 0);
    EXPECT_EQ(X509_check_ca(issuing[0].get()), 1);
    EXPECT_EQ(X509_get_key_usage(issuing[0].get()), KU_KEY_CERT_SIGN | KU_CRL_SIGN);

    // A leaf never outlives the CA that signed it, and none is signed after that.
    const auto late = authority_.issue_partner("GRO", now_ + days{1050});
    EXPECT_EQ(late.not_after, now_ + days{1096});
    EXPECT_THROW(authority_.issue_partner("GRO", now_ + days{1096}), CertificateFailure);
}

TEST_F(AuthorityTest, ItsKeysAreP256AndItsOwnersAlone)
{
    authority_.issue_partner("GRO", now_);
    authority_.issue_server({}, now_);

    for (const auto* name : {"root", "issuing", "GRO", "house"}) {
        const auto file = folder_ / name / "key.pem";
        EXPECT_EQ(mode_of(file), fs::perms::owner_read) << name;
        const auto key = read_private_key(file);
        std::array<char, 32> group{};
        EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), nullptr);
        EXPECT_STREQ(group.data(), "prime256v1") << name;
    }
    for (const auto* name : {"root", "issuing"}) {
        EXPECT_EQ(mode_of(folder_ / name), fs::perms::owner_all) << name;
    }
}

TEST_F(AuthorityTest, LeavesNoTemporaryFiles)
{
    authority_.issue_partner("GRO", now_);
    authority_.issue_partner("GRO", now_);

    for (const auto& entry : fs::recursive_directory_iterator{folder_}) {
        EXPECT_NE(entry.path().extension(), ".new") << entry.path();
    }
}

TEST_F(AuthorityTest, RenewsBesideTheCertificateThatItReplaces)
{
    const auto first = authority_.issue_partner("GRO", now_);
    const auto second = authority_.issue_partner("GRO", now_ + days{60});
    const auto third = authority_.issue_partner("GRO", now_ + days{61});

    EXPECT_EQ((std::set{first.serial, second.serial, third.serial}.size()), 3U);
    for (const auto& old : {first, second}) {
        const auto kept = folder_ / "GRO" / ("previous-" + old.serial);
        const IssuedCertificate previous{
            .serial = old.serial,
            .subject = old.subject,
            .not_after = old.not_after,
            .certificate = kept / "cert.pem",
            .key = kept / "key.pem",
            .trust = kept / "ca.pem"};
        EXPECT_EQ(serial_of(*certificates_in(previous.certificate).at(0)), old.serial);
        EXPECT_EQ(verification(previous, X509_PURPOSE_SSL_CLIENT, now_ + days{61}), X509_V_OK);
        EXPECT_EQ(mode_of(previous.key), fs::perms::owner_read);
        EXPECT_TRUE(belong_together(previous.certificate, previous.key));
    }
    EXPECT_EQ(serial_of(*certificates_in(third.certificate).at(0)), third.serial);
    EXPECT_TRUE(belong_together(third.certificate, third.key));
}

TEST_F(AuthorityTest, OpensWithTheRootTakenAway)
{
    fs::remove_all(folder_ / "root");

    const auto issued = Authority::open(folder_).issue_partner("GRO", now_);

    EXPECT_EQ(verification(issued, X509_PURPOSE_SSL_CLIENT, now_), X509_V_OK);
}

TEST_F(AuthorityTest, RefusesToOpenOnAnIssuingKeyThatOthersMayRead)
{
    fs::permissions(folder_ / "issuing" / "key.pem", fs::perms::owner_read | fs::perms::group_read);
    EXPECT_THROW(Authority::open(folder_), CertificateFailure);
}

TEST_F(AuthorityTest, RefusesToOpenOnAKeyOfAnotherCertificate)
{
    fs::copy_file(
        folder_ / "root" / "key.pem",
        folder_ / "issuing" / "key.pem",
        fs::copy_options::overwrite_existing);
    EXPECT_THROW(Authority::open(folder_), CertificateFailure);
}

TEST_F(AuthorityTest, RefusesToOpenAnEmptyFolderAndToCreateTwice)
{
    EXPECT_THROW(Authority::open(temporary_.path()), CertificateFailure);

    const auto before = text_of(folder_ / "ca.pem");
    EXPECT_THROW(Authority::create(folder_, now_), CertificateFailure);
    EXPECT_EQ(text_of(folder_ / "ca.pem"), before);
}

TEST_F(AuthorityTest, RefusesNamesThatAreNoneOrItsOwn)
{
    for (const auto* id :
         {"",
          "..",
          ".",
          "a/b",
          "-x",
          "GRO,URI:urn:pointhouse:operator:anna",
          "a:b",
          "é",
          "GRO ",
          "root",
          "issuing",
          "house",
          "ca.pem",
          "operator-anna"}) {
        EXPECT_THROW(authority_.issue_partner(id, now_), CertificateFailure) << id;
        EXPECT_EQ(fs::exists(folder_ / "operator-anna"), false) << id;
    }
    EXPECT_THROW(authority_.issue_operator("a/b", now_), CertificateFailure);
    EXPECT_THROW(authority_.issue_operator("", now_), CertificateFailure);
    EXPECT_NO_THROW(authority_.issue_partner("house-adjustments", now_));
}

} // namespace
} // namespace pointhouse::certs
