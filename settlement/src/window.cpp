#include "settlement/window.hpp"

#include <array>
#include <chrono>
#include <fmt/format.h>

namespace pointhouse::settlement {

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
    constexpr std::array<std::string_view, 12> names{
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
    using namespace std::chrono;
    const auto last = year{month.year} / std::chrono::month{static_cast<unsigned>(month.month)} /
                      std::chrono::last;
    return fmt::format(
        "1 – {} {} {}",
        static_cast<unsigned>(last.day()),
        names.at(static_cast<std::size_t>(month.month - 1)),
        month.year);
}

} // namespace pointhouse::settlement
