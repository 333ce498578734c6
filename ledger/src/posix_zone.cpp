#include "posix_zone.hpp"

#include <algorithm>
#include <cctype>
#include <date/date.h>

namespace pointhouse::ledger {

namespace {

constexpr std::int64_t day_seconds = 86'400;
constexpr std::int64_t micros_per_second = 1'000'000;

bool take(std::string_view& text, char expected)
{
    if (!text.starts_with(expected)) return false;
    text.remove_prefix(1);
    return true;
}

/// A number of at most three digits that is not above `most`.
std::optional<std::int32_t> take_number(std::string_view& text, std::int32_t most)
{
    std::int32_t number = 0;
    std::size_t digits = 0;
    for (; digits < text.size() && digits < 3; ++digits) {
        const char digit = text[digits];
        if (digit < '0' || digit > '9') break;
        number = number * 10 + (digit - '0');
    }
    if (digits == 0 || number > most) return std::nullopt;
    text.remove_prefix(digits);
    return number;
}

/// Three letters or more, or anything in <>.
bool take_name(std::string_view& text)
{
    if (take(text, '<')) {
        const auto end = text.find('>');
        if (end == std::string_view::npos || end < 3) return false;
        text.remove_prefix(end + 1);
        return true;
    }
    const auto* const end = std::ranges::find_if_not(text, [](char character) {
        return (character >= 'A' && character <= 'Z') || (character >= 'a' && character <= 'z');
    });
    const auto letters = static_cast<std::size_t>(end - text.begin());
    if (letters < 3) return false;
    text.remove_prefix(letters);
    return true;
}

/// [+-]hh[:mm[:ss]] in seconds.
std::optional<std::int64_t> take_time(std::string_view& text, std::int32_t hours_max)
{
    const std::int64_t sign = take(text, '-') ? -1 : 1;
    if (sign > 0) take(text, '+');
    const auto hours = take_number(text, hours_max);
    if (!hours) return std::nullopt;
    std::int64_t seconds = std::int64_t{*hours} * 3'600;
    for (const std::int64_t unit : {60, 1}) {
        if (!take(text, ':')) break;
        const auto part = take_number(text, 59);
        if (!part) return std::nullopt;
        seconds += *part * unit;
    }
    return sign * seconds;
}

std::int64_t days_since_1970(date::year_month_day day)
{
    return date::sys_days{day}.time_since_epoch().count();
}

std::int32_t year_of(std::int64_t seconds)
{
    const date::sys_days day{date::days{
        static_cast<std::int32_t>((seconds - (seconds < 0 ? day_seconds - 1 : 0)) / day_seconds)}};
    return static_cast<int>(date::year_month_day{day}.year());
}

std::int64_t whole_seconds(Time time)
{
    return date::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

} // namespace

std::optional<PosixZone::Change> PosixZone::take_change(std::string_view& text)
{
    Change change;
    if (take(text, 'M')) {
        const auto month = take_number(text, 12);
        if (!month || *month < 1 || !take(text, '.')) return std::nullopt;
        const auto week = take_number(text, 5);
        if (!week || *week < 1 || !take(text, '.')) return std::nullopt;
        const auto day = take_number(text, 6);
        if (!day) return std::nullopt;
        change.month = *month;
        change.week = *week;
        change.day = *day;
    } else {
        const bool is_without_leap = take(text, 'J');
        change.form =
            is_without_leap ? Change::Form::day_without_leap : Change::Form::day_with_leap;
        const auto day = take_number(text, 365);
        if (!day || (is_without_leap && *day < 1)) return std::nullopt;
        change.day = *day;
    }
    if (!take(text, '/')) return change;
    const auto seconds = take_time(text, 167);
    if (!seconds) return std::nullopt;
    change.seconds = *seconds;
    return change;
}

std::optional<PosixZone> PosixZone::parse(std::string_view text)
{
    PosixZone zone;
    if (!take_name(text)) return std::nullopt;
    const auto standard = take_time(text, 24);
    if (!standard) return std::nullopt;
    zone.standard_ = zone.summer_ = -*standard; // POSIX counts west of Greenwich
    if (text.empty()) return zone;

    zone.has_changes_ = true;
    if (!take_name(text)) return std::nullopt;
    zone.summer_ = zone.standard_ + 3'600;
    if (!text.starts_with(',')) {
        const auto summer = take_time(text, 24);
        if (!summer) return std::nullopt;
        zone.summer_ = -*summer;
    }
    for (Change* change : {&zone.to_summer_, &zone.to_standard_}) {
        if (!take(text, ',')) return std::nullopt;
        const auto found = take_change(text);
        if (!found) return std::nullopt;
        *change = *found;
    }
    if (!text.empty()) return std::nullopt;
    return zone;
}

std::int64_t PosixZone::local_seconds(const Change& change, std::int32_t year)
{
    const date::year in{year};
    std::int64_t day = 0;
    switch (change.form) {
    case Change::Form::weekday: {
        const date::month month{static_cast<unsigned>(change.month)};
        const date::weekday weekday{static_cast<unsigned>(change.day)};
        day = change.week == 5
                  ? date::sys_days{in / month / weekday[date::last]}.time_since_epoch().count()
                  : date::sys_days{in / month / weekday[static_cast<unsigned>(change.week)]}
                        .time_since_epoch()
                        .count();
        break;
    }
    case Change::Form::day_without_leap: {
        // The first of March is the 60th day of every year.
        const bool is_after_leap_day = in.is_leap() && change.day >= 60;
        day = days_since_1970(in / 1 / 1) + change.day - 1 + (is_after_leap_day ? 1 : 0);
        break;
    }
    case Change::Form::day_with_leap: day = days_since_1970(in / 1 / 1) + change.day; break;
    }
    return day * day_seconds + change.seconds;
}

std::array<std::int64_t, 2> PosixZone::changes_of(std::int32_t year) const
{
    return {
        local_seconds(to_summer_, year) - standard_, local_seconds(to_standard_, year) - summer_};
}

std::int64_t PosixZone::offset_at(Time time) const
{
    if (!has_changes_) return standard_;
    const std::int64_t seconds = whole_seconds(time);
    const auto [to_summer, to_standard] = changes_of(year_of(seconds + standard_));
    // In the south summer begins in one year and ends in the next.
    const bool is_summer = to_summer < to_standard ? seconds >= to_summer && seconds < to_standard
                                                   : seconds >= to_summer || seconds < to_standard;
    return is_summer ? summer_ : standard_;
}

Time PosixZone::start_of(Day day) const
{
    const auto time_of = [](std::int64_t seconds) {
        return Time{std::chrono::microseconds{seconds * micros_per_second}};
    };
    const std::int64_t midnight = std::int64_t{day} * day_seconds;
    const auto [most, least] = std::minmax(standard_, summer_, std::greater{});
    for (const std::int64_t offset : {most, least})
        if (offset_at(time_of(midnight - offset)) == offset) return time_of(midnight - offset);
    // Skipped: the clocks go from before midnight to after it.
    for (const std::int64_t change : changes_of(year_of(midnight)))
        if (change + least <= midnight && midnight < change + most) return time_of(change);
    return time_of(midnight - least);
}

} // namespace pointhouse::ledger
