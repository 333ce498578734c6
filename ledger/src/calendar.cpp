#include <array>
#include <charconv>
#include <date/date.h>
#include <date/tz.h>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "ledger/time.hpp"
#include "posix_zone.hpp"

namespace pointhouse::ledger {
namespace {

// Reads exactly `digits` digits at the front of `text` and takes them off.
std::optional<int> take_number(std::string_view& text, std::size_t digits)
{
    if (text.size() < digits) return std::nullopt;
    int number = 0;
    for (const char digit : text.substr(0, digits)) {
        if (digit < '0' || digit > '9') return std::nullopt;
        number = number * 10 + (digit - '0');
    }
    text.remove_prefix(digits);
    return number;
}

bool take(std::string_view& text, char expected)
{
    if (!text.starts_with(expected)) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<date::year_month_day> take_date(std::string_view& text, int first_year)
{
    const auto year = take_number(text, 4);
    if (!year || !take(text, '-')) return std::nullopt;
    const auto month = take_number(text, 2);
    if (!month || !take(text, '-')) return std::nullopt;
    const auto day = take_number(text, 2);
    if (!day) return std::nullopt;
    const date::year_month_day result{
        date::year{*year},
        date::month{static_cast<unsigned>(*month)},
        date::day{static_cast<unsigned>(*day)}};
    if (!result.ok() || *year < first_year || *year > 2199) return std::nullopt;
    return result;
}

std::optional<std::chrono::microseconds> take_fraction(std::string_view& text)
{
    if (!take(text, '.')) return std::chrono::microseconds{0};
    std::int64_t micros = 0;
    std::size_t digits = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits) {
        if (digits < 6) micros = micros * 10 + (text.front() - '0'); // finer ones are cut off
        text.remove_prefix(1);
    }
    if (digits == 0 || digits > 9) return std::nullopt;
    for (; digits < 6; ++digits) micros *= 10;
    return std::chrono::microseconds{micros};
}

// "Z", "z" or "+02:00"; the result is what to subtract.
std::optional<std::chrono::minutes> take_offset(std::string_view& text)
{
    if (take(text, 'Z') || take(text, 'z')) return std::chrono::minutes{0};
    const bool is_negative = text.starts_with('-');
    if (!take(text, '+') && !take(text, '-')) return std::nullopt;
    const auto hours = take_number(text, 2);
    if (!hours || !take(text, ':')) return std::nullopt;
    const auto minutes = take_number(text, 2);
    if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    const std::chrono::minutes offset{*hours * 60 + *minutes};
    return is_negative ? -offset : offset;
}

std::optional<std::chrono::seconds> take_clock(std::string_view& text)
{
    const auto hours = take_number(text, 2);
    if (!hours || !take(text, ':')) return std::nullopt;
    const auto minutes = take_number(text, 2);
    if (!minutes || !take(text, ':')) return std::nullopt;
    const auto seconds = take_number(text, 2);
    if (!seconds || *hours > 23 || *minutes > 59 || *seconds > 60) return std::nullopt;
    // A leap second is the first of the next minute, as in POSIX.
    if (*seconds == 60 && *minutes != 59) return std::nullopt;
    return std::chrono::seconds{*hours * 3600 + *minutes * 60 + *seconds};
}

} // namespace

std::string format_time(Time time)
{
    const auto day = date::floor<date::days>(time);
    const date::year_month_day date{day};
    const auto of_day = time - day;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(of_day);
    const auto micros = (of_day - seconds).count();
    const auto count = seconds.count();
    std::string text = fmt::format(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()),
        count / 3600,
        count / 60 % 60,
        count % 60);
    if (micros != 0) text += fmt::format(".{:06}", micros);
    text += 'Z';
    return text;
}

std::optional<Time> parse_time(std::string_view text)
{
    const auto date = take_date(text, 1970);
    if (!date || !(take(text, 'T') || take(text, 't'))) return std::nullopt;
    const auto of_day = take_clock(text);
    if (!of_day) return std::nullopt;
    const auto fraction = take_fraction(text);
    if (!fraction) return std::nullopt;
    const auto offset = take_offset(text);
    if (!offset || !text.empty()) return std::nullopt;
    const Time time = date::sys_days{*date} + *of_day + *fraction - *offset;
    if (time < Time{}) return std::nullopt;
    return time;
}

std::string format_day(Day day)
{
    if (day == never) return "never";
    const date::year_month_day date{date::sys_days{date::days{day}}};
    return fmt::format(
        "{:04}-{:02}-{:02}",
        static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()));
}

