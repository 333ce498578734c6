#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "settlement/ageing.hpp"
#include "settlement/reports.hpp"
#include "settlement/settlement.hpp"

namespace pointhouse::settlement {

/// bars: amounts beside each other, lying. steps: how one amount comes from another, standing.
enum class DiagramForm : std::uint8_t { bars, steps };
/// Dark, lighter, and white with a dark edge: they differ in black and white, too.
enum class DiagramShade : std::uint8_t { full, middle, outline };

struct DiagramBar {
    std::string label{};
    std::int64_t value = 0;
    std::string words{};   // the value, as it is written beside the bar
    bool is_level = false; // of steps: an amount from zero, not a change
    DiagramShade shade = DiagramShade::full;
};

struct Diagram {
    DiagramForm form = DiagramForm::bars;
    std::string title{};
    std::vector<DiagramBar> bars{};
};

/// A table on paper: the first column is words, all others are numbers.
struct PrintedTable {
    std::string heading{};
    std::vector<std::string> columns{};
    std::vector<std::vector<std::string>> rows{};
    bool has_total = false; // the last row
};

/// A report as people get it: on A4, a picture before the figures where it says more.
struct PrintedReport {
    std::string logo{}; // of the house, a PNG; empty: it has none
    std::string house{};
    std::string title{};
    std::string number{};  // under the title: "June 2026"
    std::string created{}; // RFC 3339, so that the bytes do not depend on the clock
    std::vector<Diagram> diagrams{};
    std::vector<PrintedTable> tables{};
    std::string note{};
};

/// The same report gives the same bytes. A diagram without amounts is left out. Throws
/// std::runtime_error.
[[nodiscard]] std::string report_pdf(const PrintedReport& report);

/// Of what and of when a report is.
struct ReportOf {
    std::string house{};
    std::string number{};
    std::string created{};
};

/// How the points liability came from opening to closing, in money and in points; by program, too,
/// where the contracts of issuers name some (`programs[id - 1]`). Pure.
[[nodiscard]] PrintedReport printed_roll_forward(
    std::span<const LiabilityRollForward> rows,
    const ledger::Terms& terms,
    const ReportOf& of,
    std::span<const std::string> programs = {});
/// What partners owe, by how long it is due. Pure.
[[nodiscard]] PrintedReport printed_ageing(
    const AgedReceivables& aged, const ledger::Terms& terms, const ReportOf& of);
/// A window: what each partner took of the points of others, and what it comes to. Pure.
[[nodiscard]] PrintedReport printed_settlement(
    const Settlement& settlement, const std::string& created);

} // namespace pointhouse::settlement
