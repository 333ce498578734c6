#include "settlement/reminder_letter.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "../wording.hpp"
#include "reminder_words.hpp"
#include "settlement/window.hpp"

namespace pointhouse::settlement {

using ledger::Minor;

std::string_view title_of(const ReminderLetter& letter)
{
    const auto level = std::ranges::max(letter.reminders, {}, &Reminder::level).level;
    if (level == 1) return "Reminder";
    return level == 2 ? "Second reminder" : "Last reminder";
}

bool has_charges(const ReminderLetter& letter)
{
    return std::ranges::any_of(letter.reminders, [](const Reminder& reminder) {
        return (reminder.fee + reminder.interest).count != 0;
    });
}

std::string amount_of(const ReminderLetter& letter, Minor amount)
{
    return amount_in_words(amount, letter.currency);
}

std::string request_of(const ReminderLetter& letter)
{
    const auto pay_by = std::ranges::min(letter.reminders, {}, &Reminder::pay_by).pay_by;
    return fmt::format(
        "Please pay {} {} by {}.",
        amount_of(letter, total_of(letter)),
        letter.currency.code,
        day_in_words(pay_by));
}

std::string account_of(const ReminderLetter& letter)
{
    if (letter.house.iban.empty()) return {};
    return fmt::format("To {}, IBAN {}.", letter.house.name, letter.house.iban);
}

std::vector<ReminderRow> rows_of(const ReminderLetter& letter)
{
    std::vector<ReminderRow> rows;
    rows.reserve(letter.reminders.size());
    for (const Reminder& reminder : letter.reminders) {
        rows.push_back(
            {.document = reminder.document,
             .due = ledger::format_day(letter.day - reminder.days_late),
             .late = fmt::format("{}", reminder.days_late),
             .charge = amount_of(letter, reminder.fee + reminder.interest),
             .amount = amount_of(letter, reminder.amount)});
    }
    return rows;
}

ReminderRow head_of(const ReminderLetter& letter)
{
    return {
        .document = "Document",
        .due = "Due",
        .late = "Days late",
        .charge = "Fee and interest",
        .amount = "Open, " + letter.currency.code};
}

Minor total_of(const ReminderLetter& letter)
{
    Minor total;
    for (const Reminder& reminder : letter.reminders)
        total += reminder.amount + reminder.fee + reminder.interest;
    return total;
}

std::string reminder_text(const ReminderLetter& letter)
{
    const bool shows_charges = has_charges(letter);
    const auto line = [&](const ReminderRow& row) {
        return fmt::format(
            "{:<24}{:<12}{:>10}{}{:>18}\n",
            row.document,
            row.due,
            row.late,
            shows_charges ? fmt::format("{:>18}", row.charge) : "",
            row.amount);
    };
    std::string text = fmt::format(
        "{}\n\n{}\n{}\n\n{}, {}\n\n",
        letter.house.name,
        letter.partner.name,
        letter.partner.city,
        title_of(letter),
        day_in_words(letter.day));
    text += line(head_of(letter));
    for (const ReminderRow& row : rows_of(letter)) text += line(row);
    text += "\n" + request_of(letter) + "\n";
    if (const auto to = account_of(letter); !to.empty()) text += to + "\n";
    return text + "\n" + std::string{reminder_explanation} + "\n";
}

} // namespace pointhouse::settlement
