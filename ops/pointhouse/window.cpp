#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <optional>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "commands.hpp"
#include "settle_documents.hpp"

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::House;

struct Options {
    std::string until;
};

struct WindowLine {
    ledger::Window window;
    std::string id;
    std::string from;
    std::string to;
    std::string_view state;
    std::string_view close;        // of its money
    std::vector<std::string> left; // documents that no net took yet
};

std::string_view state_of(House& house, ledger::Month month)
{
    if (!house.registry().is_closed(month)) return "open";
    const auto& documents = house.documents();
    const auto nets = documents.nets_of(month);
    const bool is_settled = std::ranges::all_of(
        nets, [&](const auto& key) { return documents.net_of(key)->is_settled(); });
    return is_settled && documents.nets_to_come(month, month).empty() ? "settled" : "closed";
}

/// What of a settled window the next net takes, as a credit note that came after its own.
std::vector<std::string> left_of(House& house, ledger::Month month)
{
    std::vector<std::string> numbers;
    for (const auto* issued : house.documents().documents_of(month))
        if (issued->open().count != 0) numbers.push_back(issued->document.number);
    return numbers;
}

WindowLine line_of(House& house, const ledger::Window& window)
{
    const auto& calendar = *house.registry().terms()->calendar;
    const auto state = state_of(house, window.month);
    return {
        .window = window,
        .id = ledger::format_month(window.month),
        .from = ledger::format_time(calendar.start_of(window.month)),
        .to = ledger::format_time(calendar.start_of(window.month.next())),
        .state = state,
        .close = settlement::name_of(house.documents().closings().state_of(window.month)),
        .left = state == "settled" ? left_of(house, window.month) : std::vector<std::string>{}};
}

json::object as_json(const WindowLine& line)
{
    return {
        {"id", line.id},
        {"state", line.state},
        {"from", line.from},
        {"to", line.to},
        {"close", line.close},
        {"in_next_net", json::array(line.left.begin(), line.left.end())}};
}

CommandResult list(House& house, const Invocation& typed)
{
    auto& points = house.ledger();
    house.tend();
    json::array all;
    std::string text;
    for (const auto& window : points.windows()) {
        const auto line = line_of(house, window);
        all.push_back(as_json(line));
        text += fmt::format(
            "{}  {:<7} {} to {}{}{}{}\n",
            line.id,
            line.state,
            line.from,
            line.to,
            line.close == "open" ? "" : fmt::format(", {}-closed", line.close),
            line.left.empty() ? "" : "; to be paid with the next net: ",
            fmt::join(line.left, ", "));
    }
    if (text.empty()) text = "no window yet: the first message opens one\n";
    return report(typed, all, text);
}

/// Windows that ended by `until` (none: by now) and can be closed. Throws CommandFailure.
std::vector<ledger::Window> closable(House& house, std::optional<ledger::Time> until)
{
    const auto& calendar = *house.registry().terms()->calendar;
    std::vector<ledger::Window> found;
    for (const auto& window : house.ledger().windows()) {
        const auto end = calendar.start_of(window.month.next());
        if (house.registry().is_closed(window.month) || (until && end > *until)) continue;
        if (window.cut.is_none()) continue;
        if (window.drained.is_none())
            throw CommandFailure{fmt::format(
                "{} still has events to post that were due before its cut-off; try again",
                ledger::format_month(window.month))};
        found.push_back(window);
    }
    return found;
}

CommandResult close_by(House& house, std::optional<ledger::Time> until, const Invocation& typed)
{
    const auto windows = closable(house, until);
    if (windows.empty()) return report(typed, json::array{}, "nothing to close\n");
    std::string months;
    for (const auto& window : windows)
        months += fmt::format(" {}", ledger::format_month(window.month));
    const auto permitted = ask_permission(house, "close" + months, typed);
    if (permitted.waiting) return *permitted.waiting;
    json::array closed;
    std::string text;
    for (const auto& window : windows) {
        house.registry().window_closed(window.month, window.cut, permitted_act(house, permitted));
        const auto line = line_of(house, window);
        closed.push_back(as_json(line));
        text += fmt::format("closed {} at record {}\n", line.id, window.cut.value());
    }
    return report(typed, closed, text);
}

CommandResult close(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "closes windows");
    auto& points = house.ledger();
    house.tend();
    if (options.until.empty()) return close_by(house, std::nullopt, typed);

    const auto day = ledger::parse_day(options.until);
    if (!day) return refused("--until takes a day, written 2026-06-30");
    const auto end = house.registry().terms()->calendar->start_of(*day + 1);
    if (points.house_time() < end) {
        return refused(fmt::format(
            "{} is not over: its cut-off is {}, the house's time {}",
            options.until,
            ledger::format_time(end),
            ledger::format_time(points.house_time())));
    }
    return close_by(house, end, typed);
}

} // namespace

void declare_window(CLI::App& app, Invocation& invocation)
{
    auto& window = declare_group(app, "window", "Settlement windows: the months of the house");
    auto& listing = declare_in_house(
        window, "list", "All windows", invocation, [](House& house, const Invocation& typed) {
            return list(house, typed);
        });
    add_json_option(listing, invocation);

    const auto options = std::make_shared<Options>();
    auto& closing = declare_in_house(
        window,
        "close",
        "Close the windows that are over, never before the cut-off",
        invocation,
        [options](House& house, const Invocation& typed) { return close(house, *options, typed); });
    closing.add_option("--until", options->until, "Only those that end by this day")
        ->type_name("DATE");
    add_json_option(closing, invocation);
}

} // namespace pointhouse::ops
