#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace pointhouse::gateway {

enum class LogLevel : std::uint8_t { info, warning, error };

/// The allow-list of what may stand in a log line: no bodies, no identifiers of members, no keys.
enum class LogField : std::uint8_t {
    address,
    code,
    command,
    duration_us,
    exit,
    head,
    partner,
    path,
    peer,
    reason,
    request_id,
    route,
    serial,
    status,
    version,
    window,
};

/// Writes one line to standard error: time, level, event and fields as key=value. Values are quoted
/// where they need it, control characters escaped, long ones cut. Any thread.
void log_event(
    LogLevel level,
    std::string_view event,
    std::initializer_list<std::pair<LogField, std::string_view>> fields = {});

} // namespace pointhouse::gateway
