#include "partners/logo.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "house_folder.hpp"
#include "partners/base64.hpp"
#include "partners/opening.hpp"
#include "partners/registry.hpp"
#include "sample_png.hpp"

namespace pointhouse::partners {
namespace {

const std::string sample = sample_png(3, 4);

std::string header(std::uint32_t width, std::uint32_t height)
{
    return png_chunk(
        "IHDR", png_number(width) + png_number(height) + std::string{"\x08\x06\0\0\0", 5});
}

std::string fault_in(std::string_view png)
{
    return fault_of_logo(png).value_or("none");
}

TEST(Logo, IsBoundedInBytesAndPixels)
{
    EXPECT_EQ(fault_in(sample_png(1, 1)), "none");
    EXPECT_EQ(fault_in(sample_png(1'000, 300)), "none");
    EXPECT_EQ(fault_in(sample_png(1'001, 1)), "1001 x 1 pixels; at most 1000 x 300");
    EXPECT_EQ(fault_in(sample_png(1, 301)), "1 x 301 pixels; at most 1000 x 300");
    EXPECT_EQ(fault_in(png_of(0xFFFF'FFFF, 0x8000'0000, "x")).find("4294967295 x 2147483648"), 0U);
    EXPECT_EQ(fault_in(png_of(0, 5, "x")), "the PNG has no pixels");
    EXPECT_EQ(fault_in(png_of(5, 0, "x")), "the PNG has no pixels");

    const auto with_text = [](std::size_t characters) {
        const std::string end = png_chunk("IEND", "");
        return sample.substr(0, sample.size() - end.size()) +
               png_chunk("tEXt", std::string(characters, 'x')) + end;
    };
    const std::size_t rest = with_text(0).size();
    EXPECT_EQ(fault_in(with_text(logo_bytes_max - rest)), "none");
    EXPECT_EQ(fault_in(with_text(logo_bytes_max - rest + 1)), "more than 65536 bytes");
    EXPECT_EQ(size_of(sample).width, 3U);
    EXPECT_EQ(size_of(sample).height, 4U);
}

TEST(Logo, IsAWholePng)
{
    const std::string picture = png_chunk("IDAT", packed(std::string(5, '\0')));
    const std::string end = png_chunk("IEND", "");
    EXPECT_EQ(fault_in(png_signature + header(1, 1) + picture + end), "none");
    EXPECT_EQ(fault_in(""), "the file is empty");
    for (const std::string& file :
         {std::string{"x"},
          std::string{"GIF89a"},
          std::string(100, '\0'),
          "\n" + sample,
          std::string{"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"}})
        EXPECT_EQ(fault_in(file), "the file is no PNG") << file;
    EXPECT_EQ(fault_in(png_signature + header(1, 1) + end), "the PNG has no picture");
    EXPECT_EQ(fault_in(sample + "x"), "the PNG has bytes behind its end");
    EXPECT_EQ(fault_in(sample + sample), "the PNG has bytes behind its end");
    const auto* const two = "the PNG begins with no header, or has two";
    EXPECT_EQ(fault_in(png_signature + picture + end), two);
    EXPECT_EQ(fault_in(png_signature + header(1, 1) + header(1, 1) + picture + end), two);
    EXPECT_EQ(
        fault_in(png_signature + png_chunk("IHDR", "short") + picture + end),
        "the header of the PNG is not 13 bytes");
    EXPECT_EQ(fault_in(png_signature + png_number(0xFFFF'FFFF) + "IHDR"), "the PNG is cut short");
}

/// Rows of one pixel each, with the byte of their filter.
std::string rows(std::size_t count, std::size_t row_bytes)
{
    return packed(std::string(count * row_bytes, '\0'));
}

TEST(Logo, HoldsAsManyPixelsAsItSays)
{
    struct Kind {
        std::string rest; // of the header: bits, colour, and what is the same for all
        std::size_t row_bytes;
    };
    // Eleven pixels across: ISO/IEC 15948, 11.2.2 and 7.2.
    for (const auto& [rest, row_bytes] :
         {Kind{{"\x01\0\0\0\0", 5}, 3},
          Kind{{"\x02\x03\0\0\0", 5}, 4},
          Kind{{"\x08\0\0\0\0", 5}, 12},
          Kind{{"\x08\x02\0\0\0", 5}, 34},
          Kind{{"\x08\x04\0\0\0", 5}, 23},
          Kind{{"\x10\x06\0\0\0", 5}, 89}}) {
        EXPECT_EQ(fault_in(png_of(11, 7, rows(7, row_bytes), rest)), "none") << row_bytes;
        for (const std::size_t other : {row_bytes - 1, row_bytes + 1})
            EXPECT_EQ(
                fault_in(png_of(11, 7, rows(7, other), rest)),
                "the PNG holds other pixels than its header says");
    }
    const auto* const other = "the PNG holds other pixels than its header says";
    EXPECT_EQ(fault_in(png_of(9, 7, packed(std::string(60'000'000, '\0')))), other) << "a bomb";
    EXPECT_EQ(fault_in(png_of(9, 7, "nothing that was packed")), other);
    EXPECT_EQ(fault_in(png_of(9, 7, rows(7, 37) + "x")), other) << "more behind it";
    EXPECT_EQ(
        fault_in(png_of(9, 7, rows(7, 37), {"\x08\x06\0\0\x01", 5})),
        "the PNG is interlaced; save it without");
    for (const std::string& rest :
         {std::string{"\x08\x05\0\0\0", 5},
          std::string{"\x08\xff\0\0\0", 5},
          std::string{"\0\x06\0\0\0", 5},
          std::string{"\x20\x06\0\0\0", 5},
          std::string{"\x03\0\0\0\0", 5}})
        EXPECT_EQ(
            fault_in(png_of(9, 7, rows(7, 37), rest)),
            "the PNG has pixels of a kind that there is not");
}

TEST(Logo, HasNothingElseThatIsPacked)
{
    const std::string end = png_chunk("IEND", "");
    const std::string before = sample.substr(0, sample.size() - end.size());
    const std::string bomb = packed(std::string(8'000'000, '\0'));
    for (const char* type : {"zTXt", "iTXt", "iCCP", "eXIf", "teSt"})
        EXPECT_EQ(
            fault_in(before + png_chunk(type, "x" + std::string(2, '\0') + bomb) + end),
            "the PNG has more than a picture; save it without profiles and packed texts");
}

TEST(Logo, IsRefusedCutShortAnywhere)
{
    const auto& png = sample;
    for (std::size_t size = 0; size < png.size(); ++size)
        EXPECT_NE(fault_in(png.substr(0, size)), "none") << size;
}

TEST(Logo, IsRefusedWithOneOtherBitAnywhere)
{
    const auto& png = sample;
    for (std::size_t place = 0; place < png.size(); ++place) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            auto changed = png;
            changed[place] =
                static_cast<char>(static_cast<unsigned char>(changed[place]) ^ 1U << bit);
            EXPECT_NE(fault_in(changed), "none") << place << " " << bit;
        }
    }
}

TEST(Base64, ReadsBackAndTakesNothingElse)
{
    std::string bytes;
    for (int length = 0; length < 300; ++length) {
        EXPECT_EQ(from_base64(as_base64(bytes)), bytes);
        bytes += static_cast<char>(length * 37);
    }
    EXPECT_EQ(as_base64("\xff\xee"), "/+4=");
    for (const char* text : {"/+4", "/+4=\n", " /+4=", "/+5=", "=", "====", "a===", "YQ=a", "YW=="})
        EXPECT_FALSE(from_base64(text)) << text;
}

using LogoOfTheHouse = FoundedHouse;

TEST_F(LogoOfTheHouse, IsTheOneInForceAtEachEntry)
{
    const auto first = sample_png(1, 1);
    const auto second = sample_png(2, 2);
    EXPECT_EQ(registry_.logo().png(), "");
    EXPECT_FALSE(registry_.withdraw_logo("there is none", act_));
    ASSERT_TRUE(registry_.set_logo(first, act_));
    const auto set = record_.head();
    EXPECT_EQ(record_.entries().back().kind, "logo_set");
    const auto content = boost::json::parse(record_.entries().back().content).as_object();
    EXPECT_EQ(content.at("sha256").as_string(), digest_of(first));
    EXPECT_EQ(from_base64(content.at("png").as_string()), first);
    EXPECT_EQ(registry_.set_logo(first, act_).error().reason, "logo: it is in force already");
    ASSERT_TRUE(registry_.set_company({}, {.name = "Pointhouse"}, act_));
    ASSERT_TRUE(registry_.set_logo(second, act_));
    ASSERT_TRUE(registry_.withdraw_logo("the old mark", act_));
    const auto withdrawn = record_.head();
    EXPECT_EQ(record_.entries().back().content, R"({"id":"house","reason":"the old mark"})");
    EXPECT_FALSE(registry_.withdraw_logo("once more", act_));
    ASSERT_TRUE(registry_.set_logo(first, act_)) << "after it, the same may come back";

    const Registry again{record_};
    for (const auto* registry : {static_cast<const Registry*>(&registry_), &again}) {
        const auto at = [&](std::uint64_t later) {
            return registry->logo_at(ledger::HouseSequence{set.value() + later}).png();
        };
        EXPECT_EQ(registry->logo_at(ledger::HouseSequence{set.value() - 1}).png(), "");
        EXPECT_EQ(at(0), first);
        EXPECT_EQ(at(1), first);
        EXPECT_EQ(at(2), second);
        EXPECT_EQ(registry->logo_at(withdrawn).png(), "");
        EXPECT_EQ(at(4), first);
        EXPECT_EQ(at(1'000'000), first);
        EXPECT_EQ(registry->logo().png(), first);
    }
}

TEST_F(LogoOfTheHouse, RecordsNothingOfWhatIsRefused)
{
    const auto head = record_.head();
    for (const auto& file : {std::string{}, std::string{"x"}, sample_png(1'001, 1)})
        EXPECT_EQ(registry_.set_logo(file, act_).error().reason.find("logo: "), 0U);
    EXPECT_EQ(record_.head(), head);
}

TEST_F(LogoOfTheHouse, WaitsForASecondPersonWhereItMust)
{
    const auto png = sample_png(1, 1);
    auto prepares = act_;
    prepares.prepares = true;
    auto other = act_;
    other.actor = "bob";

    EXPECT_FALSE(registry_.set_logo("no picture", prepares));
    EXPECT_TRUE(registry_.proposals().empty());
    ASSERT_TRUE(registry_.set_logo(png, prepares));
    ASSERT_TRUE(registry_.set_logo(png, prepares)) << "each proposal stands for itself";
    EXPECT_EQ(registry_.logo().png(), "") << "it waits";
    const auto waiting = registry_.proposals();
    EXPECT_EQ(waiting.at(0).summary, "logo_set house");
    EXPECT_FALSE(registry_.approve(waiting.at(0).id, false, act_)) << "nobody approves his own";
    ASSERT_TRUE(registry_.approve(waiting.at(0).id, false, other));
    EXPECT_EQ(registry_.logo().png(), png);
    EXPECT_FALSE(registry_.approve(waiting.at(1).id, false, other)) << "it is in force already";
    ASSERT_TRUE(registry_.reject(waiting.at(1).id, "twice", other));

    ASSERT_TRUE(registry_.withdraw_logo("no more", prepares));
    EXPECT_EQ(registry_.logo().png(), png) << "it waits";
    ASSERT_TRUE(registry_.approve(registry_.proposals().at(0).id, false, other));
    EXPECT_EQ(registry_.logo().png(), "");
    EXPECT_EQ(registry_.logo_at(record_.head()).png(), "");
    EXPECT_EQ(Registry{record_}.logo().png(), "");
}

} // namespace
} // namespace pointhouse::partners
