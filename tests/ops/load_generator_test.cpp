#include "load_generator.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "bench_gateway_messages.hpp"
#include "bench_gateway_report.hpp"
#include "pointhouse/v1/messages.pb.h"
#include "replay_house_double.hpp"

namespace pointhouse::ops {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using Mood = HouseDouble::Mood;
using std::chrono::nanoseconds;

Mood always_answer(std::uint64_t /*request*/)
{
    return Mood::answer;
}

LoadOptions load_on(const HouseDouble& house)
{
    const auto served = house.served();
    return {
        .endpoint = client::parse_endpoint(served.url),
        .callers = {client::credentials_in(served.certificates, "bakery")},
        .connections = 8,
        .warm_up = 50ms,
        .duration = 300ms};
}

BenchMessages messages_for(const LoadOptions& load, std::int64_t members)
{
    return {
        .endpoint = load.endpoint,
        .occurred_at = *ledger::parse_time("2026-06-02T10:00:00Z"),
        .members = members};
}

std::string body_of(std::string_view request)
{
    return std::string{request.substr(request.find("\r\n\r\n") + 4)};
}

TEST(LatencyHistogram, HasQuantilesWithinASixtyFourth)
{
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random{seed};
    LatencyHistogram histogram;
    std::vector<std::int64_t> latencies;
    for (int i = 0; i < 20'000; ++i) {
        const auto latency = static_cast<std::int64_t>(random() >> (random() % 40 + 24));
        latencies.push_back(latency);
        histogram.add(nanoseconds{latency});
    }
    std::ranges::sort(latencies);

    for (const double share : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
        const auto rank = static_cast<std::size_t>(std::ceil(share * 20'000));
        const auto exact = latencies.at(std::max<std::size_t>(rank, 1) - 1);
        const auto found = histogram.quantile(share).count();
        EXPECT_GE(found, exact) << share;
        EXPECT_LE(found, exact + exact / 64 + 1) << share;
    }
}

TEST(LatencyHistogram, IsExactForSmallOnesAndZeroWhenEmpty)
{
    LatencyHistogram histogram;
    EXPECT_EQ(histogram.quantile(0.5), nanoseconds{0});
    histogram.add(nanoseconds{-5}); // a clock that stepped
    histogram.add(nanoseconds{63});
    histogram.add(nanoseconds{64});
    histogram.add(nanoseconds::max());
    EXPECT_EQ(histogram.quantile(0.25), nanoseconds{0});
    EXPECT_EQ(histogram.quantile(0.5), nanoseconds{63});
    EXPECT_EQ(histogram.quantile(0.75), nanoseconds{64});
    EXPECT_EQ(histogram.quantile(1), nanoseconds::max());

    LatencyHistogram sum;
    sum.add_all(histogram);
    sum.add_all(histogram);
    EXPECT_EQ(sum.count(), 8U);
    EXPECT_EQ(sum.quantile(0.5), nanoseconds{63});
}

TEST(SingleMessages, AccrueAndRedeemInTurnForTheSameMemberWithAnIdOfTheirOwn)
{
    const HouseDouble house{{"bakery"}, always_answer};
    MessageCounter counter;
    SingleMessages first{messages_for(load_on(house), 100), counter};
    SingleMessages second{messages_for(load_on(house), 100), counter};
    std::set<std::string> ids;
    std::set<std::string> members;
    std::string member_before;
    for (int i = 0; i < 2'000; ++i) {
        auto& source = i < 1'000 ? first : second;
        const std::string request{source.next()};
        const auto message = json::parse(body_of(request)).as_object();
        const bool accrual = i % 2 == 0;
        EXPECT_TRUE(request.starts_with(
            accrual ? "POST /v1/accruals HTTP/1.1\r\n" : "POST /v1/redemptions HTTP/1.1\r\n"));
        EXPECT_EQ(message.at("points").as_int64(), 100);
        const std::string member{message.at("member").as_string()};
        if (!accrual) EXPECT_EQ(member, member_before);
        member_before = member;
        members.insert(member);
        ids.emplace(message.at("message_id").as_string());
    }
    EXPECT_EQ(ids.size(), 2'000U);
    EXPECT_GT(members.size(), 90U);
    EXPECT_LE(members.size(), 100U);
}

TEST(BatchMessages, GiveEachMemberItsFirstLotsAndEnd)
{
    const HouseDouble house{{"bakery"}, always_answer};
    MessageCounter counter;
    BatchMessages source{
        messages_for(load_on(house), 500), counter, BatchMessages::Content::first_lots, 8};
    std::map<std::string, int> lots;
    std::set<std::string> ids;
    for (auto request = source.next(); !request.empty(); request = source.next()) {
        v1::Batch batch;
        ASSERT_TRUE(batch.ParseFromString(body_of(request)));
        ASSERT_EQ(batch.messages_size(), 1'000);
        for (const auto& message : batch.messages()) {
            ASSERT_TRUE(message.has_accrual());
            ++lots[message.accrual().member()];
            ids.insert(message.accrual().message_id());
        }
    }
    EXPECT_EQ(ids.size(), 4'000U);
    EXPECT_EQ(lots.size(), 500U);
    for (const auto& [member, count] : lots) EXPECT_EQ(count, 8) << member;
    EXPECT_TRUE(source.next().empty());
}

TEST(RunLoad, MeasuresAClosedLoop)
{
    const HouseDouble house{{"bakery"}, always_answer};
    const auto load = load_on(house);
    MessageCounter counter;
    SingleMessages source{messages_for(load, 10), counter};

    const auto result = run_load(load, source);

    EXPECT_EQ(result.failure, "");
    EXPECT_GT(result.answers, 100U);
    EXPECT_EQ(result.latencies.count(), result.answers);
    EXPECT_EQ(result.not_booked, 0U);
    EXPECT_NEAR(result.seconds, 0.3, 0.05);
    EXPECT_EQ(house.taken().size(), result.answers_in_all) << "each request was another message";
    EXPECT_EQ(house.connections(), 8U);
}

TEST(RunLoad, CountsWhatIsNotBooked)
{
    const HouseDouble house{{"bakery"}, [](std::uint64_t request) {
                                if (request % 10 == 0) return Mood::overloaded;
                                return request % 10 == 1 ? Mood::refuse : Mood::answer;
                            }};
    const auto load = load_on(house);
    MessageCounter counter;
    SingleMessages source{messages_for(load, 10), counter};

    const auto result = run_load(load, source);

    EXPECT_GT(result.not_booked, result.answers / 20);
    EXPECT_LT(result.not_booked, result.answers / 5);
    EXPECT_GT(result.refused, result.answers / 20);
}

TEST(RunLoad, AnOpenLoopKeepsItsRate)
{
    const HouseDouble house{{"bakery"}, always_answer};
    auto load = load_on(house);
    load.rate = 1'000;
    load.warm_up = 0ms;
    load.duration = 500ms;
    MessageCounter counter;
    SingleMessages source{messages_for(load, 10), counter};

    const auto result = run_load(load, source);

    EXPECT_EQ(result.failure, "");
    EXPECT_NEAR(static_cast<double>(result.answers), 500, 25);
}

TEST(RunLoad, AnOpenLoopCountsTheWaitOfRequestsThatCouldNotLeave)
{
    // One connection, and a house that sleeps for 100 ms once: at 1,000 a second, a hundred
    // requests should have left meanwhile. A tenth of half a second waited 50 ms in the middle, not
    // one of 500.
    const HouseDouble house{{"bakery"}, [](std::uint64_t request) {
                                if (request == 100) std::this_thread::sleep_for(100ms);
                                return Mood::answer;
                            }};
    auto load = load_on(house);
    load.connections = 1;
    load.rate = 1'000;
    load.warm_up = 0ms;
    load.duration = 500ms;
    SameRequest source{"GET /v1/echo HTTP/1.1\r\nHost: a\r\n\r\n"};

    const auto result = run_load(load, source);

    EXPECT_EQ(result.failure, "");
    EXPECT_GT(result.latencies.quantile(0.9), 20ms);
    EXPECT_GT(result.latencies.quantile(0.99), 80ms);
}

TEST(RunLoad, AnOpenLoopThatIsTooFastShowsTheWholeWait)
{
    // 200 requests are due in 200 ms, and take 5 ms each: the last one waits 800 ms.
    const HouseDouble house{{"bakery"}, [](std::uint64_t) {
                                std::this_thread::sleep_for(5ms);
                                return Mood::answer;
                            }};
    auto load = load_on(house);
    load.connections = 1;
    load.rate = 1'000;
    load.warm_up = 0ms;
    load.duration = 200ms;
    SameRequest source{"GET /v1/echo HTTP/1.1\r\nHost: a\r\n\r\n"};

    const auto result = run_load(load, source);

    EXPECT_NEAR(static_cast<double>(result.answers), 200, 2);
    EXPECT_EQ(result.unanswered, 0U);
    EXPECT_GT(result.latencies.quantile(0.99), 700ms);
    EXPECT_GT(result.latencies.quantile(0.5), 300ms);
}

TEST(RunLoad, SaysWhenAConnectionIsLost)
{
    const HouseDouble house{{"bakery"}, [](std::uint64_t request) {
                                return request == 50 ? Mood::drop_before : Mood::answer;
                            }};
    const auto load = load_on(house);
    MessageCounter counter;
    SingleMessages source{messages_for(load, 10), counter};

    EXPECT_EQ(run_load(load, source).failure, "the house closed the connection");
}

TEST(IdleConnections, AreAllAnsweredOnceAndStay)
{
    const HouseDouble house{{"bakery"}, always_answer};
    auto load = load_on(house);
    load.connections = 100;

    {
        const IdleConnections idle{load, "GET /v1/echo HTTP/1.1\r\nHost: a\r\n\r\n"};
        EXPECT_EQ(house.connections(), 100U);
        EXPECT_EQ(house.requests(), 100U);
    }
    const HouseDouble overloaded{{"bakery"}, [](std::uint64_t) { return Mood::overloaded; }};
    load = load_on(overloaded);
    EXPECT_THROW(
        IdleConnections(load, "GET /v1/echo HTTP/1.1\r\nHost: a\r\n\r\n"), std::runtime_error);
}

TEST(BenchReport, FollowsTheContract)
{
    const std::vector<BenchRow> rows{
        {.name = "gateway.singles.64",
         .value = 45'000,
         .unit = "postings/s",
         .bound = 90'000,
         .bound_name = "nginx, return 200",
         .parameters = {{"connections", 64}}},
        {.name = "gateway.open_loop.20000.p99",
         .value = 900,
         .unit = "us",
         .bound = std::nullopt,
         .bound_name = {},
         .parameters = {}}};

    EXPECT_EQ(json::parse(bench_as_json(rows)), json::parse(R"([
            {"name":"gateway.singles.64","value":4.5E4,"unit":"postings/s","bound":9E4,
             "bound_name":"nginx, return 200","ratio":5E-1,"parameters":{"connections":64}},
            {"name":"gateway.open_loop.20000.p99","value":9E2,"unit":"us","bound":null,
             "bound_name":null,"ratio":null,"parameters":{}}])"));
    EXPECT_EQ(median({3, 1, 2}), 2);
    EXPECT_EQ(median({4, 1, 2, 3}), 2);
    EXPECT_EQ(median({}), 0);
}

} // namespace
} // namespace pointhouse::ops
