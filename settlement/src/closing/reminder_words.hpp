#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "settlement/reminder_letter.hpp"

namespace pointhouse::settlement {

/// The words of a reminder, the same on paper and in plain text.

/// "Reminder", "Second reminder", "Last reminder": of the highest level in it.
[[nodiscard]] std::string_view title_of(const ReminderLetter& letter);
/// Whether anything is charged beside the amounts.
[[nodiscard]] bool has_charges(const ReminderLetter& letter);
[[nodiscard]] std::string amount_of(const ReminderLetter& letter, ledger::Minor amount);
/// What is to be paid, and by when.
[[nodiscard]] std::string request_of(const ReminderLetter& letter);
/// Where to; empty: the house has no account.
[[nodiscard]] std::string account_of(const ReminderLetter& letter);

inline constexpr std::string_view reminder_explanation =
    "What you dispute, and what is set off against what we owe you, is not asked for. If you have "
    "paid meanwhile, this letter has no effect.";

/// A row of the table: a document, or what heads it.
struct ReminderRow {
    std::string document{};
    std::string due{};
    std::string late{};
    std::string charge{};
    std::string amount{};
};
[[nodiscard]] std::vector<ReminderRow> rows_of(const ReminderLetter& letter);
[[nodiscard]] ReminderRow head_of(const ReminderLetter& letter);

} // namespace pointhouse::settlement
