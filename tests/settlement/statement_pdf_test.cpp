#include <gtest/gtest.h>

#include "coalition.hpp"
#include "pdf_reader.hpp"
#include "settlement/rendering.hpp"

namespace pointhouse::settlement {
namespace {

TEST(StatementPdf, ShowsPartiesLinesTotalsAndNet)
{
    const Settlement settlement = June{VatMode::all_flows}.coalition.settled();

    const std::string text = text_of(statement_pdf(settlement, settlement.statements.front()));

    for (const char* words :
         {"Issuance statement",
          "PF-2026-06-GRO-ISS",
          "Pro forma — not a tax invoice",
          "Pointhouse",
          "Grocer",
          "1 – 30 June 2026",
          "Issue price",
          "408",
          "10.00",
          "4.08",
          "0.41",
          "VAT 21 % (S) on 4.49",
          "0.94",
          "5.43",
          "Net position of Grocer",
          "To pay to Pointhouse",
          "−1.40",
          "Page 1 of 1"}) {
        EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
    }
}

TEST(StatementPdf, IsTheSameBytesEveryTime)
{
    const Settlement settlement = June{VatMode::all_flows}.coalition.settled();

    const std::string first = statement_pdf(settlement, settlement.statements.front());
    const std::string second = statement_pdf(settlement, settlement.statements.front());

    EXPECT_EQ(first, second);
    EXPECT_NE(first.find("20260630220000Z"), std::string::npos) << "dated at the window's end";
}

TEST(StatementPdf, BreaksLongTablesAndRepeatsTheNotice)
{
    Coalition coalition;
    coalition.add_partner("GRO", "Grocer", VatMode::all_flows);
    for (int further = 0; further < 40; ++further)
        coalition.add_tariff(coalition.terms().tariffs.front());
    for (const ledger::Tariff& tariff : coalition.terms().tariffs) {
        coalition.issue(tariff.version, 1'234'567);
        coalition.claw_back(tariff.version, 567);
    }
    const Settlement settlement = coalition.settled();

    std::string text = text_of(statement_pdf(settlement, settlement.statements.front()));

    EXPECT_EQ(occurrences(text, "Issue price"), 41);
    EXPECT_EQ(occurrences(text, "Service fee"), 41);
    EXPECT_EQ(occurrences(text, "1,234,000"), 82);
    const std::size_t pages = occurrences(text, "\f");
    ASSERT_GT(pages, 3);
    for (std::size_t page = 1; page <= pages; ++page) {
        SCOPED_TRACE(testing::Message() << "page " << page);
        const std::string on_page = text.substr(0, text.find('\f'));
        text.erase(0, on_page.size() + 1);
        EXPECT_EQ(occurrences(on_page, pro_forma_notice), 2) << "at the head and at the foot";
        const bool has_lines = occurrences(on_page, "tariff") > 0;
        EXPECT_EQ(occurrences(on_page, "Price per 1,000"), has_lines ? 1 : 0);
        EXPECT_EQ(
            occurrences(on_page, "Page " + std::to_string(page) + " of " + std::to_string(pages)),
            1);
    }
}

TEST(StatementPdf, WarnsWhileTheWindowIsOpen)
{
    Settlement settlement = June{VatMode::all_flows}.coalition.settled();
    settlement.window.state = WindowState::open;

    const std::string text = text_of(statement_pdf(settlement, settlement.statements.front()));

    EXPECT_NE(text.find("figures may still change"), std::string::npos);
}

TEST(StatementPdf, CutsNamesThatAreTooLong)
{
    June june{VatMode::all_flows};
    june.coalition.contracts().partners.front().name = std::string(200, 'W') + "END";

    const Settlement settlement = june.coalition.settled();
    const std::string boxes =
        poppler(statement_pdf(settlement, settlement.statements.front()), "-bbox");

    const std::size_t word = boxes.find("WWW");
    ASSERT_NE(word, std::string::npos);
    const std::string before = boxes.substr(0, word);
    const std::string_view key{"xMax=\""};
    EXPECT_LE(std::stod(before.substr(before.rfind(key) + key.size())), 209) << "the next column";
}

} // namespace
} // namespace pointhouse::settlement
