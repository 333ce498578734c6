#include <string>

#include <boost/json.hpp>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "answers.hpp"
#include "pointhouse/v1/answers.pb.h"
#include "wire_house.hpp"

namespace pointhouse::gateway {
namespace {

using namespace ledger;

Provenance lot(std::uint64_t origin, std::uint32_t issuer, Day expires_on = never)
{
    return {
        .key = {.origin = Sequence{origin}, .position = 0},
        .activity = *parse_time("2026-06-01T10:00:00Z"),
        .expires_on = expires_on,
        .tariff = TariffVersion{issuer}};
}

Entry entry(EntryKind kind, std::int64_t points, const Provenance& of)
{
    Entry made;
    made.kind = kind;
    made.points = ledger::Points{points};
    made.lot = of;
    return made;
}

Record record(MessageType type, std::int64_t points)
{
    Record made;
    made.sequence = Sequence{1001};
    made.type = type;
    made.partner = grocer;
    made.message_id = "till-4:000117";
    made.member = MemberNumber{7};
    made.occurred_at = *parse_time("2026-06-02T10:00:00Z");
    made.posted_at = *parse_time("2026-06-02T10:00:01Z");
    made.points = ledger::Points{points};
    return made;
}

Balance balance(std::int64_t available, std::int64_t debt = 0)
{
    Balance made;
    made.available = ledger::Points{available};
    made.debt = ledger::Points{debt};
    return made;
}

Record accrual_record()
{
    Record made = record(MessageType::accrual, 84);
    made.entries = {entry(EntryKind::issued, 84, lot(1001, 1, *parse_day("2028-06-30")))};
    made.balance = balance(1084);
    return made;
}

Record redemption_record(MessageType type = MessageType::redemption)
{
    const auto kind = type == MessageType::redemption ? EntryKind::redeemed : EntryKind::donated;
    Record made = record(type, 350);
    made.entries = {
        entry(kind, 96, lot(3, 2)), entry(kind, 24, lot(4, 1)), entry(kind, 230, lot(5, 2))};
    made.counterparty = type == MessageType::donation ? charity : PartnerId{};
    made.balance = balance(20);
    return made;
}

Record refund_record()
{
    Record made = record(MessageType::reversal, 200);
    made.entries = {
        entry(EntryKind::refunded, 150, lot(5, 2)),
        entry(EntryKind::refunded, 50, lot(4, 1)),
        entry(EntryKind::recovered, 30, lot(5, 2))}; // an older debt, not of this message
    made.balance = balance(170);
    return made;
}

// 200 back: 20 in the lot, 50 out of another brand's, 130 owed.
Record clawback_record(MessageType type)
{
    Record made = record(type, 200);
    Entry debt;
    debt.kind = EntryKind::debt_incurred;
    debt.points = ledger::Points{180};
    debt.debt.tariff = TariffVersion{1};
    made.entries = {
        entry(EntryKind::clawed_back, 20, lot(4, 1)),
        debt,
        entry(EntryKind::recovered, 50, lot(5, 2))};
    made.balance = balance(0, 130);
    return made;
}

class AnswersTest : public testing::Test {
protected:
    AnswersTest() { answers_.use(*terms_); }

    std::string json(const Record& of, Reader reader, std::string_view member = "card-1")
    {
        std::string text;
        answers_.append_json(text, {of, member, reader});
        EXPECT_NO_THROW(boost::json::parse(text)) << text;
        return text;
    }

    void expect_golden(const std::string& name, const Record& of, Reader reader)
    {
        const std::string text = json(of, reader);
        EXPECT_EQ(text, golden(name + ".json", text));

        Verdict verdict;
        verdict.record = &of;
        v1::Result result;
        answers_.fill_item(result, {verdict, of.message_id, "card-1", reader});
        std::string printed;
        google::protobuf::TextFormat::PrintToString(result, &printed);
        printed.pop_back();
        EXPECT_EQ(printed, golden(name + ".textproto", printed));
    }

