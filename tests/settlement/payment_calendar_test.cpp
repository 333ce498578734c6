#include "settlement/payment_calendar.hpp"

#include <algorithm>
#include <random>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace pointhouse::settlement {
namespace {

using ledger::Day;
using ledger::format_day;
using ledger::Month;

Day day(std::string_view text)
{
    return ledger::parse_day(text).value();
}

/// 0 is Monday: 1970-01-01 was a Thursday.
int weekday_of(Day of)
{
    return (of + 3) % 7;
}

TEST(EasterSunday, IsThatOfTheAlmanacs)
{
    // From the tables of the Book of Common Prayer and the U.S. Census Bureau; with both extremes.
    for (const auto* const text :
         {"1970-03-29",
          "1999-04-04",
          "2000-04-23",
          "2008-03-23",
          "2011-04-24",
          "2019-04-21",
          "2023-04-09",
          "2024-03-31",
          "2025-04-20",
          "2026-04-05",
          "2027-03-28",
          "2028-04-16",
          "2029-04-01",
          "2030-04-21",
          "2031-04-13",
          "2038-04-25",
          "2160-03-23"})
        EXPECT_EQ(format_day(easter_sunday(std::stoi(std::string{text}.substr(0, 4)))), text);
}

/// The definition, told another way: the Sunday after the paschal full moon of the Gregorian lunar
/// calendar (Clavius), which a table of epacts gives.
Day easter_by_epacts(std::int32_t year)
{
    const std::int32_t century = year / 100 + 1;
    const std::int32_t golden = year % 19 + 1;
    const std::int32_t solar = 3 * century / 4 - 12;
    const std::int32_t lunar = (8 * century + 5) / 25 - 5;
    std::int32_t epact = (11 * golden + 20 + lunar - solar) % 30;
    if (epact < 0) epact += 30;
    if ((epact == 25 && golden > 11) || epact == 24) ++epact;
    std::int32_t full_moon = 44 - epact; // of March
    if (full_moon < 21) full_moon += 30;
    Day moon = day(std::to_string(year) + "-03-01") + full_moon - 1;
    do ++moon;
    while (weekday_of(moon) != 6);
    return moon;
}

TEST(EasterSunday, AgreesWithTheTablesOfEpacts)
{
    for (std::int32_t year = 1970; year < 2200; ++year)
        EXPECT_EQ(easter_sunday(year), easter_by_epacts(year)) << year;
}

TEST(BusinessDays, AreThoseOfT2)
{
    // ECB, T2 closing days 2026.
    const std::vector<std::string> closed{
        "2026-01-01", "2026-04-03", "2026-04-06", "2026-05-01", "2026-12-25", "2026-12-26"};
    std::vector<std::string> found;
    for (const Day each : closing_days(2026)) found.push_back(format_day(each));
    EXPECT_EQ(found, closed);

    int open = 0;
    for (Day each = day("2026-01-01"); each <= day("2026-12-31"); ++each) {
        open += is_business_day(each) ? 1 : 0;
        if (weekday_of(each) >= 5) {
            EXPECT_FALSE(is_business_day(each)) << format_day(each);
        }
    }
    // 261 days from Monday to Friday, five of the six closing days among them.
    EXPECT_EQ(open, 256);
    EXPECT_TRUE(is_business_day(day("2026-05-14"))) << "Ascension Day is no closing day";
    EXPECT_TRUE(is_business_day(day("2026-12-28")));
}

TEST(Rolling, GoesToTheNextDayOrStaysInTheMonth)
{
    struct Row {
        const char* from;
        const char* following;
        const char* modified;
        const char* preceding;
    };
    for (const Row& row : std::vector<Row>{
             {"2026-07-14", "2026-07-14", "2026-07-14", "2026-07-14"},
             {"2026-02-14", "2026-02-16", "2026-02-16", "2026-02-13"}, // a Saturday
             {"2026-01-31", "2026-02-02", "2026-01-30", "2026-01-30"}, // the month's last
             {"2026-04-03", "2026-04-07", "2026-04-07", "2026-04-02"}, // Good Friday
             {"2026-05-01", "2026-05-04", "2026-05-04", "2026-04-30"}, // before a weekend
             {"2027-12-25", "2027-12-27", "2027-12-27", "2027-12-24"}, // Saturday and Sunday
             {"2027-01-01", "2027-01-04", "2027-01-04", "2026-12-31"}}) {
        EXPECT_EQ(format_day(rolled(day(row.from), Roll::following)), row.following);
        EXPECT_EQ(format_day(rolled(day(row.from), Roll::modified_following)), row.modified);
        EXPECT_EQ(format_day(rolled(day(row.from), Roll::preceding)), row.preceding);
    }
}

TEST(WindowDates, AreThoseOfATableMadeByHand)
{
    struct Row {
        Month window;
        const char* last;
        const char* billing_on;
        const char* due_on;
    };
    for (const Row& row : std::vector<Row>{
             {{2026, 1}, "2026-01-31", "2026-02-02", "2026-02-16"},
             {{2026, 2}, "2026-02-28", "2026-03-02", "2026-03-16"},
             {{2026, 3}, "2026-03-31", "2026-04-01", "2026-04-14"},
             {{2026, 4}, "2026-04-30", "2026-05-04", "2026-05-14"},
             {{2026, 5}, "2026-05-31", "2026-06-01", "2026-06-15"},
             {{2026, 6}, "2026-06-30", "2026-07-01", "2026-07-14"},
             {{2026, 7}, "2026-07-31", "2026-08-03", "2026-08-14"},
             {{2026, 8}, "2026-08-31", "2026-09-01", "2026-09-14"},
             {{2026, 9}, "2026-09-30", "2026-10-01", "2026-10-14"},
             {{2026, 10}, "2026-10-31", "2026-11-02", "2026-11-16"},
             {{2026, 11}, "2026-11-30", "2026-12-01", "2026-12-14"},
             {{2026, 12}, "2026-12-31", "2027-01-04", "2027-01-14"},
             {{2028, 2}, "2028-02-29", "2028-03-01", "2028-03-14"}}) {
        const auto dates = dates_of({}, row.window);
        EXPECT_EQ(format_day(dates.last), row.last);
        EXPECT_EQ(format_day(dates.billing_on), row.billing_on) << row.last;
        EXPECT_EQ(format_day(dates.due_on), row.due_on) << row.last;
        EXPECT_EQ(dates.pay_on, dates.due_on);
    }
}

TEST(WindowDates, ComeOneAfterTheOtherOnBusinessDays)
{
    const std::uint32_t seed = std::random_device{}();
    std::mt19937 random{seed};
    SCOPED_TRACE(seed);
    for (int round = 0; round < 5'000; ++round) {
        CalendarTerms terms{
            .billing_days = static_cast<std::int32_t>(1 + random() % 31),
            .payment_days = static_cast<std::int32_t>(1 + random() % 60),
            .pay_days = static_cast<std::int32_t>(random() % 61),
            .roll = static_cast<Roll>(random() % 3)};
        const Month window{
            static_cast<std::int32_t>(1970 + random() % 220),
            static_cast<std::int32_t>(1 + random() % 12)};
        // Some days on which something of it would be, else.
        const auto free = dates_of(terms, window);
        terms.holidays = {free.billing_on, free.due_on, free.pay_on};
        std::ranges::sort(terms.holidays);
        const auto dates = dates_of(terms, window);
        EXPECT_LT(dates.last, dates.billing_on);
        EXPECT_LE(dates.billing_on, dates.due_on);
        EXPECT_LE(dates.due_on, dates.pay_on);
        for (const Day each : {dates.billing_on, dates.due_on, dates.pay_on}) {
            EXPECT_TRUE(is_business_day(each)) << format_day(each);
            EXPECT_FALSE(std::ranges::binary_search(terms.holidays, each)) << format_day(each);
        }
    }
}

PaymentCalendar with(std::initializer_list<CalendarTerms> versions)
{
    PaymentCalendar calendar;
    for (const auto& terms : versions) {
        const auto entry = calendar.set(terms, std::nullopt);
        if (!entry) throw std::invalid_argument{entry.error().reason};
        calendar.apply(boost::json::parse(entry->content).as_object());
    }
    return calendar;
}

TEST(PaymentCalendar, HasTheTermsThatAWindowBeganUnder)
{
    const CalendarTerms later{
        .from = {2026, 9},
        .billing_days = 3,
        .payment_days = 30,
        .pay_days = 2,
        .objection_days = 21,
        .roll = Roll::preceding};
    const CalendarTerms latest{.from = {2027, 1}, .payment_days = 10};
    const auto calendar = with({later, latest});
    EXPECT_EQ(calendar.terms_of({2026, 8}), CalendarTerms{});
    EXPECT_EQ(calendar.terms_of({2026, 9}), later);
    EXPECT_EQ(calendar.terms_of({2026, 12}), later);
    EXPECT_EQ(calendar.terms_of({2027, 1}), latest);
    EXPECT_EQ(format_day(calendar.dates_of({2026, 9}).due_on), "2026-10-30");
    EXPECT_EQ(format_day(calendar.due_on(day("2026-08-05"))), "2026-08-19");
    EXPECT_EQ(format_day(calendar.due_on(day("2026-10-02"))), "2026-10-30") << "1 November, back";
}

TEST(PaymentCalendar, OfProgramsIsATableMadeByHand)
{
    // Travel pays a month later than groceries, rolls another way and keeps two days of its own;
    // groceries have no calendar, and follow the house's.
    const auto calendar = with(
        {{.from = {2026, 1}, .payment_days = 10, .pay_days = 1},
         {.from = {2026, 3},
          .billing_days = 2,
          .payment_days = 30,
          .pay_days = 2,
          .objection_days = 30,
          .roll = Roll::modified_following,
          .holidays = {day("2026-04-30"), day("2026-07-14")},
          .program = "travel"},
         {.from = {2026, 11}, .payment_days = 31, .roll = Roll::preceding, .program = "travel"}});
    struct Row {
        Month window;
        const char* program;
        const char* billing_on;
        const char* due_on;
        const char* pay_on;
    };
    for (const Row& row : std::vector<Row>{
             {{2026, 1}, "", "2026-02-02", "2026-02-10", "2026-02-11"},
             {{2026, 1}, "travel", "2026-02-02", "2026-02-10", "2026-02-11"}, // not set yet
             {{2026, 2}, "travel", "2026-03-02", "2026-03-10", "2026-03-11"}, // of 28 days
             {{2026, 3}, "", "2026-04-01", "2026-04-10", "2026-04-13"},       // over a weekend
             {{2026, 3}, "grocery", "2026-04-01", "2026-04-10", "2026-04-13"},
             // 30 April is travel's holiday, 1 May everybody's: back to 29 April, then over both.
             {{2026, 3}, "travel", "2026-04-02", "2026-04-29", "2026-05-04"},
             {{2026, 4}, "travel", "2026-05-04", "2026-05-29", "2026-05-29"}, // not into June
             {{2026, 6}, "travel", "2026-07-02", "2026-07-30", "2026-08-03"}, // 1 August on
             {{2026, 10}, "travel", "2026-11-02", "2026-11-30", "2026-12-02"},
             {{2026, 11}, "travel", "2026-12-01", "2026-12-31", "2026-12-31"},
             {{2026, 12}, "travel", "2027-01-04", "2027-01-29", "2027-01-29"}, // a Sunday: back
             {{2026, 12}, "", "2027-01-04", "2027-01-11", "2027-01-12"}}) {
        SCOPED_TRACE(ledger::format_month(row.window) + " " + row.program);
        const auto dates = calendar.dates_of(row.window, row.program);
        EXPECT_EQ(format_day(dates.billing_on), row.billing_on);
        EXPECT_EQ(format_day(dates.due_on), row.due_on);
        EXPECT_EQ(format_day(dates.pay_on), row.pay_on);
    }
    // What is issued out of turn: 14 July is thirty days later, and a holiday of travel's alone.
    EXPECT_EQ(format_day(calendar.due_on(day("2026-06-14"), "travel")), "2026-07-15");
    EXPECT_EQ(format_day(calendar.due_on(day("2026-07-04"), "grocery")), "2026-07-14");
    EXPECT_EQ(calendar.terms_of({2026, 9}, "travel").objection_days, 30);
    EXPECT_EQ(calendar.terms_of({2026, 9}, "grocery").objection_days, 14);
}

TEST(PaymentCalendar, OfOneProgramIsNotInTheWayOfAnothers)
{
    auto calendar = with(
        {{.from = {2026, 9}},
         {.from = {2026, 5}, .payment_days = 20, .program = "travel"},
         {.from = {2026, 4}, .payment_days = 21, .program = "grocery"}});
    EXPECT_FALSE(calendar.set({.from = {2026, 5}, .program = "travel"}, {})) << "travel's again";
    EXPECT_FALSE(calendar.set({.from = {2026, 6}, .program = "travel"}, Month{2026, 6}));
    EXPECT_FALSE(calendar.withdraw({2026, 5}, "a mistake", {})) << "the house has none of May";
    EXPECT_FALSE(calendar.withdraw({2026, 9}, "a mistake", {}, "travel"));
    const auto entry = calendar.withdraw({2026, 5}, "a mistake", {}, "travel").value();
    calendar.apply_withdrawal(boost::json::parse(entry.content).as_object());
    EXPECT_EQ(calendar.terms_of({2026, 7}, "travel").payment_days, 14) << "the house's again";
    EXPECT_EQ(calendar.terms_of({2026, 7}, "grocery").payment_days, 21);
    EXPECT_EQ(calendar.withdrawn().at(0).first.program, "travel");
    EXPECT_TRUE(calendar.set({.from = {2026, 5}, .program = "travel"}, {}));
}

TEST(PaymentCalendar, OfTheHouseIsWrittenAsItAlwaysWas)
{
    EXPECT_EQ(
        PaymentCalendar{}.set({.from = {2026, 9}}, {}).value().content,
        R"({"from":"2026-09","billing_days":1,"payment_days":14,"pay_days":0,)"
        R"("objection_days":14,"roll":"following"})");
    CalendarTerms terms{.from = {2026, 9}, .holidays = {day("2026-10-14")}, .program = "travel"};
    EXPECT_EQ(with({terms}).terms_of({2026, 9}, "travel"), terms);
    EXPECT_EQ(
        in_words(terms),
        "of travel from 2026-09: billed after 1, due after 14, paid 0 later, following, "
        "not on 2026-10-14");
    terms.holidays.assign(101, day("2026-10-14"));
    EXPECT_FALSE(PaymentCalendar{}.set(terms, {})) << "too many";
}

TEST(PaymentCalendar, TermsAreTakenBackUntilTheirWindowIsClosed)
{
    auto calendar = with({{.from = {2026, 9}}, {.from = {2190, 1}, .payment_days = 60}});
    EXPECT_FALSE(calendar.set({.from = {2027, 1}}, {})) << "the far one stands in the way";
    EXPECT_FALSE(calendar.withdraw({2189, 1}, "no terms begin there", {}));
    EXPECT_FALSE(calendar.withdraw({2190, 1}, "", {})) << "without a reason";
    EXPECT_FALSE(calendar.withdraw({2026, 9}, "it is closed", Month{2026, 9}));
    const auto entry = calendar.withdraw({2190, 1}, "a wrong year", Month{2026, 9}).value();
    EXPECT_EQ(entry.kind, "calendar_withdrawn");
    calendar.apply_withdrawal(boost::json::parse(entry.content).as_object());
    EXPECT_EQ(calendar.terms_of({2190, 2}).payment_days, 14);
    ASSERT_EQ(calendar.withdrawn().size(), 1U);
    EXPECT_EQ(calendar.withdrawn()[0].second, "a wrong year");
    EXPECT_TRUE(calendar.set({.from = {2027, 1}}, {}));
}

TEST(PaymentCalendar, ReadsTermsOfBeforeThereWasAPeriodToObject)
{
    PaymentCalendar calendar;
    calendar.apply(
        boost::json::parse(R"({"from":"2026-09","billing_days":3,"payment_days":30,"pay_days":2,)"
                           R"("roll":"preceding"})")
            .as_object());
    EXPECT_EQ(calendar.terms_of({2026, 9}).objection_days, 14);
}

TEST(PaymentCalendar, RefusesWhatChangesADateThatIsSet)
{
    const auto calendar = with({{.from = {2026, 9}}});
    const auto refusal = [&](const CalendarTerms& terms, std::optional<Month> closed = {}) {
        const auto entry = calendar.set(terms, closed);
        return entry ? std::string{} : entry.error().reason;
    };
    EXPECT_EQ(refusal({.from = {2026, 10}}), "");
    EXPECT_EQ(refusal({.from = {2026, 10}}, Month{2026, 9}), "");
    EXPECT_NE(refusal({.from = {2026, 10}}, Month{2026, 10}), "");
    EXPECT_NE(refusal({.from = {2026, 9}}), "") << "the same window again";
    EXPECT_NE(refusal({.from = {2026, 8}}), "") << "before another";
    EXPECT_NE(refusal({.from = {2027, 1}, .billing_days = 0}), "");
    EXPECT_NE(refusal({.from = {2027, 1}, .billing_days = 32}), "");
    EXPECT_NE(refusal({.from = {2027, 1}, .payment_days = 0}), "");
    EXPECT_NE(refusal({.from = {2027, 1}, .payment_days = 61}), "");
    EXPECT_NE(refusal({.from = {2027, 1}, .pay_days = -1}), "");
    EXPECT_NE(refusal({.from = {2027, 1}, .pay_days = 61}), "");
    EXPECT_NE(refusal({.from = {2027, 1}, .objection_days = 0}), "");
    EXPECT_NE(refusal({.from = {2027, 1}, .objection_days = 366}), "");
    EXPECT_EQ(refusal({.from = {2027, 1}, .objection_days = 365}), "");
}

} // namespace
} // namespace pointhouse::settlement
