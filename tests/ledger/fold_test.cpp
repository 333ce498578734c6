#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "ledger/money_effect.hpp"
#include "ledger_house.hpp"
#include "member.hpp"

// Members with very many lots: their oldest fold, and nothing that anybody is owed changes.

namespace pointhouse::ledger::test {
namespace {

Message at(std::string_view time, Message message)
{
    message.occurred_at = *parse_time(time);
    return message;
}

/// On the message clock, so that a test can make months pass.
struct Folding : ::testing::Test {
    void with_limits(std::size_t open_max, std::size_t folded_to)
    {
        house.lot_limits = {.open_max = open_max, .folded_to = folded_to};
        house.close(true);
        house.open();
    }

    std::string_view fresh() { return ids.emplace_back(fmt::format("f{}", ids.size())); }

    /// Each a second after the one before.
    Message earning(std::int64_t points, std::string_view member = "anna")
    {
        Message message = accrual(grocer, fresh(), member, points);
        message.occurred_at += std::chrono::seconds{ids.size()};
        return message;
    }

    /// `count` accruals of one issuer on one day; their message ids.
    std::vector<std::string_view> earn(
        std::size_t count, std::int64_t points, std::string_view member = "anna")
    {
        std::vector<Message> messages;
        std::vector<std::string_view> sent;
        for (std::size_t each = 0; each < count; ++each) {
            messages.push_back(earning(points, member));
            sent.push_back(messages.back().message_id);
        }
        house.send(messages);
        return sent;
    }

    /// One point at each of so many VAT rates.
    void earn_at_rates(std::size_t count)
    {
        std::vector<std::vector<PurchaseLine>> lines;
        std::vector<Message> messages;
        for (std::size_t rate = 0; rate < count; ++rate)
            lines.push_back({{.amount_minor = 100, .vat_rate = static_cast<std::int32_t>(rate)}});
        for (const auto& line : lines) {
            messages.push_back(earning(1));
            messages.back().points.reset();
            messages.back().purchase =
                Purchase{.amount_minor = 100, .currency = "EUR", .lines = line};
        }
        house.send(messages);
    }

    std::vector<Lot> lots(std::string_view member = "anna")
    {
        const auto found = house.ledger->find_member(member);
        return found ? std::vector<Lot>{found->lots.begin(), found->lots.end()}
                     : std::vector<Lot>{};
    }

    std::vector<std::int64_t> points(std::string_view member = "anna")
    {
        std::vector<std::int64_t> found;
        for (const Lot& lot : lots(member)) found.push_back(lot.remaining.count());
        return found;
    }

    /// The points of an outcome's entries of one kind.
    static std::vector<std::int64_t> moved(const Outcome& outcome, EntryKind kind)
    {
        std::vector<std::int64_t> found;
        for (const Entry& entry : outcome.record.entries)
            if (entry.kind == kind) found.push_back(entry.points.count());
        return found;
    }

    std::vector<Record> records_of(std::string_view member)
    {
        std::vector<Record> found;
        const auto view = house.ledger->find_member(member);
        house.ledger->for_each_record_of(view->number, std::nullopt, [&](const Record& record) {
            found.push_back(record);
            return true;
        });
        return found;
    }

    void expect_sound()
    {
        for (const bool cleanly : {false, true}) {
            EXPECT_EQ(house.verify().fault, "");
            const auto before = lots();
            house.close(cleanly);
            house.open();
            EXPECT_EQ(lots(), before);
        }
    }

