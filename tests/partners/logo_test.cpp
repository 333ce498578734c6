#include "partners/logo.hpp"

#include <zlib.h>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "house_folder.hpp"
#include "partners/base64.hpp"
#include "partners/opening.hpp"
#include "partners/registry.hpp"

namespace pointhouse::partners {
namespace {

std::string as_bytes(std::uint32_t number)
{
    std::string bytes;
    for (const unsigned shift : {24U, 16U, 8U, 0U})
        bytes += static_cast<char>(number >> shift & 0xFFU);
    return bytes;
}

std::string chunk(const std::string& type, const std::string& data)
{
    const auto checked = type + data;
    const auto checksum = ::crc32(
        0,
        reinterpret_cast<const unsigned char*>(checked.data()),
        static_cast<uInt>(checked.size()));
    return as_bytes(static_cast<std::uint32_t>(data.size())) + checked +
           as_bytes(static_cast<std::uint32_t>(checksum));
}

const std::string signature{"\x89PNG\r\n\x1a\n"};

std::string header(std::uint32_t width, std::uint32_t height)
{
    return chunk("IHDR", as_bytes(width) + as_bytes(height) + std::string{"\x08\x02\0\0\0", 5});
}

/// Sound by its form; nothing unpacks what is in it.
std::string png_of(std::uint32_t width, std::uint32_t height, const std::string& packed = "x")
{
    return signature + header(width, height) + chunk("IDAT", packed) + chunk("IEND", "");
}

std::string fault_in(std::string_view png)
{
    return fault_of_logo(png).value_or("none");
}

TEST(Logo, IsBoundedInBytesAndPixels)
{
    EXPECT_EQ(fault_in(png_of(1, 1)), "none");
    EXPECT_EQ(fault_in(png_of(1'000, 1'000)), "none");
    EXPECT_EQ(fault_in(png_of(1'001, 1)), "1001 x 1 pixels; at most 1000 x 1000");
    EXPECT_EQ(fault_in(png_of(1, 1'001)), "1 x 1001 pixels; at most 1000 x 1000");
    EXPECT_EQ(fault_in(png_of(0xFFFF'FFFF, 0x8000'0000)).find("4294967295 x 2147483648"), 0U);
    EXPECT_EQ(fault_in(png_of(0, 5)), "the PNG has no pixels");
    EXPECT_EQ(fault_in(png_of(5, 0)), "the PNG has no pixels");

    const auto rest = png_of(7, 9, "").size();
    EXPECT_EQ(fault_in(png_of(7, 9, std::string(logo_bytes_max - rest, 'x'))), "none");
    EXPECT_EQ(
        fault_in(png_of(7, 9, std::string(logo_bytes_max - rest + 1, 'x'))),
        "more than 65536 bytes");
    EXPECT_EQ(size_of(png_of(7, 9)).width, 7U);
    EXPECT_EQ(size_of(png_of(7, 9)).height, 9U);
}

TEST(Logo, IsAWholePng)
{
    const std::string picture = chunk("IDAT", "x");
    const std::string end = chunk("IEND", "");
    EXPECT_EQ(fault_in(""), "the file is empty");
    for (const std::string& file :
         {std::string{"x"},
          std::string{"GIF89a"},
          std::string(100, '\0'),
          "\n" + png_of(1, 1),
          std::string{"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"}})
        EXPECT_EQ(fault_in(file), "the file is no PNG") << file;
    EXPECT_EQ(fault_in(signature + header(1, 1) + end), "the PNG has no picture");
    EXPECT_EQ(fault_in(png_of(1, 1) + "x"), "the PNG has bytes behind its end");
    EXPECT_EQ(fault_in(png_of(1, 1) + png_of(1, 1)), "the PNG has bytes behind its end");
    const auto* const two = "the PNG begins with no header, or has two";
    EXPECT_EQ(fault_in(signature + picture + end), two);
    EXPECT_EQ(fault_in(signature + header(1, 1) + header(1, 1) + picture + end), two);
    EXPECT_EQ(
        fault_in(signature + chunk("IHDR", "short") + picture + end),
        "the header of the PNG is not 13 bytes");
    EXPECT_EQ(fault_in(signature + as_bytes(0xFFFF'FFFF) + "IHDR"), "the PNG is cut short");
}

TEST(Logo, IsRefusedCutShortAnywhere)
{
    const auto png = png_of(3, 4, "picture");
    for (std::size_t size = 0; size < png.size(); ++size)
        EXPECT_NE(fault_in(png.substr(0, size)), "none") << size;
}

TEST(Logo, IsRefusedWithOneOtherBitAnywhere)
{
    const auto png = png_of(3, 4, "picture");
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
    const auto first = png_of(1, 1, "first");
    const auto second = png_of(2, 2, "second");
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
        EXPECT_EQ(registry->logo_changes().size(), 4U);
    }
}

TEST_F(LogoOfTheHouse, RecordsNothingOfWhatIsRefused)
{
    const auto head = record_.head();
    for (const auto& file : {std::string{}, std::string{"x"}, png_of(1'001, 1)})
        EXPECT_EQ(registry_.set_logo(file, act_).error().reason.find("logo: "), 0U);
    EXPECT_EQ(record_.head(), head);
}

TEST_F(LogoOfTheHouse, WaitsForASecondPersonWhereItMust)
{
    const auto png = png_of(1, 1);
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
    const Registry again{record_};
    EXPECT_EQ(again.logo_changes().size(), 2U);
}

} // namespace
} // namespace pointhouse::partners
