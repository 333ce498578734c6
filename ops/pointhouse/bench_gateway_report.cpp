#include "bench_gateway_report.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include <boost/json.hpp>

namespace pointhouse::ops {
namespace {

namespace json = boost::json;

/// Three significant figures are all that a bench can promise.
std::string figure(double value)
{
    return value >= 100 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

} // namespace

double median(std::vector<double> values)
{
    if (values.empty()) return 0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

std::string bench_as_json(const std::vector<BenchRow>& rows)
{
    json::array array;
    for (const auto& row : rows) {
        const bool bounded = row.bound && *row.bound > 0;
        array.push_back(json::object{
            {"name", row.name},
            {"value", row.value},
            {"unit", row.unit},
            {"bound", row.bound ? json::value(*row.bound) : json::value(nullptr)},
            {"bound_name", row.bound ? json::value(row.bound_name) : json::value(nullptr)},
            {"ratio", bounded ? json::value(row.value / *row.bound) : json::value(nullptr)},
            {"parameters", row.parameters},
        });
    }
    return json::serialize(array) + "\n";
}

std::string bench_as_table(const std::vector<BenchRow>& rows)
{
    std::string table;
    for (const auto& row : rows) {
        fmt::format_to(
            std::back_inserter(table),
            "{:<28}{:>10} {:<14}",
            row.name,
            figure(row.value),
            row.unit);
        if (row.bound && *row.bound > 0) {
            fmt::format_to(
                std::back_inserter(table),
                "{:>5.2f} of {} {}",
                row.value / *row.bound,
                figure(*row.bound),
                row.bound_name);
        }
        for (const auto& [name, value] : row.parameters) {
            if (!value.is_double()) continue;
            fmt::format_to(
                std::back_inserter(table),
                "  {} {}",
                std::string_view{name},
                figure(value.get_double()));
        }
        table += "\n";
    }
    return table;
}

} // namespace pointhouse::ops
