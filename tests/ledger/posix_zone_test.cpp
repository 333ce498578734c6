#include "posix_zone.hpp"

#include <string>

#include <gtest/gtest.h>

namespace pointhouse::ledger {
namespace {

Time at(const char* text)
{
    return parse_time(text).value();
}

Day day(const char* text)
{
    return parse_day(text).value();
}

TEST(PosixZone, ReadsTheRulesThatZonesEndIn)
{
    for (const char* rule :
         {"UTC0",
          "CET-1CEST,M3.5.0,M10.5.0/3",
          "EST5EDT,M3.2.0,M11.1.0",
          "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
          "IST-1GMT0,M10.5.0,M3.5.0/1",
          "EET-2EEST,M3.4.4/50,M10.4.4/50",
          "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
          "<+01>-1",
          "NZST-12NZDT,M9.5.0,M4.1.0/3",
          "XXX0YYY,J60/0,J300/24",
          "XXX0YYY,59/0:30:15,365/0"})
        EXPECT_TRUE(PosixZone::parse(rule)) << rule;
    EXPECT_FALSE(PosixZone::parse("UTC0")->has_changes());
    EXPECT_TRUE(PosixZone::parse("EST5EDT,M3.2.0,M11.1.0")->has_changes());
}

TEST(PosixZone, ReadsNothingElse)
{
    for (const char* rule :
         {"",
          "CET",
          "C-1",
          "<+>-1",
          "<+01-1",
          "CET-1CEST",
          "CET-1CEST,M3.5.0",
          "CET-1CEST,M13.5.0,M10.5.0",
          "CET-1CEST,M0.5.0,M10.5.0",
          "CET-1CEST,M3.6.0,M10.5.0",
          "CET-1CEST,M3.0.0,M10.5.0",
          "CET-1CEST,M3.5.7,M10.5.0",
          "CET-1CEST,M3.5,M10.5.0",
          "CET-25CEST,M3.5.0,M10.5.0",
          "CET-1:60CEST,M3.5.0,M10.5.0",
          "CET-1CEST,J0,J300",
          "CET-1CEST,J366,J300",
          "CET-1CEST,366,300",
          "CET-1CEST,M3.5.0/168,M10.5.0",
          "CET-1CEST,M3.5.0,M10.5.0/3 ",
          "CET-1CEST,M3.5.0,M10.5.0/3,"})
        EXPECT_FALSE(PosixZone::parse(rule)) << rule;
}

TEST(PosixZone, ChangesClocksWhenTheRuleSays)
{
    const auto berlin = PosixZone::parse("CET-1CEST,M3.5.0,M10.5.0/3").value();
    // The last Sundays of March and October 2040 are the 25th and the 28th.
    EXPECT_EQ(berlin.offset_at(at("2040-03-25T00:59:59.999999Z")), 3'600);
    EXPECT_EQ(berlin.offset_at(at("2040-03-25T01:00:00Z")), 7'200);
    EXPECT_EQ(berlin.offset_at(at("2040-10-28T00:59:59.999999Z")), 7'200);
    EXPECT_EQ(berlin.offset_at(at("2040-10-28T01:00:00Z")), 3'600);
    // Summer in the south goes over the turn of the year.
    const auto auckland = PosixZone::parse("NZST-12NZDT,M9.5.0,M4.1.0/3").value();
    EXPECT_EQ(auckland.offset_at(at("2039-12-31T23:00:00Z")), 13 * 3'600);
    EXPECT_EQ(auckland.offset_at(at("2040-06-15T00:00:00Z")), 12 * 3'600);
    // In Ireland winter time is the exception.
    const auto dublin = PosixZone::parse("IST-1GMT0,M10.5.0,M3.5.0/1").value();
    EXPECT_EQ(dublin.offset_at(at("2040-07-01T00:00:00Z")), 3'600);
    EXPECT_EQ(dublin.offset_at(at("2040-01-01T00:00:00Z")), 0);
}

TEST(PosixZone, BeginsADayAtItsFirstInstant)
{
    const auto berlin = PosixZone::parse("CET-1CEST,M3.5.0,M10.5.0/3").value();
    EXPECT_EQ(format_time(berlin.start_of(day("2040-07-01"))), "2040-06-30T22:00:00Z");
    EXPECT_EQ(format_time(berlin.start_of(day("2040-12-01"))), "2040-11-30T23:00:00Z");
    // Midnight that is skipped, and midnight that comes twice.
    const auto skips = PosixZone::parse("XXX0YYY,M3.5.0/0,M10.5.0/1").value();
    EXPECT_EQ(format_time(skips.start_of(day("2040-03-25"))), "2040-03-25T00:00:00Z");
    EXPECT_EQ(skips.offset_at(at("2040-03-25T00:00:00Z")), 3'600);
    const auto twice = PosixZone::parse("XXX0YYY,M3.5.0/2,M10.5.0/0:30").value();
    EXPECT_EQ(format_time(twice.start_of(day("2040-10-28"))), "2040-10-27T23:00:00Z");
}

TEST(PosixZone, CountsDaysOfTheYearWithAndWithoutTheLeapDay)
{
    const auto without = PosixZone::parse("XXX0YYY,J60/0,J300/0").value();
    EXPECT_EQ(without.offset_at(at("2040-02-29T23:59:59Z")), 0) << "J60 is 1 March";
    EXPECT_EQ(without.offset_at(at("2040-03-01T00:00:00Z")), 3'600);
    EXPECT_EQ(without.offset_at(at("2041-03-01T00:00:00Z")), 3'600);
    const auto with = PosixZone::parse("XXX0YYY,59/0,300/0").value();
    EXPECT_EQ(with.offset_at(at("2040-02-29T00:00:00Z")), 3'600) << "59 is 29 February";
    EXPECT_EQ(with.offset_at(at("2041-02-28T23:59:59Z")), 0);
    EXPECT_EQ(with.offset_at(at("2041-03-01T00:00:00Z")), 3'600);
}

TEST(Calendar, GoesOnWhereTheListOfChangesEnds)
{
    const Calendar berlin{"Europe/Berlin"};
    EXPECT_EQ(format_time(berlin.start_of(Month{2026, 7})), "2026-06-30T22:00:00Z");
    EXPECT_EQ(format_time(berlin.start_of(Month{2037, 7})), "2037-06-30T22:00:00Z");
    EXPECT_EQ(format_time(berlin.start_of(Month{2037, 12})), "2037-11-30T23:00:00Z");
    EXPECT_EQ(format_time(berlin.start_of(Month{2038, 7})), "2038-06-30T22:00:00Z");
    EXPECT_EQ(format_time(berlin.start_of(Month{2040, 7})), "2040-06-30T22:00:00Z");
    EXPECT_EQ(format_time(berlin.start_of(Month{2199, 7})), "2199-06-30T22:00:00Z");
    EXPECT_EQ(berlin.month_of(at("2040-06-30T21:59:59.999999Z")), (Month{2040, 6}));
    EXPECT_EQ(berlin.month_of(at("2040-06-30T22:00:00Z")), (Month{2040, 7}));
    for (Day each = day("2037-09-01"); each < day("2039-01-01"); ++each) {
        EXPECT_EQ(berlin.day_of(berlin.start_of(each)), each);
        EXPECT_EQ(berlin.day_of(berlin.start_of(each) - std::chrono::microseconds{1}), each - 1);
    }
}

} // namespace
} // namespace pointhouse::ledger
