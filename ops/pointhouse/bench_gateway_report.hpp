#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

namespace pointhouse::ops {

/// One figure of a bench (CONTRACT.md, "What --json prints").
struct BenchRow {
    std::string name;
    double value = 0;
    std::string unit;
    std::optional<double> bound; // measured in the same run
    std::string bound_name;
    boost::json::object parameters;
};

/// The middle of several measurements; of an even number, the lower middle.
[[nodiscard]] double median(std::vector<double> values);

[[nodiscard]] std::string bench_as_json(const std::vector<BenchRow>& rows);
[[nodiscard]] std::string bench_as_table(const std::vector<BenchRow>& rows);

} // namespace pointhouse::ops
