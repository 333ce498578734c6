#include "settlement/reminder_letter.hpp"

#include <fmt/format.h>

#include <gtest/gtest.h>

#include "golden.hpp"
#include "pdf_reader.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Minor;

ReminderLetter letter_with(std::size_t count, Minor fee = {}, Minor interest = {})
{
    ReminderLetter letter{
        .house =
            {.id = "house", .name = "Pointhouse", .city = "Utrecht", .iban = "NL91ABNA0417164300"},
        .partner =
            {.id = "GRO",
             .name = "Grocer B.V.",
             .street = "Dam 1",
             .city = "Amsterdam",
             .postal_code = "1012 JS",
             .country = "NL"},
        .currency = {.code = "EUR", .minor_digits = 2},
        .day = ledger::parse_day("2026-07-21").value()};
    for (std::size_t number = 1; number <= count; ++number)
        letter.reminders.push_back(
            {.document = fmt::format("INV-2026-{:06}", number),
             .partner = ledger::PartnerId{1},
             .level = number == 1 ? 2 : 1,
             .days_late = 7,
             .amount = Minor{static_cast<std::int64_t>(1'000'000 + number)},
             .fee = fee,
             .interest = interest,
             .pay_by = ledger::parse_day("2026-07-28").value()});
    return letter;
}

TEST(ReminderLetter, SaysWhatIsOpenAndByWhen)
{
    const auto letter = letter_with(2);
    EXPECT_EQ(total_of(letter), Minor{2'000'003});
    expect_golden("reminder-GRO.txt", reminder_text(letter));
    expect_golden("reminder-GRO.pdf.txt", text_of(reminder_pdf(letter)));
}

TEST(ReminderLetter, NamesFeesAndInterestOnlyWhereTheyAreCharged)
{
    const auto letter = letter_with(1, Minor{1'500}, Minor{77});
    EXPECT_EQ(total_of(letter), Minor{1'001'578});
    for (const auto& text : {reminder_text(letter), text_of(reminder_pdf(letter))}) {
        EXPECT_EQ(occurrences(text, "Fee and interest"), 1U);
        EXPECT_EQ(occurrences(text, "15.77"), 1U);
        EXPECT_EQ(occurrences(text, "Please pay 10,015.78 EUR by 28 July 2026."), 1U);
    }
    EXPECT_EQ(occurrences(reminder_text(letter_with(1)), "Fee"), 0U);
}

TEST(ReminderLetter, GoesOnOverPagesAndLosesNothing)
{
    const auto letter = letter_with(90);
    const auto pdf = reminder_pdf(letter);
    EXPECT_EQ(pdf, reminder_pdf(letter)) << "the same bytes";
    const auto text = text_of(pdf);
    EXPECT_GE(occurrences(text, "\f"), 3U);
    for (const auto& reminder : letter.reminders)
        EXPECT_EQ(occurrences(text, reminder.document), 1U) << reminder.document;
    EXPECT_EQ(occurrences(text, "Please pay"), 1U);
}

} // namespace
} // namespace pointhouse::settlement
