#include <algorithm>
#include <thread>

#include <gtest/gtest.h>

#include "ledger_house.hpp"
#include "member.hpp"

namespace pointhouse::ledger::test {
namespace {

Message operation(MessageType type, std::string_view id, std::string_view member)
{
    return {.type = type, .message_id = id, .member = member, .reason = "asked for"};
}

Message merge(std::string_view id, std::string_view member, std::string_view into)
{
    Message message = operation(MessageType::merge, id, member);
    message.to_member = into;
    return message;
}

Message hold(std::string_view id, std::string_view member, std::int64_t points)
{
    Message message = redemption(bookshop, id, member, points);
    message.type = MessageType::hold;
    message.expires_in_seconds = 3600;
    return message;
}

Message capture(std::string_view id, const Outcome& held)
{
    Message message = redemption(bookshop, id, {}, 1);
    message.type = MessageType::capture;
    message.points.reset();
    message.hold = held.record.sequence;
    return message;
}

/// anna's card has 100 points, of which 20 are held, 30 pending; bert has 50.
struct Merge : ::testing::Test {
    Merge()
    {
        Message waiting = accrual(grocer, "a2", "card", 30);
        waiting.pending_until = house.clock.time + std::chrono::hours{24};
        house.send({accrual(grocer, "a1", "card", 100), waiting});
        house.send(accrual(fuel, "b1", "bert", 50));
        held = house.send(hold("h1", "card", 20));
    }

    std::optional<Refusal> refusal_of(const Message& message)
    {
        const Outcome outcome = house.send(message);
        if (outcome.disposition == Disposition::refused) return outcome.refusal;
        return outcome.record.refusal;
    }

    void expect_balance(std::string_view member, const Balance& balance)
    {
        const Balance found = house.balance(member);
        EXPECT_EQ(found, balance) << member << ": " << found.available.count() << ' '
                                  << found.pending.count() << ' ' << found.held.count() << ' '
                                  << found.debt.count();
    }

    void expect_sound()
    {
        for (const bool cleanly : {false, true}) {
            EXPECT_EQ(house.verify().fault, "");
            house.close(cleanly);
            house.open();
        }
        EXPECT_EQ(house.verify().fault, "");
    }