Day months_after(Day day, std::int32_t months)
{
    using namespace std::chrono;
    const year_month_day from{sys_days{days{day}}};
    const year_month target = from.year() / from.month() + std::chrono::months{months};
    const auto day_of_month = std::min(from.day(), (target / last).day());
    return static_cast<Day>(sys_days{target / day_of_month}.time_since_epoch().count());
}

Day last_of_month(Day day)
{
    using namespace std::chrono;
    const year_month_day in{sys_days{days{day}}};
    return static_cast<Day>(sys_days{in.year() / in.month() / last}.time_since_epoch().count());
}

// The first moment of the clock lies in December 1969 west of Greenwich.
std::optional<Day> parse_day(std::string_view text)
{
    const auto date = take_date(text, 1969);
    if (!date || !text.empty()) return std::nullopt;
    return static_cast<Day>(date::sys_days{*date}.time_since_epoch().count());
}

std::string format_month(Month month)
{
    return fmt::format("{:04}-{:02}", month.year, month.month);
}

std::optional<Month> parse_month(std::string_view text)
{
    const auto year = take_number(text, 4);
    if (!year || !take(text, '-')) return std::nullopt;
    const auto month = take_number(text, 2);
    if (!month || !text.empty() || *month < 1 || *month > 12 || *year < 1969) return std::nullopt;
    return Month{.year = *year, .month = *month};
}

namespace {

// Where the date library of Debian reads time zones from.
constexpr std::string_view zone_folder = "/usr/share/zoneinfo/";

/// The rule that the zone's file ends in: its last line. None: it has no such line.
std::optional<PosixZone> read_rule(const std::string& time_zone)
{
    std::ifstream file{std::string{zone_folder} + time_zone, std::ios::binary};
    std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    if (!bytes.ends_with('\n')) return std::nullopt;
    bytes.pop_back();
    const auto line = bytes.substr(bytes.rfind('\n') + 1);
    if (line.empty()) return std::nullopt;
    const auto rule = PosixZone::parse(line);
    if (!rule)
        throw std::runtime_error{
            fmt::format("time zone {}: its rule \"{}\" cannot be read", time_zone, line)};
    return rule;
}

} // namespace

// The month that holds the last instant asked for is remembered by callers that need speed (the
// shard keeps the next cut-off); here every call asks the database.
struct Calendar::Zone {
    explicit Zone(const std::string& name)
        : zone{date::locate_zone(name)}, rule{read_rule(zone->name())}
    {
        using namespace date::literals;
        if (!rule || !rule->has_changes()) return;
        rule_from = zone->get_info(date::sys_days{2500_y / 1 / 1}).begin + date::days{1};
    }

    const date::time_zone* zone = nullptr;
    /// The library knows only the changes that the file lists, which end in 2037 for most zones.
    std::optional<PosixZone> rule;
    Time rule_from = Time::max();
};

Calendar::Calendar(std::string_view time_zone)
    : name_{time_zone}, zone_{std::make_unique<Zone>(name_)}
{}

Calendar::~Calendar() = default;

Day Calendar::day_of(Time time) const
{
    if (time >= zone_->rule_from) {
        const auto local = time + std::chrono::seconds{zone_->rule->offset_at(time)};
        return static_cast<Day>(date::floor<date::days>(local).time_since_epoch().count());
    }
    const auto local = zone_->zone->to_local(time);
    return static_cast<Day>(date::floor<date::days>(local).time_since_epoch().count());
}

Month Calendar::month_of(Time time) const
{
    const date::year_month_day date{date::sys_days{date::days{day_of(time)}}};
    return {
        .year = static_cast<int>(date.year()),
        .month = static_cast<std::int32_t>(static_cast<unsigned>(date.month()))};
}

// Where clocks skip midnight, the day starts at the first instant that exists; where they repeat
// it, at the earlier one.
Time Calendar::start_of(Day day) const
{
    // Half a day on either side of Greenwich is before the rule's first day, or within it.
    if (date::sys_days{date::days{day}} >= zone_->rule_from + date::days{1})
        return zone_->rule->start_of(day);
    const date::local_days midnight{date::days{day}};
    return zone_->zone->to_sys(midnight, date::choose::earliest);
}

Time Calendar::start_of(Month month) const
{
    const date::year_month_day first{
        date::year{month.year}, date::month{static_cast<unsigned>(month.month)}, date::day{1}};
    return start_of(static_cast<Day>(date::sys_days{first}.time_since_epoch().count()));
}

Time SystemClock::now() const
{
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

} // namespace pointhouse::ledger
