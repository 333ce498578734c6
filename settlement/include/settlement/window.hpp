#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ledger/time.hpp"

namespace pointhouse::settlement {

/// open: messages still post into it. closed: takes nothing any more. settled: closed and paid.
enum class WindowState : std::uint8_t { open, closed, settled };

[[nodiscard]] std::string_view name_of(WindowState state) noexcept;

/// A calendar month of the house that is netted as one. `from` is its first instant, `to` the first
/// instant after it: the cut-off.
struct Window {
    ledger::Month month{};
    ledger::Time from{};
    ledger::Time to{};
    WindowState state = WindowState::open;
};

/// "1 – 30 June 2026": the window's days as a reader of a document sees them.
[[nodiscard]] std::string days_in_words(ledger::Month month);
/// The same of any days, both inclusive: "1 June 2026 – 31 July 2026" where the month changes.
[[nodiscard]] std::string days_in_words(ledger::Day from, ledger::Day to);
/// "June 2026".
[[nodiscard]] std::string month_in_words(ledger::Month month);
/// "14 July 2026".
[[nodiscard]] std::string day_in_words(ledger::Day day);

} // namespace pointhouse::settlement