    std::shared_ptr<const Terms> terms_ = wire_terms();
    OpaqueIds ids_{wire_key()};
    Answers answers_{ids_};
};

TEST_F(AnswersTest, AreAsTheGoldenFilesSay)
{
    expect_golden("accrual", accrual_record(), {grocer});
    Record nothing = record(MessageType::accrual, 0);
    expect_golden("accrual_of_nothing", nothing, {grocer});
    expect_golden("redemption", redemption_record(), {grocer});
    expect_golden("redemption_seen_by_operator", redemption_record(), {});
    expect_golden("donation", redemption_record(MessageType::donation), {grocer});
    expect_golden("reversal_of_redemption", refund_record(), {grocer});
    expect_golden("reversal_of_accrual", clawback_record(MessageType::reversal), {grocer});
    expect_golden("clawback", clawback_record(MessageType::clawback), {grocer});
    expect_golden("enrolment", record(MessageType::enrolment, 0), {grocer});
}

TEST_F(AnswersTest, SumTheLotsOfOthersIntoOneRow)
{
    const auto drawn = [&](Reader reader) {
        return boost::json::parse(json(redemption_record(), reader)).at("drawn").as_array();
    };
    const auto of_grocer = drawn({grocer});
    ASSERT_EQ(of_grocer.size(), 2U);
    EXPECT_EQ(of_grocer[0].at("issuer"), "GRO");
    EXPECT_EQ(of_grocer[0].at("points"), 24);
    EXPECT_EQ(of_grocer[1], boost::json::parse(R"({"issuer":"others","points":326})"));

    Record granted = accrual_record();
    granted.entries.push_back(entry(EntryKind::issued, 24, lot(1001, 2)));
    const auto lots = boost::json::parse(json(granted, {grocer})).at("lots").as_array();
    ASSERT_EQ(lots.size(), 2U);
    EXPECT_EQ(lots[0].at("expires_on"), "2028-06-30");
    EXPECT_EQ(lots[1], boost::json::parse(R"({"issuer":"others","points":24})"));

    const auto of_charity = drawn({charity});
    ASSERT_EQ(of_charity.size(), 1U);
    EXPECT_EQ(of_charity[0], boost::json::parse(R"({"issuer":"others","points":350})"));

    const auto of_operator = drawn({});
    ASSERT_EQ(of_operator.size(), 3U);
    EXPECT_EQ(of_operator[0].at("issuer"), "BOE");
    // The same lot has another id for each who sees it.
    EXPECT_NE(of_operator[1].at("lot"), of_grocer[0].at("lot"));
    EXPECT_EQ(json(redemption_record(), {grocer}).find("BOE"), std::string::npos);
}

TEST_F(AnswersTest, OfAClawbackAddUpToItsPoints)
{
    for (const auto type : {MessageType::reversal, MessageType::clawback}) {
        const auto answer = boost::json::parse(json(clawback_record(type), {grocer}));
        std::int64_t sum = answer.at("debt").as_int64();
        for (const auto& row : answer.at("clawed_back").as_array())
            sum += row.at("points").as_int64();
        EXPECT_EQ(sum, answer.at("points").as_int64());
        EXPECT_EQ(answer.at("debt"), 130);
        EXPECT_FALSE(answer.as_object().contains("restored"));
    }
}

TEST_F(AnswersTest, OfARefundListWhatWasRestoredAlone)
{
    const auto answer = boost::json::parse(json(refund_record(), {grocer}));
    EXPECT_EQ(answer.at("debt"), 0);
    EXPECT_EQ(answer.at("restored").as_array().size(), 2U);
    EXPECT_FALSE(answer.as_object().contains("clawed_back"));
}

TEST_F(AnswersTest, FollowTheCalendarOfTheHouse)
{
    Terms amsterdam = *terms_;
    amsterdam.calendar = std::make_shared<Calendar>("Europe/Amsterdam");
    Answers answers{ids_};
    answers.use(amsterdam);
    for (const auto& [time, day] :
         {std::pair{"2026-06-02T21:59:59.999999Z", "2026-06-02"},
          std::pair{"2026-06-02T22:00:00Z", "2026-06-03"},
          std::pair{"2026-06-02T21:00:00Z", "2026-06-02"},
          std::pair{"2026-03-28T23:00:00Z", "2026-03-29"},
          std::pair{"2026-03-29T21:59:00Z", "2026-03-29"},
          std::pair{"2026-03-29T22:00:00Z", "2026-03-30"}}) {
        Record made = accrual_record();
        made.occurred_at = *parse_time(time);
        std::string text;
        answers.append_json(text, {made, "card-1", {grocer}});
        EXPECT_EQ(boost::json::parse(text).at("lots").at(0).at("available_from"), day) << time;
    }
}

TEST_F(AnswersTest, HandleMoreLotsThanTheCipherTakesAtOnce)
{
    Record made = record(MessageType::redemption, 1000);
    for (std::uint64_t origin = 1; origin <= 1000; ++origin)
        made.entries.push_back(entry(EntryKind::redeemed, 1, lot(origin, 1)));
    const auto answer = boost::json::parse(json(made, {grocer}));
    const auto& drawn = answer.at("drawn").as_array();
    ASSERT_EQ(drawn.size(), 1000U);
    for (std::uint64_t origin = 1; origin <= 1000; ++origin) {
        const auto text = std::string{drawn[origin - 1].at("lot").as_string()};
        const auto subject = ids_.decode(text, OpaqueKind::lot, grocer);
        ASSERT_TRUE(subject);
        EXPECT_EQ(subject->sequence, Sequence{origin});
    }
}

TEST_F(AnswersTest, ValuePointsAtTheFaceValue)
{
    const auto answer = boost::json::parse(json(redemption_record(), {grocer}));
    EXPECT_EQ(answer.at("value"), boost::json::parse(R"({"amount_minor":350,"currency":"EUR"})"));
}

TEST(Verdicts, SayWhatTheLedgerDecided)
{
    Outcome outcome;
    outcome.disposition = Disposition::decided;
    EXPECT_EQ(verdict_of(outcome).status, 201);
    EXPECT_FALSE(verdict_of(outcome).replayed);
    outcome.disposition = Disposition::replayed;
    EXPECT_TRUE(verdict_of(outcome).replayed);

    outcome.record.refusal = Refusal::insufficient_points;
    outcome.record.balance = balance(370);
    EXPECT_EQ(verdict_of(outcome).status, 422);
    EXPECT_TRUE(verdict_of(outcome).replayed);
    EXPECT_EQ(verdict_of(outcome).detail, "points: 370 are available");

    outcome.disposition = Disposition::unavailable;
    EXPECT_EQ(verdict_of(outcome).code, "overloaded");
    EXPECT_EQ(verdict_of(outcome).status, 503);
    EXPECT_FALSE(verdict_of(outcome).replayed);

    for (int number = 1; number <= static_cast<int>(last_refusal); ++number) {
        const auto refusal = static_cast<Refusal>(number);
        Outcome refused;
        refused.disposition = Disposition::refused;
        refused.refusal = refusal;
        EXPECT_EQ(verdict_of(refused).code, code_of(refusal));
        Outcome frozen;
        frozen.disposition = Disposition::decided;
        frozen.record.refusal = refusal;
        EXPECT_EQ(verdict_of(frozen).code, code_of(refusal));
        EXPECT_FALSE(verdict_of(frozen).detail.empty());
    }
}

} // namespace
} // namespace pointhouse::gateway
