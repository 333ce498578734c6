#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pointhouse::ledger {

/// An instant in UTC. Rules take it as a value; only a `Clock` reads the machine's.
using Time = std::chrono::sys_time<std::chrono::microseconds>;

/// A calendar day of the house, as days since 1970-01-01. `never` is after every day.
using Day = std::int32_t;
inline constexpr Day never = INT32_MAX;

/// Microseconds since 1970-01-01, the form in which times are stored.
[[nodiscard]] constexpr std::int64_t micros_of(Time time)
{
    return time.time_since_epoch().count();
}
[[nodiscard]] constexpr Time time_of_micros(std::int64_t micros)
{
    return Time{std::chrono::microseconds{micros}};
}

/// RFC 3339 in UTC, "2026-06-02T10:00:00Z"; a fraction is written only when there is one.
[[nodiscard]] std::string format_time(Time time);
/// Reads RFC 3339 with any offset and up to nine places of seconds, of which six count, from 1970
/// to 2199; none for all else.
[[nodiscard]] std::optional<Time> parse_time(std::string_view text);

/// "2026-06-30".
[[nodiscard]] std::string format_day(Day day);
[[nodiscard]] std::optional<Day> parse_day(std::string_view text);

/// The same day so many months later, or that month's last where it has no such day.
[[nodiscard]] Day months_after(Day day, std::int32_t months);
/// The last day of its month.
[[nodiscard]] Day last_of_month(Day day);

/// A calendar month of the house: the id of a settlement window, written "2026-06".
struct Month {
    std::int32_t year = 0;
    std::int32_t month = 0; // 1 to 12
    friend constexpr auto operator<=>(Month, Month) noexcept = default;
    [[nodiscard]] Month next() const
    {
        return month == 12 ? Month{year + 1, 1} : Month{year, month + 1};
    }
};

[[nodiscard]] std::string format_month(Month month);
[[nodiscard]] std::optional<Month> parse_month(std::string_view text);

/// The house's calendar: local days and months of one IANA time zone (tzdata through Howard
/// Hinnant's date library). Immutable; any thread.
class Calendar {
public:
    /// Throws std::runtime_error when the zone is unknown.
    explicit Calendar(std::string_view time_zone);
    ~Calendar();
    Calendar(const Calendar&) = delete;
    Calendar& operator=(const Calendar&) = delete;

    [[nodiscard]] const std::string& time_zone() const { return name_; }
    [[nodiscard]] Day day_of(Time time) const;
    [[nodiscard]] Month month_of(Time time) const;
    /// The first instant of a local day.
    [[nodiscard]] Time start_of(Day day) const;
    /// The first instant of a month: the cut-off of the month before.
    [[nodiscard]] Time start_of(Month month) const;

private:
    struct Zone;
    std::string name_;
    std::unique_ptr<const Zone> zone_;
};

/// Where the imperative shell gets its time from. Called from any thread.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Time now() const = 0;
};

/// The machine's clock.
class SystemClock final : public Clock {
public:
    [[nodiscard]] Time now() const override;
};

} // namespace pointhouse::ledger
