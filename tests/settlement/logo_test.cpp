#include "settlement/logo.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "../partners/sample_png.hpp"
#include "pdf_reader.hpp"
#include "random_documents.hpp"
#include "settlement/document_pdf.hpp"
#include "settlement/printed_report.hpp"
#include "settlement/reminder_letter.hpp"

namespace pointhouse::settlement {
namespace {

using partners::png_of;
using partners::sample_png;

using Pixel = std::array<int, 3>;
constexpr Pixel red{255, 0, 0};
constexpr Pixel blue{0, 0, 255};
constexpr Pixel white{255, 255, 255};
constexpr Pixel mark{15, 77, 92};

Document invoice()
{
    Document document = drafts_of(june_with_expiry(VatMode::all_flows)).front();
    document.number = "INV-2026-000001";
    document.issued_on = *ledger::parse_day("2026-07-02");
    return document;
}

/// Poppler blends what it scales.
bool is_about(const Pixel& seen, const Pixel& meant)
{
    for (std::size_t part = 0; part < seen.size(); ++part)
        if (std::abs(seen.at(part) - meant.at(part)) > 8) return false;
    return true;
}

/// The first page as poppler paints it, a pixel for each point.
class Page {
public:
    explicit Page(const std::string& pdf)
        : pixels_{output_of(pdf, "pdftoppm -r 72 -l 1 -aa no -aaVector no {}")}
    {
        EXPECT_EQ(pixels_.find("P6\n596 842\n255\n"), 0U) << pixels_.substr(0, 20);
    }

