#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "ledger/accounts.hpp"
#include "ledger/block.hpp"
#include "ledger/position.hpp"
#include "ledger_house.hpp"

namespace pointhouse::ledger::test {
namespace {

// The worked month: GRO is the grocer, TNK the fuel station, BOE the bookshop, CHA the charity.
constexpr TariffVersion second_block{6};

std::shared_ptr<Terms> june_terms()
{
    auto terms = standard_terms();
    terms->calendar = std::make_shared<const Calendar>("Europe/Amsterdam");
    for (Tariff& tariff : terms->tariffs) {
        tariff.expiry = ExpiryPolicy{.months = 24, .at_month_end = true};
        tariff.breakage_operator = tariff.breakage_issuer = 1;
    }
    terms->tariffs[0].pending_days = terms->tariffs[2].pending_days = 14;

    PartnerTerms& tank = terms->partners[1];
    tank.billing = Billing::prepaid;
    tank.on_short = OnShort::next_block;
    for (const std::int64_t points : {400, 5'000}) { // what L0 was drawn from, and the open one
        Tariff block = terms->tariffs[1];
        block.version = TariffVersion{static_cast<std::uint32_t>(terms->tariffs.size() + 1)};
        block.block = Points{points};
        tank.blocks.push_back(static_cast<std::uint32_t>(terms->tariffs.size()));
        terms->tariffs.push_back(block);
    }
    terms->promotions.push_back(
        {.id = PromotionId{1},
         .name = "double-fuel-june",
         .funders = {{.partner = fuel, .share = 4}, {.partner = grocer, .share = 1}},
         .from = *parse_day("2026-06-01"),
         .to = *parse_day("2026-06-30"),
         .cap = Points{100'000}});
    return terms;
}

Message on(std::string_view day, Message message)
{
    message.occurred_at = *parse_time(std::string{day} + "T10:00:00Z");
    return message;
}

Message bought(PartnerId partner, std::string_view id, std::string_view member, std::int64_t minor)
{
    Message message = accrual(partner, id, member, 1);
    message.points.reset();
    message.purchase = Purchase{.amount_minor = minor, .currency = "EUR"};
    return message;
}

struct June : ::testing::Test {
    June()
    {
        *house.terms = *june_terms();
        house.send(on("2024-06-01", accrual(fuel, "L0", "M3", 400)));
        house.send(on("2026-05-01", accrual(grocer, "L1", "M1", 1'000)));
        EXPECT_TRUE(house.ledger->advance_clock(*parse_time("2026-06-01T00:00:00Z")));
        opened = house.ledger->head();
    }

    /// What the month did to each account, in points (all issuers) or micro-units: debits positive.
    std::map<std::string, std::int64_t> balances()
    {
        std::map<std::string, std::int64_t> balances;
        const auto reader = house.journal->open_reader();
        Record record;
        reader->for_each_block(opened, [&](const JournalReader::BlockRow& row) {
            const auto block = BlockView::parse(row.bytes, BlockView::Check::hash);
            for (std::uint32_t index = 0; index < block->count(); ++index) {
                EXPECT_TRUE(block->read(index, record));
                if (record.sequence <= opened) continue;
                for (const Entry& entry : record.entries) add(entry, record, balances);
            }
            return true;
        });
        std::erase_if(balances, [](const auto& one) { return one.second == 0; });
        return balances;
    }

    void add(const Entry& entry, const Record& record, std::map<std::string, std::int64_t>& to)
    {
        ControlTotals totals;
        totals.add(entry, record.counterparty);
        const PositionRow position =
            position_of(totals.priced(*house.terms).front(), {}, *house.terms);
        for (const AccountLine& line : lines_of(position, *house.terms))
            to[account_name(line.account, line.partner, *house.terms)] += line.amount;
    }

    /// What the month comes to, whatever the order in which it arrived.
    void expect_closed()
    {
        EXPECT_EQ(house.balance("M1"), (Balance{.available = Points{684}}));
        EXPECT_EQ(house.balance("M2"), (Balance{.available = Points{120}}));
        EXPECT_EQ(house.balance("M3"), (Balance{.available = Points{40}}));
        auto month = balances();
        EXPECT_EQ(month["expired"], -400);
        EXPECT_EQ(month["revenue:breakage"], -2'000'000);
        EXPECT_EQ(month["accrued_breakage_share:fuel"], -2'000'000);
        EXPECT_EQ(month["unbilled:grocer"], 4'488'000);
        EXPECT_EQ(month["unbilled:bookshop"], 550'000);
        EXPECT_EQ(month["accrued_redemption:grocer"], -3'325'000);
        EXPECT_EQ(month["accrued_redemption:bookshop"], -2'850'000);
        EXPECT_EQ(month["accrued_redemption:charity"], -1'000'000);
        EXPECT_EQ(month["revenue:redemption_margin"], -325'000);
        EXPECT_EQ(month["revenue:service_fee"], -594'000);
        EXPECT_EQ(month["deferred_revenue"], 14'000'000 - 8'440'000);
        EXPECT_EQ(month["members:pending"], 0);
        EXPECT_EQ(month["members:held"], 0);
        EXPECT_EQ(month["members:debt"], 0);
        EXPECT_EQ(house.verify().fault, "");
    }

    LedgerHouse house{true};
    Sequence opened;
};

/// A message of the worked month, or something that the clock brings about.
struct Step {
    std::string_view event;
    int member; // 1 to 3
    Time at;
    bool is_timed = false;
};

const std::vector<Step>& june_steps()
{
    static const std::vector<Step> steps = [] {
        const auto step = [](std::string_view event, int member, std::string_view at) {
            const bool is_timed = at.size() > 2;
            const std::string text =
                is_timed ? std::string{at} : fmt::format("2026-06-{}T10:00:00Z", at);
            return Step{
                .event = event, .member = member, .at = *parse_time(text), .is_timed = is_timed};
        };
        return std::vector{
            step("E1", 1, "02"),
            step("E6-hold", 1, "10"),
            step("E6", 1, "10"),
            step("E7", 1, "12"),
            step("E8", 1, "2026-06-15T22:00:00Z"),
            step("E14", 1, "28"),
            step("E3", 2, "03"),
            step("E4", 2, "05"),
            step("E5", 2, "08"),
            step("E9", 2, "2026-06-18T22:00:00Z"),
            step("E11", 2, "20"),
            step("E12", 2, "21"),
            step("E12b", 2, "2026-06-21T22:00:00Z"),
            step("E13", 3, "25")};
    }();
    return steps;
}

/// A random order that respects cause (JUNE-2026.md): within a member the table's, and the clock
/// never passes a timed event that another message of that member precedes.
std::vector<Step> june_in_any_order(std::mt19937_64& random)
{
    std::map<int, std::deque<Step>> left;
    for (const Step& step : june_steps()) left[step.member].push_back(step);
    std::vector<Step> order;
    Time clock{};
    while (order.size() < june_steps().size()) {
        std::vector<int> allowed;
        for (const auto& [member, steps] : left) {
            if (steps.empty()) continue;
            const Time after = std::max(clock, steps.front().at);
            const auto is_passed_too_early = [&](const auto& other) {
                for (std::size_t place = 1; place < other.second.size(); ++place)
                    if (other.second[place].is_timed && other.second[place].at <= after)
                        return true;
                return false;
            };
            if (std::ranges::none_of(left, is_passed_too_early)) allowed.push_back(member);
        }
        auto& steps = left.at(allowed.at(random() % allowed.size()));
        clock = std::max(clock, steps.front().at);
        order.push_back(steps.front());
        steps.pop_front();
    }
    return order;
}

/// Sends the message of a step; the clock is moved to its day first.
void play(LedgerHouse& house, const Step& step, Sequence& hold)
{
    if (house.ledger->house_time() < step.at) ASSERT_TRUE(house.ledger->advance_clock(step.at));
    if (step.is_timed) return;
    const std::string_view event = step.event;
    Message message;
    if (event == "E1") message = bought(grocer, event, "M1", 8'450);
    if (event == "E3") message = accrual(fuel, event, "M2", 120);
    if (event == "E4") message = bought(bookshop, event, "M2", 25'000);
    if (event == "E5") message = bought(grocer, event, "M2", 30'000);
    if (event == "E6-hold" || event == "E6") message = redemption(bookshop, event, "M1", 500);
    if (event == "E7") message = reversal(bookshop, event, "E6");
    if (event == "E11") message = redemption(grocer, event, "M2", 350);
    if (event == "E12") message = reversal(bookshop, event, "E4");
    if (event == "E13") message = bought(fuel, event, "M3", 4'000);
    if (event == "E14") message = redemption(bookshop, event, "M1", 100);
    message.occurred_at = event == "E13" ? *parse_time("2026-05-30T10:00:00Z") : step.at;
    if (event == "E3") message.promotion = "double-fuel-june";
    if (event == "E7") message.points = Points{200};
    if (event == "E12") message.purchase = Purchase{.amount_minor = 20'000, .currency = "EUR"};
    if (event == "E6-hold") {
        message.type = MessageType::hold;
        message.expires_in_seconds = std::int64_t{30} * 24 * 3'600; // other members' messages pass
    }
    if (event == "E6") {
        message.type = MessageType::capture;
        message.member = {};
        message.hold = hold;
    }
    if (event == "E14") {
        message.type = MessageType::donation;
        message.charity = "charity";
    }
    const Outcome outcome = house.send(message);
    ASSERT_EQ(outcome.disposition, Disposition::decided) << event;
    ASSERT_FALSE(outcome.record.refusal) << event << ": " << code_of(*outcome.record.refusal);
    if (event == "E6-hold") hold = outcome.record.sequence;
}

TEST_F(June, EveryMessageIsAnsweredAsTheWorkedMonthSays)
{
    const Message e1 = on("2026-06-02", bought(grocer, "E1", "M1", 8'450));
    const Outcome first = house.send(e1);
    EXPECT_EQ(first.record.balance, (Balance{.available = Points{1'000}, .pending = Points{84}}));
    EXPECT_EQ(first.record.entries[0].until, *parse_time("2026-06-15T22:00:00Z"));
    EXPECT_EQ(house.send(e1).disposition, Disposition::replayed); // E2

    Message e3 = on("2026-06-03", accrual(fuel, "E3", "M2", 120));
    e3.promotion = "double-fuel-june";
    const Outcome joint = house.send(e3);
    ASSERT_EQ(joint.record.entries.size(), 2U);
    EXPECT_EQ(joint.record.entries[0].points, Points{96});
    EXPECT_EQ(joint.record.entries[0].lot.tariff, second_block);
    EXPECT_EQ(joint.record.entries[1].points, Points{24});
    EXPECT_EQ(joint.record.entries[1].lot.tariff, TariffVersion{1});
    EXPECT_EQ(joint.record.balance, (Balance{.available = Points{120}}));

    house.send(on("2026-06-05", bought(bookshop, "E4", "M2", 25'000)));
    EXPECT_EQ(
        house.send(on("2026-06-08", bought(grocer, "E5", "M2", 30'000))).record.balance,
        (Balance{.available = Points{120}, .pending = Points{550}}));

    Message hold = on("2026-06-10", redemption(bookshop, "E6-hold", "M1", 500));
    hold.type = MessageType::hold;
    hold.expires_in_seconds = 3'600;
    const Outcome held = house.send(hold);
    Message capture = on("2026-06-10", redemption(bookshop, "E6", {}, 500));
    capture.type = MessageType::capture;
    capture.hold = held.record.sequence;
    const Outcome captured = house.send(capture);
    EXPECT_EQ(captured.record.entries.back().lot.expires_on, *parse_day("2028-05-31"));

    Message e7 = on("2026-06-12", reversal(bookshop, "E7", "E6"));
    e7.points = Points{200};
    const Outcome refunded = house.send(e7);
    EXPECT_EQ(refunded.record.entries[0].lot.expires_on, *parse_day("2028-05-31"));
    Message beyond = on("2026-06-12", reversal(bookshop, "E7b", "E6"));
    beyond.points = Points{400};
    EXPECT_EQ(house.send(beyond).record.refusal, Refusal::reversal_exceeds_original);

    const Outcome refused = house.send(on("2026-06-20", redemption(grocer, "E10", "M2", 380)));
    EXPECT_EQ(refused.record.refusal, Refusal::insufficient_points);
    EXPECT_EQ(refused.record.balance, (Balance{.available = Points{370}, .pending = Points{300}}));
    const Outcome burned = house.send(on("2026-06-20", redemption(grocer, "E11", "M2", 350)));
    std::vector<std::int64_t> drawn;
    for (const Entry& entry : burned.record.entries) drawn.push_back(entry.points.count());
    EXPECT_EQ(drawn, (std::vector<std::int64_t>{96, 24, 230}));

    Message e12 = on("2026-06-21", reversal(bookshop, "E12", "E4"));
    e12.purchase = Purchase{.amount_minor = 20'000, .currency = "EUR"};
    const Outcome returned = house.send(e12);
    EXPECT_EQ(returned.record.points, Points{200});
    EXPECT_EQ(returned.record.balance, (Balance{.pending = Points{300}, .debt = Points{180}}));
    ASSERT_TRUE(house.ledger->advance_clock(*parse_time("2026-06-22T00:00:00Z")));
    EXPECT_EQ(house.balance("M2"), (Balance{.available = Points{120}})); // E12b

    Message e13 = bought(fuel, "E13", "M3", 4'000);
    e13.occurred_at = *parse_time("2026-05-30T10:00:00Z");
    ASSERT_TRUE(house.ledger->advance_clock(*parse_time("2026-06-25T10:00:00Z")));
    const Outcome late = house.send(e13);
    EXPECT_EQ(late.record.entries[0].lot.expires_on, *parse_day("2028-05-31"));
    EXPECT_EQ(late.record.entries[0].lot.tariff, second_block);
    Message donation = on("2026-06-28", redemption(bookshop, "E14", "M1", 100));
    donation.type = MessageType::donation;
    donation.charity = "charity";
    EXPECT_EQ(house.send(donation).record.balance, (Balance{.available = Points{684}}));
    ASSERT_TRUE(house.ledger->advance_clock(*parse_time("2026-06-30T22:00:00Z"))); // E15

    expect_closed();
}

TEST_F(June, AReturnBeforeMaturityMakesNoDebt)
{
    house.send(on("2026-06-05", bought(bookshop, "E4", "M2", 25'000)));
    Message e12 = on("2026-06-06", reversal(bookshop, "E12", "E4"));
    e12.purchase = Purchase{.amount_minor = 20'000, .currency = "EUR"};
    EXPECT_EQ(house.send(e12).record.balance, (Balance{.pending = Points{50}}));
    EXPECT_EQ(house.verify().fault, "");
}

// A return goes to the funders in reverse order, each for its own part, spent or not.
TEST_F(June, AReturnOfJointPointsIsOwedByPart)
{
    Message e3 = on("2026-06-03", accrual(fuel, "E3", "M2", 120));
    e3.promotion = "double-fuel-june";
    house.send(e3);
    house.send(on("2026-06-04", redemption(bookshop, "r1", "M2", 110))); // 96 and 14
    Message part = on("2026-06-05", reversal(fuel, "v1", "E3"));
    part.points = Points{30};
    const Outcome returned = house.send(part);

    std::map<std::pair<EntryKind, TariffVersion>, std::int64_t> points;
    for (const Entry& entry : returned.record.entries) {
        const bool is_debt = entry.kind == EntryKind::debt_incurred;
        points[{entry.kind, is_debt ? entry.debt.tariff : entry.lot.tariff}] +=
            entry.points.count();
    }
    EXPECT_EQ((points[{EntryKind::clawed_back, TariffVersion{1}}]), 10);
    EXPECT_EQ((points[{EntryKind::debt_incurred, TariffVersion{1}}]), 14);
    EXPECT_EQ((points[{EntryKind::debt_incurred, second_block}]), 6);
    EXPECT_EQ(returned.record.balance, (Balance{.debt = Points{20}}));
    const Outcome rest = house.send(on("2026-06-06", reversal(fuel, "v2", "E3")));
    EXPECT_EQ(rest.record.balance, (Balance{.debt = Points{110}}));
    EXPECT_EQ(house.verify().fault, "");
}

/// A month for each order: `June` is made anew.
struct JuneInAnyOrder : June {
    void TestBody() override {}
};

TEST(JuneOrders, EveryOrderThatRespectsCauseClosesToTheSameBooks)
{
    for (std::uint64_t seed = 1; seed <= 1'000 && !testing::Test::HasFailure(); ++seed) {
        std::mt19937_64 random{seed};
        JuneInAnyOrder june;
        std::string events;
        Sequence hold;
        for (const Step& step : june_in_any_order(random)) {
            events.append(step.event).push_back(' ');
            ASSERT_NO_FATAL_FAILURE(play(june.house, step, hold))
                << "seed " << seed << ": " << events;
        }
        ASSERT_TRUE(june.house.ledger->advance_clock(*parse_time("2026-06-30T22:00:00Z"))); // E15
        SCOPED_TRACE(testing::Message() << "seed " << seed << ": " << events);
        june.expect_closed();
    }
}

} // namespace
} // namespace pointhouse::ledger::test
