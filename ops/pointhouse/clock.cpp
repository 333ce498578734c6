#include <fmt/format.h>
#include <memory>
#include <optional>

#include <boost/json/object.hpp>

#include "answers.hpp"
#include "commands.hpp"

namespace pointhouse::ops {

namespace {

using gateway::CommandResult;
using gateway::House;

struct Options {
    std::string time;
};

std::optional<ledger::Time> read_time(const std::string& typed, const ledger::Calendar& calendar)
{
    if (const auto day = ledger::parse_day(typed)) return calendar.start_of(*day);
    return ledger::parse_time(typed);
}

CommandResult advance(House& house, const Options& options, const Invocation& typed)
{
    if (house.registry().founding().production)
        return refused("a production house runs on the system's clock; nobody moves it");
    const auto to = read_time(options.time, *house.registry().terms()->calendar);
    if (!to)
        return refused("a time is written 2026-06-30 or 2026-06-30T22:00:00Z, from 1970 to 2199");
    if (!house.take_message_clock()) {
        return refused("this sandbox runs on the system's clock; to move its time, start it with "
                       "--clock messages");
    }
    auto& points = house.ledger();
    if (!points.advance_clock(*to)) {
        return refused(fmt::format(
            "the house's time is already {}, and it moves forward only",
            ledger::format_time(points.house_time())));
    }
    house.tend();
    const auto now = ledger::format_time(points.house_time());
    return report(typed, {{"time", now}}, fmt::format("the house's time is {}\n", now));
}

} // namespace

void declare_clock(CLI::App& app, Invocation& invocation)
{
    auto& clock = declare_group(app, "clock", "The sandbox's test clock");
    const auto options = std::make_shared<Options>();
    auto& advancing = declare_in_house(
        clock,
        "advance",
        "Move the house's time forward; months that end by it are closed",
        invocation,
        [options](House& house, const Invocation& typed) {
            return advance(house, *options, typed);
        });
    advancing.add_option("TIME", options->time, "A day (its first moment) or an RFC 3339 time")
        ->required();
    add_json_option(advancing, invocation);
}

} // namespace pointhouse::ops
