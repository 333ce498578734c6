#include "ledger/printable.hpp"

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

namespace pointhouse::ledger::test {
namespace {

/// As RFC 3629 writes it, surrogates too.
std::string utf8_of(std::uint32_t sign)
{
    const auto byte = [](std::uint32_t bits) { return static_cast<char>(bits); };
    const auto tail = [&](unsigned shift) { return byte(0x80U | (sign >> shift & 0x3FU)); };
    if (sign < 0x80) return {byte(sign)};
    if (sign < 0x800) return {byte(0xC0U | sign >> 6U), tail(0)};
    if (sign < 0x10000) return {byte(0xE0U | sign >> 12U), tail(6), tail(0)};
    return {byte(0xF0U | sign >> 18U), tail(12), tail(6), tail(0)};
}

/// Of all code points exactly these are not: 65 controls, 2,048 surrogates, 66 noncharacters.
TEST(Printable, IsEverySignButControlsSurrogatesAndNoncharacters)
{
    std::uint32_t refused = 0;
    for (std::uint32_t sign = 0; sign <= 0x10FFFF; ++sign)
        if (!is_printable("a" + utf8_of(sign) + "b")) ++refused;
    EXPECT_EQ(refused, 65U + 2'048U + 66U);
    for (const std::uint32_t sign :
         {0x0U, 0x1FU, 0x7FU, 0x80U, 0x9FU, 0xD800U, 0xDFFFU, 0xFDD0U, 0xFDEFU, 0xFFFEU, 0x10FFFFU})
        EXPECT_FALSE(is_printable(utf8_of(sign))) << sign;
    EXPECT_FALSE(is_printable(utf8_of(0x110000)));
    EXPECT_TRUE(is_printable("Åkesson & Søn, 漢字, 🧾"));
    EXPECT_TRUE(is_printable(""));
}

TEST(Printable, IsNotWhatIsNoUtf8)
{
    for (const char* text :
         {"\x80",
          "\xC3",
          "\xC3(",
          "\xE2\x82",
          "\xF0\x9F\x98",
          "\xC0\x80",
          "\xC1\xBF",
          "\xE0\x80\x80",
          "\xF0\x80\x80\x80",
          "\xF8\x88\x80\x80\x80",
          "\xFF",
          "\xED\xA0\x80"})
        EXPECT_FALSE(is_printable(text)) << testing::PrintToString(std::string{text});
}

} // namespace
} // namespace pointhouse::ledger::test
