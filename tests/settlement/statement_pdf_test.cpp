#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <unistd.h>

#include <gtest/gtest.h>

#include "coalition.hpp"
#include "settlement/rendering.hpp"

namespace pointhouse::settlement {
namespace {

std::string output_of(const std::string& command)
{
    const auto close = [](std::FILE* stream) { pclose(stream); };
    const std::unique_ptr<std::FILE, decltype(close)> stream{popen(command.c_str(), "r"), close};
    std::string text;
    std::array<char, 4096> part{};
    while (const std::size_t size = std::fread(part.data(), 1, part.size(), stream.get()))
        text.append(part.data(), size);
    return text;
}

/// What a reader sees, by poppler: pages are separated by form feeds.
std::string text_of(const std::string& pdf)
{
    std::string path = (std::filesystem::temp_directory_path() / "statement.XXXXXX").string();
    const int file = mkstemp(path.data());
    if (file < 0) return {};
    close(file);
    std::ofstream{path, std::ios::binary} << pdf;
    std::string text = output_of("pdftotext -layout " + path + " -");
    std::filesystem::remove(path);
    return text;
}

std::size_t occurrences(const std::string& text, std::string_view words)
{
    std::size_t count = 0;
    for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1))
        ++count;
    return count;
}

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
          "Net position of Grocer, 2026-06",
          "Grocer pays Pointhouse",
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

    const std::string text = text_of(statement_pdf(settlement, settlement.statements.front()));

    const std::size_t pages = occurrences(text, "\f");
    ASSERT_GT(pages, 3);
    EXPECT_EQ(occurrences(text, "Pro forma — not a tax invoice"), 2 * pages);
    EXPECT_EQ(
        occurrences(text, "Price per 1,000"),
        pages - (text.rfind("Price per") < text.rfind("Page") ? 0 : 1));
    EXPECT_EQ(occurrences(text, "Issue price"), 41);
    EXPECT_EQ(occurrences(text, "Service fee"), 41);
    EXPECT_EQ(occurrences(text, "1,234,000"), 82);
    EXPECT_EQ(occurrences(text, "of " + std::to_string(pages)), pages);
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
    const std::string text = text_of(statement_pdf(settlement, settlement.statements.front()));

    EXPECT_NE(text.find("…"), std::string::npos);
    EXPECT_EQ(text.find("END"), std::string::npos);
}

} // namespace
} // namespace pointhouse::settlement
