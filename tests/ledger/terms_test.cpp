#include <algorithm>
#include <fmt/format.h>
#include <random>

#include <gtest/gtest.h>

#include "ledger/money_effect.hpp"
#include "ledger_house.hpp"

// Terms of contracts and of the house: who bears a debt, what a point is worth at least, how long
// points last without activity, and points that come back after their time.

namespace pointhouse::ledger::test {
namespace {

Message at(std::string_view time, Message message)
{
    message.occurred_at = *parse_time(time);
    return message;
}

Message reinstatement(
    std::string_view id, std::string_view member, std::int64_t points, std::string_view expires_on)
{
    Message message = redemption({}, id, member, points);
    message.type = MessageType::reinstatement;
    message.reason = "asked for";
    message.expires_on = *parse_day(expires_on);
    return message;
}

/// Points end after a month, breakage is shared; on the message clock.
class TermsHouse : public LedgerHouse {
public:
    TermsHouse() : LedgerHouse{true}
    {
        for (Tariff& tariff : terms->tariffs) {
            tariff.expiry = ExpiryPolicy{.months = 1, .at_month_end = true};
            tariff.breakage_operator = tariff.breakage_issuer = 1;
        }
    }

    void lapse_after(std::int32_t months)
    {
        for (Tariff& tariff : terms->tariffs) tariff.expiry.reset();
        terms->house.inactivity_months = months;
        terms->house.activity_kept_from = terms->as_of;
    }

    void move_clock(std::string_view to) { ASSERT_TRUE(ledger->advance_clock(*parse_time(to))); }

