#include "log.hpp"

#include <fmt/format.h>
#include <memory>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <string>

#include "ledger/invariant.hpp"

namespace pointhouse::gateway {

namespace {

constexpr std::size_t value_bytes_max = 512;

std::string_view name_of(LogField field)
{
    switch (field) {
    case LogField::address: return "address";
    case LogField::code: return "code";
    case LogField::command: return "command";
    case LogField::duration_us: return "duration_us";
    case LogField::exit: return "exit";
    case LogField::head: return "head";
    case LogField::partner: return "partner";
    case LogField::path: return "path";
    case LogField::peer: return "peer";
    case LogField::reason: return "reason";
    case LogField::request_id: return "request_id";
    case LogField::route: return "route";
    case LogField::serial: return "serial";
    case LogField::status: return "status";
    case LogField::version: return "version";
    case LogField::window: return "window";
    }
    ledger::invariant(false, "every log field has a name");
    return {};
}

bool is_plain(std::string_view value)
{
    if (value.empty()) return false;
    for (const char c : value) {
        const bool is_printable = c > 0x20 && c < 0x7f;
        if (!is_printable || c == '"' || c == '\\' || c == '=') return false;
    }
    return true;
}

void append_value(std::string& line, std::string_view value)
{
    if (is_plain(value) && value.size() <= value_bytes_max) {
        line += value;
        return;
    }
    line += '"';
    for (const char c : value.substr(0, value_bytes_max)) {
        if (c == '"' || c == '\\') {
            line += '\\';
            line += c;
        } else if (c >= 0x20 && c < 0x7f) {
            line += c;
        } else {
            fmt::format_to(std::back_inserter(line), "\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
    line += value.size() > value_bytes_max ? "…\"" : "\"";
}

spdlog::logger& house_log()
{
    static const std::shared_ptr<spdlog::logger> logger = [] {
        auto made = std::make_shared<spdlog::logger>(
            "pointhouse", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_pattern("time=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v", spdlog::pattern_time_type::utc);
        return made;
    }();
    return *logger;
}

} // namespace

void log_event(
    LogLevel level,
    std::string_view event,
    std::initializer_list<std::pair<LogField, std::string_view>> fields)
{
    std::string line{"event="};
    append_value(line, event);
    for (const auto& [field, value] : fields) {
        line += ' ';
        line += name_of(field);
        line += '=';
        append_value(line, value);
    }
    switch (level) {
    case LogLevel::info: house_log().info("{}", line); return;
    case LogLevel::warning: house_log().warn("{}", line); return;
    case LogLevel::error: house_log().error("{}", line); return;
    }
}

} // namespace pointhouse::gateway
