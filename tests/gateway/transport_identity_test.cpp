#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "tls_context.hpp"
#include "transport_fixture.hpp"

namespace pointhouse::gateway {
namespace {

using testing::ClientSettings;
using testing::get_request;
using testing::ReceivedAnswer;
using testing::TestCa;
using testing::TestClient;
using testing::TestServer;

void expect_refused(TestServer& server, const TestCa::Identity& identity, const std::string& detail)
{
    SCOPED_TRACE(detail);
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const ClientSettings settings{.version_min = version, .version_max = version, .suites = {}};
        TestClient client{server.port, &identity, settings};
        ASSERT_TRUE(client.is_connected()); // so that the reason can be said in words
        ASSERT_TRUE(client.send(get_request("/v1/echo") + get_request("/v1/echo")));
        const auto answer = client.receive();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->status, 401);
        EXPECT_NE(answer->body.find(R"("code":"certificate_refused")"), std::string::npos);
        EXPECT_NE(answer->body.find(detail), std::string::npos) << answer->body;
        EXPECT_TRUE(client.is_closed_by_house());
    }
    EXPECT_EQ(server.handler.begun, 0U);
}

TEST(TransportIdentity, RefusesTheCertificatesOfAnotherCaOfTheSameName)
{
    TestServer server;
    TestCa foreign;
    expect_refused(server, foreign.issue("GRO"), "signature failure");
}

TEST(TransportIdentity, RefusesAnExpiredCertificate)
{
    TestServer server;
    expect_refused(server, server.ca.issue("GRO", std::chrono::hours{-1}), "expired");
}

TEST(TransportIdentity, RefusesACertificateThatTheHouseDoesNotKnow)
{
    TestServer server;
    const auto identity = server.ca.issue("GRO");
    server.on_loop([&] { server.authority.unknown.insert(identity.serial); });
    expect_refused(server, identity, "not the certificate of a partner");
    EXPECT_EQ(server.counters().certificates_refused, 2U);
}

TEST(TransportIdentity, RefusesARevokedCertificateOnItsOpenConnectionAndNoOther)
{
    TestServer server;
    const auto other_identity = server.ca.issue("HTL");
    TestClient client{server.port, &server.partner};
    TestClient other{server.port, &other_identity};
    for (TestClient* each : {&client, &other}) {
        ASSERT_TRUE(each->send(get_request("/v1/echo")));
        EXPECT_EQ(each->receive().value_or(ReceivedAnswer{}).status, 200);
    }

    server.on_loop([&] { server.authority.revoked.insert(server.partner.serial); });

    ASSERT_TRUE(client.send(get_request("/v1/echo") + get_request("/v1/echo")));
    const auto answer = client.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 401);
    EXPECT_NE(answer->body.find("revoked"), std::string::npos);
    EXPECT_TRUE(client.is_closed_by_house());
    ASSERT_TRUE(other.send(get_request("/v1/echo")));
    EXPECT_EQ(
        other.receive().value_or(ReceivedAnswer{}).body,
        testing::text_of(RouteId::echo) + "    HTL");
}

TEST(TransportIdentity, RefusesACertificateThatExpiresOnItsOpenConnection)
{
    ListenerOptions options;
    options.deadlines.sweep = std::chrono::milliseconds{50};
    TestServer server{options};
    const auto identity = server.ca.issue("GRO", std::chrono::seconds{4});
    TestClient client{server.port, &identity};
    ASSERT_TRUE(client.send(get_request("/v1/echo")));
    EXPECT_EQ(client.receive().value_or(ReceivedAnswer{}).status, 200);
    std::this_thread::sleep_for(std::chrono::milliseconds{5200});
    ASSERT_TRUE(client.send(get_request("/v1/echo")));
    const auto answer = client.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 401);
    EXPECT_NE(answer->body.find("expired"), std::string::npos);
}

TEST(TransportIdentity, AsksForACertificate)
{
    TestServer server;
    TestClient client{server.port, nullptr};
    // In TLS 1.3 the client's side is complete before the house says no.
    if (client.is_connected()) client.send(get_request("/v1/echo"));
    EXPECT_FALSE(client.is_connected() && client.receive());
    EXPECT_TRUE(
        server.eventually([&] { return server.listener->counters().handshakes_failed == 1; }));
}