    [[nodiscard]] std::vector<Record> history(std::string_view member)
    {
        std::vector<Record> records;
        const auto found = ledger->find_member(member);
        ledger->for_each_record_of(found->number, std::nullopt, [&](const Record& record) {
            records.push_back(record);
            return true;
        });
        std::ranges::reverse(records);
        return records;
    }
};

TEST(DebtShares, LoseNoPoint)
{
    const auto seed = std::random_device{}();
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 random{seed};
    const auto below = [&](std::int64_t bound) {
        return static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(bound));
    };
    for (int round = 0; round < 20'000; ++round) {
        const int most = round % 2 == 0 ? 4 : 1'000'001;
        DebtShares shares{.issuer = below(most), .redeemer = below(most), .house = below(most)};
        if (shares == DebtShares{.issuer = 0, .redeemer = 0, .house = 0}) shares.house = 1;
        const Points points{round % 3 == 0 ? below(10) : below(1'000'000'001)};
        const DebtParts parts = split(points, shares);

        ASSERT_EQ(parts.issuer + parts.redeemer + parts.house, points);
        const Wide whole = Wide{shares.issuer} + shares.redeemer + shares.house;
        const auto is_fair = [&](Points part, std::int32_t share) {
            const Wide exact = Wide{points.count()} * share; // in parts of `whole`
            const Wide given = Wide{part.count()} * whole;
            return given > exact - whole && given < exact + whole && (share > 0 || part.is_zero());
        };
        ASSERT_TRUE(is_fair(parts.issuer, shares.issuer));
        ASSERT_TRUE(is_fair(parts.redeemer, shares.redeemer));
        ASSERT_TRUE(is_fair(parts.house, shares.house));
    }
}

TEST(DebtShares, GiveWhatIsLeftToTheLargestRemaindersInOrder)
{
    const DebtShares thirds{.issuer = 1, .redeemer = 1, .house = 1};
    EXPECT_EQ(split(Points{1}, thirds), (DebtParts{.issuer = Points{1}}));
    EXPECT_EQ(split(Points{2}, thirds), (DebtParts{.issuer = Points{1}, .redeemer = Points{1}}));
    // 0.3 and 0.7 of a point: the house has the larger remainder.
    EXPECT_EQ(
        split(Points{1}, {.issuer = 3, .redeemer = 0, .house = 7}),
        (DebtParts{.house = Points{1}}));
}

TEST(DebtShares, SplitADebtAmongRedeemersIssuerAndHouse)
{
    TermsHouse house;
    house.terms->partners[1].debt_shares = {.issuer = 1, .redeemer = 2, .house = 1};
    house.send(accrual(fuel, "a1", "anna", 101));
    house.send(redemption(grocer, "r1", "anna", 60));
    house.send(redemption(bookshop, "r2", "anna", 41));
    const Outcome clawed = house.send(reversal(fuel, "v1", "a1"));

    // 101 points in quarters are 25.25, 50.5, 25.25: the point left over is the redeemers'.
    ASSERT_EQ(clawed.record.entries.size(), 4U);
    const auto& entries = clawed.record.entries;
    EXPECT_EQ(entries[0].debt.kind, DebtKind::redeemer_bears);
    EXPECT_EQ(entries[0].counterpart, TariffVersion{3}); // took the last
    EXPECT_EQ(entries[0].points, Points{41});
    EXPECT_EQ(entries[1].counterpart, TariffVersion{1});
    EXPECT_EQ(entries[1].points, Points{10});
    EXPECT_EQ(entries[2].debt.kind, DebtKind::issuer_bears);
    EXPECT_EQ(entries[2].points, Points{25});
    EXPECT_EQ(entries[3].debt.kind, DebtKind::house_bears);
    EXPECT_EQ(entries[3].points, Points{25});

    house.send(accrual(grocer, "a2", "anna", 150));
    EXPECT_EQ(house.balance("anna"), Balance{.available = Points{49}});
    EXPECT_EQ(house.verify().fault, "");
}

TEST(DebtShares, WhatNoRedeemerTookIsTheIssuers)
{
    TermsHouse house;
    house.terms->partners[1].debt_shares = {.issuer = 0, .redeemer = 1, .house = 1};
    Message gift = redemption(grocer, "d1", "anna", 100);
    gift.type = MessageType::donation;
    gift.charity = "charity";
    house.send(accrual(fuel, "a1", "anna", 100));
    house.send(gift);
    const Outcome clawed = house.send(reversal(fuel, "v1", "a1"));

    ASSERT_EQ(clawed.record.entries.size(), 2U);
    EXPECT_EQ(clawed.record.entries[0].debt.kind, DebtKind::issuer_bears);
    EXPECT_EQ(clawed.record.entries[0].points, Points{50});
    EXPECT_EQ(clawed.record.entries[1].debt.kind, DebtKind::house_bears);
    EXPECT_EQ(house.verify().fault, "");
}

TEST(RefundGrace, GivesOverduePointsMoreDaysAndNoOthers)
{
    TermsHouse house;
    house.terms->house.refund_grace_days = 10;
    house.send(accrual(fuel, "a1", "anna", 100)); // until 2026-07-31
    house.send(redemption(grocer, "r1", "anna", 60));
    house.send(redemption(grocer, "r2", "anna", 10));
    const Outcome early = house.send(at("2026-07-31T10:00:00Z", reversal(grocer, "v1", "r2")));
    EXPECT_EQ(early.record.entries[0].lot.expires_on, *parse_day("2026-07-31"));
    house.move_clock("2026-08-05T10:00:00Z");
    EXPECT_EQ(house.balance("anna"), Balance{});

    Message part = at("2026-08-05T10:00:00Z", reversal(grocer, "v2", "r1"));
    part.points = Points{20};
    const Outcome refunded = house.send(part);
    ASSERT_EQ(refunded.record.entries.size(), 1U);
    EXPECT_EQ(refunded.record.entries[0].lot.expires_on, *parse_day("2026-08-15"));
    part = at("2026-08-06T10:00:00Z", part);
    part.message_id = "v3";
    house.send(part);
    EXPECT_EQ(house.balance("anna"), Balance{.available = Points{40}});
    // The same lot in two parts: those that end first are spent first.
    house.send(at("2026-08-07T10:00:00Z", redemption(bookshop, "r3", "anna", 25)));
    house.move_clock("2026-08-16T10:00:00Z");
    EXPECT_EQ(house.balance("anna"), Balance{.available = Points{15}});
    // A return of the purchase finds what is left of its lot, and what expired of it.
    const Outcome clawed = house.send(at("2026-08-16T11:00:00Z", reversal(fuel, "v4", "a1")));
    EXPECT_EQ(clawed.record.balance.debt, Points{45}); // 20 + 25 are with redeemers
    house.move_clock("2026-08-17T10:00:00Z");
    EXPECT_EQ(house.verify().fault, "");
}

TEST(Inactivity, EndsAllPointsAfterTheMonthsOnceWithBreakage)
{
    TermsHouse house;
    house.lapse_after(3);
    house.send(at("2026-01-31T10:00:00Z", accrual(fuel, "a1", "anna", 100)));
    house.send(at("2026-02-10T10:00:00Z", redemption(grocer, "r1", "anna", 30)));
    EXPECT_EQ(house.ledger->find_member("anna")->lapses_on, *parse_day("2026-05-10"));
    house.move_clock("2026-05-10T23:59:59Z");
    EXPECT_EQ(house.balance("anna"), Balance{.available = Points{70}});
    house.move_clock("2026-09-01T00:00:00Z");

    const std::vector<Record> records = house.history("anna");
    ASSERT_EQ(records.size(), 3U);
    EXPECT_EQ(records[2].type, MessageType::expiry);
    EXPECT_EQ(records[2].posted_at, *parse_time("2026-05-10T23:59:59.999999Z"));
    EXPECT_EQ(records[2].points, Points{70});
    EXPECT_EQ(records[2].entries[0].kind, EntryKind::expired);
    EXPECT_EQ(money_effect(records[2].entries[0], *house.terms).margin, Micro{350'000});
    EXPECT_EQ(house.balance("anna"), Balance{});
    EXPECT_EQ(house.verify().fault, "");
}

TEST(Inactivity, IsJudgedBeforeTheMessageThatComesTooLate)
{
    TermsHouse house;
    house.lapse_after(1);
    house.send(at("2026-01-31T10:00:00Z", accrual(fuel, "a1", "anna", 100)));
    const Outcome late = house.send(at("2026-03-01T00:00:00Z", redemption(fuel, "r1", "anna", 1)));
    EXPECT_EQ(late.record.refusal, Refusal::insufficient_points);
    // What is earned anew lasts: it is activity.
    house.send(at("2026-03-01T10:00:00Z", accrual(fuel, "a2", "anna", 5)));
    EXPECT_EQ(house.balance("anna"), Balance{.available = Points{5}});
    house.move_clock("2026-04-02T00:00:00Z");
    EXPECT_EQ(house.balance("anna"), Balance{});
    EXPECT_EQ(house.verify().fault, "");
}

TEST(Inactivity, WhatBecomesAvailableAfterwardsEndsAtOnce)
{
    TermsHouse house;
    house.lapse_after(1);
    Message pending = at("2026-01-05T10:00:00Z", accrual(fuel, "a1", "anna", 40));
    pending.pending_until = *parse_time("2026-06-01T00:00:00Z");
    house.send(pending);
    house.send(at("2026-01-05T10:00:00Z", accrual(fuel, "a2", "anna", 60)));
    house.send(at("2026-01-05T10:00:00Z", redemption(grocer, "r1", "anna", 10)));
    const Outcome refund = house.send(at("2026-03-05T10:00:00Z", reversal(grocer, "v1", "r1")));
    ASSERT_EQ(refund.record.entries.size(), 2U);
    EXPECT_EQ(refund.record.entries[1].kind, EntryKind::expired);
    EXPECT_EQ(house.balance("anna"), Balance{.pending = Points{40}});
    house.move_clock("2026-06-01T10:00:00Z");
    EXPECT_EQ(house.balance("anna"), Balance{});
    EXPECT_EQ(house.verify().fault, "");
}

TEST(Inactivity, IsRememberedAcrossRestartsAndRowsOfOldStayAsTheyWere)
{
    TermsHouse house;
    for (Tariff& tariff : house.terms->tariffs) tariff.expiry.reset();
    house.send(at("2026-01-05T10:00:00Z", accrual(fuel, "a1", "bert", 7)));
    auto later = std::make_shared<Terms>(*house.terms);
    later->as_of = HouseSequence{2};
    later->house = {
        .inactivity_months = 2,
        .inactivity_from = *parse_day("2026-01-20"),
        .activity_kept_from = HouseSequence{2}};
    house.terms = later;
    house.ledger->publish(later);
    house.send(at("2026-02-05T10:00:00Z", accrual(fuel, "a2", "anna", 100)));
    house.close(true);
    house.open();
    EXPECT_EQ(house.ledger->find_member("anna")->lapses_on, *parse_day("2026-04-05"));
    // Nobody's months began before the term did.
    EXPECT_EQ(house.ledger->find_member("bert")->lapses_on, *parse_day("2026-03-20"));
    house.move_clock("2026-03-21T00:00:00Z");
    EXPECT_EQ(house.history("anna").size(), 1U);
    EXPECT_EQ(house.history("bert").back().posted_at, *parse_time("2026-03-20T23:59:59.999999Z"));
    house.close(false);
    house.open();
    house.move_clock("2026-04-06T00:00:00Z");
    EXPECT_EQ(house.balance("anna"), Balance{});
}

TEST(Inactivity, ATermThatIsNewFindsMembersThatHaveNoRemindersYet)
{
    TermsHouse house;
    for (Tariff& tariff : house.terms->tariffs) tariff.expiry.reset();
    house.send(at("2026-01-05T10:00:00Z", accrual(fuel, "a1", "anna", 100)));
    auto later = std::make_shared<Terms>(*house.terms);
    later->as_of = HouseSequence{2};
    later->house = {
        .inactivity_months = 1,
        .inactivity_from = *parse_day("2026-01-05"),
        .activity_kept_from = HouseSequence{2}};
    house.terms = later;
    house.ledger->publish(later);
    house.move_clock("2026-02-06T00:00:00Z");
    EXPECT_EQ(house.history("anna").size(), 2U);
}

TEST(Reinstatement, BringsBackWhatExpiredLastWithANewExpiry)
{
    TermsHouse house;
    house.send(at("2026-01-05T10:00:00Z", accrual(fuel, "a1", "anna", 100)));  // until 02-28
    house.send(at("2026-02-05T10:00:00Z", accrual(grocer, "a2", "anna", 50))); // until 03-31
    house.move_clock("2026-04-01T10:00:00Z");
    EXPECT_EQ(house.balance("anna"), Balance{});

    const Outcome back =
        house.send(at("2026-04-02T10:00:00Z", reinstatement("o1", "anna", 70, "2026-05-31")));
    ASSERT_EQ(back.record.entries.size(), 2U);
    EXPECT_EQ(back.record.entries[0].kind, EntryKind::reinstated);
    EXPECT_EQ(back.record.entries[0].lot.tariff, TariffVersion{1});
    EXPECT_EQ(back.record.entries[0].points, Points{50});
    EXPECT_EQ(back.record.entries[1].points, Points{20});
    EXPECT_EQ(back.record.entries[1].lot.expires_on, *parse_day("2026-05-31"));
    const MoneyEffect shared = money_effect(back.record.entries[1], *house.terms);
    EXPECT_EQ(shared.liability, Micro{200'000});
    EXPECT_EQ(shared.counterparty, Micro{-100'000}); // the issuer gives its half back
    EXPECT_EQ(shared.margin, Micro{-100'000});
    EXPECT_EQ(house.balance("anna"), Balance{.available = Points{70}});

    Message rest = at("2026-04-03T10:00:00Z", reinstatement("o2", "anna", 81, "2026-05-31"));
    EXPECT_EQ(house.send(rest).record.refusal, Refusal::insufficient_points);
    rest.message_id = "o3";
    rest.points = Points{80};
    rest.funder = "house";
    const Outcome paid = house.send(rest);
    EXPECT_EQ(paid.record.entries[0].kind, EntryKind::reinstated_by_house);
    EXPECT_EQ(money_effect(paid.record.entries[0], *house.terms).margin, Micro{-800'000});
    EXPECT_EQ(house.balance("anna"), Balance{.available = Points{150}});

    // It expires again, once, and can come back again.
    house.move_clock("2026-06-01T00:00:00Z");
    EXPECT_EQ(house.balance("anna"), Balance{});
    const Outcome again =
        house.send(at("2026-06-02T10:00:00Z", reinstatement("o4", "anna", 150, "2026-06-30")));
    EXPECT_EQ(again.record.refusal, std::nullopt);
    EXPECT_EQ(house.verify().fault, "");
}

TEST(Reinstatement, OfMembersThatBecameOneTakesWhatIsDrawnLast)
{
    TermsHouse house;
    house.send(at("2026-02-05T10:00:00Z", accrual(grocer, "a1", "anna", 100)));
    house.send(at("2026-02-05T11:00:00Z", accrual(fuel, "a2", "anna", 10)));
    house.send(at("2026-02-04T10:00:00Z", accrual(fuel, "b1", "bert", 100)));
    house.move_clock("2026-04-01T10:00:00Z"); // all three ended together, bert's record last
    Message merge{.type = MessageType::merge, .message_id = "m1", .member = "bert"};
    merge.to_member = "anna";
    merge.reason = "asked for";
    EXPECT_EQ(house.send(at("2026-04-02T10:00:00Z", merge)).record.refusal, std::nullopt);

    const Outcome back =
        house.send(at("2026-04-02T11:00:00Z", reinstatement("o1", "anna", 120, "2026-05-31")));
    ASSERT_EQ(back.record.entries.size(), 3U);
    EXPECT_EQ(back.record.entries[0].points, Points{10});
    EXPECT_EQ(back.record.entries[1].points, Points{100});
    EXPECT_EQ(back.record.entries[1].lot.activity, *parse_time("2026-02-05T10:00:00Z"));
    EXPECT_EQ(back.record.entries[2].points, Points{10});
    EXPECT_EQ(house.verify().fault, "");
}

TEST(Reinstatement, ARefusedOneBooksNothing)
{
    TermsHouse house;
    house.send(at("2026-01-05T10:00:00Z", accrual(fuel, "a1", "anna", 100)));
    house.move_clock("2026-04-01T10:00:00Z");
    const auto refusal_of = [&](Message message) {
        const Outcome outcome = house.send(at("2026-04-02T10:00:00Z", message));
        return outcome.disposition == Disposition::refused ? outcome.refusal
                                                           : outcome.record.refusal.value();
    };
    EXPECT_EQ(refusal_of(reinstatement("o1", "nobody", 1, "2026-05-31")), Refusal::member_unknown);
    EXPECT_EQ(
        refusal_of(reinstatement("o2", "anna", 1, "2026-04-01")), Refusal::late_window_closed);
    EXPECT_EQ(
        refusal_of(reinstatement("o3", "anna", 101, "2026-05-31")), Refusal::insufficient_points);
    Message funded = reinstatement("o4", "anna", 1, "2026-05-31");
    funded.funder = "fuel";
    EXPECT_EQ(refusal_of(funded), Refusal::funding_not_agreed);
    EXPECT_EQ(house.balance("anna"), Balance{});
    EXPECT_EQ(house.verify().fault, "");
}

TEST(Reinstatement, AReturnTakesWhatCameBackBeforeWhatIsStillExpired)
{
    TermsHouse house;
    house.send(at("2026-01-05T10:00:00Z", accrual(fuel, "a1", "anna", 100)));
    house.move_clock("2026-04-01T10:00:00Z");
    house.send(at("2026-04-02T10:00:00Z", reinstatement("o1", "anna", 40, "2026-05-31")));
    house.send(at("2026-04-02T10:00:00Z", redemption(grocer, "r1", "anna", 15)));
    const Outcome clawed = house.send(at("2026-04-03T10:00:00Z", reversal(fuel, "v1", "a1")));
    // 25 in the lot, 60 expired and not come back, 15 spent.
    EXPECT_EQ(clawed.record.entries[0].points, Points{25});
    EXPECT_EQ(clawed.record.entries[1].kind, EntryKind::expiry_undone);
    EXPECT_EQ(clawed.record.entries[1].points, Points{60});
    EXPECT_EQ(clawed.record.balance, Balance{.debt = Points{15}});
    EXPECT_EQ(house.verify().fault, "");
}

TEST(Reinstatement, RepaysDebtsAndEndsAnInactiveTime)
{
    TermsHouse house;
    house.lapse_after(1);
    house.send(at("2026-01-05T10:00:00Z", accrual(fuel, "a1", "anna", 100)));
    house.send(at("2026-01-05T10:00:00Z", redemption(grocer, "r1", "anna", 30)));
    house.move_clock("2026-04-01T10:00:00Z");
    EXPECT_EQ(house.balance("anna"), Balance{});
    Message returned = at("2026-04-01T11:00:00Z", reversal(fuel, "v1", "a1"));
    returned.points = Points{90};
    house.send(returned);
    EXPECT_EQ(house.balance("anna"), Balance{.debt = Points{20}});
    const Outcome none =
        house.send(at("2026-04-02T10:00:00Z", reinstatement("o1", "anna", 1, "2026-05-31")));
    EXPECT_EQ(none.record.refusal, Refusal::insufficient_points); // the return took them
    house.send(at("2026-04-03T10:00:00Z", accrual(bookshop, "a2", "anna", 120)));
    house.move_clock("2026-05-10T10:00:00Z");
    EXPECT_EQ(house.balance("anna"), Balance{});
    house.send(at("2026-05-11T10:00:00Z", reinstatement("o2", "anna", 100, "2026-05-31")));
    EXPECT_EQ(house.balance("anna"), Balance{.available = Points{100}});
    EXPECT_EQ(house.verify().fault, "");
}

TEST(MinimumBurnValue, LotsThatWerePromisedMoreThanTheRoundedValueArePassedOver)
{
    TermsHouse house;
    house.terms->face_value = Micro{30'000}; // 0.03
    house.terms->tariffs[1].minimum_burn_value = Micro{30'000};
    house.send(accrual(fuel, "a1", "anna", 10));
    house.send(accrual(bookshop, "a2", "anna", 2));
    const auto worth = [&](std::string_view id, std::int64_t cents) {
        Message message = redemption(grocer, id, "anna", 1);
        message.points.reset();
        message.value = MoneyValue{.amount_minor = cents, .currency = "EUR"};
        return house.send(message);
    };
    // 0.05 is two points, and less than 0.03 for each: the bookshop promised nothing.
    const Outcome rounded = worth("r1", 5);
    ASSERT_EQ(rounded.record.entries.size(), 1U);
    EXPECT_EQ(rounded.record.entries[0].lot.tariff, TariffVersion{3});
    const Outcome refused = worth("r2", 5);
    EXPECT_EQ(refused.record.refusal, Refusal::insufficient_points);
    EXPECT_TRUE(refused.record.entries.empty());
    const Outcome whole = worth("r3", 6);
    EXPECT_EQ(whole.record.entries[0].lot.tariff, TariffVersion{2});
    house.send(redemption(grocer, "r4", "anna", 8));
    EXPECT_EQ(house.balance("anna"), Balance{});
    EXPECT_EQ(house.verify().fault, "");
}

} // namespace
} // namespace pointhouse::ledger::test
