#include "desk.hpp"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "gateway/house.hpp"
#include "temporary_folder.hpp"

// The desk: who is answered, when too much waits, and that nothing is left when it closes.

namespace pointhouse::gateway {
namespace {

using namespace std::chrono_literals;

const Caller partner{.kind = Caller::Kind::partner, .name = "GRO", .partner = ledger::PartnerId{1}};
const Caller operator_anna{.kind = Caller::Kind::house_operator, .name = "anna", .partner = {}};

class CountedExchange final : public Exchange {
public:
    explicit CountedExchange(const Caller& from) { caller = &from; }
    void finish() override { ++finished; }
    int finished = 0;
};

class DeskTest : public testing::Test {
protected:
    DeskTest()
    {
        make_house({.data = folder_.path() / "house"});
        house_.emplace(folder_.path() / "house");
        desk_.emplace(loop_.get_executor(), *house_);
    }
    ~DeskTest() override
    {
        open_.store(true);
        close();
    }

    /// Closes the desk as a house that stops does, and runs what it leaves to the loop.
    void close()
    {
        if (!desk_ || std::exchange(is_closed_, true)) return;
        std::thread closing{[this] { desk_->close(); }};
        closing.join();
        run_ready();
    }
    void run_ready()
    {
        loop_.restart();
        loop_.poll();
    }
    /// Runs the loop until the exchange was answered, some seconds at most.
    void await(const CountedExchange& exchange)
    {
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (exchange.finished == 0 && std::chrono::steady_clock::now() < end) {
            run_ready();
            std::this_thread::sleep_for(1ms);
        }
        ASSERT_EQ(exchange.finished, 1);
    }
    static void say(Exchange& exchange, const CommandResult& result)
    {
        exchange.status = 200;
        exchange.answer = result.output;
    }
    static CommandStep end_with(std::string text)
    {
        return CommandResult{.exit_code = 0, .output = std::move(text)};
    }
    /// Work that waits until the test lets it go on, or the desk closes.
    NextStep blocking()
    {
        return [this](House&) -> CommandStep {
            return LongWork{[this](Console& console) -> WorkEnd {
                ++working_;
                while (!open_) {
                    console.progress("waiting");
                    std::this_thread::sleep_for(1ms);
                }
                return CommandResult{.exit_code = 0, .output = "late"};
            }};
        };
    }
    void await_working(int count)
    {
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (working_ < count && std::chrono::steady_clock::now() < end)
            std::this_thread::sleep_for(1ms);
        ASSERT_EQ(working_, count);
    }

