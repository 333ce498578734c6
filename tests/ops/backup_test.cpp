#include "gateway/backup.hpp"

#include <fmt/format.h>
#include <fstream>
#include <sys/stat.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "temporary_folder.hpp"

namespace pointhouse::gateway {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

class Silent final : public Console {
public:
    void progress(std::string_view) override {}
    void print(std::string_view) override {}
};

std::string sha256(std::string_view bytes)
{
    std::array<unsigned char, 32> hash{};
    unsigned size = 0;
    EVP_Digest(bytes.data(), bytes.size(), hash.data(), &size, EVP_sha256(), nullptr);
    std::string text;
    for (const unsigned byte : hash) text += fmt::format("{:02x}", byte);
    return text;
}

/// A backup made by hand: what a restore has to judge.
class CopyBackup : public testing::Test {
protected:
    CopyBackup() { add("pointhouse.toml", "store = \"sqlite\"\n"); }

    void add(const fs::path& name, std::string_view bytes, unsigned mode = 0600)
    {
        write(name, bytes);
        ::chmod((backup_ / name).c_str(), mode);
        list(name.string(), sha256(bytes));
    }
    void write(const fs::path& name, std::string_view bytes) const
    {
        fs::create_directories((backup_ / name).parent_path());
        std::ofstream{backup_ / name, std::ios::binary} << bytes;
    }
    void list(std::string_view name, std::string_view digest)
    {
        files_.push_back({{"path", name}, {"sha256", digest}});
    }
    /// Why it is refused; empty: it was copied.
    std::string copy()
    {
        write("MANIFEST.json", json::serialize(json::object{{"format", 1}, {"files", files_}}));
        return copy_as_it_is();
    }
    std::string copy_as_it_is()
    {
        Silent console;
        try {
            copy_backup(backup_, data_, {}, console);
        } catch (const HouseFailure& failure) {
            EXPECT_TRUE(!fs::exists(data_) || fs::is_empty(data_)) << "something is left";
            return failure.what();
        }
        return {};
    }

    ops::TemporaryFolder folder_;
    fs::path backup_ = folder_.path() / "backup";
    fs::path data_ = folder_.path() / "data";
    json::array files_;
};

TEST_F(CopyBackup, KeepsBytesFoldersAndModes)
{
    add("house.db", "one");
    add("keys/content.key", "secret", 0400);
    add("certs/GRO/previous-1/key.pem", std::string(3'000'000, 'x'), 0400);

    ASSERT_EQ(copy(), "");

    EXPECT_EQ(fs::file_size(data_ / "certs/GRO/previous-1/key.pem"), 3'000'000U);
    struct stat status = {};
    ASSERT_EQ(::stat((data_ / "keys/content.key").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0400U);
    ASSERT_EQ(::stat((data_ / "keys").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);
    EXPECT_FALSE(fs::exists(data_ / "MANIFEST.json"));
}

TEST_F(CopyBackup, RefusesAChangedMissingOrForeignFile)
{
    add("a", "one");
    write("a", "two");
    EXPECT_NE(copy().find("not what was backed up"), std::string::npos);

    write("a", "one");
    list("b", sha256(""));
    EXPECT_NE(copy().find("cannot open"), std::string::npos);

    write("b", "");
    write("c", "");
    EXPECT_NE(copy().find("does not belong"), std::string::npos);

    fs::remove(backup_ / "c");
    EXPECT_EQ(copy(), "");
}

TEST_F(CopyBackup, NeverLeavesItsFolder)
{
    write("../outside", "x");
    for (const std::string_view name :
         {"../outside", "a/../../outside", "/etc/hostname", "..", "./a"}) {
        files_.clear();
        list(name, sha256("x"));
        EXPECT_NE(copy().find("strange path"), std::string::npos) << name;
    }
}

TEST_F(CopyBackup, FollowsNoLink)
{
    write("../outside", "x");
    fs::create_directories(backup_);
    fs::create_symlink(folder_.path() / "outside", backup_ / "a");
    list("a", sha256("x"));
    EXPECT_NE(copy(), "");
}

TEST_F(CopyBackup, RefusesAFolderThatHoldsSomething)
{
    add("a", "one");
    fs::create_directories(data_);
    std::ofstream{data_ / "mine"} << "x";
    Silent console;
    write("MANIFEST.json", json::serialize(json::object{{"files", files_}}));

    EXPECT_THROW(copy_backup(backup_, data_, {}, console), HouseFailure);

    EXPECT_TRUE(fs::exists(data_ / "mine"));
    EXPECT_FALSE(fs::exists(data_ / "a"));
}

TEST_F(CopyBackup, RefusesAManifestThatIsNone)
{
    for (const std::string_view text :
         {"",
          "{",
          "[]",
          "{}",
          "{\"files\":1}",
          "{\"files\":[1]}",
          "{\"files\":[{}]}",
          "{\"files\":[{\"path\":1,\"sha256\":\"\"}]}"}) {
        write("MANIFEST.json", text);
        EXPECT_NE(copy_as_it_is(), "") << text;
    }
    fs::remove(backup_ / "MANIFEST.json");
    EXPECT_NE(copy_as_it_is(), "");
}

} // namespace
} // namespace pointhouse::gateway
