#include "settlement/window.hpp"

#include <array>
#include <chrono>
#include <fmt/format.h>

namespace pointhouse::settlement {
namespace {

constexpr std::array<std::string_view, 12> month_names{
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
};

} // namespace

std::string_view name_of(WindowState state) noexcept
{
    switch (state) {
    case WindowState::open: return "open";
    case WindowState::closed: return "closed";
    case WindowState::settled: return "settled";
    }
    return "unknown";
}

std::string days_in_words(ledger::Month month)
{
    using namespace std::chrono;
    const auto last = year{month.year} / std::chrono::month{static_cast<unsigned>(month.month)} /
                      std::chrono::last;
    return fmt::format("1 – {} {}", static_cast<unsigned>(last.day()), month_in_words(month));
}

std::string days_in_words(ledger::Day from, ledger::Day to)
{
    using namespace std::chrono;
    const year_month_day first{sys_days{days{from}}};
    const year_month_day last{sys_days{days{to}}};
    if (first.year() != last.year() || first.month() != last.month())
        return fmt::format("{} – {}", day_in_words(from), day_in_words(to));
    return fmt::format("{} – {}", static_cast<unsigned>(first.day()), day_in_words(to));
}

std::string month_in_words(ledger::Month month)
{
    return fmt::format(
        "{} {}", month_names.at(static_cast<std::size_t>(month.month - 1)), month.year);
}

std::string day_in_words(ledger::Day day)
{
    using namespace std::chrono;
    const year_month_day date{sys_days{days{day}}};
    const auto month = static_cast<std::int32_t>(static_cast<unsigned>(date.month()));
    return fmt::format(
        "{} {}",
        static_cast<unsigned>(date.day()),
        month_in_words({.year = static_cast<int>(date.year()), .month = month}));
}

} // namespace pointhouse::settlement