TEST(TransportIdentity, SpeaksOnlyTls12WithStrongSuitesAndTls13)
{
    TestServer server;
    const auto connects = [&](const ClientSettings& settings) {
        TestClient client{server.port, &server.partner, settings};
        return client.is_connected() && client.send(get_request("/v1/echo")) && client.receive();
    };
    const auto tls12 = [](const std::string& suites) {
        return ClientSettings{TLS1_2_VERSION, TLS1_2_VERSION, suites};
    };
    EXPECT_FALSE(connects({TLS1_VERSION, TLS1_VERSION, {}}));
    EXPECT_FALSE(connects({TLS1_1_VERSION, TLS1_1_VERSION, {}}));
    EXPECT_TRUE(connects(tls12("ECDHE-ECDSA-AES128-GCM-SHA256")));
    EXPECT_TRUE(connects(tls12("ECDHE-ECDSA-CHACHA20-POLY1305")));
    EXPECT_FALSE(connects(tls12("ECDHE-ECDSA-AES128-SHA")));
    EXPECT_FALSE(connects(tls12("ECDHE-ECDSA-AES256-SHA384")));
    EXPECT_FALSE(connects(tls12("AES128-GCM-SHA256")));
    EXPECT_FALSE(connects(tls12("NULL-SHA256")));
    EXPECT_TRUE(connects({TLS1_3_VERSION, TLS1_3_VERSION, {}}));
}

TEST(TransportIdentity, ResumesNothingAndRenegotiatesNothing)
{
    TestServer server;
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        TestClient client{server.port, &server.partner, {version, version, {}}};
        ASSERT_TRUE(client.send(get_request("/v1/echo")));
        ASSERT_TRUE(client.receive());
        EXPECT_EQ(SSL_SESSION_has_ticket(SSL_get0_session(client.ssl())), 0);
        EXPECT_EQ(SSL_SESSION_is_resumable(SSL_get0_session(client.ssl())), 0);
    }
    TestClient client{server.port, &server.partner, {TLS1_2_VERSION, TLS1_2_VERSION, {}}};
    ASSERT_TRUE(client.send(get_request("/v1/echo")));
    ASSERT_TRUE(client.receive());
    SSL_renegotiate(client.ssl());
    EXPECT_NE(SSL_do_handshake(client.ssl()), 1);
}

TEST(TransportIdentity, ShowsNewCertificatesToNewConnections)
{
    TestServer server;
    const auto shown = [](const TestClient& client) {
        return ASN1_INTEGER_get(X509_get0_serialNumber(SSL_get0_peer_certificate(client.ssl())));
    };
    TestClient before{server.port, &server.partner};
    const auto renewed = server.ca.issue("house");
    std::filesystem::rename(renewed.certificate_file, server.server_identity.certificate_file);
    std::filesystem::rename(renewed.key_file, server.server_identity.key_file);
    server.on_loop([&] { server.listener->reload_certificates(); });
    TestClient after{server.port, &server.partner};

    EXPECT_NE(shown(before), shown(after));
    ASSERT_TRUE(before.send(get_request("/v1/echo")));
    EXPECT_EQ(before.receive().value_or(ReceivedAnswer{}).status, 200);

    std::ofstream{server.server_identity.certificate_file} << "not a certificate";
    server.on_loop(
        [&] { EXPECT_THROW(server.listener->reload_certificates(), std::runtime_error); });
    TestClient still{server.port, &server.partner};
    EXPECT_EQ(shown(still), shown(after));
}

TEST(TransportIdentity, RefusesToStartOnAKeyThatOthersMayRead)
{
    TestCa ca;
    const auto identity = ca.issue("house");
    ListenerOptions options;
    options.certificate_file = identity.certificate_file;
    options.key_file = identity.key_file;
    options.ca_file = ca.ca_file();
    EXPECT_NO_THROW(static_cast<void>(make_tls_context(options)));
    std::filesystem::permissions(
        identity.key_file, std::filesystem::perms::group_read, std::filesystem::perm_options::add);
    EXPECT_THROW(static_cast<void>(make_tls_context(options)), std::runtime_error);
}

} // namespace
} // namespace pointhouse::gateway
