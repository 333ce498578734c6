#include "replay_summary.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include <boost/json.hpp>

namespace pointhouse::ops {
namespace {

namespace json = boost::json;

double per_second(const ReplaySummary& summary)
{
    return summary.seconds > 0 ? static_cast<double>(summary.messages()) / summary.seconds : 0;
}

/// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number)
{
    auto digits = fmt::format("{}", number);
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
    return digits;
}

json::object counts(const std::map<std::string, std::uint64_t>& by_name)
{
    json::object object;
    for (const auto& [name, count] : by_name) object[name] = count;
    return object;
}

} // namespace

std::string summary_as_table(const ReplayPlan& plan, const ReplaySummary& summary)
{
    std::string table;
    const auto line = [&table](std::string_view name, std::int64_t number, std::string_view what) {
        const auto text = grouped(static_cast<std::uint64_t>(number));
        fmt::format_to(std::back_inserter(table), "{:<22}{:>14}  {}\n", name, text, what);
    };
    const auto count = [&line](std::string_view name, std::uint64_t number, std::string_view what) {
        if (number > 0) line(name, static_cast<std::int64_t>(number), what);
    };
    line("rows", static_cast<std::int64_t>(plan.rows), "");
    for (const auto& [kind, rows] : plan.rows_skipped) count("  skipped", rows, kind);
    line(
        "messages",
        static_cast<std::int64_t>(summary.messages()),
        fmt::format("{} members, {} partners", plan.members.size(), plan.partners.size()));
    for (const auto& [kind, booked] : summary.booked) count("  booked", booked, kind);
    count("  already booked", summary.already_booked, "");
    for (const auto& [code, refused] : summary.refused) count("  refused", refused, code);
    count("  sent again", summary.sent_again, "");
    line("points earned", summary.points_earned, "");
    line("points clawed back", summary.points_clawed_back, "");
    line("points redeemed", summary.points_redeemed, "");
    fmt::format_to(
        std::back_inserter(table),
        "{:<22}{:>12.1f} s  {:.0f} messages/s\n",
        "time",
        summary.seconds,
        per_second(summary));
    for (const auto& refusal : summary.refusals) table += "refused: " + refusal + "\n";
    if (!summary.stopped.empty()) {
        table += "stopped: " + summary.stopped +
                 "\nRun the same command again to go on: nothing is booked twice.\n";
    }
    return table;
}

std::string summary_as_json(const ReplayPlan& plan, const ReplaySummary& summary)
{
    const json::object object{
        {"rows", plan.rows},
        {"skipped", counts(plan.rows_skipped)},
        {"members", plan.members.size()},
        {"partners", plan.partners.size()},
        {"messages", summary.messages()},
        {"booked", counts(summary.booked)},
        {"already_booked", summary.already_booked},
        {"refused", counts(summary.refused)},
        {"sent_again", summary.sent_again},
        {"points",
         {{"earned", summary.points_earned},
          {"clawed_back", summary.points_clawed_back},
          {"redeemed", summary.points_redeemed}}},
        {"seconds", summary.seconds},
        {"per_second", per_second(summary)},
        {"complete", summary.complete()},
        {"stopped", summary.stopped},
    };
    return json::serialize(object) + "\n";
}

} // namespace pointhouse::ops