    LedgerHouse house{true};
    std::deque<std::string> ids;
};

using Numbers = std::vector<std::int64_t>;

TEST_F(Folding, BeyondAThousandLotsTheOldestFoldDownToFiveHundredTwelve)
{
    earn(1'024, 3);
    EXPECT_EQ(lots().size(), 1'024U);
    const auto before = lots();

    house.send(earning(5));

    const auto after = lots();
    ASSERT_EQ(after.size(), 512U);
    EXPECT_EQ(after.front().remaining, Points{514 * 3});
    EXPECT_EQ(after.front().provenance.activity, before.front().provenance.activity);
    EXPECT_EQ(after.front().provenance.tariff, before.front().provenance.tariff);
    EXPECT_TRUE(std::equal(after.begin() + 1, after.end() - 1, before.begin() + 514));
    EXPECT_EQ(after.back().remaining, Points{5});
    EXPECT_EQ(house.balance("anna"), (Balance{.available = Points{1'024 * 3 + 5}}));
    const Record fold = records_of("anna").front();
    EXPECT_EQ(fold.type, MessageType::fold);
    EXPECT_EQ(fold.points, Points{514 * 3});
    for (const Entry& entry : fold.entries)
        EXPECT_EQ(money_effect(entry, *house.terms), MoneyEffect{});
    expect_sound();
}

TEST_F(Folding, LotsThatDifferNeverFold)
{
    earn_at_rates(1'100);

    EXPECT_EQ(lots().size(), 1'100U);
    EXPECT_EQ(records_of("anna").front().type, MessageType::accrual);
    house.send(redemption(fuel, fresh(), "anna", 1'100));
    EXPECT_EQ(house.balance("anna"), Balance{});
    expect_sound();
}

TEST_F(Folding, AsManyPairsAsThereCanBe)
{
    // Each kind twice: more folds than one record makes.
    for (int round = 0; round < 2; ++round) earn_at_rates(513);
    // The 1,025th lot makes 512 pairs; the last of all comes after.
    EXPECT_EQ(lots().size(), 514U);
    EXPECT_EQ(house.balance("anna").available, Points{1'026});
    EXPECT_EQ(std::ranges::count(records_of("anna"), MessageType::fold, &Record::type), 2);
    expect_sound();
}

TEST_F(Folding, OnlyWhatIsAlikeInTariffMonthAndLastDay)
{
    with_limits(6, 1);
    house.send(at("2026-05-31T10:00:00Z", earning(1)));
    house.send(at("2026-05-31T23:59:59Z", earning(2)));
    house.send(at("2026-06-01T00:00:00Z", earning(4)));
    house.send(at("2026-06-02T10:00:00Z", accrual(fuel, fresh(), "anna", 8)));
    house.send(at("2026-06-02T11:00:00Z", earning(16)));
    house.send(at("2026-06-02T12:00:00Z", accrual(fuel, fresh(), "anna", 32)));
    EXPECT_EQ(points(), (Numbers{1, 2, 4, 8, 16, 32}));

    house.send(at("2026-06-02T13:00:00Z", earning(64)));

    EXPECT_EQ(points(), (Numbers{3, 84, 40}));
    expect_sound();
}

TEST_F(Folding, AFoldHoldsNoMoreThanOneMessageMayCarry)
{
    with_limits(3, 1);
    earn(4, 400'000'000);
    EXPECT_EQ(points(), (Numbers{800'000'000, 800'000'000}));
    earn(2, 1'000'000'000);
    earn(2, 100'000'000);
    EXPECT_EQ(house.balance("anna").available, Points{3'800'000'000});
    // What is spent and refunded, folds again and is refunded, never makes a lot too large.
    const auto spent = fresh();
    house.send(redemption(fuel, spent, "anna", 1'000'000'000));
    earn(4, 300'000'000);
    house.send(reversal(fuel, fresh(), spent));
    earn(4, 300'000'000);
    for (const Lot& lot : lots()) EXPECT_LE(lot.remaining, points_per_message_max);
    EXPECT_EQ(house.balance("anna").available, Points{6'200'000'000});
    expect_sound();
}

TEST_F(Folding, AReturnTakesItsOwnPointsFromTheFold)
{
    with_limits(3, 1);
    const auto sent = earn(4, 10);
    ASSERT_EQ(points(), (Numbers{40}));
    const Outcome returned = house.send(reversal(grocer, fresh(), sent[1]));
    EXPECT_EQ(moved(returned, EntryKind::clawed_back), (Numbers{10}));
    EXPECT_EQ(points(), (Numbers{30}));

    // No more than it brought: the rest of a spent fold is the others'.
    house.send(redemption(fuel, fresh(), "anna", 25));
    const Outcome second = house.send(reversal(grocer, fresh(), sent[0]));
    EXPECT_EQ(moved(second, EntryKind::clawed_back), (Numbers{5}));
    EXPECT_EQ(moved(second, EntryKind::debt_incurred), (Numbers{5}));
    EXPECT_EQ(house.balance("anna"), (Balance{.debt = Points{5}}));
    expect_sound();
}

TEST_F(Folding, AReturnTakesNotMoreThanItBrought)
{
    with_limits(3, 1);
    const auto first = fresh();
    house.send(accrual(grocer, first, "anna", 10));
    house.send(redemption(fuel, fresh(), "anna", 7));
    earn(3, 10);
    ASSERT_EQ(points(), (Numbers{33}));

    // Three of its own; what it has too little of is the member's debt, repaid from the rest.
    const Outcome returned = house.send(reversal(grocer, fresh(), first));
    EXPECT_EQ(moved(returned, EntryKind::clawed_back), (Numbers{3}));
    EXPECT_EQ(moved(returned, EntryKind::debt_incurred), (Numbers{7}));
    EXPECT_EQ(moved(returned, EntryKind::recovered), (Numbers{7}));
    EXPECT_EQ(points(), (Numbers{23}));
    expect_sound();
}

TEST_F(Folding, AReturnFollowsAFoldOfFolds)
{
    with_limits(3, 1);
    const auto sent = earn(4, 10);
    house.send(redemption(fuel, fresh(), "anna", 35));
    earn(3, 10);
    ASSERT_EQ(points(), (Numbers{35}));
    // Five of the first fold came into the second: each of its four may have them, but once.
    EXPECT_EQ(
        moved(house.send(reversal(grocer, fresh(), sent[2])), EntryKind::clawed_back),
        (Numbers{5}));
    expect_sound();
}

TEST_F(Folding, ARefundGoesBackIntoTheLotsItWasDrawnFrom)
{
    house.terms->tariffs[0].expiry = ExpiryPolicy{.months = 2, .at_month_end = true};
    with_limits(3, 1);
    const auto early = fresh();
    earn(2, 10);
    house.send(redemption(fuel, early, "anna", 5));
    earn(2, 10);
    ASSERT_EQ(points(), (Numbers{35}));
    const auto whole = fresh();
    house.send(redemption(fuel, whole, "anna", 35));
    const auto fold = moved(house.send(reversal(fuel, fresh(), whole)), EntryKind::refunded);
    EXPECT_EQ(fold, (Numbers{35}));
    EXPECT_EQ(lots().front().provenance.expires_on, *parse_day("2026-08-31"));

    // Drawn before the fold: the lot is there again, with its last day, and is drawn first.
    house.send(reversal(fuel, fresh(), early));
    EXPECT_EQ(points(), (Numbers{5, 35}));
    EXPECT_EQ(lots().front().provenance.expires_on, *parse_day("2026-08-31"));
    expect_sound();
}

TEST_F(Folding, AFoldExpiresOnceAndAReturnUndoesItsOwnBreakage)
{
    house.terms->tariffs[0].expiry = ExpiryPolicy{.months = 1, .at_month_end = true};
    with_limits(3, 1);
    const auto sent = earn(4, 10);
    house.ledger->advance_clock(*parse_time("2026-08-02T00:00:00Z"));
    EXPECT_EQ(house.balance("anna"), Balance{});
    std::int64_t expired = 0;
    for (const Record& record : records_of("anna"))
        for (const Entry& entry : record.entries)
            if (entry.kind == EntryKind::expired) expired += entry.points.count();
    EXPECT_EQ(expired, 40);

    const auto later = [&](std::string_view reverses) {
        return house.send(at("2026-08-02T10:00:00Z", reversal(grocer, fresh(), reverses)));
    };
    const Outcome returned = later(sent[3]);
    EXPECT_EQ(moved(returned, EntryKind::expiry_undone), (Numbers{10}));
    EXPECT_EQ(moved(returned, EntryKind::clawed_back), (Numbers{10}));
    for (const auto id : {sent[0], sent[1], sent[2]})
        EXPECT_EQ(moved(later(id), EntryKind::clawed_back), (Numbers{10}));
    EXPECT_EQ(house.balance("anna"), Balance{});
    expect_sound();
}

TEST_F(Folding, PendingAndHeldPointsStayApart)
{
    with_limits(3, 1);
    Message waiting = earning(100);
    waiting.pending_until = *parse_time("2026-06-20T00:00:00Z");
    house.send(waiting);
    earn(3, 10);
    Message hold = redemption(fuel, "hold", "anna", 15);
    hold.type = MessageType::hold;
    hold.expires_in_seconds = 3'600;
    const Outcome held = house.send(hold);
    earn(2, 10);
    EXPECT_EQ(points(), (Numbers{35}));
    EXPECT_EQ(
        house.balance("anna"),
        (Balance{.available = Points{35}, .pending = Points{100}, .held = Points{15}}));

    Message capture = redemption(fuel, "capture", {}, 12);
    capture.type = MessageType::capture;
    capture.hold = held.record.sequence;
    EXPECT_EQ(moved(house.send(capture), EntryKind::redeemed), (Numbers{10, 2}));
    EXPECT_EQ(points(), (Numbers{3, 35}));
    house.ledger->advance_clock(*parse_time("2026-06-20T00:00:00Z"));
    EXPECT_EQ(house.balance("anna"), (Balance{.available = Points{138}}));
    expect_sound();
}

TEST_F(Folding, WhatArrivesFoldsAndFoldsTravel)
{
    with_limits(4, 2);
    earn(4, 10, "bert");
    earn(4, 10, "anna");
    Message transfer = redemption(fuel, fresh(), "bert", 25);
    transfer.type = MessageType::transfer;
    transfer.to_member = "anna";
    house.send(transfer);
    EXPECT_EQ(points("bert"), (Numbers{5, 10}));
    EXPECT_EQ(points("anna"), (Numbers{55, 10}));

    const auto last = earn(3, 10, "bert");
    EXPECT_EQ(points("bert"), (Numbers{35, 10}));
    house.send(Message{
        .type = MessageType::merge,
        .message_id = fresh(),
        .member = "bert",
        .occurred_at = *parse_time("2026-06-02T10:00:00Z"),
        .to_member = "anna",
        .reason = "registered"});
    EXPECT_EQ(house.balance("anna").available, Points{110});
    // A purchase of before the merge takes its own from the fold of before it.
    EXPECT_EQ(
        moved(house.send(reversal(grocer, fresh(), last[0])), EntryKind::clawed_back),
        (Numbers{10}));
    expect_sound();
}

TEST_F(Folding, ARedeemerBearsNoPointOfAFoldTwice)
{
    house.terms->partners[0].debt_shares = {.issuer = 0, .redeemer = 1, .house = 0};
    with_limits(3, 1);
    const auto sent = earn(4, 10);
    house.send(redemption(fuel, fresh(), "anna", 20));
    house.send(redemption(bookshop, fresh(), "anna", 20));
    std::map<TariffVersion, std::int64_t> borne;
    for (const auto id : sent) {
        const Outcome returned = house.send(reversal(grocer, fresh(), id));
        for (const Entry& entry : returned.record.entries)
            if (entry.kind == EntryKind::debt_incurred) {
                EXPECT_EQ(entry.debt.kind, DebtKind::redeemer_bears);
                borne[entry.counterpart] += entry.points.count();
            }
    }
    EXPECT_EQ(
        borne,
        (std::map<TariffVersion, std::int64_t>{{TariffVersion{2}, 20}, {TariffVersion{3}, 20}}));
    expect_sound();
}

TEST_F(Folding, ARedeemerBearsNoPointOfAFoldTwiceWhoeverFoldedFirst)
{
    house.terms->partners[0].debt_shares = {.issuer = 0, .redeemer = 1, .house = 0};
    with_limits(3, 1);
    const auto early = earn(4, 10);
    const auto late = earn(3, 10);
    ASSERT_EQ(points(), (Numbers{70}));
    house.send(redemption(fuel, fresh(), "anna", 60));
    house.send(redemption(bookshop, fresh(), "anna", 10));

    // The early ones were in a fold before the late ones were earned.
    const Outcome first = house.send(reversal(grocer, fresh(), early[2]));
    const Outcome second = house.send(reversal(grocer, fresh(), late[0]));
    ASSERT_EQ(first.record.entries.size(), 1U);
    EXPECT_EQ(first.record.entries[0].counterpart, TariffVersion{3});
    ASSERT_EQ(second.record.entries.size(), 1U);
    EXPECT_EQ(second.record.entries[0].counterpart, TariffVersion{2});
    expect_sound();
}

TEST_F(Folding, AHouseOfBeforeFoldsAsItsMembersEarnMore)
{
    with_limits(1'000, 500);
    earn(40, 1);
    with_limits(8, 4);
    EXPECT_EQ(house.verify().fault, "");
    house.send(redemption(fuel, fresh(), "anna", 1));
    EXPECT_EQ(lots().size(), 39U);
    earn(2, 1);
    EXPECT_EQ(lots().size(), 4U);
    EXPECT_EQ(house.balance("anna").available, Points{41});
    expect_sound();
}

TEST_F(Folding, WhereLotsDifferItIsTriedAgainAtEverySoManyMore)
{
    with_limits(8, 4);
    earn_at_rates(9);
    EXPECT_EQ(lots().size(), 9U);
    earn(3, 1);
    EXPECT_EQ(lots().size(), 12U);
    earn(1, 1);
    EXPECT_EQ(lots().size(), 10U);
    EXPECT_EQ(points().back(), 4);
    expect_sound();
}

TEST_F(Folding, VerifyNamesAFoldThatComesOutDifferently)
{
    with_limits(8, 4);
    earn(9, 1);
    EXPECT_EQ(house.verify().fault, "");
    house.lot_limits = {.open_max = 8, .folded_to = 5};
    EXPECT_EQ(house.verify().fault, "record 10: posted again, it comes out differently");
    house.lot_limits = {.open_max = 9, .folded_to = 4};
    EXPECT_EQ(house.verify().fault, "record 10: member 1 has no lots that have to fold");
    house.lot_limits = {.open_max = 8, .folded_to = 4};
    earn(5, 1);
    house.lot_limits = {.open_max = 6, .folded_to = 4};
    EXPECT_EQ(house.verify().fault, "record 14: the lots of member 1 have to fold before it");
}

TEST_F(Folding, ACommitThatFailsFoldsNothing)
{
    with_limits(4, 2);
    earn(4, 1);
    house.faulty->next = FaultyJournal::Fault::not_written;
    const Message fifth = earning(1);
    EXPECT_EQ(house.send(fifth).disposition, Disposition::unavailable);
    EXPECT_EQ(lots().size(), 4U);
    house.faulty->next = FaultyJournal::Fault::unknown_written;
    std::this_thread::sleep_for(std::chrono::milliseconds{5}); // until it looks again
    EXPECT_EQ(house.send(fifth).disposition, Disposition::unavailable);
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
    EXPECT_EQ(house.send(fifth).disposition, Disposition::replayed);
    EXPECT_EQ(points(), (Numbers{4, 1}));
    expect_sound();
}

} // namespace
} // namespace pointhouse::ledger::test
