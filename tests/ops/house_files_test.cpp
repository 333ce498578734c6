#include "house_files.hpp"

#include <fstream>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "temporary_folder.hpp"

namespace pointhouse::gateway {
namespace {

namespace fs = std::filesystem;

std::string failure_of(const std::function<void()>& action)
{
    try {
        action();
    } catch (const HouseFailure& failure) {
        return failure.what();
    }
    return {};
}

fs::path with_text(const fs::path& file, std::string_view text)
{
    std::ofstream{file, std::ios::binary} << text;
    return file;
}

TEST(Lease, RefusesASecondHolderAndNamesTheFirst)
{
    const ops::TemporaryFolder folder;
    const fs::path file = folder.path() / "lock";
    {
        const Lease first{file};
        const auto reason = failure_of([&] { const Lease second{file}; });

        EXPECT_NE(reason.find(std::to_string(::getpid())), std::string::npos) << reason;
        EXPECT_THROW(Lease{file}, LeaseHeld);
    }
    EXPECT_NO_THROW(Lease{file});
}

TEST(Keys, AreMadeForTheirOwnerAloneAndReadBack)
{
    const ops::TemporaryFolder folder;
    const fs::path keys = folder.path() / "keys";

    make_keys(keys);

    for (const auto& entry : fs::directory_iterator{keys}) {
        struct stat status = {};
        ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777U, 0400U) << entry.path();
    }
    const auto read = read_ledger_keys(keys);
    EXPECT_EQ(read.identity, read_ledger_keys(keys).identity);
    EXPECT_NE(read.identity, read.content);
    EXPECT_NE(read_wire_key(keys), read.fingerprint);
}

TEST(Keys, ThatOthersMayReadAreRefused)
{
    for (const unsigned mode : {0440U, 0404U, 0420U, 0402U}) {
        const ops::TemporaryFolder folder;
        const fs::path keys = folder.path() / "keys";
        make_keys(keys);
        ASSERT_EQ(::chmod((keys / "content.key").c_str(), mode), 0);

        const auto reason = failure_of([&] { static_cast<void>(read_ledger_keys(keys)); });

        EXPECT_NE(reason.find("content.key"), std::string::npos) << reason;
    }
}

TEST(Keys, OfAnotherSizeOrMissingAreRefused)
{
    const ops::TemporaryFolder folder;
    const fs::path keys = folder.path() / "keys";
    make_keys(keys);
    fs::remove(keys / "identity.key");
    EXPECT_NE(failure_of([&] { static_cast<void>(read_ledger_keys(keys)); }), "");

    write_new_file(keys / "identity.key", "too short", 0400);
    const auto reason = failure_of([&] { static_cast<void>(read_ledger_keys(keys)); });
    EXPECT_NE(reason.find("32 bytes"), std::string::npos) << reason;
}

TEST(Config, IsReadAsItWasWritten)
{
    const ops::TemporaryFolder folder;
    const fs::path file = folder.path() / "pointhouse.toml";

    write_config(file, {.listen = "[::1]:1", .admin = "10.0.0.1:2", .cached_members_max = 7});
    const auto config = read_config(file);

    EXPECT_EQ(config.listen, "[::1]:1");
    EXPECT_EQ(config.admin, "10.0.0.1:2");
    EXPECT_EQ(config.cached_members_max, 7);
    EXPECT_TRUE(config.hosts.empty());
}

TEST(Config, TakesHostsAndDefaults)
{
    const ops::TemporaryFolder folder;
    const auto config =
        read_config(with_text(folder.path() / "a", "hosts = [\"points.example\", \"10.0.0.1\"]\n"));

    EXPECT_EQ(config.hosts, (std::vector<std::string>{"points.example", "10.0.0.1"}));
    EXPECT_EQ(config.listen, "127.0.0.1:8443");
}

TEST(Config, RefusesWhatItDoesNotKnow)
{
    const std::vector<std::pair<std::string, std::string>> refused{
        {"colour = \"red\"", "colour"},
        {"listen = 8443", "listen"},
        {"hosts = \"a\"", "hosts"},
        {"hosts = [1]", "hosts"},
        {"cached_members_max = \"many\"", "cached_members_max"},
        {"cached_members_max = 0", "cached_members_max"},
        {"cached_members_max = 1.5", "cached_members_max"},
        {"store = \"mysql://house\"", "postgres://"},
        {"\nlisten = ", "line 2"},
    };
    const ops::TemporaryFolder folder;
    for (const auto& [text, words] : refused) {
        const auto file = with_text(folder.path() / "pointhouse.toml", text);
        const auto reason = failure_of([&] { static_cast<void>(read_config(file)); });
        EXPECT_NE(reason.find(words), std::string::npos) << text << " gave: " << reason;
    }
}

TEST(RememberedClock, IsTheLastThatWasKept)
{
    const ops::TemporaryFolder folder;
    const fs::path file = folder.path() / "clock";
    EXPECT_EQ(remembered_clock(file), std::nullopt);

    for (const auto kind : {ClockKind::messages, ClockKind::system, ClockKind::messages}) {
        remember_clock(file, kind);
        EXPECT_EQ(remembered_clock(file), kind);
    }
    with_text(file, "sundial\n");
    EXPECT_NE(failure_of([&] { static_cast<void>(remembered_clock(file)); }), "");
}

TEST(WriteNewFile, NeverReplaces)
{
    const ops::TemporaryFolder folder;
    const fs::path file = folder.path() / "a";
    write_new_file(file, "first", 0600);

    EXPECT_THROW(write_new_file(file, "second", 0600), HouseFailure);
    EXPECT_EQ(read_small_file(file), "first");
}

} // namespace
} // namespace pointhouse::gateway
