#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json.hpp>

#include "settlement/reconciliation.hpp"

namespace pointhouse::settlement {
namespace {

namespace json = boost::json;

json::value row_json(const std::optional<ReconciliationRow>& row)
{
    if (!row) return nullptr;
    json::object shown{
        {"type", ledger::name_of(row->type)},
        {"occurred_at", ledger::format_time(row->occurred_at)},
        {"booked_on", ledger::format_day(row->booked_on)},
        {"points", row->points},
        {"amount_minor", row->amount_minor}};
    if (!row->member.empty()) shown["member"] = row->member;
    if (row->line != 0) shown["line"] = row->line;
    return shown;
}

json::object totals_json(const SideTotals& totals)
{
    return {
        {"count", totals.count}, {"points", totals.points}, {"amount_minor", totals.amount_minor}};
}

/// One field of a row, as it stands in a file.
std::string field_of(const ReconciliationRow& row, std::string_view field)
{
    if (field == "type") return std::string{ledger::name_of(row.type)};
    if (field == "points") return fmt::format("{}", row.points);
    if (field == "amount_minor") return fmt::format("{}", row.amount_minor);
    if (field == "booked_on") return ledger::format_day(row.booked_on);
    if (field == "occurred_at") return ledger::format_time(row.occurred_at);
    return row.member;
}

std::string row_in_words(const ReconciliationRow& row)
{
    return fmt::format(
        "{} of {} points, booked on {}",
        ledger::name_of(row.type),
        row.points,
        ledger::format_day(row.booked_on));
}

std::string break_in_words(const Break& found)
{
    std::string text = fmt::format("{:<15}{}", name_of(found.kind), found.message_id);
    if (found.partner) text += fmt::format(", line {}", found.partner->line);
    if (!found.partner) return text + ": " + row_in_words(*found.house);
    if (found.fields.empty()) return text + ": " + row_in_words(*found.partner);
    for (const auto field : found.fields) {
        // The house cannot name a member: it keeps numbers only.
        if (field == "member")
            text += fmt::format("; member {} is another one here", found.partner->member);
        else
            text += fmt::format(
                "; {} {} here, {} in the file",
                field,
                field_of(*found.house, field),
                field_of(*found.partner, field));
    }
    return text;
}

} // namespace

std::string reconciliation_json(const Reconciliation& reconciliation, std::string_view partner)
{
    const auto& period = reconciliation.period;
    json::array breaks;
    for (const auto& found : reconciliation.breaks) {
        breaks.push_back(json::object{
            {"class", name_of(found.kind)},
            {"message_id", found.message_id},
            {"fields", json::array(found.fields.begin(), found.fields.end())},
            {"house", row_json(found.house)},
            {"partner", row_json(found.partner)}});
    }
    return json::serialize(json::object{
        {"ok", reconciliation.agrees()},
        {"partner", partner},
        {"window", ledger::format_month(period.window)},
        {"day", period.day ? json::value(ledger::format_day(*period.day)) : json::value()},
        {"house", totals_json(reconciliation.house)},
        {"file", totals_json(reconciliation.partner)},
        {"breaks", std::move(breaks)}});
}

std::string reconciliation_in_words(const Reconciliation& reconciliation, std::string_view partner)
{
    std::string text = fmt::format(
        "{}, {}\n\n{:<15}{:>12}{:>16}{:>16}\n",
        partner,
        format_period(reconciliation.period),
        "",
        "messages",
        "points",
        "minor units");
    for (const auto& [name, totals] :
         {std::pair{"house", reconciliation.house}, std::pair{"file", reconciliation.partner}})
        text += fmt::format(
            "{:<15}{:>12}{:>16}{:>16}\n", name, totals.count, totals.points, totals.amount_minor);
    text += "\n";
    for (const auto& found : reconciliation.breaks) text += break_in_words(found) + "\n";
    text += reconciliation.agrees() ? std::string{"both sides agree\n"}
                                    : fmt::format("{} breaks\n", reconciliation.breaks.size());
    return text;
}

std::string in_words(const FileFault& fault)
{
    std::string text;
    if (fault.line != 0) text += fmt::format("line {}", fault.line);
    if (!fault.field.empty()) text += fmt::format("{}{}", text.empty() ? "" : ", ", fault.field);
    return text.empty() ? fault.reason : fmt::format("{}: {}", text, fault.reason);
}

std::string fault_json(const FileFault& fault)
{
    return json::serialize(json::object{
        {"ok", false},
        {"fault", {{"line", fault.line}, {"field", fault.field}, {"reason", fault.reason}}}});
}

} // namespace pointhouse::settlement
