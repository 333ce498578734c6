#include "control_socket.hpp"

#include <chrono>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "control_line.hpp"
#include "gateway/control_client.hpp"
#include "gateway/house.hpp"
#include "temporary_folder.hpp"

namespace pointhouse::gateway {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class Listening final : public Console {
public:
    void progress(std::string_view line) override { lines.emplace_back(line); }
    void print(std::string_view text) override { output += text; }
    std::vector<std::string> lines;
    std::string output;
};

class ControlSocketTest : public testing::Test {
protected:
    CommandResult ask(const std::vector<std::string>& arguments)
    {
        const auto answer =
            ask_serving_house(path_, {.arguments = arguments, .folder = "/home/anna"}, console_);
        EXPECT_TRUE(answer.has_value());
        return answer.value_or(CommandResult{});
    }

    int connect() const
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path_.string().copy(address.sun_path, sizeof address.sun_path - 1);
        const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
        EXPECT_EQ(
            ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        return descriptor;
    }

    ops::TemporaryFolder folder_;
    fs::path path_ = folder_.path() / "control.sock";
    Listening console_;
};

TEST_F(ControlSocketTest, IsForItsOwnerAloneAndGoesWithItsHouse)
{
    {
        const ControlSocket control{path_, [](const CommandRequest&) { return CommandResult{}; }};
        struct stat status = {};
        ASSERT_EQ(::stat(path_.c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777U, 0600U);
    }
    EXPECT_FALSE(fs::exists(path_));
    EXPECT_EQ(ask_serving_house(path_, {}, console_), std::nullopt);
}

TEST_F(ControlSocketTest, ReplacesWhatADeadProcessLeft)
{
    const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.string().copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::close(dead);
    EXPECT_EQ(ask_serving_house(path_, {}, console_), std::nullopt);

    const ControlSocket control{path_, [](const CommandRequest&) { return CommandResult{}; }};

    EXPECT_EQ(ask({}).exit_code, 0);
}

TEST_F(ControlSocketTest, CarriesTheCommandAndItsEnd)
{
    CommandRequest seen;
    const ControlSocket control{path_, [&seen](const CommandRequest& request) {
                                    seen = request;
                                    return CommandResult{
                                        .exit_code = 3, .output = "out\n", .complaint = "no\n"};
                                }};

    const auto result = ask({"partner", "add", "with \"quotes\"\nand \xc3\xa9"});

    EXPECT_EQ(seen.arguments.at(2), "with \"quotes\"\nand \xc3\xa9");
    EXPECT_EQ(seen.folder, "/home/anna");
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_EQ(result.complaint, "no\n");
    EXPECT_EQ(console_.output + result.output, "out\n");
}

TEST_F(ControlSocketTest, StreamsLongWorkAndCutsNothing)
{
    // Parts end inside characters of two bytes.
    std::string text;
    for (int count = 0; count < 100'000; ++count) text += "x\xc3\xa9";
    const ControlSocket control{path_, [&text](const CommandRequest&) {
                                    return LongWork{[&text](Console& console) {
                                        console.progress("one");
                                        console.progress("two");
                                        console.print(text);
                                        return CommandResult{.output = "end"};
                                    }};
                                }};

    const auto result = ask({});

    EXPECT_EQ(console_.lines, (std::vector<std::string>{"one", "two"}));
    EXPECT_EQ(console_.output + result.output, text + "end");
}

TEST_F(ControlSocketTest, TurnsAFailureIntoAComplaint)
{
    const ControlSocket control{
        path_, [](const CommandRequest& request) -> CommandStep {
            if (request.arguments.empty()) throw HouseFailure{"at once"};
            return LongWork{[](Console&) -> CommandResult { throw HouseFailure{"later"}; }};
        }};

    const auto at_once = ask({});
    const auto later = ask({"work"});

    EXPECT_EQ(at_once.exit_code, 1);
    EXPECT_NE(at_once.complaint.find("at once"), std::string::npos);
    EXPECT_NE(later.complaint.find("later"), std::string::npos);
}

TEST_F(ControlSocketTest, RefusesWhatIsNotARequest)
{
    bool was_called = false;
    const ControlSocket control{path_, [&was_called](const CommandRequest&) {
                                    was_called = true;
                                    return CommandResult{};
                                }};
    for (const std::string_view line :
         {"", "{", "[]", "{\"arguments\":1}", "{\"arguments\":[1]}", "{}", "null"}) {
        LineSocket socket{connect()};
        ASSERT_TRUE(socket.write_line(line));
        const auto answer = socket.read_line(1000, 5s);
        ASSERT_TRUE(answer.has_value()) << line;
        EXPECT_NE(answer->find("\"exit\":2"), std::string::npos) << *answer;
    }
    EXPECT_FALSE(was_called);
}

TEST_F(ControlSocketTest, ClosesOnALineWithoutEnd)
{
    const ControlSocket control{path_, [](const CommandRequest&) { return CommandResult{}; }};
    LineSocket socket{connect()};
    const std::string part(1 << 16, 'x');
    // One mebibyte is the limit; the kernel's buffers hold some more.
    for (int count = 0; count < 17; ++count) {
        if (::send(socket.descriptor(), part.data(), part.size(), MSG_NOSIGNAL) < 0) break;
    }
    EXPECT_EQ(socket.read_line(1000, 5s), std::nullopt);
}

TEST_F(ControlSocketTest, InterruptsLongWorkWhenTheHouseStops)
{
    std::atomic<bool> has_begun = false;
    std::atomic<bool> was_interrupted = false;
    auto control = std::make_unique<ControlSocket>(path_, [&](const CommandRequest&) {
        return LongWork{[&](Console& console) -> CommandResult {
            has_begun = true;
            try {
                while (true) {
                    console.progress("still");
                    std::this_thread::sleep_for(1ms);
                }
            } catch (const Interrupted&) {
                was_interrupted = true;
                throw;
            }
        }};
    });
    std::thread client{[&] { EXPECT_THROW(ask({}), HouseFailure); }};
    while (!has_begun) std::this_thread::sleep_for(1ms);

    control.reset();
    client.join();

    EXPECT_TRUE(was_interrupted);
}

TEST_F(ControlSocketTest, InterruptsLongWorkThatNobodyWaitsFor)
{
    std::atomic<bool> was_interrupted = false;
    const ControlSocket control{path_, [&](const CommandRequest&) {
                                    return LongWork{[&](Console& console) -> CommandResult {
                                        try {
                                            while (true) console.progress("still");
                                        } catch (const Interrupted&) {
                                            was_interrupted = true;
                                            throw;
                                        }
                                    }};
                                }};
    {
        LineSocket socket{connect()};
        ASSERT_TRUE(socket.write_line("{\"arguments\":[]}"));
        ASSERT_TRUE(socket.read_line(1000, 5s).has_value());
    }
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!was_interrupted && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(5ms);
    EXPECT_TRUE(was_interrupted);
}

TEST_F(ControlSocketTest, RefusesAnotherUser)
{
    if (::geteuid() != 0) GTEST_SKIP() << "only root can act as another user";
    bool was_called = false;
    const ControlSocket control{path_, [&was_called](const CommandRequest&) {
                                    was_called = true;
                                    return CommandResult{};
                                }};
    // Even when the file's mode lets it in.
    ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
    ASSERT_EQ(::chmod(path_.c_str(), 0666), 0);

    const pid_t child = ::fork();
    if (child == 0) {
        if (::setuid(65534) != 0) ::_exit(2);
        LineSocket socket{connect()};
        const bool is_sent = socket.write_line("{\"arguments\":[]}");
        ::_exit(is_sent && socket.read_line(1000, 5s) ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0) << "it was answered";
    EXPECT_FALSE(was_called);
}

TEST(ControlSocket, SaysWhenThePathIsTooLong)
{
    const fs::path path = "/tmp/" + std::string(200, 'x');
    try {
        const ControlSocket control{path, [](const CommandRequest&) { return CommandResult{}; }};
        FAIL() << "it listens";
    } catch (const HouseFailure& failure) {
        EXPECT_NE(std::string{failure.what()}.find("too long"), std::string::npos);
    }
}

} // namespace
} // namespace pointhouse::gateway
