#include "replay_player.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "replay_house_double.hpp"
#include "replay_plan.hpp"
#include "replay_summary.hpp"

namespace pointhouse::ops {
namespace {

using Mood = HouseDouble::Mood;
using namespace std::chrono_literals;

const std::vector<std::string> partners{"bakery", "cinema"};

Mood always_answer(std::uint64_t /*request*/)
{
    return Mood::answer;
}

/// Three months of a few members, at two partners, one basket a day and member, some returned.
ReplayPlan small_plan(std::optional<std::int64_t> redeem_at = std::nullopt)
{
    PlanBuilder builder{redeem_at};
    for (int day = 0; day < 60; ++day) {
        const ledger::Time time{
            std::chrono::sys_days{std::chrono::year{2026} / 1 / 1} + std::chrono::days{day}};
        for (int member = 0; member < 10; ++member) {
            builder.add({
                .occurred_at = time,
                .member = "m" + std::to_string(member),
                .partner = partners[static_cast<std::size_t>((day + member) % 2)],
                .basket = std::to_string(day) + "-" + std::to_string(member),
                .amount_minor = (day + member) % 7 == 3 ? -500 : 1500,
                .currency = "EUR",
                .kind = (day + member) % 7 == 3 ? RowKind::goods_return : RowKind::purchase,
                .channel = "pos",
                .category = "",
            });
        }
    }
    return builder.finish();
}

ReplaySummary play(const ReplayPlan& plan, const HouseDouble& house)
{
    ReplayPlayer player{plan, {.house = house.served()}};
    Progress progress{plan.baskets};
    return player.play(progress);
}

/// Each message once, each member's in order of time, and no month before the end of the last.
void expect_in_order(const std::vector<TakenMessage>& taken)
{
    std::map<std::string, std::string> last_of_member;
    std::string last_month;
    for (const auto& message : taken) {
        if (message.occurred_at.empty()) continue; // an enrolment
        EXPECT_LE(last_of_member[message.member], message.occurred_at) << message.message_id;
        last_of_member[message.member] = message.occurred_at;
        EXPECT_LE(last_month, message.occurred_at.substr(0, 7)) << message.message_id;
        last_month = message.occurred_at.substr(0, 7);
    }
}

TEST(ReplayPlayer, SendsEachMessageOnceInOrderFromItsOwnPartner)
{
    const auto plan = small_plan();
    const HouseDouble house{partners, always_answer};

    const auto summary = play(plan, house);

    EXPECT_TRUE(summary.complete()) << summary_as_table(plan, summary);
    const auto taken = house.taken();
    EXPECT_EQ(taken.size(), summary.messages());
    EXPECT_EQ(taken.size(), 600U + summary.booked.at("enrolments"));
    EXPECT_EQ(summary.sent_again, 0U);
    EXPECT_EQ(summary.already_booked, 0U);
    expect_in_order(taken);
    for (const auto& message : taken) {
        if (message.target == "/v1/members") continue;
        EXPECT_NE(message.message_id.find(":" + message.partner + ":"), std::string::npos);
    }
}

TEST(ReplayPlayer, ASecondReplayBooksNothing)
{
    const auto plan = small_plan(30);
    const HouseDouble house{partners, always_answer};
    const auto first = play(plan, house);
    const auto taken = house.taken().size();

    const auto second = play(plan, house);

    EXPECT_TRUE(second.complete());
    EXPECT_GT(first.booked.at("redemptions"), 0U);
    EXPECT_EQ(second.already_booked, first.messages());
    EXPECT_TRUE(second.booked.empty());
    EXPECT_EQ(second.points_redeemed, first.points_redeemed);
    EXPECT_EQ(house.taken().size(), taken);
}

TEST(ReplayPlayer, SurvivesAHouseThatDropsAndRefusesForAWhile)
{
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random{seed};
    std::mutex mutex;
    const auto moods = [&](std::uint64_t) {
        const std::lock_guard lock{mutex};
        switch (random() % 40) {
        case 0: return Mood::drop_before;
        case 1: return Mood::drop_after;
        case 2: return Mood::overloaded;
        case 3: return Mood::limited;
        case 4: return Mood::last_answer;
        case 5: return Mood::byte_by_byte;
        default: return Mood::answer;
        }
    };
    const auto plan = small_plan();
    const HouseDouble house{partners, moods};

    const auto summary = play(plan, house);

    EXPECT_TRUE(summary.complete()) << summary_as_table(plan, summary);
    EXPECT_GT(summary.sent_again, 0U);
    EXPECT_EQ(house.taken().size(), summary.messages());
    expect_in_order(house.taken());
}

TEST(ReplayPlayer, CountsRefusalsByCodeAndGoesOn)
{
    const auto plan = small_plan();
    const HouseDouble house{partners, [](std::uint64_t request) {
                                return request == 50 ? Mood::refuse : Mood::answer;
                            }};

    const auto summary = play(plan, house);

    EXPECT_FALSE(summary.complete());
    EXPECT_TRUE(summary.stopped.empty());
    EXPECT_EQ(summary.refused.at("member_blocked"), 1U);
    EXPECT_EQ(summary.refusals.size(), 1U);
    EXPECT_NE(summary.refusals[0].find("422 member_blocked: so it is"), std::string::npos);
    EXPECT_EQ(house.taken().size() + 1, summary.messages());
}

TEST(ReplayPlayer, StopsAtOnceWhenTheHouseDoesNotKnowTheCertificate)
{
    const auto plan = small_plan();
    const HouseDouble house{partners, always_answer};
    const HouseDouble other{partners, always_answer};
    // The keys are another house's, the CA that the client believes is the right one.
    const auto mixed = other.served().certificates;
    std::filesystem::copy_file(
        house.served().certificates / "ca.pem",
        mixed / "ca.pem",
        std::filesystem::copy_options::overwrite_existing);

    ReplayPlayer player{plan, {.house = {.url = house.served().url, .certificates = mixed}}};
    Progress progress{plan.baskets};
    const auto summary = player.play(progress);

    EXPECT_FALSE(summary.complete());
    EXPECT_FALSE(summary.stopped.empty());
    EXPECT_LT(summary.seconds, 5);
    EXPECT_TRUE(house.taken().empty());
}

TEST(ReplayPlayer, DoesNotTalkToAServerOfAnotherHouse)
{
    const auto plan = small_plan();
    const HouseDouble house{partners, always_answer};
    const HouseDouble other{partners, always_answer};

    ReplayPlayer player{
        plan, {.house = {.url = house.served().url, .certificates = other.served().certificates}}};
    Progress progress{plan.baskets};
    const auto summary = player.play(progress);

    EXPECT_NE(summary.stopped.find("the house's certificate"), std::string::npos)
        << summary.stopped;
    EXPECT_TRUE(house.taken().empty());
}

TEST(ReplayPlayer, RefusesAMissingCertificateAndABadUrl)
{
    const auto plan = small_plan();
    const HouseDouble house{{"bakery"}, always_answer};
    const auto served = house.served();

    EXPECT_THROW((ReplayPlayer{plan, {.house = served}}), client::SetupFault);
    for (const auto* url :
         {"",
          "127.0.0.1:8443",
          "http://127.0.0.1:1",
          "https://",
          "https://a:0",
          "https://a/b",
          "https://a:70000",
          "https://u@a:1",
          "https://a:1?q"}) {
        EXPECT_THROW(
            (ReplayPlayer{plan, {.house = {.url = url, .certificates = served.certificates}}}),
            client::SetupFault)
            << url;
    }
}

TEST(ReplayPlayer, KeepsToItsPace)
{
    const auto plan = small_plan();
    const HouseDouble house{partners, always_answer};

    ReplayPlayer player{plan, {.house = house.served(), .per_second_max = 600}};
    Progress progress{plan.baskets};
    const auto summary = player.play(progress);

    EXPECT_TRUE(summary.complete());
    EXPECT_GT(summary.seconds, 0.9);
}

TEST(Channel, GivesUpASilentConnectionAndSendsAgain)
{
    const HouseDouble house{{"bakery"}, [](std::uint64_t request) {
                                return request == 1 ? Mood::silent : Mood::answer;
                            }};
    client::Loop loop;
    const auto endpoint = client::parse_endpoint(house.served().url);
    client::Channel channel{
        loop,
        endpoint,
        client::credentials_in(house.served().certificates, "bakery"),
        {.answer_timeout = 300ms}};
    int status = -1;
    bool replayed = false;
    const auto request = client::format_request(
        endpoint,
        {.method = "POST",
         .target = "/v1/accruals",
         .media_type = "application/json",
         .body = R"({"message_id":"1","member":"m","points":1})"});
    channel.send(request, [&](const client::Answer& answer) {
        status = answer.status;
        replayed = answer.replayed;
    });
    const auto begun = std::chrono::steady_clock::now();
    while (status == -1 && std::chrono::steady_clock::now() - begun < 10s) loop.run_once(100ms);

    EXPECT_EQ(status, 201);
    EXPECT_TRUE(replayed);
    EXPECT_EQ(house.taken().size(), 1U);
    EXPECT_EQ(channel.sent_again(), 1U);
}

TEST(Channel, AnswersThatTheHouseCannotBeReachedWithinItsTime)
{
    ServedHouse served;
    client::Loop loop;
    std::unique_ptr<client::Channel> channel;
    {
        const HouseDouble house{{"bakery"}, always_answer};
        served = house.served();
        channel = std::make_unique<client::Channel>(
            loop,
            client::parse_endpoint(served.url),
            client::credentials_in(served.certificates, "bakery"),
            client::ChannelOptions{.give_up_after = 400ms});
    }
    int status = -1;
    std::string failure;
    channel->send("GET /v1/echo HTTP/1.1\r\nHost: a\r\n\r\n", [&](const client::Answer& answer) {
        status = answer.status;
        failure = answer.failure;
    });
    const auto begun = std::chrono::steady_clock::now();
    while (status == -1 && std::chrono::steady_clock::now() - begun < 10s) loop.run_once(100ms);

    EXPECT_EQ(status, 0);
    EXPECT_EQ(failure, "Connection refused");
    EXPECT_GT(std::chrono::steady_clock::now() - begun, 300ms);
}

} // namespace
} // namespace pointhouse::ops