    ops::TemporaryFolder folder_;
    boost::asio::io_context loop_;
    std::optional<House> house_;
    std::optional<Desk> desk_;
    bool is_closed_ = false;
    std::atomic<bool> open_ = false;
    std::atomic<int> working_ = 0;
};

TEST_F(DeskTest, AnswersAtOnceWhatIsOneStep)
{
    CountedExchange exchange{partner};
    EXPECT_TRUE(desk_->take(exchange, [](House&) { return end_with("now"); }, say));
    EXPECT_EQ(exchange.finished, 1);
    EXPECT_EQ(exchange.answer, "now");
}

TEST_F(DeskTest, GoesBetweenTheHousesThreadAndItsOwn)
{
    const auto house_thread = std::this_thread::get_id();
    CountedExchange exchange{operator_anna};
    const auto first = [&](House&) -> CommandStep {
        return LongWork{[&](Console& console) -> WorkEnd {
            EXPECT_NE(std::this_thread::get_id(), house_thread);
            console.progress("half");
            return NextStep{[&](House&) -> CommandStep {
                EXPECT_EQ(std::this_thread::get_id(), house_thread);
                return LongWork{[](Console& later) -> WorkEnd {
                    later.print("printed, ");
                    return CommandResult{.exit_code = 0, .output = "done"};
                }};
            }};
        }};
    };
    ASSERT_TRUE(desk_->take(exchange, first, say));
    EXPECT_EQ(exchange.finished, 0);
    await(exchange);
    EXPECT_EQ(exchange.answer, "printed, done");
}

TEST_F(DeskTest, AnswersAFailureAndGoesOn)
{
    const auto fail = [](House&) -> CommandStep { throw std::runtime_error{"a secret"}; };
    const auto fail_later = [](House&) -> CommandStep {
        return LongWork{[](Console&) -> WorkEnd { throw std::runtime_error{"a secret"}; }};
    };
    CountedExchange at_once{partner};
    CountedExchange later{partner};
    ASSERT_TRUE(desk_->take(at_once, fail, say));
    ASSERT_TRUE(desk_->take(later, fail_later, say));
    await(later);
    for (const auto* exchange : {&at_once, &later}) {
        EXPECT_EQ(exchange->finished, 1);
        EXPECT_EQ(exchange->status, 500);
        EXPECT_EQ(exchange->answer.find("secret"), std::string::npos);
    }
    CountedExchange broken{partner};
    ASSERT_TRUE(desk_->take(
        broken,
        [](House&) { return end_with("x"); },
        [](Exchange&, const CommandResult&) { throw std::runtime_error{"a secret"}; }));
    EXPECT_EQ(broken.finished, 1);
    EXPECT_EQ(broken.status, 500);
}

TEST_F(DeskTest, SaysThatItEndedHoweverItEnded)
{
    std::vector<int> finished_when_ended;
    const auto take = [&](CountedExchange& exchange, NextStep first, Desk::Answer answer) {
        return desk_->take(exchange, std::move(first), std::move(answer), [&] {
            finished_when_ended.push_back(exchange.finished);
        });
    };
    CountedExchange done{operator_anna};
    CountedExchange failed{operator_anna};
    CountedExchange later{operator_anna};
    CountedExchange interrupted{operator_anna};
    ASSERT_TRUE(take(done, [](House&) { return end_with("x"); }, say));
    ASSERT_TRUE(
        take(failed, [](House&) -> CommandStep { throw std::runtime_error{"a secret"}; }, say));
    ASSERT_TRUE(take(
        later,
        [](House&) -> CommandStep {
            return LongWork{[](Console&) -> WorkEnd { throw std::runtime_error{"a secret"}; }};
        },
        say));
    await(later);
    EXPECT_EQ(finished_when_ended, (std::vector{1, 1, 1}));
    ASSERT_TRUE(take(interrupted, blocking(), say));
    open_ = true;
    close();
    EXPECT_EQ(finished_when_ended, (std::vector{1, 1, 1, 1}));
}

TEST_F(DeskTest, PartnersDoNotKeepOperatorsWaiting)
{
    std::vector<std::unique_ptr<CountedExchange>> files;
    for (int number = 0; number < 8; ++number) {
        files.push_back(std::make_unique<CountedExchange>(partner));
        ASSERT_TRUE(desk_->take(*files.back(), blocking(), say));
    }
    await_working(1);
    CountedExchange exchange{operator_anna};
    ASSERT_TRUE(desk_->take(
        exchange,
        [](House&) -> CommandStep {
            return LongWork{[](Console&) -> WorkEnd {
                return CommandResult{.exit_code = 0, .output = "done"};
            }};
        },
        say));
    await(exchange);
    EXPECT_EQ(working_, 1) << "one thread is for operators alone";
    open_ = true;
    for (const auto& each : files) await(*each);
}

TEST_F(DeskTest, RefusesWhatIsTooMuchAndHasRoomAgain)
{
    std::vector<std::unique_ptr<CountedExchange>> taken;
    while (taken.size() < 100) {
        auto exchange = std::make_unique<CountedExchange>(operator_anna);
        if (!desk_->take(*exchange, blocking(), say)) break;
        taken.push_back(std::move(exchange));
    }
    EXPECT_EQ(taken.size(), 16U);
    open_ = true;
    for (const auto& each : taken) await(*each);
    CountedExchange again{partner};
    EXPECT_TRUE(desk_->take(again, [](House&) { return end_with("now"); }, say));
}

TEST_F(DeskTest, FinishesEverythingWhenItCloses)
{
    std::vector<std::unique_ptr<CountedExchange>> under_way;
    for (int number = 0; number < 12; ++number) {
        under_way.push_back(
            std::make_unique<CountedExchange>(number % 2 == 0 ? partner : operator_anna));
        ASSERT_TRUE(desk_->take(*under_way.back(), blocking(), say));
    }
    await_working(2);
    close();
    for (const auto& each : under_way) {
        EXPECT_EQ(each->finished, 1);
        EXPECT_EQ(each->status, 503);
        EXPECT_GT(each->retry_after_seconds, 0);
    }
    CountedExchange late{partner};
    EXPECT_FALSE(desk_->take(late, blocking(), say));
}

} // namespace
} // namespace pointhouse::gateway
