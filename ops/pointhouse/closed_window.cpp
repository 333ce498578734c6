#include "closed_window.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace pointhouse::ops {

namespace json = boost::json;

namespace {

bool is_late(gateway::House& house, ledger::Month window)
{
    return house.documents().closings().state_of(window) == settlement::CloseState::soft;
}

} // namespace

Permitted admit_late(gateway::House& house, const LateEntry& late, const Invocation& typed)
{
    require(house.documents().closings().admit(late.window, late.reason));
    if (!is_late(house, late.window)) return {};
    return ask_permission(
        house,
        fmt::format(
            "{} after the soft close of {}: {}",
            late.act,
            ledger::format_month(late.window),
            late.reason),
        typed);
}

void record_admitted(
    gateway::House& house,
    const settlement::NewEntry& entry,
    const LateEntry& late,
    const Permitted& permitted)
{
    if (!is_late(house, late.window)) return record_permitted(house, entry, permitted);
    auto content = json::parse(entry.content).as_object();
    content.emplace("late_reason", late.reason);
    record_permitted(house, {.kind = entry.kind, .content = json::serialize(content)}, permitted);
}

void add_late_option(CLI::App& command, std::string& reason)
{
    command.add_option("--reason", reason, "Why it comes after the window's soft close");
}

} // namespace pointhouse::ops
