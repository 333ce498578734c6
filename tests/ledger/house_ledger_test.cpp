#include <algorithm>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "ledger/money_effect.hpp"
#include "ledger_house.hpp"
#include "store/sqlite_journal.hpp"

namespace pointhouse::ledger::test {
namespace {

using Fault = FaultyJournal::Fault;

TEST(HouseLedger, EarnsAtOneBrandAndSpendsAtAnother)
{
    LedgerHouse house;

    const Outcome earned = house.send(accrual(grocer, "a1", "anna", 84));
    const Outcome spent = house.send(redemption(bookshop, "r1", "anna", 50));

    EXPECT_EQ(earned.disposition, Disposition::decided);
    EXPECT_EQ(earned.record.balance.available, Points{84});
    ASSERT_EQ(spent.record.entries.size(), 1U);
    EXPECT_EQ(spent.record.entries[0].kind, EntryKind::redeemed);
    EXPECT_EQ(spent.record.entries[0].lot.key.origin, earned.record.sequence);
    EXPECT_EQ(spent.record.entries[0].counterpart, TariffVersion{3});
    EXPECT_EQ(house.balance("anna").available, Points{34});
    EXPECT_EQ(house.verify().fault, "");
}

TEST(HouseLedger, SameMessageGetsItsFirstOutcomeForEver)
{
    LedgerHouse house;
    house.send(accrual(grocer, "a1", "anna", 100));
    const Outcome first = house.send(redemption(fuel, "r1", "anna", 30));
    house.send(accrual(grocer, "a2", "anna", 5));

    const Outcome again = house.send(redemption(fuel, "r1", "anna", 30));
    house.close(true);
    house.open();
    const Outcome after_restart = house.send(redemption(fuel, "r1", "anna", 30));

    for (const Outcome* outcome : {&again, &after_restart}) {
        EXPECT_EQ(outcome->disposition, Disposition::replayed);
        EXPECT_EQ(outcome->record.sequence, first.record.sequence);
        EXPECT_EQ(outcome->record.balance, first.record.balance);
        EXPECT_EQ(outcome->record.entries, first.record.entries);
    }
    EXPECT_EQ(house.balance("anna").available, Points{75});
}

TEST(HouseLedger, SameIdWithOtherContentIsRefusedAndLeavesNoTrace)
{
    LedgerHouse house;
    house.send(accrual(grocer, "a1", "anna", 100));
    const Sequence before = house.ledger->head();

    const Outcome other_points = house.send(accrual(grocer, "a1", "anna", 101));
    const Outcome other_member = house.send(accrual(grocer, "a1", "bert", 100));
    const Outcome other_type = house.send(redemption(grocer, "a1", "anna", 100));
    const Outcome other_partner = house.send(accrual(fuel, "a1", "anna", 1));

    for (const Outcome* outcome : {&other_points, &other_member, &other_type}) {
        EXPECT_EQ(outcome->disposition, Disposition::refused);
        EXPECT_EQ(outcome->refusal, Refusal::message_id_reused);
    }
    EXPECT_EQ(other_partner.disposition, Disposition::decided);
    EXPECT_EQ(house.ledger->head().value(), before.value() + 1);
    EXPECT_FALSE(house.ledger->find_member("bert").has_value());
}

TEST(HouseLedger, SameIdTwiceInOneBatchIsBookedOnce)
{
    LedgerHouse house;

    const auto outcomes = house.send(
        {accrual(grocer, "a1", "anna", 100),
         accrual(grocer, "a1", "anna", 100),
         accrual(grocer, "a1", "anna", 7),
         redemption(fuel, "r1", "anna", 100),
         redemption(fuel, "r1", "anna", 100)});

    EXPECT_EQ(outcomes[0].disposition, Disposition::decided);
    EXPECT_EQ(outcomes[1].disposition, Disposition::replayed);
    EXPECT_EQ(outcomes[1].record.message_id, "a1");
    EXPECT_EQ(outcomes[2].refusal, Refusal::message_id_reused);
    EXPECT_EQ(outcomes[3].disposition, Disposition::decided);
    EXPECT_EQ(outcomes[4].record.sequence, outcomes[3].record.sequence);
    EXPECT_EQ(house.balance("anna").available, Points{0});
}

TEST(HouseLedger, RefusalIsFrozenAndAnUnknownMemberIsNot)
{
    LedgerHouse house;
    const Outcome unknown = house.send(redemption(fuel, "r1", "anna", 10));
    house.send(accrual(grocer, "a1", "anna", 5));
    const Outcome refused = house.send(redemption(fuel, "r2", "anna", 10));
    house.send(accrual(grocer, "a2", "anna", 100));

    const Outcome known_now = house.send(redemption(fuel, "r1", "anna", 10));
    const Outcome still_refused = house.send(redemption(fuel, "r2", "anna", 10));

    EXPECT_EQ(unknown.refusal, Refusal::member_unknown);
    EXPECT_EQ(known_now.disposition, Disposition::decided);
    EXPECT_EQ(refused.record.refusal, Refusal::insufficient_points);
    EXPECT_EQ(still_refused.disposition, Disposition::replayed);
    EXPECT_EQ(still_refused.record.refusal, Refusal::insufficient_points);
    EXPECT_EQ(house.verify().fault, "");
}

TEST(HouseLedger, RefundRestoresTheSameLotsInReverseOrder)
{
    LedgerHouse house;
    const auto earned =
        house.send({accrual(grocer, "a1", "anna", 60), accrual(fuel, "a2", "anna", 40)});
    house.send(redemption(bookshop, "r1", "anna", 90));

    Message part = reversal(bookshop, "v1", "r1");
    part.points = Points{50};
    const Outcome first = house.send(part);
    const Outcome rest = house.send(reversal(bookshop, "v2", "r1"));
    const Outcome beyond = house.send(reversal(bookshop, "v3", "r1"));

    ASSERT_EQ(first.record.entries.size(), 2U);
    EXPECT_EQ(first.record.entries[0].lot.key.origin, earned[1].record.sequence);
    EXPECT_EQ(first.record.entries[0].points, Points{30});
    EXPECT_EQ(first.record.entries[1].lot.key.origin, earned[0].record.sequence);
    EXPECT_EQ(first.record.entries[1].points, Points{20});
    ASSERT_EQ(rest.record.entries.size(), 1U);
    EXPECT_EQ(rest.record.entries[0].points, Points{40});
    EXPECT_EQ(rest.record.reversed_so_far, Points{90});
    EXPECT_EQ(beyond.record.refusal, Refusal::reversal_exceeds_original);
    EXPECT_EQ(house.balance("anna").available, Points{100});
    EXPECT_EQ(house.verify().fault, "");
}

TEST(HouseLedger, ClawbackOfSpentPointsBecomesDebtThatTheNextPointsRepay)
{
    LedgerHouse house;
    house.send(accrual(bookshop, "a1", "anna", 250));
    house.send(redemption(grocer, "r1", "anna", 230));

    Message returned = reversal(bookshop, "v1", "a1");
    returned.points = Points{200};
    const Outcome clawed = house.send(returned);
    const Outcome earned = house.send(accrual(grocer, "a2", "anna", 300));

    EXPECT_EQ(clawed.record.balance.available, Points{0});
    EXPECT_EQ(clawed.record.balance.debt, Points{180});
    ASSERT_EQ(earned.record.entries.size(), 2U);
    EXPECT_EQ(earned.record.entries[1].kind, EntryKind::recovered);
    EXPECT_EQ(earned.record.entries[1].points, Points{180});
    EXPECT_EQ(earned.record.entries[1].lot.tariff, TariffVersion{1});
    EXPECT_EQ(earned.record.entries[1].debt.tariff, TariffVersion{3});
    EXPECT_EQ(earned.record.balance.available, Points{120});
    EXPECT_EQ(earned.record.balance.debt, Points{0});
    const MoneyEffect money = money_effect(earned.record.entries[1], *house.terms);
    EXPECT_EQ(money.counterparty, Micro{1'980'000}); // E12b of the worked month
    EXPECT_EQ(money.liability, Micro{-1'800'000});
    EXPECT_EQ(money.fee, Micro{-180'000});
    EXPECT_EQ(house.verify().fault, "");
}

TEST(HouseLedger, UnnamedClawbackIsCreditedOnlyUpToWhatWasIssued)
{
    LedgerHouse house;
    house.send({accrual(grocer, "a1", "anna", 100), accrual(fuel, "a2", "anna", 50)});

    const Outcome clawed = house.send(clawback(grocer, "c1", "anna", 180));

    std::map<std::pair<EntryKind, DebtKind>, std::int64_t> points;
    for (const Entry& entry : clawed.record.entries)
        points[{entry.kind, entry.debt.kind}] += entry.points.count();
    EXPECT_EQ((points[{EntryKind::clawed_back, DebtKind::issuer_bears}]), 100);
    EXPECT_EQ((points[{EntryKind::debt_incurred, DebtKind::excess}]), 80);
    EXPECT_EQ((points[{EntryKind::recovered, DebtKind::excess}]), 50);
    EXPECT_EQ(clawed.record.balance.debt, Points{30});
    EXPECT_EQ(house.verify().fault, "");
}

// Found by random months: such a reversal was booked, and `verify --from-scratch` then asked for it
// in words that are refused.
TEST(HouseLedger, ReversalThatFindsNothingToCreditIsDecidedAgainAsItWas)
{
    LedgerHouse house;
    house.terms->partners[grocer.value() - 1].excess_clawbacks_allowed = false;
    Message bought = accrual(grocer, "a2", "bert", 1);
    bought.points.reset();
    bought.purchase = Purchase{.amount_minor = 10'000, .currency = "EUR"};
    Message returned = reversal(grocer, "v2", "a2");
    returned.purchase = Purchase{.amount_minor = 0, .currency = "EUR"};
    house.send({accrual(grocer, "a1", "anna", 100), bought});

    house.send({clawback(grocer, "c1", "anna", 100)});
    const Outcome beyond = house.send(reversal(grocer, "v1", "a1"));
    const Outcome nothing_returned = house.send(returned);
    house.send(clawback(grocer, "c2", "bert", 100));
    returned.message_id = "v3";
    const Outcome late = house.send(returned);

    for (const Outcome* outcome : {&beyond, &nothing_returned, &late}) {
        EXPECT_EQ(outcome->disposition, Disposition::decided);
        EXPECT_FALSE(outcome->record.refusal);
        EXPECT_EQ(outcome->record.points, Points{});
        EXPECT_TRUE(outcome->record.entries.empty());
    }
    EXPECT_EQ(house.balance("bert"), Balance{});
    EXPECT_EQ(house.verify().fault, "");
}

TEST(HouseLedger, ReturnedPurchaseClawsBackWhatTheRestWouldNotEarn)
{
    LedgerHouse house;
    Message bought = accrual(grocer, "a1", "anna", 1);
    bought.points.reset();
    bought.purchase = Purchase{.amount_minor = 10'050, .currency = "EUR"};
    house.send(bought);
    Message returned = reversal(grocer, "v1", "a1");
    returned.purchase = Purchase{.amount_minor = 60, .currency = "EUR"};
    const Outcome first = house.send(returned);
    returned.message_id = "v2";
    returned.purchase->amount_minor = 9'990;
    const Outcome all = house.send(returned);
    returned.message_id = "v3";
    returned.purchase->amount_minor = 1;
    const Outcome beyond = house.send(returned);

    EXPECT_EQ(first.record.points, Points{1}); // 100.50 earned 100; 99.90 would earn 99
    EXPECT_EQ(all.record.points, Points{99});
    EXPECT_EQ(beyond.record.refusal, Refusal::reversal_exceeds_original);
    EXPECT_EQ(house.balance("anna").available, Points{0});
    EXPECT_EQ(house.verify().fault, "");
}

TEST(HouseLedger, CutsAWindowAtMidnightOfTheMonth)
{
    LedgerHouse house;
    house.send(accrual(grocer, "a1", "anna", 1));
    house.clock.time = *parse_time("2026-08-01T00:00:00Z");
    Message late = accrual(grocer, "a2", "anna", 1);
    late.occurred_at = *parse_time("2026-07-31T23:59:59Z");

    const Outcome booked = house.send(late);

    const auto& windows = house.ledger->windows();
    ASSERT_EQ(windows.size(), 3U);
    EXPECT_EQ(format_month(windows[0].month), "2026-06");
    EXPECT_EQ(windows[1].first.value(), windows[0].cut.value() + 1);
    EXPECT_GT(booked.record.sequence, windows[1].cut);
    EXPECT_FALSE(windows[1].drained.is_none());
    EXPECT_TRUE(windows[2].cut.is_none());
    house.close(false);
    house.open();
    EXPECT_EQ(house.ledger->windows().size(), 3U);
    EXPECT_EQ(house.verify().fault, "");
}

TEST(HouseLedger, ClockThatStepsBackMovesNothingBack)
{
    LedgerHouse house;
    const Outcome first = house.send(accrual(grocer, "a1", "anna", 1));
    house.clock.time -= std::chrono::hours{48};

    const Outcome second = house.send(accrual(grocer, "a2", "anna", 1));

    EXPECT_GE(second.record.posted_at, first.record.posted_at);
    EXPECT_EQ(house.verify().fault, "");
}

TEST(HouseLedger, RefusesMessagesOutOfTime)
{
    LedgerHouse house;
    Message ahead = accrual(grocer, "a1", "anna", 1);
    ahead.occurred_at = house.clock.time + std::chrono::minutes{5} + std::chrono::microseconds{1};
    Message just = accrual(grocer, "a2", "anna", 1);
    just.occurred_at = house.clock.time + std::chrono::minutes{5};
    Message late = accrual(grocer, "a3", "anna", 1);
    late.occurred_at = *parse_time("2026-04-02T23:59:59Z");
    Message last_day = accrual(grocer, "a4", "anna", 1);
    last_day.occurred_at = *parse_time("2026-04-03T00:00:00Z");

    EXPECT_EQ(house.send(ahead).record.refusal, Refusal::occurred_in_future);
    // And can be spent at once: nothing is pending where no contract says so.
    EXPECT_EQ(house.send(just).record.balance.available, Points{1});
    EXPECT_EQ(house.send(late).record.refusal, Refusal::late_window_closed);
    EXPECT_EQ(house.send(last_day).record.refusal, std::nullopt);
}

TEST(HouseLedger, FailedCommitAnswersUnavailableAndTheRetryTellsTheTruth)
{
    for (const Fault fault :
         {Fault::not_written, Fault::unknown_not_written, Fault::unknown_written}) {
        SCOPED_TRACE(static_cast<int>(fault));
        LedgerHouse house;
        house.send(accrual(grocer, "a1", "anna", 100));

        house.faulty->next = fault;
        const Outcome failed = house.send(redemption(fuel, "r1", "anna", 60));
        Outcome retried = failed;
        for (int attempt = 0; attempt < 50 && retried.disposition == Disposition::unavailable;
             ++attempt) {
            ::usleep(2'000);
            retried = house.send(redemption(fuel, "r1", "anna", 60));
        }

        EXPECT_EQ(failed.disposition, Disposition::unavailable);
        EXPECT_EQ(
            retried.disposition,
            fault == Fault::unknown_written ? Disposition::replayed : Disposition::decided);
        EXPECT_EQ(house.balance("anna").available, Points{40});
        EXPECT_EQ(house.verify().fault, "");
    }
}

TEST(HouseLedger, ReadsAreServedWhileNothingCanBeWritten)
{
    LedgerHouse house;
    const Outcome earned = house.send(accrual(grocer, "a1", "anna", 100));
    house.faulty->is_full = true;
    for (int attempt = 0; attempt < 3; ++attempt) {
        EXPECT_EQ(
            house.send(redemption(fuel, "r1", "anna", 60)).disposition, Disposition::unavailable);
        EXPECT_EQ(house.balance("anna").available, Points{100});
        Outcome found;
        EXPECT_TRUE(house.ledger->find_outcome(grocer, "a1", found));
        EXPECT_EQ(found.record.balance, earned.record.balance);
        EXPECT_FALSE(house.ledger->find_outcome(fuel, "r1", found));
    }
    house.faulty->is_full = false;
    ::usleep(2'000);
    EXPECT_EQ(house.send(redemption(fuel, "r1", "anna", 60)).record.balance.available, Points{40});
    EXPECT_EQ(house.verify().fault, "");
}

/// The rows of all members at once would be hundreds of megabytes, at a stop and after a kill.
TEST(HouseLedger, WritesManyMembersBackInSlices)
{
    LedgerHouse house;
    house.cached_members_max = 100'000;
    house.close(true);
    house.open();
    constexpr std::size_t members = 20'000;
    std::vector<std::string> names;
    for (std::size_t member = 0; member < members; ++member)
        names.push_back("card-" + std::to_string(member));
    const auto earn = [&](const std::string& prefix) {
        for (std::size_t first = 0; first < members; first += 4'000) {
            std::vector<std::string> ids;
            for (std::size_t member = first; member < first + 4'000; ++member)
                ids.push_back(prefix + names[member]);
            std::vector<Message> messages;
            for (std::size_t place = 0; place < ids.size(); ++place)
                messages.push_back(accrual(grocer, ids[place], names[first + place], 10));
            for (const Outcome& outcome : house.send(messages))
                ASSERT_EQ(outcome.disposition, Disposition::decided);
        }
    };

    earn("stop-");
    house.faulty->fails_after = 2; // the first slice is durable, the second is not
    EXPECT_THROW(house.ledger->settle_down(), StoreFailure);
    EXPECT_LE(house.faulty->most_members, 8'193);
    house.close(false);
    house.open(); // from slices, watermark and tail
    EXPECT_LE(house.faulty->most_members, 8'193);
    EXPECT_EQ(house.balance(names.front()).available, Points{10});
    EXPECT_EQ(house.balance(names.back()).available, Points{10});

    earn("kill-");
    house.close(false);
    house.open();
    EXPECT_LE(house.faulty->most_members, 8'193);
    EXPECT_GT(house.faulty->most_members, 1'000);
    house.close(true);
    house.open();
    EXPECT_EQ(house.faulty->most_members, 1); // nothing was left but the house's counters
    EXPECT_EQ(house.verify().fault, "");
    EXPECT_EQ(house.balance(names[members / 2]).available, Points{20});
}

TEST(HouseLedger, RefusesToStartOnAJournalThatLostItsTail)
{
    LedgerHouse house;
    house.send(accrual(grocer, "a1", "anna", 100));
    house.close(true);
    std::filesystem::copy(house.folder / "journal.db", house.folder / "earlier.db");
    house.open();
    house.send(accrual(grocer, "a2", "anna", 100));
    house.close(true);
    std::filesystem::remove(house.folder / "journal.db-wal");
    std::filesystem::rename(house.folder / "earlier.db", house.folder / "journal.db");

    EXPECT_THROW(house.open(), StoreFailure);
}

/// What the rules come to, written anew and naively: points only, lots as they were earned.
class NaiveMembers {
public:
    void earn(int member, PartnerId issuer, std::int64_t points)
    {
        auto& state = members_[member];
        state.creditable[issuer] += points;
        const std::int64_t repaid = std::min(points, state.debt);
        state.debt -= repaid;
        state.lots.push_back({issuer, points - repaid});
    }
    bool spend(int member, std::int64_t points)
    {
        if (available(member) < points) return false;
        take(members_[member], points);
        return true;
    }
    void claw_back(int member, PartnerId issuer, std::int64_t points)
    {
        auto& state = members_[member];
        std::int64_t own = std::min(points, state.creditable[issuer]);
        std::int64_t left = points - own;
        state.creditable[issuer] -= own;
        for (auto lot = state.lots.rbegin(); lot != state.lots.rend(); ++lot) {
            if (lot->first != issuer) continue;
            const std::int64_t taken = std::min(own, lot->second);
            lot->second -= taken;
            own -= taken;
        }
        left += own;
        left -= take(state, std::min(left, available(member)));
        state.debt += left;
    }
    [[nodiscard]] std::int64_t available(int member) const
    {
        std::int64_t sum = 0;
        if (const auto found = members_.find(member); found != members_.end())
            for (const auto& [issuer, points] : found->second.lots) sum += points;
        return sum;
    }
    [[nodiscard]] std::int64_t debt(int member) { return members_[member].debt; }

private:
    struct State {
        std::vector<std::pair<PartnerId, std::int64_t>> lots;
        std::map<PartnerId, std::int64_t> creditable;
        std::int64_t debt = 0;
    };
    static std::int64_t take(State& state, std::int64_t points)
    {
        const std::int64_t wanted = points;
        for (auto& lot : state.lots) {
            const std::int64_t taken = std::min(points, lot.second);
            lot.second -= taken;
            points -= taken;
        }
        return wanted - points;
    }
    std::map<int, State> members_;
};

// Random messages, restarts and failed commits, against the naive rules. A failure prints its seed.
TEST(HouseLedger, AgreesWithTheNaiveRulesThroughFaultsAndRestarts)
{
    // A server takes several times as long, most of it waiting.
    const std::uint64_t seeds = TestStores::are_postgres() ? 8 : 20;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937_64 random{seed};
        LedgerHouse house;
        house.close(true);
        house.cached_members_max = 3;
        house.open();
        NaiveMembers naive;
        constexpr int members = 8;
        for (int step = 0; step < 250; ++step) {
            const int member = static_cast<int>(random() % members);
            const PartnerId partner{static_cast<std::uint32_t>(random() % 3) + 1};
            const auto points = static_cast<std::int64_t>(random() % 100) + 1;
            const std::string id = "m" + std::to_string(step);
            const std::string name = "member-" + std::to_string(member);
            const int kind = static_cast<int>(random() % 10);
            Message message = accrual(partner, id, name, points);
            if (kind >= 5)
                message.type = kind >= 8 ? MessageType::clawback : MessageType::redemption;
            if (random() % 8 == 0) house.faulty->next = static_cast<Fault>(1 + random() % 3);
            Outcome outcome = house.send(message);
            while (outcome.disposition == Disposition::unavailable) {
                ::usleep(1'000);
                outcome = house.send(message);
            }
            const bool is_known = outcome.disposition != Disposition::refused;
            if (!is_known) {
                ASSERT_EQ(outcome.refusal, Refusal::member_unknown);
                continue;
            }
            if (message.type == MessageType::accrual) naive.earn(member, partner, points);
            if (message.type == MessageType::clawback) naive.claw_back(member, partner, points);
            if (message.type == MessageType::redemption)
                ASSERT_EQ(naive.spend(member, points), !outcome.record.refusal.has_value());
            ASSERT_EQ(outcome.record.balance.available.count(), naive.available(member));
            ASSERT_EQ(outcome.record.balance.debt.count(), naive.debt(member));
            if (random() % 40 == 0) {
                house.close(random() % 2 == 0);
                house.open();
            }
        }
        const Verification verified = house.verify();
        ASSERT_EQ(verified.fault, "");
        for (int member = 0; member < members; ++member)
            EXPECT_EQ(
                house.balance("member-" + std::to_string(member)).available.count(),
                naive.available(member));
    }
}

TEST(HouseLedger, MessageClockMovesWithTheMessagesAndCutsEachMonth)
{
    LedgerHouse house{true};
    Message first = accrual(grocer, "a1", "anna", 10);
    first.occurred_at = *parse_time("2016-04-30T23:59:59Z");
    Message second = accrual(grocer, "a2", "anna", 10);
    second.occurred_at = *parse_time("2016-05-01T00:00:00Z");
    Message earlier = accrual(grocer, "a3", "anna", 10);
    earlier.occurred_at = *parse_time("2016-04-30T12:00:00Z");

    const auto outcomes = house.send({first, second, earlier});

    const auto windows = house.ledger->windows();
    ASSERT_EQ(windows.size(), 2U);
    EXPECT_LT(outcomes[0].record.sequence, windows[0].cut);
    EXPECT_GT(outcomes[1].record.sequence, windows[0].cut);
    EXPECT_GT(outcomes[2].record.sequence, outcomes[1].record.sequence);
    EXPECT_EQ(outcomes[2].record.posted_at, second.occurred_at);
    EXPECT_TRUE(house.ledger->advance_clock(*parse_time("2016-09-01T00:00:00Z")));
    EXPECT_FALSE(house.ledger->advance_clock(*parse_time("2016-08-01T00:00:00Z")));
    EXPECT_EQ(house.ledger->windows().size(), 6U);
    EXPECT_EQ(house.verify().fault, "");
}

TEST(HouseLedger, QuoteTellsWhatWouldHappenAndBooksNothing)
{
    LedgerHouse house;
    house.send(accrual(grocer, "a1", "anna", 100));
    const Sequence before = house.ledger->head();

    Outcome quoted;
    house.ledger->quote(redemption(fuel, "q1", "anna", 60), quoted);
    Outcome refused;
    house.ledger->quote(redemption(fuel, "q2", "anna", 101), refused);

    EXPECT_EQ(quoted.record.balance.available, Points{40});
    EXPECT_EQ(refused.record.refusal, Refusal::insufficient_points);
    EXPECT_EQ(house.ledger->head(), before);
    EXPECT_EQ(house.balance("anna").available, Points{100});
}

} // namespace
} // namespace pointhouse::ledger::test
