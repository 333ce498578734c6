#include "certs/identity.hpp"

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include "crafted_certificate.hpp"

namespace pointhouse::certs {
namespace {

Craft named(std::string uri)
{
    Craft craft;
    craft.names = {{GEN_URI, std::move(uri)}};
    return craft;
}

TEST(IdentityOf, ReadsAPartner)
{
    const auto identity = identity_of(*crafted({}));

    ASSERT_TRUE(identity) << identity.error();
    EXPECT_EQ(identity->kind, Identity::Kind::partner);
    EXPECT_EQ(identity->name, "GRO");
    EXPECT_EQ(identity->serial, "00000000000000000000000000abcdef");
}

TEST(IdentityOf, ReadsAnOperator)
{
    const auto identity = identity_of(*crafted(named("urn:pointhouse:operator:anna.b-2")));

    ASSERT_TRUE(identity) << identity.error();
    EXPECT_EQ(identity->kind, Identity::Kind::house_operator);
    EXPECT_EQ(identity->name, "anna.b-2");
}

TEST(IdentityOf, NeverLooksAtTheCommonName)
{
    Craft craft = named("urn:pointhouse:partner:TNK");
    craft.common_name = "operator:anna";

    const auto identity = identity_of(*crafted(craft));

    ASSERT_TRUE(identity) << identity.error();
    EXPECT_EQ(identity->kind, Identity::Kind::partner);
    EXPECT_EQ(identity->name, "TNK");
}

struct BadCertificate {
    const char* why;
    std::string reason; // what the log shall say
    std::function<void(Craft&)> spoil;
};

std::vector<BadCertificate> bad_leaves()
{
    const std::string eku = "extendedKeyUsage is not clientAuth alone";
    return {
        {"a CA", "a CA certificate", [](Craft& craft) { craft.constraints = "critical,CA:TRUE"; }},
        {"no constraints",
         "no readable basicConstraints",
         [](Craft& craft) { craft.constraints = ""; }},
        {"no key usage", "no readable keyUsage", [](Craft& craft) { craft.key_usage = ""; }},
        {"cannot sign",
         "keyUsage without digitalSignature",
         [](Craft& craft) { craft.key_usage = "keyEncipherment"; }},
        {"may sign certificates",
         "keyUsage with keyCertSign",
         [](Craft& craft) { craft.key_usage = "digitalSignature,keyCertSign"; }},
        {"no purpose",
         "no readable extendedKeyUsage",
         [](Craft& craft) { craft.extended_key_usage = ""; }},
        {"a server", eku, [](Craft& craft) { craft.extended_key_usage = "serverAuth"; }},
        {"a server too",
         eku,
         [](Craft& craft) { craft.extended_key_usage = "clientAuth,serverAuth"; }},
        {"any purpose",
         eku,
         [](Craft& craft) { craft.extended_key_usage = "anyExtendedKeyUsage"; }},
    };
}

std::vector<BadCertificate> bad_names()
{
    const std::string good = "urn:pointhouse:partner:GRO";
    const std::string many = "not exactly one name";
    return {
        {"no name", "no readable subjectAltName", [](Craft& craft) { craft.names.clear(); }},
        {"two partners",
         many,
         [=](Craft& craft) { craft.names.push_back({GEN_URI, "urn:pointhouse:partner:TNK"}); }},
        {"the same partner twice",
         many,
         [=](Craft& craft) { craft.names.push_back({GEN_URI, good}); }},
        {"a DNS name beside it",
         many,
         [](Craft& craft) { craft.names.push_back({GEN_DNS, "gro.example"}); }},
        {"the extension twice",
         "no readable subjectAltName",
         [](Craft& craft) { craft.names_twice = true; }},
        {"a broken extension",
         "no readable subjectAltName",
         [](Craft& craft) { craft.raw_names = {0x30, 0x7f, 0x86, 0x01}; }},
        {"an empty list", many, [](Craft& craft) { craft.raw_names = {0x30, 0x00}; }},
        {"a DNS name alone",
         "its name is not a URI",
         [=](Craft& craft) { craft.names = {{GEN_DNS, good}}; }},
        {"an e-mail address",
         "its name is not a URI",
         [=](Craft& craft) { craft.names = {{GEN_EMAIL, good}}; }},
    };
}

void expect_refused(const std::vector<BadCertificate>& cases)
{
    for (const auto& [why, reason, spoil] : cases) {
        Craft craft;
        spoil(craft);
        const auto identity = identity_of(*crafted(craft));
        ASSERT_FALSE(identity) << why;
        EXPECT_EQ(identity.error(), reason) << why;
    }
}

TEST(IdentityOf, RefusesWhatIsNotAClientsLeaf)
{
    expect_refused(bad_leaves());
}

TEST(IdentityOf, RefusesWhatHasNotExactlyOneUri)
{
    expect_refused(bad_names());
}

TEST(IdentityOf, RefusesAUriThatOnlyLooksLikeOne)
{
    using namespace std::string_literals;
    const std::vector<std::string> uris{
        ""s,
        "GRO"s,
        "urn:pointhouse:partner"s,
        "urn:pointhouse:partner:"s,
        "urn:pointhouse:operator:"s,
        "urn:pointhouse:partners:GRO"s,
        "urn:pointhouse:PARTNER:GRO"s,
        "URN:pointhouse:partner:GRO"s,
        " urn:pointhouse:partner:GRO"s,
        "xurn:pointhouse:partner:GRO"s,
        "https://example.org/urn:pointhouse:partner:GRO"s,
        "urn:pointhouse:partner:GRO "s,
        "urn:pointhouse:partner:GRO\n"s,
        "urn:pointhouse:partner:GRO#operator"s,
        "urn:pointhouse:partner:GRO/../TNK"s,
        "urn:pointhouse:partner:%47RO"s,
        "urn:pointhouse:partner:GR\xc3\x96"s,
        "urn:pointhouse:partner:GRO\0"s,
        "urn:pointhouse:partner:GRO\0.evil"s,
        "urn:pointhouse:partner:\0GRO"s,
        "urn:pointhouse:partner\0:GRO"s,
        "urn:pointhouse:partner:GRO:operator:anna"s,
        "urn:pointhouse:partner:urn:pointhouse:operator:anna"s,
        "urn:pointhouse:operator:urn:pointhouse:operator:anna"s,
        "urn:pointhouse:operator:anna,URI:urn:pointhouse:partner:GRO"s,
        "urn:pointhouse:operators:anna"s,
        "urn:pointhouse:operator;anna"s,
        "urn:pointhouse:partner:."s,
        "urn:pointhouse:partner:.."s,
        "urn:pointhouse:partner:-GRO"s,
        "urn:pointhouse:partner:123456789012345678901234567890123"s,
    };
    for (const auto& uri : uris) EXPECT_FALSE(identity_of(*crafted(named(uri)))) << uri;
}

TEST(IsCertificateName, TakesExactlyTheDocumentedAlphabet)
{
    for (int c = 0; c < 256; ++c) {
        const char character = static_cast<char>(c);
        const bool alphanumeric =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        const bool mark = c == '.' || c == '_' || c == '-';
        EXPECT_EQ(is_certificate_name(std::string{character}), alphanumeric) << c;
        EXPECT_EQ(is_certificate_name(std::string{'a', character}), alphanumeric || mark) << c;
    }
    EXPECT_FALSE(is_certificate_name(""));
    EXPECT_TRUE(is_certificate_name(std::string(32, 'a')));
    EXPECT_FALSE(is_certificate_name(std::string(33, 'a')));
    EXPECT_TRUE(is_certificate_name("home-decor"));
}

} // namespace
} // namespace pointhouse::certs
