#include <fmt/format.h>
#include <set>

#include "../vat_totals.hpp"
#include "moved_figures.hpp"
#include "settlement/restatement.hpp"

namespace pointhouse::settlement {

namespace {

using ledger::Minor;

using Row = std::vector<ReportCell>;

Row row_of(const RestatedLineKey& line, const ledger::Terms& terms)
{
    return {
        terms.partner(line.partner).name,
        std::string{name_of(line.type)},
        std::string{name_of(line.charge)},
        std::int64_t{line.tariff.value()}};
}

void add_cells(Row& row, std::initializer_list<ReportCell> cells)
{
    row.insert(row.end(), cells);
}

std::string_view why(const RestatementCause& cause, ledger::Month window)
{
    if (!cause.correction.empty()) return "correction";
    return cause.posted_in > window ? "late" : "early";
}

ReportTable line_table(const Restatement& restatement, const ledger::Terms& terms)
{
    ReportTable table{
        .name = "lines",
        .columns =
            {"partner",
             "statement",
             "flow",
             "tariff",
             "points",
             "exact",
             "net_minor",
             "vat_category",
             "vat_rate_basis_points"},
        .rows = {}};
    for (const auto& [key, line] : restatement.lines) {
        const auto amount = line.restated();
        auto row = row_of(key, terms);
        add_cells(
            row,
            {amount.points,
             amount.exact,
             net_amount(amount, line.vat, terms.currency).count,
             line.vat.category,
             std::int64_t{line.vat.basis_points}});
        table.rows.push_back(std::move(row));
    }
    return table;
}

ReportTable difference_table(
    std::span<const RestatedDifference> differences, const ledger::Terms& terms)
{
    ReportTable table{
        .name = "differences",
        .columns =
            {"partner",
             "statement",
             "flow",
             "tariff",
             "old_points",
             "new_points",
             "difference_points",
             "old_exact",
             "new_exact",
             "difference_exact",
             "old_net_minor",
             "new_net_minor",
             "difference_net_minor"},
        .rows = {}};
    for (const auto& each : differences) {
        const auto old_net = net_amount(each.before, each.vat, terms.currency).count;
        const auto new_net = net_amount(each.after, each.vat, terms.currency).count;
        const auto change = each.after - each.before;
        auto row = row_of(each.line, terms);
        add_cells(
            row,
            {each.before.points,
             each.after.points,
             change.points,
             each.before.exact,
             each.after.exact,
             change.exact,
             old_net,
             new_net,
             new_net - old_net});
        table.rows.push_back(std::move(row));
    }
    return table;
}

ReportTable cause_table(
    std::span<const RestatedDifference> differences,
    ledger::Month window,
    const ledger::Terms& terms)
{
    ReportTable table{
        .name = "causes",
        .columns =
            {"partner",
             "statement",
             "flow",
             "tariff",
             "why",
             "posted_in",
             "points",
             "exact",
             "document"},
        .rows = {}};
    for (const auto& each : differences) {
        for (const auto& [cause, part] : each.parts) {
            auto row = row_of(each.line, terms);
            add_cells(
                row,
                {std::string{why(cause, window)},
                 ledger::format_month(cause.posted_in),
                 part.amount.points,
                 part.amount.exact,
                 part.document});
            table.rows.push_back(std::move(row));
        }
    }
    return table;
}

ReportTable total_table(
    const Restatement& before, const Restatement& after, const ledger::Terms& terms)
{
    ReportTable table{
        .name = "totals",
        .columns =
            {"partner",
             "statement",
             "old_net_minor",
             "new_net_minor",
             "old_vat_minor",
             "new_vat_minor",
             "old_total_minor",
             "new_total_minor",
             "difference_total_minor"},
        .rows = {}};
    auto old_totals = totals_of(before, terms.currency);
    auto new_totals = totals_of(after, terms.currency);
    std::set<StatementKey> keys;
    for (const auto& [key, total] : old_totals) keys.insert(key);
    for (const auto& [key, total] : new_totals) keys.insert(key);
    for (const auto& key : keys) {
        const auto was = old_totals[key];
        const auto is = new_totals[key];
        if (was == is) continue;
        table.rows.push_back(
            {terms.partner(key.first).name,
             std::string{name_of(key.second)},
             was.net.count,
             is.net.count,
             was.tax.count,
             is.tax.count,
             was.total.count,
             is.total.count,
             is.total.count - was.total.count});
    }
    return table;
}

ReportTable moved_table(const Restatement& restatement, const ledger::Terms& terms)
{
    ReportTable table{.name = "points", .columns = {"partner"}, .rows = {}};
    for (const auto& figure : moved_figures) table.columns.emplace_back(figure.name);
    for (const auto& [partner, moved] : restatement.restated) {
        Row row{terms.partner(partner).name};
        for (const auto& figure : moved_figures) row.emplace_back(moved.*figure.field);
        table.rows.push_back(std::move(row));
    }
    return table;
}

ReportTable moved_difference_table(
    const Restatement& before, const Restatement& after, const ledger::Terms& terms)
{
    ReportTable table{
        .name = "points", .columns = {"partner", "figure", "old", "new", "difference"}, .rows = {}};
    auto old_rows = before.restated;
    for (const auto& [partner, moved] : after.restated) old_rows.try_emplace(partner);
    for (const auto& [partner, was] : old_rows) {
        const auto found = after.restated.find(partner);
        const auto is = found == after.restated.end() ? PartnerFigures{} : found->second;
        for (const auto& figure : moved_figures) {
            const auto old_count = was.*figure.field;
            const auto new_count = is.*figure.field;
            if (old_count == new_count) continue;
            table.rows.push_back(
                {terms.partner(partner).name,
                 std::string{figure.name},
                 old_count,
                 new_count,
                 new_count - old_count});
        }
    }
    return table;
}

} // namespace

Minor net_amount(const RestatedAmount& amount, const VatRate& vat, const ledger::Currency& currency)
{
    const Minor rounded = minor_units_of(amount.exact, currency);
    return vat.is_gross ? ledger::net_of(rounded, vat.basis_points) : rounded;
}

std::map<StatementKey, StatementTotals> totals_of(
    const Restatement& restatement, const ledger::Currency& currency)
{
    std::map<StatementKey, std::vector<StatementLine>> statements;
    for (const auto& [key, line] : restatement.lines) {
        auto& lines = statements[{key.partner, key.type}];
        lines.push_back({.vat = line.vat});
        set_rounded(lines.back(), minor_units_of(line.restated().exact, currency));
    }
    std::map<StatementKey, StatementTotals> totals;
    for (auto& [key, lines] : statements) {
        auto& total = totals[key];
        for (const VatTotal& vat : vat_totals(lines)) {
            total.net += vat.net;
            total.tax += vat.tax;
            total.total += vat.total();
        }
    }
    return totals;
}

Report statements_report(const Restatement& restatement, const ledger::Terms& terms)
{
    ReportTable totals{
        .name = "totals",
        .columns = {"partner", "statement", "net_minor", "vat_minor", "total_minor"},
        .rows = {}};
    for (const auto& [key, total] : totals_of(restatement, terms.currency)) {
        totals.rows.push_back(
            {terms.partner(key.first).name,
             std::string{name_of(key.second)},
             total.net.count,
             total.tax.count,
             total.total.count});
    }
    return {
        .name = "statements",
        .facts =
            {{"window", ledger::format_month(restatement.window)},
             {"version", fmt::format("{}", restatement.version)},
             {"currency", terms.currency.code}},
        .tables = {
            line_table(restatement, terms), std::move(totals), moved_table(restatement, terms)}};
}

Report difference_report(
    const Restatement& before, const Restatement& after, const ledger::Terms& terms)
{
    const auto changed = differences(before, after);
    return {
        .name = "restatement",
        .facts =
            {{"window", ledger::format_month(after.window)},
             {"old_version", fmt::format("{}", before.version)},
             {"new_version", fmt::format("{}", after.version)},
             {"made_at", ledger::format_time(after.made_at)},
             {"journal_through", fmt::format("{}", after.through.value())},
             {"record_through", fmt::format("{}", after.documents_through.value())},
             {"currency", terms.currency.code}},
        .tables = {
            difference_table(changed, terms),
            cause_table(changed, after.window, terms),
            total_table(before, after, terms),
            moved_difference_table(before, after, terms)}};
}

} // namespace pointhouse::settlement
