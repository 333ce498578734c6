#include "certs/presented.hpp"

#include <chrono>
#include <filesystem>

#include <gtest/gtest.h>

#include "certs/authority.hpp"
#include "temporary_folder.hpp"

namespace pointhouse::certs {
namespace {

namespace fs = std::filesystem;

TEST(IdentityOfFiles, IsWhoHasAValidCertificateOfThisHouseAndItsKey)
{
    const TemporaryFolder ours;
    const TemporaryFolder theirs;
    const auto now = ledger::SystemClock{}.now();
    auto authority = Authority::create(ours.path() / "certs", now);
    auto other = Authority::create(theirs.path() / "certs", now);
    const auto anna = authority.issue_operator("anna", now);
    const auto bob = authority.issue_operator("bob", now);
    const auto stranger = other.issue_operator("anna", now);
    const auto who = [&](const fs::path& presented, ledger::Time at) {
        return identity_of_files(ours.path() / "certs", presented, at);
    };

    EXPECT_EQ(who(anna.certificate, now).name, "anna");
    EXPECT_EQ(who(anna.certificate.parent_path(), now).serial, anna.serial);
    EXPECT_EQ(who(anna.certificate, now).kind, Identity::Kind::house_operator);
    EXPECT_THROW(static_cast<void>(who(stranger.certificate, now)), CertificateFailure);
    EXPECT_THROW(
        static_cast<void>(who(anna.certificate, now + std::chrono::days{91})), CertificateFailure);
    fs::remove(anna.key);
    EXPECT_THROW(static_cast<void>(who(anna.certificate, now)), CertificateFailure);
    fs::copy_file(bob.key, anna.key);
    EXPECT_THROW(static_cast<void>(who(anna.certificate, now)), CertificateFailure);
}

} // namespace
} // namespace pointhouse::certs
