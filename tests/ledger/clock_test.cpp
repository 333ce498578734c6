#include <array>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "ledger/block.hpp"
#include "ledger_house.hpp"

namespace pointhouse::ledger::test {
namespace {

using namespace std::chrono_literals;

// R18: a clock that steps forward and back, around changes of the hour, a leap day and the ends of
// months. The sequence and the house's time never go back, and nothing expires twice.
struct ClockSteps : testing::TestWithParam<int> {
    static constexpr std::array zones{
        "UTC", "Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe"};
    static constexpr std::array starts{
        "2024-02-28T10:00:00Z",
        "2026-03-28T22:00:00Z",
        "2026-10-24T22:00:00Z",
        "2026-12-31T08:00:00Z",
        "2026-04-04T12:00:00Z"};

    void step_clock()
    {
        const auto minutes = [&](std::uint64_t most) {
            return std::chrono::minutes{random() % most};
        };
        if (random() % 4 == 0)
            house.clock.time -= minutes(36 * 60);
        else
            house.clock.time += minutes(30 * 60);
    }

    /// Every record in the order of the journal.
    void for_each_record(const std::function<void(const Record&, Month)>& visit)
    {
        const auto reader = house.journal->open_reader();
        Record record;
        reader->for_each_block(Sequence{1}, [&](const JournalReader::BlockRow& row) {
            const auto block = BlockView::parse(row.bytes, BlockView::Check::hash);
            for (std::uint32_t index = 0; index < block->count(); ++index) {
                EXPECT_TRUE(block->read(index, record));
                visit(record, block->header().window);
            }
            return true;
        });
    }

    LedgerHouse house;
    std::mt19937_64 random{static_cast<std::uint64_t>(GetParam())};
};

TEST_P(ClockSteps, NeitherRepeatNorReorderAnything)
{
    const std::string zone = zones.at(static_cast<std::size_t>(GetParam()) % zones.size());
    house.terms->calendar = std::make_shared<const Calendar>(zone);
    for (Tariff& tariff : house.terms->tariffs) {
        tariff.expiry = ExpiryPolicy{.months = 0, .at_month_end = GetParam() % 2 == 0};
        tariff.pending_days = GetParam() % 3 == 0 ? 1 : 0;
    }
    house.clock.time = *parse_time(starts.at(static_cast<std::size_t>(GetParam()) % starts.size()));
    std::int64_t earned = 0;
    std::deque<std::string> ids;
    for (int step = 0; step < 80; ++step) {
        step_clock();
        Message message = accrual(fuel, ids.emplace_back("a" + std::to_string(step)), "anna", 10);
        message.occurred_at = house.clock.time;
        const Outcome outcome = house.send(message);
        ASSERT_EQ(outcome.disposition, Disposition::decided);
        if (!outcome.record.refusal) earned += 10;
        if (step % 20 == 19) {
            house.close(false);
            house.open();
        }
    }
    house.clock.time += std::chrono::days{70};
    house.ledger->mark_windows();

    Sequence last;
    Time house_time{};
    std::map<LotKey, std::int64_t> left;
    std::int64_t expired = 0;
    for_each_record([&](const Record& record, Month window) {
        EXPECT_EQ(record.sequence.value(), last.value() + 1);
        last = record.sequence;
        if (record.type == MessageType::accrual) {
            EXPECT_GE(record.posted_at, house_time);
            house_time = record.posted_at;
        }
        if (!is_house_step(record.type))
            EXPECT_EQ(house.terms->calendar->month_of(record.posted_at), window);
        for (const Entry& entry : record.entries) {
            if (entry.kind == EntryKind::issued) left[entry.lot.key] += entry.points.count();
            if (entry.kind != EntryKind::expired) continue;
            left[entry.lot.key] -= entry.points.count();
            expired += entry.points.count();
            EXPECT_GE(left[entry.lot.key], 0) << "expired twice";
        }
    });
    EXPECT_GT(earned, 0);
    EXPECT_EQ(expired, earned);
    EXPECT_EQ(house.balance("anna"), Balance{});
    EXPECT_EQ(house.verify().fault, "");
}

INSTANTIATE_TEST_SUITE_P(Seeds, ClockSteps, testing::Range(1, 21));

// Found by simulation: decided again without its `pending_until` it came out as pending.
TEST(Clock, PointsThatWaitUntilATimeGoneByAreDecidedAgainAsTheyWere)
{
    LedgerHouse house;
    house.terms->tariffs[0].pending_days = 14;
    Message message = accrual(grocer, "a1", "anna", 10);
    message.pending_until = message.occurred_at - 24h;

    EXPECT_EQ(house.send(message).record.balance, (Balance{.available = Points{10}}));
    EXPECT_EQ(house.verify().fault, "");
}

// Found by simulation: what had come to its end unposted was quoted as a debt.
TEST(Clock, AQuotedReturnOfPointsThatHaveJustExpiredIsWhatIsBooked)
{
    LedgerHouse house;
    house.terms->tariffs[1].expiry = ExpiryPolicy{.months = 0, .at_month_end = true};
    house.send(accrual(fuel, "a1", "anna", 100));
    house.clock.time += std::chrono::days{40};
    Message returned = reversal(fuel, "v1", "a1");
    returned.occurred_at = house.clock.time;

    Outcome quoted;
    house.ledger->quote(returned, quoted);
    const Outcome booked = house.send(returned);

    EXPECT_EQ(booked.record.balance, Balance{});
    EXPECT_EQ(quoted.record.balance, booked.record.balance);
}

} // namespace
} // namespace pointhouse::ledger::test
