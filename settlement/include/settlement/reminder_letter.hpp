#pragma once

#include <string>
#include <vector>

#include "ledger/money.hpp"
#include "ledger/time.hpp"
#include "settlement/document.hpp"
#include "settlement/dunning.hpp"

namespace pointhouse::settlement {

/// What the house writes to a partner that is late: all its reminders of one day.
struct ReminderLetter {
    std::string logo{}; // of the house, a PNG; empty: it has none
    LegalParty house{};
    LegalParty partner{};
    ledger::Currency currency{};
    ledger::Day day = 0;
    std::vector<Reminder> reminders{}; // one or more
};

/// What is to be paid in all: amounts, fees and interest.
[[nodiscard]] ledger::Minor total_of(const ReminderLetter& letter);

/// The letter as plain text, in English. Pure.
[[nodiscard]] std::string reminder_text(const ReminderLetter& letter);
/// The same on A4. Deterministic: its only date is the letter's. Throws std::runtime_error when the
/// drawing library fails.
[[nodiscard]] std::string reminder_pdf(const ReminderLetter& letter);

} // namespace pointhouse::settlement
