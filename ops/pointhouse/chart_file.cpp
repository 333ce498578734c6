#include "chart_file.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include "command_line.hpp"

namespace pointhouse::ops {

namespace {

constexpr std::string_view usual =
    R"toml(# Which account of the general ledger each of the house's accounts in money is.
# Numbers after the German SKR 03; change them to your own. by_partner = true makes an account below
# it for each partner; house = "unbilled:GRO" gives one partner an account of its own.

[[account]]
house = "cash:trust"
number = "1210"
name = "Bank Trust"
type = "assets"

[[account]]
house = "cash:operating"
number = "1200"
name = "Bank"
type = "assets"

[[account]]
house = "unbilled"
number = "1530"
name = "Unbilled"
type = "assets"
by_partner = true

[[account]]
house = "ar"
number = "1400"
name = "Receivables"
type = "assets"
by_partner = true

[[account]]
house = "ap"
number = "1600"
name = "Payables"
type = "liabilities"
by_partner = true

[[account]]
house = "accrued_redemption"
number = "1700"
name = "Accrued Redemption"
type = "liabilities"
by_partner = true

[[account]]
house = "accrued_breakage_share"
number = "1701"
name = "Accrued Breakage Share"
type = "liabilities"
by_partner = true

[[account]]
house = "deferred_revenue"
number = "0990"
name = "Deferred Revenue"
type = "liabilities"

[[account]]
house = "prepaid_block"
number = "1710"
name = "Prepaid Blocks"
type = "liabilities"
by_partner = true

[[account]]
house = "prepaid_fee"
number = "1711"
name = "Prepaid Fees"
type = "liabilities"
by_partner = true

[[account]]
house = "vat:input"
number = "1570"
name = "Input VAT"
type = "assets"

[[account]]
house = "vat:output"
number = "1770"
name = "Output VAT"
type = "liabilities"

[[account]]
house = "revenue:service_fee"
number = "8400"
name = "Service Fees"
type = "income"

[[account]]
house = "revenue:redemption_margin"
number = "8410"
name = "Redemption Margin"
type = "income"

[[account]]
house = "revenue:breakage"
number = "8420"
name = "Breakage"
type = "income"

[[account]]
house = "rounding"
number = "2650"
name = "Rounding"
type = "expenses"

[[account]]
house = "write_off"
number = "2651"
name = "Residuals of payments"
type = "expenses"

[[account]]
house = "bank_charges"
number = "2652"
name = "Bank Charges"
type = "expenses"

[[account]]
house = "collateral"
number = "1720"
name = "Collateral of Partners"
type = "liabilities"
by_partner = true

[[account]]
house = "exchange"
number = "2660"
name = "Exchange Differences"
type = "expenses"

[datev]
consultant = 1001
client = 1
fiscal_year_month = 1
account_digits = 4
clearing = "1590"
)toml";

[[noreturn]] void refuse(std::string_view file, const toml::node& at, std::string_view why)
{
    throw CommandFailure{fmt::format("{}: line {}: {}", file, at.source().begin.line, why)};
}

class ChartReader {
public:
    ChartReader(std::string_view file, const toml::table& root) : file_{file}, root_{root} {}

    settlement::Chart read()
    {
        settlement::Chart chart;
        for (const auto& [key, node] : root_) {
            if (key.str() == "account" && node.is_array_of_tables()) {
                for (const auto& each : *node.as_array()) add_account(*each.as_table(), chart);
            } else if (key.str() == "datev" && node.is_table()) {
                chart.datev = read_client(*node.as_table());
            } else {
                refuse(file_, node, fmt::format("{} is not a part of a chart", key.str()));
            }
        }
        return chart;
    }

private:
    template <class Value>
    Value value(const toml::table& table, std::string_view key)
    {
        const auto* const node = table.get(key);
        if (node == nullptr) refuse(file_, table, fmt::format("{} is missing", key));
        const auto found = node->value_exact<Value>();
        if (!found) refuse(file_, *node, fmt::format("{} is of another type", key));
        return *found;
    }

    void only(const toml::table& table, std::initializer_list<std::string_view> keys)
    {
        for (const auto& [key, node] : table)
            if (std::ranges::find(keys, key.str()) == keys.end())
                refuse(file_, node, fmt::format("{} is not known here", key.str()));
    }

    void add_account(const toml::table& table, settlement::Chart& chart)
    {
        only(table, {"house", "number", "name", "type", "by_partner"});
        const auto root = settlement::find_root(value<std::string>(table, "type"));
        if (!root) refuse(file_, table, "type is assets, liabilities, equity, income or expenses");
        const bool by_partner = table.contains("by_partner") && value<bool>(table, "by_partner");
        const bool is_new = chart.accounts
                                .emplace(
                                    value<std::string>(table, "house"),
                                    settlement::GlAccount{
                                        .number = value<std::string>(table, "number"),
                                        .name = value<std::string>(table, "name"),
                                        .root = *root,
                                        .by_partner = by_partner})
                                .second;
        if (!is_new) refuse(file_, table, "this house account has its place already");
    }

    settlement::DatevClient read_client(const toml::table& table)
    {
        only(table, {"consultant", "client", "fiscal_year_month", "account_digits", "clearing"});
        return {
            .consultant = value<std::int64_t>(table, "consultant"),
            .client = value<std::int64_t>(table, "client"),
            .fiscal_year_month =
                static_cast<std::int32_t>(value<std::int64_t>(table, "fiscal_year_month")),
            .account_digits =
                static_cast<std::int32_t>(value<std::int64_t>(table, "account_digits")),
            .clearing = value<std::string>(table, "clearing")};
    }

    std::string_view file_;
    const toml::table& root_;
};

} // namespace

std::string_view usual_chart()
{
    return usual;
}

settlement::Chart read_chart(
    std::string_view text, std::string_view name, const ledger::Terms& terms)
{
    try {
        const auto root = toml::parse(text);
        auto chart = ChartReader{name, root}.read();
        if (const auto fault = chart.fault(terms))
            throw CommandFailure{fmt::format("{}: {}", name, *fault)};
        return chart;
    } catch (const toml::parse_error& failure) {
        throw CommandFailure{fmt::format(
            "{}: line {}: {}", name, failure.source().begin.line, failure.description())};
    }
}

} // namespace pointhouse::ops
