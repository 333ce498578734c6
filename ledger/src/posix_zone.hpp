#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "ledger/time.hpp"

namespace pointhouse::ledger {

/// The rule by which a time zone goes on for ever after the last change that its file lists: the
/// POSIX TZ string at the file's end (RFC 8536, section 3.3; POSIX.1-2017, 8.3; hours of a change
/// may be from -167 to 167). Whole seconds. Immutable; any thread.
class PosixZone {
public:
    /// "CET-1CEST,M3.5.0,M10.5.0/3". None: it is not written so.
    [[nodiscard]] static std::optional<PosixZone> parse(std::string_view text);

    /// Whether clocks are ever changed.
    [[nodiscard]] bool has_changes() const { return has_changes_; }
    /// What is added to the time to get the local one, in seconds.
    [[nodiscard]] std::int64_t offset_at(Time time) const;
    /// The first instant of a local day: where clocks repeat midnight the earlier one, where they
    /// skip it the first that exists.
    [[nodiscard]] Time start_of(Day day) const;

private:
    /// A day of each year, and the local time of the clocks that are changed then.
    struct Change {
        enum class Form : std::uint8_t { weekday, day_without_leap, day_with_leap };
        Form form = Form::weekday;
        std::int32_t month = 0; // 1 to 12
        std::int32_t week = 0;  // 1 to 5, the last
        std::int32_t day = 0;   // of the week from Sunday, 0; or of the year
        std::int64_t seconds = 7'200;
    };
    /// Seconds since 1970 as the clocks before the change show them.
    [[nodiscard]] static std::int64_t local_seconds(const Change& change, std::int32_t year);
    /// The instants of both changes of a year: to summer time, and back.
    [[nodiscard]] std::array<std::int64_t, 2> changes_of(std::int32_t year) const;

    static std::optional<Change> take_change(std::string_view& text);

    bool has_changes_ = false;
    std::int64_t standard_ = 0; // offsets, seconds east of UTC
    std::int64_t summer_ = 0;
    Change to_summer_;
    Change to_standard_;
};

} // namespace pointhouse::ledger
