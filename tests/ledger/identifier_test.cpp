#include <gtest/gtest.h>

#include "ledger_house.hpp"

namespace pointhouse::ledger::test {
namespace {

Message identification(
    std::string_view id,
    std::string_view member,
    std::string_view identifier,
    std::string_view replaces = {})
{
    Message message = redemption(fuel, id, member, 1);
    message.type = MessageType::identification;
    message.points.reset();
    message.identifier = identifier;
    message.identifier_kind = IdentifierKind::card;
    message.replaces = replaces;
    return message;
}

struct Identifiers : ::testing::Test {
    Identifiers()
    {
        house.send({accrual(grocer, "a1", "old", 100), accrual(grocer, "b1", "bert", 50)});
    }

    std::optional<Refusal> refusal_of(const Message& message)
    {
        const Outcome outcome = house.send(message);
        if (outcome.disposition == Disposition::refused) return outcome.refusal;
        return outcome.record.refusal;
    }

    void reopen()
    {
        EXPECT_EQ(house.verify().fault, "");
        house.close(false);
        house.open();
    }

    LedgerHouse house;
};

TEST_F(Identifiers, AMemberIsKnownByAllOfThem)
{
    EXPECT_FALSE(refusal_of(identification("i1", "old", "phone")));
    EXPECT_FALSE(refusal_of(identification("i2", "phone", "token")));
    for (const bool again : {false, true}) {
        for (const std::string_view each : {"old", "phone", "token"})
            EXPECT_EQ(house.balance(each).available, Points{again ? 99 : 100}) << each;
        if (!again) EXPECT_FALSE(refusal_of(redemption(fuel, "r1", "token", 1)));
        reopen();
    }
    EXPECT_EQ(house.verify().messages, 5U);
}

TEST_F(Identifiers, AReplacedOneFindsNobodyButItsRepeatedMessages)
{
    EXPECT_FALSE(refusal_of(identification("i1", "old", "new", "old")));
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(house.balance("new").available, Points{100});
        EXPECT_FALSE(house.ledger->find_member("old"));
        EXPECT_EQ(refusal_of(redemption(fuel, "r1", "old", 1)), Refusal::member_unknown);
        EXPECT_EQ(refusal_of(accrual(grocer, "a2", "old", 1)), Refusal::member_unknown);
        EXPECT_EQ(refusal_of(identification("i2", "old", "third")), Refusal::member_unknown);
        Message give = redemption(fuel, "t1", "bert", 1);
        give.type = MessageType::transfer;
        give.to_member = "old";
        EXPECT_EQ(refusal_of(give), Refusal::member_unknown);
        EXPECT_EQ(house.send(accrual(grocer, "a1", "old", 100)).disposition, Disposition::replayed);
        EXPECT_EQ(house.send(accrual(grocer, "a1", "new", 100)).disposition, Disposition::replayed);
        EXPECT_EQ(
            house.send(identification("i1", "old", "new", "old")).disposition,
            Disposition::replayed);
        reopen();
    }
}

TEST_F(Identifiers, TheSameIdForOtherContentIsReused)
{
    EXPECT_FALSE(refusal_of(identification("i1", "old", "new", "old")));
    for (const Message& other :
         {identification("i1", "new", "newer", "old"),
          identification("i1", "new", "new"),
          identification("i1", "new", "new", "bert"),
          identification("i1", "bert", "new", "old")})
        EXPECT_EQ(refusal_of(other), Refusal::message_id_reused);
    Message kind = identification("i1", "new", "new", "old");
    kind.identifier_kind = IdentifierKind::phone;
    EXPECT_EQ(refusal_of(kind), Refusal::message_id_reused);
}

TEST_F(Identifiers, EveryRefusal)
{
    EXPECT_EQ(refusal_of(identification("i1", "old", "bert")), Refusal::identifier_taken);
    EXPECT_EQ(refusal_of(identification("i2", "nobody", "new")), Refusal::member_unknown);
    EXPECT_EQ(refusal_of(identification("i3", "old", "new", "bert")), Refusal::member_unknown);
    EXPECT_EQ(refusal_of(identification("i4", "old", "new", "nobody")), Refusal::member_unknown);
    Message ahead = identification("i5", "old", "new");
    ahead.occurred_at += std::chrono::hours{1};
    EXPECT_EQ(refusal_of(ahead), Refusal::occurred_in_future);
    EXPECT_FALSE(house.ledger->find_member("new"));
    // Refused for ever: also when the identifier is free, or the member's own, by then.
    EXPECT_EQ(house.send(identification("i1", "old", "bert")).disposition, Disposition::replayed);
    // A replaced identifier is never given to somebody else.
    EXPECT_FALSE(refusal_of(identification("i6", "old", "new", "old")));
    EXPECT_EQ(refusal_of(identification("i7", "bert", "old")), Refusal::identifier_taken);
    // Its own member may have it back.
    EXPECT_FALSE(refusal_of(identification("i8", "new", "old", "new")));
    EXPECT_EQ(house.balance("old").available, Points{100});
    EXPECT_FALSE(house.ledger->find_member("new"));
    house.send(
        Message{.type = MessageType::block, .message_id = "o1", .member = "bert", .reason = "x"});
    EXPECT_EQ(refusal_of(identification("i9", "bert", "b2")), Refusal::member_blocked);
    reopen();
}

TEST_F(Identifiers, PointsDoNotMoveBetweenCardsOfOneMember)
{
    house.send({accrual(grocer, "a2", "anna", 50), identification("i1", "anna", "card")});
    Message moved = redemption(grocer, "t1", "anna", 20);
    moved.type = MessageType::transfer;
    moved.to_member = "card";

    const Outcome refused = house.send(moved);

    EXPECT_EQ(refused.disposition, Disposition::decided);
    EXPECT_EQ(refused.record.refusal, Refusal::already_merged);
    EXPECT_EQ(house.send(moved).disposition, Disposition::replayed);
    EXPECT_EQ(house.balance("anna"), (Balance{.available = Points{50}}));
    EXPECT_EQ(house.verify().fault, "");
}

TEST_F(Identifiers, MessagesOfOneCommitSeeTheNewOne)
{
    const auto outcomes = house.send(
        {identification("i1", "old", "new", "old"),
         accrual(grocer, "a2", "new", 7),
         redemption(fuel, "r1", "old", 1),
         redemption(fuel, "r2", "new", 107)});
    EXPECT_FALSE(outcomes[0].record.refusal);
    EXPECT_EQ(outcomes[1].record.balance.available, Points{107});
    EXPECT_EQ(outcomes[2].refusal, Refusal::member_unknown);
    EXPECT_EQ(outcomes[3].record.balance, Balance{});
    reopen();
}

TEST_F(Identifiers, AnEnrolmentMayBringOne)
{
    Message enrol = identification("e1", "mail@example.org", "card-1");
    enrol.type = MessageType::enrolment;
    const auto outcomes = house.send({enrol, accrual(grocer, "a2", "card-1", 5)});
    EXPECT_FALSE(outcomes[0].record.refusal);
    EXPECT_EQ(house.balance("mail@example.org").available, Points{5});
    enrol.message_id = "e2";
    enrol.identifier = "bert";
    EXPECT_EQ(refusal_of(enrol), Refusal::identifier_taken);
    reopen();
}

// The identity is written first: a crash before the record must not lock the member out.
TEST_F(Identifiers, WhatACrashLeftHalfDoneIsDoneByTheRepeatedMessage)
{
    const Message replace = identification("i1", "old", "new", "old");
    house.faulty->next = FaultyJournal::Fault::not_written;
    EXPECT_EQ(house.send(replace).disposition, Disposition::unavailable);
    house.close(false);
    house.open();
    EXPECT_EQ(house.send(replace).disposition, Disposition::decided);
    EXPECT_EQ(house.send(replace).disposition, Disposition::replayed);
    EXPECT_EQ(house.balance("new").available, Points{100});
    EXPECT_FALSE(house.ledger->find_member("old"));
    reopen();
}

TEST_F(Identifiers, AMergedMembersIdentifiersStayItsOwn)
{
    Message merge{
        .type = MessageType::merge, .message_id = "m1", .member = "old", .reason = "registered"};
    merge.to_member = "bert";
    EXPECT_FALSE(refusal_of(identification("i1", "old", "phone")));
    EXPECT_FALSE(refusal_of(merge));
    EXPECT_EQ(house.balance("phone").available, Points{150});
    EXPECT_EQ(house.send(identification("i1", "old", "phone")).disposition, Disposition::replayed);
    // A lost card of the merged member is replaced under the other's name.
    EXPECT_FALSE(refusal_of(identification("i2", "bert", "new", "old")));
    EXPECT_EQ(house.balance("new").available, Points{150});
    EXPECT_FALSE(house.ledger->find_member("old"));
    reopen();
}

TEST_F(Identifiers, AChangedRowIsFound)
{
    EXPECT_FALSE(refusal_of(identification("i1", "old", "new", "old")));
    const auto run = [&](std::string_view sql) {
        house.identities->transact([&](Transaction& transaction) { transaction.run(sql, {}); });
    };
    run("UPDATE identifier SET replaced = 1 - replaced");
    EXPECT_NE(house.verify().fault, "");
    run("UPDATE identifier SET replaced = 1 - replaced");
    EXPECT_EQ(house.verify().fault, "");
    run("UPDATE identifier SET kind = kind + 1");
    EXPECT_NE(house.verify().fault, "");
}

} // namespace
} // namespace pointhouse::ledger::test
