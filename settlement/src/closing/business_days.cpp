#include <algorithm>
#include <array>
#include <chrono>

#include "settlement/payment_calendar.hpp"

// Which days are business days: computed, so that no table has to be kept up.

namespace pointhouse::settlement {

using ledger::Day;

namespace {

Day day_of(std::int32_t year, unsigned month, unsigned day)
{
    const std::chrono::year_month_day date{
        std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}};
    return static_cast<Day>(std::chrono::sys_days{date}.time_since_epoch().count());
}

std::chrono::year_month_day date_of(Day day)
{
    return std::chrono::year_month_day{std::chrono::sys_days{std::chrono::days{day}}};
}

bool is_weekend(Day day)
{
    const std::chrono::weekday weekday{std::chrono::sys_days{std::chrono::days{day}}};
    return weekday == std::chrono::Saturday || weekday == std::chrono::Sunday;
}

Day next_business_day(Day day, Day step, std::span<const Day> holidays)
{
    const auto is_holiday = [&] { return std::ranges::binary_search(holidays, day); };
    while (!is_business_day(day) || is_holiday()) day += step;
    return day;
}

constexpr std::array all_rolls{Roll::following, Roll::modified_following, Roll::preceding};

} // namespace

Day easter_sunday(std::int32_t year)
{
    // The names are those of the algorithm's steps: the golden number, the century's corrections,
    // the epact, and the weekday of the paschal full moon.
    const std::int32_t golden = year % 19;
    const std::int32_t century = year / 100;
    const std::int32_t of_century = year % 100;
    const std::int32_t correction = (century - (century + 8) / 25 + 1) / 3;
    const std::int32_t epact = (19 * golden + century - century / 4 - correction + 15) % 30;
    const std::int32_t weekday =
        (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4) % 7;
    const std::int32_t shift = (golden + 11 * epact + 22 * weekday) / 451;
    const std::int32_t place = epact + weekday - 7 * shift + 114;
    return day_of(year, static_cast<unsigned>(place / 31), static_cast<unsigned>(place % 31 + 1));
}

std::array<Day, 6> closing_days(std::int32_t year)
{
    const Day easter = easter_sunday(year);
    return {
        day_of(year, 1, 1),
        easter - 2,
        easter + 1,
        day_of(year, 5, 1),
        day_of(year, 12, 25),
        day_of(year, 12, 26)};
}

bool is_business_day(Day day)
{
    if (is_weekend(day)) return false;
    const auto closed = closing_days(static_cast<std::int32_t>(date_of(day).year()));
    return std::ranges::find(closed, day) == closed.end();
}

std::string_view name_of(Roll roll) noexcept
{
    switch (roll) {
    case Roll::following: return "following";
    case Roll::modified_following: return "modified_following";
    case Roll::preceding: return "preceding";
    }
    return "unknown";
}

std::optional<Roll> find_roll(std::string_view name) noexcept
{
    const auto* found = std::ranges::find(all_rolls, name, [](Roll roll) { return name_of(roll); });
    return found == all_rolls.end() ? std::nullopt : std::optional{*found};
}

Day rolled(Day day, Roll roll, std::span<const Day> holidays)
{
    if (roll == Roll::preceding) return next_business_day(day, -1, holidays);
    const Day next = next_business_day(day, 1, holidays);
    const bool is_in_month = date_of(next).month() == date_of(day).month();
    return roll == Roll::following || is_in_month ? next : next_business_day(day, -1, holidays);
}

} // namespace pointhouse::settlement
