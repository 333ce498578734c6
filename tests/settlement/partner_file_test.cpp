#include "settlement/partner_file.hpp"

#include <fmt/format.h>
#include <random>
#include <sstream>

#include <gtest/gtest.h>

namespace pointhouse::settlement {
namespace {

using ledger::MessageType;

ledger::Time at(std::string_view text)
{
    return ledger::parse_time(text).value();
}

ledger::Day day(std::string_view text)
{
    return ledger::parse_day(text).value();
}

const FileHeader june{
    .author = FileAuthor::partner,
    .partner = "GRO",
    .period = {.window = {2026, 6}, .day = {}},
    .currency = "EUR"};

std::vector<ReconciliationRow> sample()
{
    return {
        {.message_id = "till-7:2",
         .type = MessageType::capture,
         .occurred_at = at("2026-06-10T10:00:00Z"),
         .booked_on = day("2026-06-10"),
         .points = 500},
        {.message_id = "till-7:1",
         .type = MessageType::accrual,
         .member = "card+1@home",
         .occurred_at = at("2026-06-02T10:00:00Z"),
         .booked_on = day("2026-06-02"),
         .points = 84,
         .amount_minor = 8450}};
}

std::string replaced(std::string text, std::string_view what, std::string_view with)
{
    const auto place = text.find(what);
    EXPECT_NE(place, std::string::npos) << what;
    return text.replace(place, what.size(), with);
}

FileFault fault_of(std::string_view text)
{
    const auto file = parse_partner_file(text);
    EXPECT_FALSE(file.has_value()) << text;
    return file ? FileFault{} : file.error();
}

TEST(PartnerFile, IsSortedByDayAndSaysWhatItSumsTo)
{
    EXPECT_EQ(
        partner_file(june, sample()),
        "H,pointhouse-reconciliation,1,partner,GRO,2026-06,,EUR\n"
        "D,till-7:1,accrual,card+1@home,2026-06-02T10:00:00Z,2026-06-02,84,8450\n"
        "D,till-7:2,capture,,2026-06-10T10:00:00Z,2026-06-10,500,0\n"
        // printf 'D,…\nD,…\n' | sha256sum
        "T,2,584,8450,8308d10be04da7006ba79730e469cef90414c0e202c2dfdddc0d825460ee470b\n");
}

TEST(PartnerFile, IsReadBackAsItWasWritten)
{
    const auto file = parse_partner_file(partner_file(june, sample()));
    ASSERT_TRUE(file.has_value());
    EXPECT_EQ(file->header, june);
    ASSERT_EQ(file->rows.size(), 2U);
    auto first = sample()[1];
    first.line = 2;
    EXPECT_EQ(file->rows[0], first);
    EXPECT_EQ(file->totals.count, 2);
    EXPECT_EQ(file->totals.points, 584);
    EXPECT_EQ(file->totals.amount_minor, 8450);
}

TEST(PartnerFile, TakesTheLineEndsOfOtherMachinesAndNoLastOne)
{
    std::string text = partner_file(june, sample());
    text.pop_back();
    ASSERT_TRUE(parse_partner_file(text).has_value());
    std::string other;
    for (const char letter : text) other += letter == '\n' ? "\r\n" : std::string{letter};
    EXPECT_TRUE(parse_partner_file(other).has_value());
}

TEST(PartnerFile, OfNothingIsAnException)
{
    EXPECT_EQ(fault_of("").line, 0U);
    const auto fault = fault_of(partner_file(june, {}));
    EXPECT_EQ(fault.line, 2U);
    EXPECT_EQ(fault.field, "count");
}

TEST(PartnerFile, NamesLineAndFieldOfWhatItDoesNotTake)
{
    struct Case {
        std::string_view what, with;
        std::size_t line;
        std::string_view field;
    };
    const std::vector<Case> cases{
        {"H,", "D,", 1, "record"},
        {"-reconciliation", "", 1, "format"},
        {",1,partner", ",2,partner", 1, "version"},
        {",partner", ",shop", 1, "author"},
        {"GRO", "", 1, "partner"},
        {"2026-06,,", "2026-13,,", 1, "window"},
        {"2026-06,,", "2026-06,2026-06-31,", 1, "day"},
        {"2026-06,,", "2026-06,2026-07-01,", 1, "day"},
        {"EUR", "eur", 1, "currency"},
        {"EUR", "EUR,", 1, ""},
        {"H,pointhouse", "\xEF\xBB\xBFH,pointhouse", 1, ""},
        {"D,till-7:1", "d,till-7:1", 2, "record"},
        {"till-7:1", "", 2, "message_id"},
        {"till-7:1", "till/7", 2, "message_id"},
        {"till-7:1",
         "0123456789012345678901234567890123456789012345678901234567890123x",
         2,
         "message_id"},
        {",accrual", ",enrolment", 2, "type"},
        {",accrual", ",Accrual", 2, "type"},
        {"card+1@home", "", 2, "member"},
        {"card+1@home", "card 1", 2, ""},
        {"card+1@home", "\"card1\"", 2, ""},
        {"card+1@home", "card#1", 2, "member"},
        {"2026-06-02T10:00:00Z", "2026-06-02", 2, "occurred_at"},
        {",2026-06-02,", ",2026-06-00,", 2, "booked_on"},
        {",84,", ",084,", 2, "points"},
        {",84,", ",+84,", 2, "points"},
        {",84,", ",-84,", 2, "points"},
        {",84,", ",84.0,", 2, "points"},
        {",84,", ",1000000001,", 2, "points"},
        {",84,", ",,", 2, "points"},
        {"8450\nD", "99999999999999999999\nD", 2, "amount_minor"},
        {"8450\nD", "1000000000001\nD", 2, "amount_minor"},
        {"8450\nD", "8450,x\nD", 2, ""},
        {",84,", ",85,", 4, "points"},
        {"8450\nD", "8451\nD", 4, "amount_minor"},
        {"card+1", "card+2", 4, "sha256"},
        {"T,2", "T,3", 4, "count"},
        {"T,2", "T,x", 4, "count"},
        {"T,2,584", "T,2", 4, ""},
        {"\nT,", "\nX,", 4, "record"},
        {"T,2,584,8450", "T,2,585,8450", 4, "points"},
        {"T,2,584,8450", "T,2,584,8449", 4, "amount_minor"},
        {"T,2,584,8450,", "T,2,584,8450,0", 4, "sha256"}};
    const std::string text = partner_file(june, sample());
    for (const auto& each : cases) {
        const auto fault = fault_of(replaced(text, each.what, each.with));
        EXPECT_EQ(fault.line, each.line) << each.what << " -> " << each.with;
        EXPECT_EQ(fault.field, each.field) << each.what << " -> " << each.with;
        EXPECT_FALSE(fault.reason.empty());
    }
    EXPECT_EQ(fault_of(text + "D,\n").line, 5U);
    EXPECT_EQ(fault_of(text.substr(0, text.find("T,"))).field, "record");
    EXPECT_EQ(fault_of(text.substr(0, text.find("T,"))).line, 4U);
    EXPECT_EQ(fault_of("H\n").line, 1U);
    EXPECT_EQ(fault_of(std::string(100'000, 'x')).line, 1U);
}

TEST(PartnerFile, ADayIsOneOfItsWindow)
{
    auto header = june;
    header.period.day = day("2026-06-02");
    const auto file = parse_partner_file(partner_file(header, sample()));
    ASSERT_TRUE(file.has_value());
    EXPECT_EQ(file->header, header);
}

// One changed byte never goes unnoticed, but for those that no reader needs to tell apart.
TEST(PartnerFile, NoChangedByteOfADetailPasses)
{
    const std::string text = partner_file(june, sample());
    const auto first = text.find("D,");
    const auto last = text.find("T,");
    for (std::size_t place = first; place < last; ++place) {
        for (const char letter : {'0', '9', 'a', ',', '\n', ' ', '\0', '\x80'}) {
            if (text[place] == letter) continue;
            std::string changed = text;
            changed[place] = letter;
            EXPECT_FALSE(parse_partner_file(changed).has_value()) << place << " " << letter;
        }
    }
    for (std::size_t bytes = 0; bytes < text.size() - 1; ++bytes)
        EXPECT_FALSE(parse_partner_file(text.substr(0, bytes)).has_value()) << bytes;
}

} // namespace
} // namespace pointhouse::settlement
