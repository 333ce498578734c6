#include "toml_reader.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <utility>

namespace pointhouse::partners {

void FirstFault::note(const toml::source_region& where, std::string_view key, std::string_view why)
{
    if (!reason_) reason_ = fmt::format("line {}: {}: {}", where.begin.line, key, why);
}

const toml::node* TableReader::take(std::string_view key)
{
    known_.emplace(key);
    return table_.get(key);
}

std::optional<std::string> TableReader::text(std::string_view key)
{
    const auto* node = take(key);
    if (!node) return std::nullopt;
    const auto* value = node->as_string();
    if (!value) refuse(key, "must be text in quotes");
    return value ? std::optional{value->get()} : std::nullopt;
}

std::optional<bool> TableReader::boolean(std::string_view key)
{
    const auto* node = take(key);
    if (!node) return std::nullopt;
    const auto* value = node->as_boolean();
    if (!value) refuse(key, "must be true or false");
    return value ? std::optional{value->get()} : std::nullopt;
}

std::optional<std::int64_t> TableReader::integer(std::string_view key)
{
    const auto* node = take(key);
    if (!node) return std::nullopt;
    const auto* value = node->as_integer();
    if (!value) refuse(key, "must be a whole number");
    return value ? std::optional{value->get()} : std::nullopt;
}

std::optional<std::int32_t> TableReader::small_integer(std::string_view key)
{
    const auto value = integer(key);
    if (!value) return std::nullopt;
    using Limits = std::numeric_limits<std::int32_t>;
    if (*value < Limits::min() || *value > Limits::max()) {
        refuse(key, "is out of range");
        return std::nullopt;
    }
    return static_cast<std::int32_t>(*value);
}

std::vector<std::string> TableReader::texts(std::string_view key)
{
    std::vector<std::string> values;
    const auto* node = take(key);
    if (!node) return values;
    const auto* array = node->as_array();
    if (!array) {
        refuse(key, "must be a list of texts");
        return values;
    }
    for (const auto& element : *array) {
        const auto* value = element.as_string();
        if (value) {
            values.push_back(value->get());
        } else {
            refuse(key, "must be a list of texts");
        }
    }
    return values;
}

std::optional<ledger::Micro> TableReader::decimal(std::string_view key)
{
    const auto* node = take(key);
    if (!node) return std::nullopt;
    const auto* value = node->as_string();
    const auto amount = value ? ledger::parse_micro(value->get()) : std::nullopt;
    if (!amount) refuse(key, R"(must be a decimal of at most six places in quotes, as "0.0095")");
    return amount;
}

std::optional<ledger::Day> TableReader::day(std::string_view key)
{
    const auto* node = take(key);
    if (!node) return std::nullopt;
    const auto* value = node->as_string();
    const auto day = value ? ledger::parse_day(value->get()) : std::nullopt;
    if (!day) refuse(key, R"(must be a day in quotes, as "2026-06-30")");
    return day;
}

const toml::table* TableReader::table(std::string_view key)
{
    const auto* node = take(key);
    if (!node) return nullptr;
    if (!node->is_table()) refuse(key, "must be a table");
    return node->as_table();
}

std::vector<const toml::table*> TableReader::tables(std::string_view key)
{
    std::vector<const toml::table*> tables;
    const auto* node = take(key);
    if (!node) return tables;
    const auto* array = node->as_array();
    if (!array || (!array->empty() && !array->is_homogeneous(toml::node_type::table))) {
        refuse(key, fmt::format("must be [[{}]] tables", key));
        return tables;
    }
    for (const auto& element : *array) tables.push_back(element.as_table());
    return tables;
}

std::vector<std::string> TableReader::keys_as_written() const
{
    // The table itself is in alphabetical order.
    std::vector<std::pair<toml::source_position, std::string>> places;
    for (const auto& [key, node] : table_) places.emplace_back(key.source().begin, key.str());
    std::ranges::sort(
        places, [](const auto& left, const auto& right) { return left.first < right.first; });
    std::vector<std::string> keys;
    for (auto& [place, key] : places) keys.push_back(std::move(key));
    return keys;
}

void TableReader::refuse(std::string_view key, std::string_view why)
{
    const auto* node = table_.get(key);
    fault_.note(node ? node->source() : table_.source(), key, why);
}

void TableReader::require(std::string_view key)
{
    if (!table_.contains(key)) refuse(key, "is missing");
}

void TableReader::refuse_unknown()
{
    for (const auto& [key, node] : table_) {
        if (!known_.contains(key.str())) {
            fault_.note(key.source(), key.str(), "is no key of this table");
        }
    }
}

} // namespace pointhouse::partners
