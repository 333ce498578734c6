#include "estimates_file.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include "answers.hpp"
#include "command_line.hpp"

namespace pointhouse::ops {

namespace {

constexpr std::int32_t millionths = 1'000'000;

std::string text_in(const toml::table& table, std::string_view key)
{
    const auto* const node = table.get(key);
    const auto found = node == nullptr ? std::nullopt : node->value_exact<std::string>();
    if (!found)
        throw CommandFailure{
            fmt::format("line {}: {} must be a text", table.source().begin.line, key)};
    return *found;
}

NamedEstimate estimate_in(const toml::table& table)
{
    const auto line = table.source().begin.line;
    for (const auto& [key, node] : table)
        if (key != "issuer" && key != "as_of" && key != "ultimate_redemption_rate")
            throw CommandFailure{
                fmt::format("line {}: {} is not known here", node.source().begin.line, key.str())};
    const auto as_of = ledger::parse_day(text_in(table, "as_of"));
    if (!as_of) throw CommandFailure{fmt::format("line {}: as_of must be a day", line)};
    const auto rate = ledger::parse_micro(text_in(table, "ultimate_redemption_rate"));
    if (!rate || *rate <= ledger::Micro{} || rate->count() > millionths)
        throw CommandFailure{fmt::format(
            "line {}: ultimate_redemption_rate must be above 0 and at most 1, in quotes", line)};
    return {
        .issuer = text_in(table, "issuer"),
        .as_of = *as_of,
        .ultimate_redemption_rate = {
            .numerator = static_cast<std::int32_t>(rate->count()), .denominator = millionths}};
}

} // namespace

std::vector<NamedEstimate> read_estimates(const std::filesystem::path& file)
{
    const auto text = read_text(file);
    try {
        const auto root = toml::parse(text);
        std::vector<NamedEstimate> estimates;
        for (const auto& [key, node] : root) {
            if (key != "estimate" || !node.is_array_of_tables())
                throw CommandFailure{fmt::format(
                    "line {}: {} is no [[estimate]]", node.source().begin.line, key.str())};
            for (const auto& each : *node.as_array())
                estimates.push_back(estimate_in(*each.as_table()));
        }
        return estimates;
    } catch (const toml::parse_error& failure) {
        throw CommandFailure{fmt::format(
            "{}: line {}: {}", file.string(), failure.source().begin.line, failure.description())};
    } catch (const CommandFailure& failure) {
        throw CommandFailure{fmt::format("{}: {}", file.string(), failure.what())};
    }
}

} // namespace pointhouse::ops