    LedgerHouse house;
    Outcome held;
};

TEST_F(Merge, TwoCardsBecomeOneMember)
{
    const Outcome merged = house.send(merge("m1", "card", "bert"));

    ASSERT_EQ(merged.disposition, Disposition::decided);
    EXPECT_FALSE(merged.record.refusal);
    EXPECT_EQ(merged.record.points, Points{130});
    EXPECT_EQ(merged.record.balance, Balance{});
    const Balance all{.available = Points{130}, .pending = Points{30}, .held = Points{20}};
    expect_balance("card", all);
    expect_balance("bert", all);
    // Either card acts on the one member.
    house.send({accrual(grocer, "a3", "card", 5), redemption(fuel, "r1", "bert", 100)});
    expect_balance(
        "card", {.available = Points{35}, .pending = Points{30}, .held = Points{20}, .debt = {}});
    EXPECT_EQ(refusal_of(redemption(fuel, "r2", "card", 36)), Refusal::insufficient_points);
    expect_sound();
    // What was waiting still comes at its time.
    house.clock.time += std::chrono::hours{25};
    expect_balance("card", {.available = Points{85}});
    expect_sound();
}

TEST_F(Merge, RepeatedMessagesOfBeforeStillGetTheirAnswers)
{
    Message give = redemption(bookshop, "t1", "bert", 10);
    give.type = MessageType::transfer;
    give.to_member = "card";
    house.send(give);
    house.send(merge("m1", "card", "bert"));
    house.send({accrual(grocer, "c1", "chris", 10), accrual(grocer, "a4", "card", 1)});
    house.send(merge("m2", "bert", "chris"));

    for (const Message& message :
         {accrual(grocer, "a1", "card", 100),
          accrual(fuel, "b1", "bert", 50),
          accrual(grocer, "a4", "card", 1),
          hold("h1", "card", 20),
          give,
          merge("m1", "card", "bert"),
          merge("m2", "bert", "chris")}) {
        const Outcome again = house.send(message);
        EXPECT_EQ(again.disposition, Disposition::replayed) << message.message_id;
    }
    // The same id for somebody else stays another message; for the one member it is the same.
    EXPECT_EQ(refusal_of(accrual(grocer, "a1", "nobody", 100)), Refusal::message_id_reused);
    EXPECT_EQ(refusal_of(accrual(grocer, "a1", "card", 101)), Refusal::message_id_reused);
    EXPECT_EQ(refusal_of(accrual(grocer, "a1", "chris", 100)), Refusal::message_id_reused);
    EXPECT_EQ(house.send(accrual(grocer, "c1", "card", 10)).disposition, Disposition::replayed);
    EXPECT_EQ(refusal_of(merge("m1", "bert", "card")), Refusal::message_id_reused);
    expect_balance(
        "card", {.available = Points{141}, .pending = Points{30}, .held = Points{20}, .debt = {}});
    expect_sound();
}

TEST_F(Merge, AnOpenHoldStaysCapturable)
{
    house.send(merge("m1", "card", "bert"));

    const auto view = house.ledger->find_hold(bookshop, held.record.sequence);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->state, HoldState::open);
    const Outcome captured = house.send(capture("c1", held));
    EXPECT_FALSE(captured.record.refusal);
    EXPECT_EQ(captured.record.points, Points{20});
    expect_balance(
        "bert", {.available = Points{130}, .pending = Points{30}, .held = {}, .debt = {}});
    EXPECT_EQ(refusal_of(capture("c2", held)), Refusal::hold_not_open);
    // And what was captured can be returned.
    EXPECT_FALSE(refusal_of(reversal(bookshop, "v1", "c1")));
    expect_balance(
        "card", {.available = Points{150}, .pending = Points{30}, .held = {}, .debt = {}});
    expect_sound();
}

TEST_F(Merge, AHoldEndsAfterTheMergeAtItsTime)
{
    house.send(merge("m1", "card", "bert"));
    house.clock.time += std::chrono::seconds{3601};
    expect_balance(
        "bert", {.available = Points{150}, .pending = Points{30}, .held = {}, .debt = {}});
    EXPECT_EQ(refusal_of(capture("c1", held)), Refusal::hold_not_open);
    expect_sound();
}

TEST_F(Merge, ReturnsOfTheOldCardMeetTheOneMember)
{
    house.send(redemption(fuel, "r1", "card", 70));
    house.send(merge("m1", "card", "bert"));

    // A return of the old card's purchase: 10 from its lot, 20 held, the rest from bert's.
    const Outcome returned = house.send(reversal(grocer, "v1", "a1"));
    EXPECT_FALSE(returned.record.refusal);
    EXPECT_EQ(returned.record.points, Points{100});
    const auto clawed =
        std::ranges::count(returned.record.entries, EntryKind::clawed_back, &Entry::kind);
    EXPECT_EQ(clawed, 1);
    // 90 are owed; bert's 50 repay most of them.
    expect_balance(
        "card", {.available = {}, .pending = Points{30}, .held = Points{20}, .debt = Points{40}});
    // A refund of the old card repays the rest.
    EXPECT_FALSE(refusal_of(reversal(fuel, "v2", "r1")));
    expect_balance(
        "bert", {.available = Points{30}, .pending = Points{30}, .held = Points{20}, .debt = {}});
    // The pending accrual is still released by its message.
    Message release = reversal(grocer, "l1", "a2");
    release.type = MessageType::accrual_release;
    EXPECT_EQ(house.send(release).record.points, Points{30});
    expect_sound();
}

TEST_F(Merge, WhatAnIssuerIssuedToBothCanBeCredited)
{
    house.send(accrual(grocer, "b2", "bert", 10));
    house.send(merge("m1", "card", "bert"));
    // 130 on the card, 10 on bert: so much is credited, and not a point more.
    const Outcome most = house.send(clawback(grocer, "k1", "card", 140));
    for (const Entry& entry : most.record.entries) EXPECT_NE(entry.debt.kind, DebtKind::excess);
    const Outcome more = house.send(clawback(grocer, "k2", "bert", 1));
    EXPECT_EQ(more.record.entries.front().debt.kind, DebtKind::excess);
    expect_sound();
}

TEST_F(Merge, DebtsMoveAndAreRepaidAtOnce)
{
    house.send(redemption(fuel, "r1", "card", 80));
    house.send(clawback(grocer, "k1", "card", 60)); // 30 pending and 30 owed
    expect_balance(
        "card", {.available = {}, .pending = {}, .held = Points{20}, .debt = Points{30}});
    house.send(merge("m1", "card", "bert"));
    expect_balance(
        "bert", {.available = Points{20}, .pending = {}, .held = Points{20}, .debt = {}});
    expect_sound();
}

TEST_F(Merge, TheOldestDebtIsRepaidFirstWhoeversItWas)
{
    house.send(redemption(fuel, "r1", "card", 80));
    house.send(clawback(grocer, "k1", "card", 60));
    house.send(redemption(bookshop, "r2", "bert", 50));
    house.send(clawback(fuel, "k2", "bert", 50));
    house.send(merge("m1", "card", "bert"));
    expect_balance(
        "bert", {.available = {}, .pending = {}, .held = Points{20}, .debt = Points{80}});

    const Outcome earned = house.send(accrual(bookshop, "a5", "bert", 40));
    std::vector<std::int64_t> repaid; // of k1, then of k2
    for (const Entry& entry : earned.record.entries)
        if (entry.kind == EntryKind::recovered) repaid.push_back(entry.points.count());
    EXPECT_EQ(repaid, (std::vector<std::int64_t>{30, 10}));
    expect_sound();
}

TEST(MergeOfLots, TheyKeepTheirOrderAndTheirExpiry)
{
    LedgerHouse house;
    house.terms->tariffs[0].expiry = ExpiryPolicy{.months = 1};
    house.send({accrual(grocer, "b1", "bert", 5), accrual(fuel, "b2", "bert", 5)});
    house.send(accrual(grocer, "c1", "card", 10));
    house.send(merge("m1", "card", "bert"));

    const auto member = house.ledger->find_member("card");
    ASSERT_EQ(member->lots.size(), 3U);
    // Those that expire first, by their age; then what never does.
    EXPECT_EQ(member->lots[0].remaining, Points{5});
    EXPECT_EQ(member->lots[1].remaining, Points{10});
    EXPECT_EQ(member->lots[1].provenance.expires_on, *parse_day("2026-07-02"));
    EXPECT_EQ(member->lots[2].provenance.tariff, TariffVersion{2});
    house.clock.time += std::chrono::days{40};
    EXPECT_EQ(house.balance("card").available, Points{5});
    house.send(accrual(fuel, "b3", "bert", 1));
    EXPECT_EQ(house.verify().fault, "");
}

TEST_F(Merge, EveryRefusal)
{
    house.send({accrual(grocer, "c1", "closed", 1), accrual(grocer, "d1", "blocked", 1)});
    house.send(operation(MessageType::close, "o1", "closed"));
    house.send(operation(MessageType::block, "o2", "blocked"));

    EXPECT_EQ(refusal_of(merge("e1", "card", "card")), Refusal::already_merged);
    EXPECT_EQ(refusal_of(merge("e2", "nobody", "card")), Refusal::member_unknown);
    EXPECT_EQ(refusal_of(merge("e3", "card", "nobody")), Refusal::member_unknown);
    EXPECT_EQ(refusal_of(merge("e4", "card", "closed")), Refusal::member_closed);
    EXPECT_EQ(refusal_of(merge("e5", "closed", "card")), Refusal::member_closed);
    EXPECT_EQ(refusal_of(merge("e6", "card", "blocked")), Refusal::member_blocked);
    EXPECT_EQ(refusal_of(merge("e7", "blocked", "card")), Refusal::member_blocked);
    EXPECT_FALSE(refusal_of(merge("m1", "card", "bert")));
    EXPECT_EQ(refusal_of(merge("m2", "card", "bert")), Refusal::already_merged);
    EXPECT_EQ(refusal_of(merge("m3", "bert", "card")), Refusal::already_merged);
    Message ahead = merge("m4", "blocked", "card");
    ahead.occurred_at = house.clock.time + std::chrono::hours{1};
    house.send(operation(MessageType::unblock, "o3", "blocked"));
    EXPECT_EQ(refusal_of(ahead), Refusal::occurred_in_future);
    // Refused for ever, and not understood as another one.
    EXPECT_EQ(refusal_of(merge("e4", "card", "closed")), Refusal::member_closed);
    EXPECT_EQ(house.send(merge("m2", "card", "bert")).disposition, Disposition::replayed);
    EXPECT_EQ(refusal_of(merge("e4", "card", "bert")), Refusal::message_id_reused);
    expect_sound();
}

TEST_F(Merge, AFailedCommitLeavesTwoMembersOrOne)
{
    for (const auto fault :
         {FaultyJournal::Fault::not_written, FaultyJournal::Fault::unknown_written}) {
        house.faulty->next = fault;
        EXPECT_EQ(house.send(merge("m1", "card", "bert")).disposition, Disposition::unavailable);
        std::this_thread::sleep_for(std::chrono::milliseconds{120});
        const bool is_one = fault == FaultyJournal::Fault::unknown_written;
        EXPECT_EQ(house.balance("bert").available, Points{is_one ? 130 : 50});
    }
    EXPECT_EQ(house.send(merge("m1", "card", "bert")).disposition, Disposition::replayed);
    expect_sound();
}

TEST_F(Merge, TheHistoryOfBothIsOne)
{
    house.send(merge("m1", "card", "bert"));
    house.send(accrual(grocer, "a6", "bert", 1));
    const MemberNumber number = house.ledger->find_member("card")->number;
    std::vector<std::string> all;
    std::vector<Sequence> sequences;
    house.ledger->for_each_record_of(number, std::nullopt, [&](const Record& record) {
        all.emplace_back(record.message_id);
        sequences.push_back(record.sequence);
        return true;
    });
    EXPECT_EQ(all, (std::vector<std::string>{"a6", "", "m1", "h1", "b1", "a2", "a1"}));
    // A page may begin anywhere.
    for (std::size_t place = 0; place < sequences.size(); ++place) {
        std::vector<std::string> rest;
        house.ledger->for_each_record_of(number, sequences[place], [&](const Record& record) {
            rest.emplace_back(record.message_id);
            return true;
        });
        EXPECT_EQ(
            rest, std::vector(all.begin() + static_cast<std::ptrdiff_t>(place) + 1, all.end()));
    }
}

} // namespace
} // namespace pointhouse::ledger::test
