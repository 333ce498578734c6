#include <gtest/gtest.h>

#include "ledger_house.hpp"

namespace pointhouse::ledger::test {
namespace {

constexpr PartnerId house_operator{};

Message operation(MessageType type, std::string_view id, std::string_view member)
{
    return {
        .type = type,
        .partner = house_operator,
        .message_id = id,
        .member = member,
        .reason = "asked for"};
}

Message adjustment(std::string_view id, std::string_view funder, std::int64_t points)
{
    Message message = accrual(house_operator, id, "anna", points);
    message.type = MessageType::adjustment;
    message.funder = funder;
    message.reason = "goodwill";
    return message;
}

Message hold(std::string_view id)
{
    Message message = redemption(bookshop, id, "anna", 10);
    message.type = MessageType::hold;
    message.expires_in_seconds = 60;
    return message;
}

Message transfer(std::string_view id, std::string_view from, std::string_view to)
{
    Message message = redemption(bookshop, id, from, 10);
    message.type = MessageType::transfer;
    message.to_member = to;
    return message;
}

struct Membership : ::testing::Test {
    Membership()
    {
        house.send({accrual(grocer, "a1", "anna", 100), accrual(grocer, "b1", "bert", 100)});
        spent = house.send(redemption(fuel, "r1", "anna", 40));
        held = house.send(hold("h1"));
    }

    std::optional<Refusal> refusal_of(const Message& message)
    {
        const Outcome outcome = house.send(message);
        if (outcome.disposition == Disposition::refused) return outcome.refusal;
        return outcome.record.refusal;
    }

    void expect_refused(Refusal refusal, const std::string& tag)
    {
        for (Message message :
             {accrual(grocer, "", "anna", 1),
              redemption(fuel, "", "anna", 1),
              hold(""),
              transfer("", "anna", "bert"),
              transfer("", "bert", "anna"),
              adjustment("", "grocer", 1)}) {
            const std::string id = tag + std::to_string(++number);
            message.message_id = id;
            EXPECT_EQ(refusal_of(message), refusal) << id;
        }
    }

    LedgerHouse house;
    Outcome spent;
    Outcome held;
    int number = 0;
};

TEST_F(Membership, ABlockedMemberNeitherEarnsNorSpendsUntilItIsUnblocked)
{
    EXPECT_FALSE(refusal_of(operation(MessageType::block, "o1", "anna")));
    expect_refused(Refusal::member_blocked, "blocked");
    // What has begun ends: captures, returns, refunds.
    Message capture = redemption(bookshop, "c1", {}, 1);
    capture.type = MessageType::capture;
    capture.hold = held.record.sequence;
    EXPECT_FALSE(refusal_of(capture));
    EXPECT_FALSE(refusal_of(reversal(fuel, "v1", "r1")));
    EXPECT_FALSE(refusal_of(clawback(grocer, "k1", "anna", 1)));

    house.close(true);
    house.open();
    EXPECT_EQ(refusal_of(redemption(fuel, "r2", "anna", 1)), Refusal::member_blocked);
    EXPECT_FALSE(refusal_of(operation(MessageType::unblock, "o2", "anna")));
    EXPECT_FALSE(refusal_of(redemption(fuel, "r3", "anna", 1)));
    EXPECT_EQ(
        house.send(operation(MessageType::block, "o1", "anna")).disposition, Disposition::replayed);
    EXPECT_FALSE(refusal_of(redemption(fuel, "r4", "anna", 1)));
    EXPECT_EQ(house.verify().fault, "");
}

TEST_F(Membership, ClosingForfeitsOpenPointsAsExpiry)
{
    Message waiting = accrual(grocer, "a2", "anna", 7);
    waiting.pending_until = house.clock.time + std::chrono::hours{24};
    house.send(waiting);
    const Outcome closed = house.send(operation(MessageType::close, "o1", "anna"));

    EXPECT_FALSE(closed.record.refusal);
    EXPECT_EQ(closed.record.points, Points{67}); // 50 active, 10 held, 7 pending
    EXPECT_EQ(closed.record.balance, Balance{});
    EXPECT_EQ(house.ledger->find_hold(bookshop, held.record.sequence)->state, HoldState::ended);
    expect_refused(Refusal::member_closed, "closed");
    for (const auto type : {MessageType::block, MessageType::unblock, MessageType::close}) {
        const std::string id = "again" + std::to_string(static_cast<int>(type));
        EXPECT_EQ(refusal_of(operation(type, id, "anna")), Refusal::member_closed);
    }
    EXPECT_EQ(refusal_of(operation(MessageType::close, "o9", "nobody")), Refusal::member_unknown);
    // A later return finds what expired first.
    Message part = reversal(grocer, "v1", "a1");
    part.points = Points{60};
    EXPECT_EQ(house.send(part).record.balance, Balance{});
    // What a refund gives back ends with the account.
    const Outcome refunded = house.send(reversal(fuel, "v2", "r1"));
    EXPECT_EQ(refunded.record.entries.back().kind, EntryKind::expired);
    EXPECT_EQ(refunded.record.balance, Balance{});
    house.close(false);
    house.open();
    EXPECT_EQ(refusal_of(redemption(fuel, "r2", "anna", 1)), Refusal::member_closed);
    EXPECT_EQ(house.verify().fault, "");
}

TEST_F(Membership, AnAdjustmentIsFundedByAnIssuer)
{
    const Outcome adjusted = house.send(adjustment("o1", "grocer", 25));
    ASSERT_EQ(adjusted.record.entries.size(), 1U);
    EXPECT_EQ(adjusted.record.entries[0].lot.tariff, TariffVersion{1});
    EXPECT_EQ(adjusted.record.counterparty, grocer);
    EXPECT_EQ(adjusted.record.balance.available, Points{75});
    EXPECT_EQ(house.send(adjustment("o1", "grocer", 25)).disposition, Disposition::replayed);
    EXPECT_EQ(refusal_of(adjustment("o1", "fuel", 25)), Refusal::message_id_reused);
    EXPECT_EQ(refusal_of(adjustment("o2", "charity", 25)), Refusal::role_not_allowed);
    EXPECT_EQ(refusal_of(adjustment("o3", "nobody", 25)), Refusal::role_not_allowed);
    EXPECT_EQ(house.verify().fault, "");
}

} // namespace
} // namespace pointhouse::ledger::test
