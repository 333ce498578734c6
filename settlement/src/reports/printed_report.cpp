#include "settlement/printed_report.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <tuple>

#include "../wording.hpp"

namespace pointhouse::settlement {

namespace {

using ledger::Micro;
using ledger::Minor;

/// A flow as a person calls it, and whether it adds to what is open.
struct Flow {
    std::string_view label;
    LiabilityFlow LiabilityRollForward::* field;
    bool adds;
};
constexpr std::array<Flow, 6> flows{
    {{"Issued", &LiabilityRollForward::issued, true},
     {"Redeemed", &LiabilityRollForward::redeemed, false},
     {"Donated", &LiabilityRollForward::donated, false},
     {"Clawed back", &LiabilityRollForward::clawed_back, false},
     {"Recovered", &LiabilityRollForward::recovered, false},
     {"Expired", &LiabilityRollForward::expired, false}}};

void add(LiabilityFlow& sum, const LiabilityFlow& flow)
{
    sum.points += flow.points;
    sum.liability += flow.liability;
}

LiabilityRollForward total_of(std::span<const LiabilityRollForward> rows)
{
    LiabilityRollForward total;
    for (const auto& row : rows) {
        add(total.opening, row.opening);
        for (const Flow& flow : flows) add(total.*flow.field, row.*flow.field);
        add(total.closing, row.closing);
    }
    return total;
}

std::string money(Micro amount, const ledger::Currency& currency)
{
    return amount_in_words(minor_units_of(amount, currency), currency);
}

LiabilityFlow signed_flow(const LiabilityRollForward& row, const Flow& flow)
{
    const LiabilityFlow& amount = row.*flow.field;
    if (flow.adds) return amount;
    return {.points = -amount.points, .liability = -amount.liability};
}

Diagram waterfall_of(const LiabilityRollForward& total, const ledger::Currency& currency)
{
    Diagram diagram{
        .form = DiagramForm::steps,
        .title = fmt::format("Points liability, {}", currency.code),
        .bars = {}};
    const auto level = [&](std::string label, const LiabilityFlow& flow) {
        diagram.bars.push_back(
            {.label = std::move(label),
             .value = flow.liability.count(),
             .words = money(flow.liability, currency),
             .is_level = true,
             .shade = DiagramShade::full});
    };
    level("Opening", total.opening);
    for (const Flow& flow : flows) {
        const auto change = signed_flow(total, flow).liability;
        if (change == Micro{}) continue;
        diagram.bars.push_back(
            {.label = std::string{flow.label},
             .value = change.count(),
             .words = (change > Micro{} ? "+" : "") + money(change, currency),
             .is_level = false,
             .shade = change > Micro{} ? DiagramShade::middle : DiagramShade::outline});
    }
    level("Closing", total.closing);
    return diagram;
}

PrintedTable rolled_table(std::string heading, std::string first_column)
{
    return {
        .heading = std::move(heading),
        .columns =
            {std::move(first_column),
             "Opening",
             "Issued",
             "Spent",
             "Other",
             "Closing",
             "Points at close"},
        .rows = {}};
}

void add_rolled(
    PrintedTable& table,
    std::string name,
    const LiabilityRollForward& row,
    const ledger::Currency& currency)
{
    const Micro spent = row.redeemed.liability + row.donated.liability;
    const Micro other = row.clawed_back.liability + row.recovered.liability + row.expired.liability;
    table.rows.push_back(
        {std::move(name),
         money(row.opening.liability, currency),
         money(row.issued.liability, currency),
         money(-spent, currency),
         money(-other, currency),
         money(row.closing.liability, currency),
         points_in_words(row.closing.points)});
}

std::string_view words_of(Age age)
{
    switch (age) {
    case Age::not_due: return "Not due yet";
    case Age::days_1_to_30: return "1–30 days late";
    case Age::days_31_to_60: return "31–60 days late";
    case Age::days_61_to_90: return "61–90 days late";
    case Age::over_90_days: return "Over 90 days late";
    }
    return "";
}

std::map<ledger::PartnerId, std::int64_t> taken_by_redeemer(const Settlement& settlement)
{
    std::map<ledger::PartnerId, std::int64_t> taken;
    for (const PointsFlow& flow : settlement.figures.flows) taken[flow.redeemer] += flow.points;
    return taken;
}

} // namespace

PrintedReport printed_roll_forward(
    std::span<const LiabilityRollForward> rows,
    const ledger::Terms& terms,
    const ReportOf& of,
    std::span<const std::string> programs)
{
    const auto total = total_of(rows);
    PrintedTable by_flow{
        .heading = "All issuers",
        .columns = {"", "Points", "Liability, " + terms.currency.code},
        .rows = {},
        .has_total = true};
    const auto row = [&](std::string_view label, const LiabilityFlow& flow) {
        by_flow.rows.push_back(
            {std::string{label},
             points_in_words(flow.points),
             money(flow.liability, terms.currency)});
    };
    row("Opening", total.opening);
    for (const Flow& flow : flows) row(flow.label, signed_flow(total, flow));
    row("Closing", total.closing);

    auto issuers = rolled_table("By issuer", "Issuer");
    for (const auto& each : rows)
        add_rolled(issuers, terms.partner(each.issuer).name, each, terms.currency);
    std::vector tables{std::move(by_flow), std::move(issuers)};
    if (!programs.empty()) {
        auto by_program = rolled_table("By program", "Program");
        for (const auto& [program, sums] : rolled_by_program(rows, programs))
            add_rolled(by_program, program.empty() ? "none" : program, sums, terms.currency);
        tables.insert(tables.end() - 1, std::move(by_program));
    }
    return {
        .house = of.house,
        .title = "Liability roll-forward",
        .number = of.number,
        .created = of.created,
        .diagrams = {waterfall_of(total, terms.currency)},
        .tables = std::move(tables),
        .note = "Redeemed points are less refunds, expired ones less what came back. Amounts are "
                "rounded for this page; the CSV has them to the millionth."};
}

PrintedReport printed_ageing(
    const AgedReceivables& aged, const ledger::Terms& terms, const ReportOf& of)
{
    Diagram diagram{
        .form = DiagramForm::bars,
        .title = fmt::format("What partners owe, {}", terms.currency.code),
        .bars = {}};
    const auto bar = [&](std::string_view label, Minor amount, DiagramShade shade) {
        diagram.bars.push_back(
            {.label = std::string{label},
             .value = amount.count,
             .words = amount_in_words(amount, terms.currency),
             .is_level = false,
             .shade = shade});
    };
    PrintedTable partners{
        .heading = "By partner",
        .columns = {"Partner", "Not due", "1–30", "31–60", "61–90", "Over 90", "Disputed", "Open"},
        .rows = {},
        .has_total = true};
    for (std::size_t place = 0; place < age_count; ++place) {
        const auto age = static_cast<Age>(place);
        bar(words_of(age),
            aged.total.by_age[place],
            age == Age::not_due ? DiagramShade::middle : DiagramShade::full);
    }
    if (aged.total.disputed != Minor{}) bar("Disputed", aged.total.disputed, DiagramShade::outline);
    const auto row = [&](const std::string& name, const AgedAmounts& amounts) {
        std::vector<std::string> cells{name};
        for (const Minor amount : amounts.by_age)
            cells.push_back(amount_in_words(amount, terms.currency));
        cells.push_back(amount_in_words(amounts.disputed, terms.currency));
        cells.push_back(amount_in_words(amounts.total, terms.currency));
        partners.rows.push_back(std::move(cells));
    };
    for (const auto& each : aged.partners) row(terms.partner(each.partner).name, each.amounts);
    row("All partners", aged.total);
    return {
        .house = of.house,
        .title = "Aged receivables",
        .number = of.number,
        .created = of.created,
        .diagrams = {std::move(diagram)},
        .tables = {std::move(partners)},
        .note = "By days after the due date, less what was credited, offset and paid. Disputed "
                "amounts stand apart."};
}

namespace {

PrintedTable programs_of(const Settlement& settlement)
{
    PrintedTable table{
        .heading = "Programs",
        .columns =
            {"Program", "Partners", "Paid in", "Paid out", "House, " + settlement.currency.code},
        .rows = {}};
    for (const auto& [program, position] : settlement.positions_by_program())
        table.rows.push_back(
            {program.empty() ? "none" : program,
             fmt::to_string(position.partners),
             amount_in_words(position.paid_in, settlement.currency),
             amount_in_words(position.paid_out, settlement.currency),
             amount_in_words(position.house(), settlement.currency)});
    return table;
}

} // namespace

PrintedReport printed_settlement(const Settlement& settlement, const std::string& created)
{
    Diagram diagram{
        .form = DiagramForm::bars, .title = "Points taken, by who took them", .bars = {}};
    for (const auto& [redeemer, points] : taken_by_redeemer(settlement)) {
        diagram.bars.push_back(
            {.label = settlement.partners.at(redeemer.value() - 1).name,
             .value = points,
             .words = points_in_words(points),
             .is_level = false,
             .shade = DiagramShade::full});
    }
    // Beyond a dozen, the largest say more than all.
    constexpr std::size_t bars_max = 12;
    std::ranges::sort(diagram.bars, [](const DiagramBar& left, const DiagramBar& right) {
        return std::tie(right.value, left.label) < std::tie(left.value, right.label);
    });
    if (diagram.bars.size() > bars_max) {
        diagram.title = fmt::format("{}: the {} largest", diagram.title, bars_max);
        diagram.bars.resize(bars_max);
    }

    PrintedTable partners{
        .heading = "Partners",
        .columns =
            {"Partner",
             "Opening",
             "Issued",
             "Taken",
             "Own spent",
             "Clawed back",
             "Closing",
             "Net, " + settlement.currency.code},
        .rows = {}};
    for (const auto& figures : settlement.figures.partners) {
        partners.rows.push_back(
            {settlement.partners.at(figures.partner.value() - 1).name,
             points_in_words(figures.opening),
             points_in_words(figures.issued),
             points_in_words(figures.redeemed_here - figures.refunded),
             points_in_words(figures.own_redeemed_anywhere),
             points_in_words(figures.clawed_back),
             points_in_words(figures.closing),
             amount_in_words(settlement.net_of(figures.partner), settlement.currency)});
    }
    PrintedTable taken{
        .heading = "Points of each issuer, by who took them",
        .columns = {"Issuer and redeemer", "Points"},
        .rows = {}};
    for (const PointsFlow& flow : settlement.figures.flows) {
        taken.rows.push_back(
            {fmt::format(
                 "{} at {}",
                 settlement.partners.at(flow.issuer.value() - 1).name,
                 settlement.partners.at(flow.redeemer.value() - 1).name),
             points_in_words(flow.points)});
    }
    std::vector<PrintedTable> tables{std::move(partners)};
    if (auto programs = programs_of(settlement); !programs.rows.empty())
        tables.push_back(std::move(programs));
    tables.push_back(std::move(taken));
    return {
        .house = settlement.house.name,
        .title = "Statement of the window",
        .number = month_in_words(settlement.window.month),
        .created = created,
        .diagrams = {std::move(diagram)},
        .tables = std::move(tables),
        .note = "Net above zero: the house pays the partner. Points taken are net of refunds."};
}

} // namespace pointhouse::settlement