    [[nodiscard]] Pixel at(std::size_t x, std::size_t y) const
    {
        const auto place = std::string_view{"P6\n596 842\n255\n"}.size() + 3 * (y * 596 + x);
        const auto part = [&](std::size_t index) {
            return static_cast<int>(static_cast<unsigned char>(pixels_.at(place + index)));
        };
        return {part(0), part(1), part(2)};
    }

private:
    std::string pixels_;
};

/// The pictures in a PDF, as pdfimages lists them: each a row behind two of its head.
std::size_t pictures_in(const std::string& pdf)
{
    return occurrences(output_of(pdf, "pdfimages -list {}"), "\n") - 2;
}

/// In the order in which they are read, wherever lines end.
std::string words_of(const std::string& pdf)
{
    auto words = poppler(pdf, "-raw");
    std::ranges::replace(words, '\n', ' ');
    return words;
}

TEST(LogoOnPaper, StandsInThePlaceOfTheMarkWithItsSidesKept)
{
    const Page page{document_pdf(invoice(), sample_png(200, 100))};

    // 34 points high from 46 on, 68 wide from 54 on.
    for (const std::size_t y : {47U, 63U, 78U}) {
        EXPECT_PRED2(is_about, page.at(56, y), red) << y;
        EXPECT_PRED2(is_about, page.at(86, y), red) << y;
        EXPECT_PRED2(is_about, page.at(90, y), blue) << y;
        EXPECT_PRED2(is_about, page.at(120, y), blue) << y;
    }
    EXPECT_PRED2(is_about, page.at(52, 63), white);
    EXPECT_PRED2(is_about, page.at(124, 63), white);
    EXPECT_PRED2(is_about, page.at(80, 44), white);
    EXPECT_PRED2(is_about, page.at(80, 82), white);
}

TEST(LogoOnPaper, IsNeverWiderThanItsPlace)
{
    const Page page{document_pdf(invoice(), sample_png(1'500, 100))};

    // 150 wide, so 10 high, half-way down the 34.
    EXPECT_PRED2(is_about, page.at(60, 63), red);
    EXPECT_PRED2(is_about, page.at(200, 63), blue);
    EXPECT_PRED2(is_about, page.at(207, 63), white);
    EXPECT_PRED2(is_about, page.at(60, 56), white);
    EXPECT_PRED2(is_about, page.at(60, 70), white);
}

TEST(LogoOnPaper, WithoutOneTheMarkIsThere)
{
    const std::string pdf = document_pdf(invoice());

    EXPECT_EQ(document_pdf(invoice(), ""), pdf);
    EXPECT_EQ(pictures_in(pdf), 0U);
    EXPECT_PRED2(is_about, Page{pdf}.at(60, 50), mark);
}

TEST(LogoOnPaper, ChangesNoWordOfTheDocument)
{
    EXPECT_EQ(
        words_of(document_pdf(invoice(), sample_png(200, 100))), words_of(document_pdf(invoice())));
    // A long name keeps clear of the logo and of the title.
    Document long_name = invoice();
    long_name.seller.name = "Coalition Loyalty Clearing Company of the North B.V.";
    for (const std::uint32_t width : {100U, 1'500U}) {
        const auto boxes = poppler(document_pdf(long_name, sample_png(width, 100)), "-bbox");
        const auto first = boxes.find(">Coalition<");
        const auto key = boxes.rfind("xMin=\"", first);
        EXPECT_GT(std::stod(boxes.substr(key + 6)), width == 100 ? 97 : 213);
    }
}

TEST(LogoOnPaper, IsTheSameBytesEveryTimeAndOnceInADocument)
{
    Document document = invoice();
    const DocumentLine line = document.lines.front();
    document.lines.resize(60, line);
    for (const auto& logo : {sample_png(200, 100), sample_png(33, 21, 128)}) {
        const std::string pdf = document_pdf(document, logo);
        const std::string other{logo}; // elsewhere in memory
        EXPECT_EQ(document_pdf(document, other), pdf);
        EXPECT_GT(occurrences(text_of(pdf), "\f"), 1U) << "several pages";
    }
    // Each row ends in: object, its generation, pixels per inch, size, ratio.
    std::istringstream listed{
        output_of(document_pdf(document, sample_png(200, 100)), "pdfimages -list {} | tail -n +3")};
    std::set<std::string> objects;
    std::size_t drawn = 0;
    for (std::string row; std::getline(listed, row); ++drawn) {
        std::istringstream cells{row};
        std::string cell;
        for (int column = 0; column < 11; ++column) cells >> cell;
        objects.insert(cell);
    }
    EXPECT_GT(drawn, 1U) << "on each page";
    EXPECT_EQ(objects.size(), 1U) << "and one picture";
}

TEST(LogoOnPaper, MayBeTransparent)
{
    const Page page{document_pdf(invoice(), sample_png(200, 100, 0))};

    EXPECT_PRED2(is_about, page.at(60, 63), red);
    EXPECT_PRED2(is_about, page.at(110, 63), white);
}

TEST(LogoOnPaper, IsOnLettersAndReportsToo)
{
    const auto logo = sample_png(200, 100);
    ReminderLetter letter{
        .logo = logo,
        .house = {.name = "Pointhouse"},
        .partner = {.name = "Grocer"},
        .currency = {.code = "EUR", .minor_digits = 2},
        .day = *ledger::parse_day("2026-08-20"),
        .reminders = {{.document = "INV-2026-000001"}}};
    PrintedReport report{
        .logo = logo,
        .house = "Pointhouse",
        .title = "Ageing",
        .number = "June 2026",
        .created = "2026-07-01T00:00:00Z"};
    EXPECT_PRED2(is_about, Page{reminder_pdf(letter)}.at(60, 63), red);
    EXPECT_PRED2(is_about, Page{report_pdf(report)}.at(60, 63), red);
    EXPECT_EQ(reminder_pdf(letter), reminder_pdf(letter));
    EXPECT_EQ(report_pdf(report), report_pdf(report));
    letter.logo.clear();
    report.logo.clear();
    EXPECT_EQ(pictures_in(reminder_pdf(letter)) + pictures_in(report_pdf(report)), 0U);
}

TEST(LogoOnPaper, ThatCannotBeReadIsKnownBefore)
{
    EXPECT_LT(drawn_bytes(sample_png(1'000, 300)), drawn_logo_bytes_max);
    for (const auto& broken :
         {std::string{},
          std::string{"no picture"},
          png_of(20, 10, ""),
          png_of(20, 10, "not packed"),
          sample_png(20, 10).substr(0, 60)}) {
        EXPECT_FALSE(drawn_bytes(broken)) << broken.size();
        if (!broken.empty()) {
            EXPECT_THROW(static_cast<void>(document_pdf(invoice(), broken)), std::runtime_error);
        }
    }
}

// PNG packs what a row adds to the row above; here each adds the same. PDF packs the pixels.
TEST(LogoOnPaper, IsWeighedAsItIsDrawn)
{
    std::uint32_t random = 1;
    std::string row;
    for (int x = 0; x < 1'000; ++x) {
        for (int sample = 0; sample < 3; ++sample)
            row += static_cast<char>((random = random * 1'664'525 + 1'013'904'223) >> 24U);
        row += '\0';
    }
    std::string opaque = row;
    for (std::size_t at = 3; at < opaque.size(); at += 4) opaque[at] = '\xff';
    std::string pixels = '\0' + opaque;
    for (int y = 1; y < 300; ++y) pixels += '\x02' + row;
    const auto png = png_of(1'000, 300, partners::packed(pixels));
    EXPECT_LT(png.size(), 65'536U);
    EXPECT_GT(drawn_bytes(png), drawn_logo_bytes_max);
}

} // namespace
} // namespace pointhouse::settlement
