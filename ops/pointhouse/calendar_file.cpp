#include "calendar_file.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <limits>
#include <toml++/toml.h>

#include "answers.hpp"
#include "command_line.hpp"

namespace pointhouse::ops {

namespace {

using settlement::CalendarTerms;

/// A number of days; missing: as it is. Its bounds are the calendar's to judge.
void take_days(const toml::table& table, std::string_view key, std::int32_t& days)
{
    const auto* const node = table.get(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::int64_t>();
    if (!value || *value < 0 || *value > std::numeric_limits<std::int32_t>::max())
        throw CommandFailure{
            fmt::format("line {}: {} is a number of days", node->source().begin.line, key)};
    days = static_cast<std::int32_t>(*value);
}

ledger::Month first_window(const toml::table& table)
{
    const auto* const node = table.get("from");
    const auto text = node == nullptr ? std::nullopt : node->value_exact<std::string>();
    const auto month = ledger::parse_month(text.value_or(""));
    if (!month || !ledger::parse_day(*text + "-01"))
        throw CommandFailure{fmt::format(
            "line {}: from is the first window, written \"2026-09\"", table.source().begin.line)};
    return *month;
}

/// In their order, each once.
std::vector<ledger::Day> holidays_in(const toml::table& table)
{
    const auto* const node = table.get("holidays");
    if (node == nullptr) return {};
    std::vector<ledger::Day> days;
    const auto* const texts = node->as_array();
    for (std::size_t place = 0; texts != nullptr && place < texts->size(); ++place) {
        const auto text = (*texts)[place].value_exact<std::string>();
        if (const auto day = ledger::parse_day(text.value_or(""))) days.push_back(*day);
    }
    if (texts == nullptr || days.size() != texts->size())
        throw CommandFailure{fmt::format(
            "line {}: holidays are days, written [\"2026-08-15\"]", node->source().begin.line)};
    std::ranges::sort(days);
    const auto repeated = std::ranges::unique(days);
    days.erase(repeated.begin(), repeated.end());
    return days;
}

std::string program_in(const toml::table& table)
{
    const auto* const node = table.get("program");
    if (node == nullptr) return {};
    const auto program = node->value_exact<std::string>();
    if (!program || program->empty() || *program == "none")
        throw CommandFailure{fmt::format(
            "line {}: program is one of the house's, by its name", node->source().begin.line)};
    return *program;
}

settlement::Roll roll_in(const toml::table& table)
{
    const auto* const node = table.get("roll");
    if (node == nullptr) return CalendarTerms{}.roll;
    const auto roll = settlement::find_roll(node->value_exact<std::string>().value_or(""));
    if (!roll)
        throw CommandFailure{fmt::format(
            R"(line {}: roll is "following", "modified_following" or "preceding")",
            node->source().begin.line)};
    return *roll;
}

CalendarTerms calendar_in(const toml::table& table)
{
    constexpr std::array<std::string_view, 8> keys{
        "from",
        "billing_days",
        "payment_days",
        "pay_days",
        "objection_days",
        "roll",
        "holidays",
        "program"};
    for (const auto& [key, node] : table)
        if (std::ranges::find(keys, key.str()) == keys.end())
            throw CommandFailure{
                fmt::format("line {}: {} is not known here", node.source().begin.line, key.str())};
    CalendarTerms terms{
        .from = first_window(table),
        .roll = roll_in(table),
        .holidays = holidays_in(table),
        .program = program_in(table)};
    take_days(table, "billing_days", terms.billing_days);
    take_days(table, "payment_days", terms.payment_days);
    take_days(table, "pay_days", terms.pay_days);
    take_days(table, "objection_days", terms.objection_days);
    return terms;
}

} // namespace

CalendarTerms read_calendar(const std::filesystem::path& file)
{
    const auto text = read_text(file);
    try {
        const auto root = toml::parse(text);
        const auto* const table = root["calendar"].as_table();
        if (table == nullptr || root.size() != 1)
            throw CommandFailure{"the file has one table, [calendar]"};
        return calendar_in(*table);
    } catch (const toml::parse_error& failure) {
        throw CommandFailure{fmt::format(
            "{}: line {}: {}", file.string(), failure.source().begin.line, failure.description())};
    } catch (const CommandFailure& failure) {
        throw CommandFailure{fmt::format("{}: {}", file.string(), failure.what())};
    }
}

} // namespace pointhouse::ops
