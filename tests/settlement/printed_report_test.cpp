#include "settlement/printed_report.hpp"

#include <gtest/gtest.h>

#include "golden.hpp"
#include "pdf_reader.hpp"
#include "random_documents.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Micro;
using ledger::Minor;

const ReportOf of_june{
    .house = "Pointhouse", .number = "June 2026", .created = "2026-06-30T21:59:59.999999Z"};

/// What `text_of` gives of a page without a diagram's title has none.
bool shows_diagram(const PrintedReport& report, std::string_view title)
{
    return text_of(report_pdf(report)).find(title) != std::string::npos;
}

std::vector<LiabilityRollForward> two_issuers()
{
    const auto flow = [](std::int64_t points) {
        return LiabilityFlow{.points = points, .liability = Micro{points * 10'000}};
    };
    return {
        {.issuer = ledger::PartnerId{1},
         .opening = flow(120'000),
         .issued = flow(84'500),
         .redeemed = flow(61'200),
         .donated = flow(4'000),
         .clawed_back = flow(2'300),
         .recovered = flow(0),
         .expired = flow(9'000),
         .closing = flow(128'000)},
        {.issuer = ledger::PartnerId{2},
         .opening = flow(40'000),
         .issued = flow(0),
         .redeemed = flow(-500),
         .donated = flow(0),
         .clawed_back = flow(0),
         .recovered = flow(700),
         .expired = flow(0),
         .closing = flow(39'800)}};
}

AgedReceivables three_partners()
{
    std::vector<Receivable> items;
    const auto add = [&](std::uint32_t partner, std::int64_t open, ledger::Day due) {
        items.push_back(
            {.document = "INV",
             .partner = ledger::PartnerId{partner},
             .open = Minor{open},
             .disputed = {},
             .due_on = due});
    };
    constexpr ledger::Day today = 20'000;
    add(1, 1'234'567, today + 3);
    add(1, 400'000, today - 12);
    add(2, 250'050, today - 45);
    add(3, 99'999, today - 200);
    items.back().disputed = Minor{50'000};
    return aged_receivables(items, today);
}

TEST(PrintedReport, OfALiabilityRollForward)
{
    const June month{VatMode::all_flows};
    const auto printed = printed_roll_forward(two_issuers(), month.coalition.terms(), of_june);

    ASSERT_EQ(printed.diagrams.size(), 1U);
    std::int64_t level = 0;
    for (const auto& bar : printed.diagrams[0].bars)
        level = bar.is_level ? bar.value : level + bar.value;
    EXPECT_EQ(level, Micro{1'678'000'000}.count()) << "the steps end at the closing";
    std::int64_t steps = 0;
    for (const auto& bar : printed.diagrams[0].bars)
        if (!bar.is_level) steps += bar.value;
    EXPECT_EQ(printed.diagrams[0].bars.front().value + steps, level);
    const auto pdf = report_pdf(printed);
    EXPECT_EQ(pdf, report_pdf(printed)) << "the same bytes";
    expect_golden("roll-forward.pdf.txt", text_of(pdf));
}

TEST(PrintedReport, OfAgedReceivables)
{
    const June month{VatMode::all_flows};
    const auto printed = printed_ageing(three_partners(), month.coalition.terms(), of_june);

    std::int64_t sum = 0;
    for (const auto& bar : printed.diagrams.at(0).bars) sum += bar.value;
    EXPECT_EQ(sum, three_partners().total.total.count) << "bars and disputes are all that is open";
    const auto pdf = report_pdf(printed);
    EXPECT_EQ(pdf, report_pdf(printed)) << "the same bytes";
    expect_golden("ageing.pdf.txt", text_of(pdf));
}

TEST(PrintedReport, OfAWindow)
{
    const auto settled = june_with_expiry(VatMode::all_flows);
    const auto printed = printed_settlement(settled, "2026-06-30T22:00:00Z");

    std::int64_t bars = 0;
    for (const auto& bar : printed.diagrams.at(0).bars) bars += bar.value;
    std::int64_t taken = 0;
    for (const auto& flow : settled.figures.flows) taken += flow.points;
    EXPECT_EQ(bars, taken);
    expect_golden("window.pdf.txt", text_of(report_pdf(printed)));
}

TEST(PrintedReport, HasNoDiagramOfNothing)
{
    const June month{VatMode::all_flows};
    const auto& terms = month.coalition.terms();
    EXPECT_TRUE(
        shows_diagram(printed_ageing(three_partners(), terms, of_june), "What partners owe"));
    EXPECT_FALSE(shows_diagram(printed_ageing({}, terms, of_june), "What partners owe"));
    EXPECT_FALSE(shows_diagram(printed_roll_forward({}, terms, of_june), "Points liability, EUR"));
    Settlement nothing = june_with_expiry(VatMode::all_flows);
    nothing.figures.flows.clear();
    EXPECT_FALSE(
        shows_diagram(printed_settlement(nothing, "2026-07-01T00:00:00Z"), "Points taken, by"));
}

TEST(PrintedReport, ShowsAmountsBelowZeroAndVeryLargeOnes)
{
    const June month{VatMode::all_flows};
    AgedReceivables aged = three_partners();
    aged.total.by_age[0] = Minor{-40'000};
    aged.total.by_age[4] = Minor{INT64_MAX / 4};
    const auto text = text_of(report_pdf(printed_ageing(aged, month.coalition.terms(), of_june)));
    EXPECT_NE(text.find("−400.00"), std::string::npos);
}

TEST(PrintedReport, GoesOnOverPages)
{
    const June month{VatMode::all_flows};
    auto report = printed_roll_forward(two_issuers(), month.coalition.terms(), of_june);
    auto& rows = report.tables.back().rows;
    for (int row = 0; row < 90; ++row) rows.push_back(rows.front());
    EXPECT_NE(text_of(report_pdf(report)).find("Page 4 of 4"), std::string::npos);
}

} // namespace
} // namespace pointhouse::settlement
