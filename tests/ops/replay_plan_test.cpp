#include "replay_plan.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "replay_player.hpp"

namespace pointhouse::ops {
namespace {

using Kind = ReplayMessage::Kind;

ReplayPlan plan_of(
    const std::vector<std::string>& lines, std::optional<std::int64_t> redeem_at = std::nullopt)
{
    PlanBuilder builder{redeem_at};
    for (const auto& line : lines) builder.add(parse_purchase_row(line));
    return builder.finish();
}

/// All that one member sends when every answer says the same balance.
std::vector<ReplayMessage> messages_of(
    const ReplayPlan& plan, std::size_t member, std::int64_t available = 0)
{
    std::vector<ReplayMessage> messages;
    MemberCourse course{plan, plan.members.at(member)};
    while (const auto message = course.next(ledger::Time::max())) {
        messages.push_back(*message);
        course.answered(*message, available);
    }
    return messages;
}

TEST(PlanBuilder, SumsTheRowsOfABasketAtAPartner)
{
    const auto plan = plan_of({
        "2026-01-02T10:00:00Z,m,p,b,150,EUR,purchase,pos,bread",
        "2026-01-02T09:00:00Z,m,p,b,250,EUR,purchase,pos,milk",
        "2026-01-02T10:00:00Z,m,q,b,999,EUR,purchase,web,milk",
        "2026-01-02T10:00:00Z,m,p,b,-50,EUR,return,web,milk",
    });

    ASSERT_EQ(plan.members.size(), 1U);
    const auto& baskets = plan.members[0].baskets;
    ASSERT_EQ(baskets.size(), 3U);
    EXPECT_EQ(baskets[0].amount_minor, 400);
    EXPECT_EQ(baskets[0].channel, "pos");
    EXPECT_EQ(ledger::format_time(baskets[0].occurred_at), "2026-01-02T09:00:00Z");
    EXPECT_EQ(baskets[1].kind, RowKind::goods_return);
    EXPECT_EQ(baskets[1].amount_minor, 50);
    EXPECT_EQ(plan.partners[baskets[2].partner], "q");
    EXPECT_EQ(plan.rows, 4U);
    EXPECT_EQ(plan.baskets, 3U);
}

TEST(PlanBuilder, OrdersAMembersBasketsByTimeBasketAndPartner)
{
    const auto plan = plan_of({
        "2026-01-02T10:00:00Z,m,z,b2,100,EUR,purchase,,",
        "2026-01-02T10:00:00Z,m,z,b1,100,EUR,purchase,,",
        "2026-01-02T10:00:00Z,m,a,b1,100,EUR,purchase,,",
        "2026-01-01T10:00:00Z,m,z,b3,100,EUR,purchase,,",
    });

    std::vector<std::string> order;
    for (const auto& basket : plan.members[0].baskets) {
        order.push_back(basket.basket + plan.partners[basket.partner]);
    }
    EXPECT_EQ(order, (std::vector<std::string>{"b3z", "b1a", "b1z", "b2z"}));
}

TEST(PlanBuilder, RefusesASecondCurrencyAndABasketOfTwoMembers)
{
    EXPECT_THROW(
        plan_of(
            {"2026-01-02T10:00:00Z,m,p,b,1,EUR,purchase,,",
             "2026-01-02T10:00:00Z,m,p,c,1,GBP,purchase,,"}),
        FileFault);
    EXPECT_THROW(
        plan_of(
            {"2026-01-02T10:00:00Z,m,p,b,1,EUR,purchase,,",
             "2026-01-02T10:00:00Z,n,p,b,1,EUR,purchase,,"}),
        FileFault);
}

TEST(PlanBuilder, CountsOffersAndSkipsThem)
{
    const auto plan = plan_of({"2026-01-02T10:00:00Z,m,p,b,0,EUR,offer,,"});

    EXPECT_TRUE(plan.members.empty());
    EXPECT_EQ(plan.rows_skipped.at("offer"), 1U);
    EXPECT_TRUE(month_ends(plan).empty());
}

TEST(MemberCourse, EnrolsFirstAMemberThatBeginsWithAReturn)
{
    const auto plan = plan_of({
        "2026-01-02T10:00:00Z,m,p,b,-100,EUR,return,,",
        "2026-01-03T10:00:00Z,m,p,c,100,EUR,purchase,,",
    });

    const auto messages = messages_of(plan, 0);

    ASSERT_EQ(messages.size(), 3U);
    EXPECT_EQ(messages[0].kind, Kind::enrolment);
    EXPECT_EQ(messages[1].kind, Kind::clawback);
    EXPECT_EQ(messages[2].kind, Kind::accrual);
    EXPECT_EQ(format_message(plan, messages[0]).target, "/v1/members");
    EXPECT_EQ(format_message(plan, messages[0]).body, R"({"message_id":"m:enrol","member":"m"})");
    EXPECT_EQ(
        format_message(plan, messages[1]).body,
        R"({"message_id":"b:p:return","member":"m","occurred_at":"2026-01-02T10:00:00Z",)"
        R"("purchase":{"amount_minor":100,"currency":"EUR"},"reason":"return"})");
}

TEST(MemberCourse, RedeemsOnceBeforeEachPurchaseBasketAlsoOneWorthNothing)
{
    const auto plan = plan_of(
        {
            "2026-01-02T10:00:00Z,m,p,b,10000,EUR,purchase,web,",
            "2026-01-03T10:00:00Z,m,q,c,5,EUR,purchase,,",
            "2026-01-04T10:00:00Z,m,q,d,-5,EUR,return,,",
        },
        100);

    const auto messages = messages_of(plan, 0, 250);

    ASSERT_EQ(messages.size(), 3U);
    EXPECT_EQ(messages[0].kind, Kind::accrual);
    EXPECT_EQ(messages[1].kind, Kind::redemption_of_points);
    EXPECT_EQ(messages[2].kind, Kind::accrual);
    EXPECT_EQ(
        format_message(plan, messages[1]).body,
        R"({"message_id":"c:q:redeem","member":"m","occurred_at":"2026-01-03T10:00:00Z",)"
        R"("points":100})");
    EXPECT_EQ(
        format_message(plan, messages[0]).body,
        R"({"message_id":"b:p:purchase","member":"m","occurred_at":"2026-01-02T10:00:00Z",)"
        R"("purchase":{"amount_minor":10000,"currency":"EUR","channel":"web"}})");
    EXPECT_EQ(plan.rows_skipped.at("return"), 1U);
}

TEST(MemberCourse, KeepsTheLastBalanceWhenAnAnswerHasNone)
{
    const auto plan = plan_of(
        {
            "2026-01-02T10:00:00Z,m,p,b,100,EUR,purchase,,",
            "2026-01-03T10:00:00Z,m,p,c,100,EUR,purchase,,",
        },
        100);
    MemberCourse course{plan, plan.members[0]};
    course.answered(*course.next(ledger::Time::max()), 100);
    ASSERT_EQ(course.next(ledger::Time::max())->kind, Kind::redemption_of_points);

    course.answered(*course.next(ledger::Time::max()), std::nullopt); // the redemption was refused

    EXPECT_EQ(course.next(ledger::Time::max())->kind, Kind::accrual);
    EXPECT_EQ(course.baskets_done(), 1U);
}

TEST(MemberCourse, WaitsForTheNextMonth)
{
    const auto plan = plan_of({
        "2026-01-31T23:59:59Z,m,p,b,100,EUR,purchase,,",
        "2026-02-01T00:00:00Z,m,p,c,100,EUR,purchase,,",
    });
    const auto ends = month_ends(plan);
    ASSERT_EQ(ends.size(), 2U);
    EXPECT_EQ(ledger::format_time(ends[0]), "2026-02-01T00:00:00Z");
    EXPECT_EQ(ledger::format_time(ends[1]), "2026-03-01T00:00:00Z");

    MemberCourse course{plan, plan.members[0]};
    course.answered(*course.next(ends[0]), 1);

    EXPECT_FALSE(course.next(ends[0]).has_value());
    EXPECT_TRUE(course.next(ends[1]).has_value());
}

TEST(ReplayMessage, GivesBasketsOfAnyNameDistinctIdsInForm)
{
    const std::vector<std::string> baskets{
        "b",
        "b b",
        "b_b",
        "b/b",
        "b\xC3\xA9",
        std::string(64, 'b'),
        std::string(99, 'b'),
        std::string(98, 'b')};
    std::vector<std::string> ids;
    for (const auto& basket : baskets) {
        const auto plan = plan_of({"2026-01-02T10:00:00Z,m,p," + basket + ",100,EUR,purchase,,"});
        const auto id = messages_of(plan, 0).at(0).message_id(plan);
        EXPECT_LE(id.size(), 64U);
        EXPECT_EQ(
            id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789._:-"),
            std::string::npos)
            << id;
        EXPECT_EQ(std::ranges::count(ids, id), 0) << id;
        ids.push_back(id);
    }
}

} // namespace
} // namespace pointhouse::ops
