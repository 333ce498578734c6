#include "certs/key_file.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "certs/authority.hpp"
#include "temporary_folder.hpp"

namespace pointhouse::certs {
namespace {

namespace fs = std::filesystem;

class KeyFile : public ::testing::Test {
protected:
    void SetUp() override
    {
        const auto now = ledger::Time{std::chrono::sys_days{std::chrono::June / 1 / 2026}};
        key_ = Authority::create(folder_.path() / "certs", now).issue_partner("GRO", now).key;
    }

    std::string reason_of_refusal() const
    {
        try {
            static_cast<void>(read_private_key(key_));
        } catch (const CertificateFailure& failure) {
            return failure.what();
        }
        return {};
    }

    void replace_content(std::string_view content) const
    {
        fs::remove(key_);
        std::ofstream{key_} << content;
        fs::permissions(key_, fs::perms::owner_read);
    }

    TemporaryFolder folder_;
    fs::path key_;
};

TEST_F(KeyFile, IsReadWhenOnlyItsOwnerMay)
{
    EXPECT_NE(read_private_key(key_), nullptr);
    fs::permissions(key_, fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_NE(read_private_key(key_), nullptr);
}

TEST_F(KeyFile, IsRefusedWhenAnyoneElseMayTouchIt)
{
    for (const auto open : {
             fs::perms::group_read,
             fs::perms::group_write,
             fs::perms::group_exec,
             fs::perms::others_read,
             fs::perms::others_write,
             fs::perms::others_exec,
         }) {
        fs::permissions(key_, fs::perms::owner_read | open);
        const auto reason = reason_of_refusal();
        EXPECT_NE(reason.find("is open to others"), std::string::npos) << reason;
        EXPECT_NE(reason.find(key_.string()), std::string::npos) << reason;
    }
}

TEST_F(KeyFile, IsRefusedBehindALinkToAnOpenFile)
{
    fs::permissions(key_, fs::perms::owner_read | fs::perms::others_read);
    const auto link = folder_.path() / "link.pem";
    fs::create_symlink(key_, link);

    EXPECT_THROW(static_cast<void>(read_private_key(link)), CertificateFailure);
}

TEST_F(KeyFile, IsRefusedWhenItHoldsNoKey)
{
    for (const auto* content :
         {"", "nonsense", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}) {
        replace_content(content);
        const auto reason = reason_of_refusal();
        EXPECT_NE(reason.find("holds no private key"), std::string::npos) << reason;
    }
}

TEST_F(KeyFile, IsRefusedWhenEncryptedWithoutAskingTheTerminal)
{
    replace_content("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAi3Iu+jz0FJlwICCAAw\n"
                    "-----END ENCRYPTED PRIVATE KEY-----\n");
    EXPECT_FALSE(reason_of_refusal().empty());
}

TEST_F(KeyFile, IsRefusedWhenMissing)
{
    fs::remove(key_);
    const auto reason = reason_of_refusal();
    EXPECT_NE(reason.find("No such file"), std::string::npos) << reason;
}

} // namespace
} // namespace pointhouse::certs
