#include <algorithm>
#include <array>

#include "ledger/invariant.hpp"
#include "settlement/reports.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::EntryKind;

/// Which column of the roll-forward a kind of entry moves; null: none.
LiabilityFlow* flow_of(LiabilityRollForward& row, EntryKind kind)
{
    switch (kind) {
    case EntryKind::issued: return &row.issued;
    case EntryKind::opened: return &row.opening; // what was brought along was open before
    case EntryKind::redeemed:
    case EntryKind::refunded: return &row.redeemed;
    case EntryKind::donated: return &row.donated;
    case EntryKind::clawed_back: return &row.clawed_back;
    case EntryKind::recovered: return &row.recovered;
    case EntryKind::expired:
    case EntryKind::expiry_undone:
    case EntryKind::reinstated:
    case EntryKind::reinstated_by_house: return &row.expired;
    case EntryKind::debt_incurred:
    case EntryKind::matured:
    case EntryKind::held:
    case EntryKind::released:
    case EntryKind::moved_out:
    case EntryKind::moved_in:
    case EntryKind::debt_moved_out:
    case EntryKind::debt_moved_in:
    case EntryKind::creditable_moved:
    case EntryKind::folded_out:
    case EntryKind::folded_in: return nullptr;
    }
    ledger::invariant(false, "every kind of entry has its place in a roll-forward");
    return nullptr;
}

/// Whether points come into a lot.
bool adds(EntryKind kind)
{
    return kind == EntryKind::issued || kind == EntryKind::opened || kind == EntryKind::refunded ||
           ledger::undoes_expiry(kind);
}

/// Whether a column counts what goes out.
bool is_outflow(const LiabilityRollForward& row, const LiabilityFlow* flow)
{
    return flow != &row.issued && flow != &row.opening;
}

void add(LiabilityFlow& flow, std::int64_t points, ledger::Micro liability)
{
    flow.points += points;
    flow.liability += liability;
}

void add_row(LiabilityRollForward& issuer, const ledger::PositionRow& row, bool is_opening)
{
    LiabilityFlow* const flow = flow_of(issuer, row.kind);
    if (flow == nullptr) return;
    const std::int64_t points = adds(row.kind) ? row.points.count() : -row.points.count();
    const ledger::Micro liability = row.money.liability;
    add(issuer.closing, points, liability);
    if (is_opening) return add(issuer.opening, points, liability);
    if (is_outflow(issuer, flow))
        add(*flow, -points, -liability);
    else
        add(*flow, points, liability);
}

constexpr std::array<std::pair<std::string_view, LiabilityFlow LiabilityRollForward::*>, 8> columns{
    {{"opening", &LiabilityRollForward::opening},
     {"issued", &LiabilityRollForward::issued},
     {"redeemed", &LiabilityRollForward::redeemed},
     {"donated", &LiabilityRollForward::donated},
     {"clawed_back", &LiabilityRollForward::clawed_back},
     {"recovered", &LiabilityRollForward::recovered},
     {"expired", &LiabilityRollForward::expired},
     {"closing", &LiabilityRollForward::closing}}};

ReportTable empty_table(std::string name, std::string first_column)
{
    ReportTable table{.name = std::move(name), .columns = {std::move(first_column)}, .rows = {}};
    for (const auto& each : columns) table.columns.push_back(std::string{each.first} + "_points");
    for (const auto& each : columns)
        table.columns.push_back(std::string{each.first} + "_liability");
    return table;
}

void add_cells(ReportTable& table, std::string name, const LiabilityRollForward& row)
{
    std::vector<ReportCell> cells{std::move(name)};
    for (const auto& each : columns) cells.emplace_back((row.*each.second).points);
    for (const auto& each : columns) cells.emplace_back((row.*each.second).liability);
    table.rows.push_back(std::move(cells));
}

void add_flows(LiabilityRollForward& sum, const LiabilityRollForward& row)
{
    for (const auto& each : columns) {
        const LiabilityFlow& flow = row.*each.second;
        add(sum.*each.second, flow.points, flow.liability);
    }
}

/// As people write it where a name is asked for.
std::string word_of(const std::string& program)
{
    return program.empty() ? "none" : program;
}

} // namespace

LiabilityRollForward moved_by(const ledger::PositionRow& row)
{
    LiabilityRollForward moved{.issuer = row.partner};
    add_row(moved, row, false);
    return moved;
}

void RollForward::add(const ledger::PositionRow& row, bool is_opening)
{
    auto& issuer = rows_[row.partner];
    issuer.issuer = row.partner;
    add_row(issuer, row, is_opening);
}

std::vector<LiabilityRollForward> RollForward::rows() const
{
    std::vector<LiabilityRollForward> rows;
    for (const auto& [issuer, row] : rows_) {
        LiabilityFlow end = row.opening;
        settlement::add(end, row.issued.points, row.issued.liability);
        for (const auto* out :
             {&row.redeemed, &row.donated, &row.clawed_back, &row.recovered, &row.expired})
            settlement::add(end, -out->points, -out->liability);
        ledger::invariant(end == row.closing, "the roll-forward ends at what is open");
        const bool is_empty = std::ranges::all_of(
            columns, [&](const auto& column) { return row.*column.second == LiabilityFlow{}; });
        if (!is_empty) rows.push_back(row);
    }
    return rows;
}

ReportTable roll_forward_table(
    std::span<const LiabilityRollForward> rows,
    const ledger::Terms& terms,
    std::span<const std::string> programs)
{
    auto table = empty_table("issuers", "issuer");
    LiabilityRollForward total;
    for (const auto& row : rows) {
        add_cells(table, terms.partner(row.issuer).name, row);
        add_flows(total, row);
    }
    add_cells(table, "total", total);
    if (programs.empty()) return table;
    // Last, so that what reads the other columns by their place goes on doing so.
    table.columns.emplace_back("program");
    for (std::size_t place = 0; place < rows.size(); ++place)
        table.rows[place].emplace_back(word_of(programs[rows[place].issuer.value() - 1]));
    table.rows.back().emplace_back();
    return table;
}

std::map<std::string, LiabilityRollForward> rolled_by_program(
    std::span<const LiabilityRollForward> rows, std::span<const std::string> programs)
{
    std::map<std::string, LiabilityRollForward> sums;
    for (const auto& row : rows) add_flows(sums[programs[row.issuer.value() - 1]], row);
    return sums;
}

ReportTable programs_table(const std::map<std::string, LiabilityRollForward>& programs)
{
    auto table = empty_table("programs", "program");
    LiabilityRollForward total;
    for (const auto& [program, row] : programs) {
        add_cells(table, word_of(program), row);
        add_flows(total, row);
    }
    add_cells(table, "total", total);
    return table;
}

} // namespace pointhouse::settlement
