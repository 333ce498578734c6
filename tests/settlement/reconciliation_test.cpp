#include "settlement/reconciliation.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <random>
#include <set>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace pointhouse::settlement {
namespace {

using ledger::MessageType;

const ledger::Calendar amsterdam{"Europe/Amsterdam"};

ledger::Day day(std::string_view text)
{
    return ledger::parse_day(text).value();
}

const ReconciliationPeriod june{.window = {2026, 6}, .day = {}};
const ReconciliationPeriod flag_day{.window = {2026, 6}, .day = day("2026-06-14")};

/// A message of one of the house's members, booked on the day that it happened.
ReconciliationRow row(std::string id, std::string_view booked_on = "2026-06-14")
{
    return {
        .message_id = std::move(id),
        .type = MessageType::accrual,
        .member = "card",
        .number = ledger::MemberNumber{1},
        .occurred_at = amsterdam.start_of(day(booked_on)),
        .booked_on = day(booked_on),
        .points = 100,
        .amount_minor = 10'000};
}

template <class Change>
ReconciliationRow changed(ReconciliationRow row, Change change)
{
    change(row);
    return row;
}

/// Class and message of each break, and the fields that differ.
using Found = std::multiset<std::string>;

Found found_in(const Reconciliation& result)
{
    Found found;
    for (const auto& each : result.breaks) {
        std::string text = fmt::format("{} {}", name_of(each.kind), each.message_id);
        for (const auto field : each.fields) text += fmt::format(" {}", field);
        found.insert(text);
    }
    return found;
}

Found breaks(
    const ReconciliationPeriod& period,
    const std::vector<ReconciliationRow>& house,
    const std::vector<ReconciliationRow>& partner)
{
    return found_in(reconcile(period, house, partner, amsterdam));
}

TEST(Reconcile, TwoEqualSidesAgreeInAnyOrder)
{
    const std::vector<ReconciliationRow> house{row("a"), row("b"), row("c")};
    const std::vector<ReconciliationRow> partner{row("c"), row("a"), row("b")};
    const auto result = reconcile(june, house, partner, amsterdam);
    EXPECT_TRUE(result.agrees());
    EXPECT_EQ(result.house, (SideTotals{.count = 3, .points = 300, .amount_minor = 30'000}));
    EXPECT_EQ(result.partner, result.house);
}

TEST(Reconcile, NamesEachClassOnce)
{
    EXPECT_EQ(breaks(june, {row("a"), row("b")}, {row("a")}), Found{"missing b"});
    EXPECT_EQ(breaks(june, {row("a")}, {row("a"), row("b")}), Found{"extra b"});
    EXPECT_EQ(breaks(june, {row("a")}, {row("a"), row("a")}), Found{"duplicate a"});
    const auto points = changed(row("a"), [](auto& each) { each.points = 99; });
    EXPECT_EQ(breaks(june, {row("a")}, {points}), Found{"changed_amount a points"});
    const auto amount = changed(row("a"), [](auto& each) { each.amount_minor = 1; });
    EXPECT_EQ(breaks(june, {row("a")}, {amount}), Found{"changed_amount a amount_minor"});
    const auto type = changed(row("a"), [](auto& each) { each.type = MessageType::clawback; });
    EXPECT_EQ(breaks(june, {row("a")}, {type}), Found{"changed_amount a type"});
    const auto member =
        changed(row("a"), [](auto& each) { each.number = ledger::MemberNumber{2}; });
    EXPECT_EQ(breaks(june, {row("a")}, {member}), Found{"wrong_member a member"});
    const auto unknown = changed(row("a"), [](auto& each) { each.number = {}; });
    EXPECT_EQ(breaks(june, {row("a")}, {unknown}), Found{"wrong_member a member"});
}

TEST(Reconcile, AMemberThatIsNotStatedIsNotCompared)
{
    const auto silent = changed(row("a"), [](auto& each) {
        each.member.clear();
        each.number = {};
    });
    EXPECT_EQ(breaks(june, {row("a")}, {silent}), Found{});
}

TEST(Reconcile, ASwappedPairIsTwoWrongMembers)
{
    const auto of = [](std::string id, std::uint64_t number) {
        return changed(
            row(std::move(id)), [&](auto& each) { each.number = ledger::MemberNumber{number}; });
    };
    EXPECT_EQ(
        breaks(june, {of("a", 1), of("b", 2)}, {of("a", 2), of("b", 1)}),
        (Found{"wrong_member a member", "wrong_member b member"}));
}

TEST(Reconcile, ADuplicateThatIsAlsoChangedIsOneBreak)
{
    const auto other = changed(row("a"), [](auto& each) { each.points = 7; });
    EXPECT_EQ(breaks(june, {row("a")}, {row("a"), other}), Found{"duplicate a"});
    EXPECT_EQ(breaks(june, {row("a")}, {other, row("a")}), Found{"duplicate a"});
    EXPECT_EQ(
        breaks(june, {row("a")}, {other, other}),
        (Found{"duplicate a", "changed_amount a points"}));
    EXPECT_EQ(breaks(june, {}, {row("a"), other}), (Found{"extra a", "duplicate a"}));
    EXPECT_EQ(
        breaks(june, {row("a")}, {row("a"), row("a"), row("a")}),
        (Found{"duplicate a", "duplicate a"}));
}

TEST(Reconcile, OneMessageMayDifferInSeveralWays)
{
    const auto other = changed(row("a"), [](auto& each) {
        each.points = 7;
        each.amount_minor = 8;
        each.number = ledger::MemberNumber{2};
        each.booked_on = day("2026-07-01");
    });
    EXPECT_EQ(
        breaks(june, {row("a")}, {other}),
        (Found{
            "changed_amount a points amount_minor", "wrong_member a member", "late a booked_on"}));
}

TEST(Reconcile, LateIsTheOtherWindow)
{
    const auto booked = [](std::string_view on) {
        return changed(row("a"), [&](auto& each) { each.booked_on = day(on); });
    };
    // The edges of a window.
    EXPECT_EQ(
        breaks(june, {booked("2026-07-01")}, {booked("2026-06-30")}), Found{"late a booked_on"});
    EXPECT_EQ(
        breaks(june, {booked("2026-06-30")}, {booked("2026-07-01")}), Found{"late a booked_on"});
    EXPECT_EQ(
        breaks(june, {booked("2026-05-31")}, {booked("2026-06-01")}), Found{"late a booked_on"});
    EXPECT_EQ(
        breaks(june, {booked("2025-06-14")}, {booked("2026-06-14")}), Found{"late a booked_on"});
    EXPECT_EQ(breaks(june, {booked("2026-06-01")}, {booked("2026-06-30")}), Found{});
    // Both say that it belongs elsewhere: that is no break of June's.
    EXPECT_EQ(breaks(june, {booked("2026-07-01")}, {booked("2026-07-02")}), Found{});
    // What is not named explains nothing.
    EXPECT_EQ(breaks(june, {booked("2026-07-01")}, {}), Found{});
}

TEST(Reconcile, LateOfADayIsTheOtherDay)
{
    EXPECT_EQ(
        breaks(flag_day, {row("a"), row("b", "2026-06-15")}, {row("a"), row("b")}),
        Found{"late b booked_on occurred_at"});
    EXPECT_EQ(breaks(flag_day, {row("a", "2026-06-13")}, {}), Found{});
}

TEST(Reconcile, LateIsWhatHappenedOnAnotherDayOfTheHouse)
{
    const auto happened = [](std::string_view time) {
        return changed(
            row("a"), [&](auto& each) { each.occurred_at = ledger::parse_time(time).value(); });
    };
    // Midnight of Amsterdam is 22:00 in UTC.
    EXPECT_EQ(
        breaks(june, {happened("2026-06-13T22:00:00Z")}, {happened("2026-06-14T21:59:59Z")}),
        Found{});
    EXPECT_EQ(
        breaks(june, {happened("2026-06-13T22:00:00Z")}, {happened("2026-06-13T21:59:59Z")}),
        Found{"late a occurred_at"});
}

TEST(Reconcile, SumsBothSidesWhateverTheyHave)
{
    const auto result = reconcile(
        june,
        std::vector{row("a"), row("b", "2026-07-01")},
        std::vector{row("x"), row("x"), row("y")},
        amsterdam);
    EXPECT_EQ(result.house.count, 1);
    EXPECT_EQ(result.partner.points, 300);
}

// Random sides, of which every seeded error is known.
class Seeder {
public:
    explicit Seeder(std::mt19937_64& chance) : chance_{chance} {}

    std::int64_t below(std::int64_t bound)
    {
        return std::uniform_int_distribution<std::int64_t>{0, bound - 1}(chance_);
    }

    void seed(std::string id)
    {
        auto mine = row(std::move(id), below(2) == 0 ? "2026-06-01" : "2026-06-30");
        mine.number = ledger::MemberNumber{static_cast<std::uint64_t>(below(3) + 1)};
        mine.points = below(3);
        mine.amount_minor = below(3);
        switch (below(6)) {
        case 0: // missing
            house.push_back(mine);
            expected.insert("missing " + mine.message_id);
            return;
        case 1: // extra
            partner.push_back(mine);
            expected.insert("extra " + mine.message_id);
            if (below(2) == 0) repeat(mine);
            return;
        case 2: // in another window, and the partner is silent
            mine.booked_on = day("2026-07-01");
            house.push_back(mine);
            return;
        default: break;
        }
        house.push_back(mine);
        auto theirs = mine;
        differ(theirs);
        partner.push_back(theirs);
        // Also a duplicate that is changed: it is never nearer to the house's than `theirs`.
        if (below(3) == 0) repeat(theirs);
    }

    std::vector<ReconciliationRow> house;
    std::vector<ReconciliationRow> partner;
    Found expected;

private:
    void repeat(ReconciliationRow row)
    {
        if (below(2) == 0) row.points += 10 + below(2);
        expected.insert("duplicate " + row.message_id);
        partner.push_back(row);
    }

    void differ(ReconciliationRow& theirs)
    {
        std::string amounts;
        if (below(4) == 0) theirs.points += 1 + below(2), amounts += " points";
        if (below(4) == 0) theirs.amount_minor += 5, amounts += " amount_minor";
        if (!amounts.empty()) expected.insert("changed_amount " + theirs.message_id + amounts);
        if (below(4) == 0) {
            theirs.number = ledger::MemberNumber{theirs.number.value() + 1};
            expected.insert("wrong_member " + theirs.message_id + " member");
        }
        if (below(4) == 0) {
            theirs.booked_on += theirs.booked_on == day("2026-06-01") ? -1 : 1;
            expected.insert("late " + theirs.message_id + " booked_on");
        }
    }

    std::mt19937_64& chance_;
};

TEST(Reconcile, FindsEverySeededErrorOnceAndNothingElse)
{
    const std::uint64_t seed = std::random_device{}();
    RecordProperty("seed", fmt::format("{}", seed));
    std::mt19937_64 chance{seed};
    for (int number = 0; number < 20'000; ++number) {
        Seeder seeder{chance};
        const auto messages = seeder.below(12);
        for (std::int64_t each = 0; each < messages; ++each) seeder.seed(fmt::format("m{}", each));
        std::ranges::shuffle(seeder.house, chance);
        std::ranges::shuffle(seeder.partner, chance);
        const auto result = reconcile(june, seeder.house, seeder.partner, amsterdam);
        ASSERT_EQ(found_in(result), seeder.expected) << "seed " << seed << ", case " << number;
    }
}

TEST(Reconcile, SaysBothSidesAsJsonAndInWords)
{
    auto theirs = changed(row("a"), [](auto& each) { each.points = 99; });
    theirs.line = 2;
    const auto result =
        reconcile(flag_day, std::vector{row("a"), row("b")}, std::vector{theirs}, amsterdam);
    const auto shown = boost::json::parse(reconciliation_json(result, "GRO"));
    EXPECT_EQ(shown.at("ok"), false);
    EXPECT_EQ(shown.at("day"), "2026-06-14");
    EXPECT_EQ(shown.at("house").at("points"), 200);
    EXPECT_EQ(shown.at("file").at("points"), 99);
    ASSERT_EQ(shown.at("breaks").as_array().size(), 2U);
    const auto& first = shown.at("breaks").at(0);
    EXPECT_EQ(first.at("class"), "missing");
    EXPECT_TRUE(first.at("partner").is_null());
    EXPECT_EQ(shown.at("breaks").at(1).at("partner").at("line"), 2);
    const auto words = reconciliation_in_words(result, "GRO");
    EXPECT_NE(words.find("points 100 here, 99 in the file"), std::string::npos) << words;
}

} // namespace
} // namespace pointhouse::settlement
