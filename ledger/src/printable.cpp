#include "ledger/printable.hpp"

#include <array>
#include <bit>
#include <cstdint>

namespace pointhouse::ledger {
namespace {

constexpr std::uint32_t malformed = 0xFFFFFFFF;

/// The sign that starts `text`, which becomes what follows it.
std::uint32_t take_sign(std::string_view& text)
{
    const auto first = static_cast<std::uint8_t>(text.front());
    text.remove_prefix(1);
    if (first < 0x80) return first;
    const int length = std::countl_one(first);
    if (length < 2 || length > 4) return malformed;
    std::uint32_t sign = first & (0x7FU >> static_cast<unsigned>(length));
    for (int place = 1; place < length; ++place) {
        if (text.empty()) return malformed;
        const auto next = static_cast<std::uint8_t>(text.front());
        if ((next & 0xC0U) != 0x80) return malformed;
        sign = sign << 6U | (next & 0x3FU);
        text.remove_prefix(1);
    }
    // Longer than it needs to be.
    constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    return sign < least[static_cast<std::size_t>(length)] ? malformed : sign;
}

bool is_printable_sign(std::uint32_t sign)
{
    if (sign < 0x20 || (sign >= 0x7F && sign < 0xA0)) return false;
    const bool is_surrogate = sign >= 0xD800 && sign < 0xE000;
    const bool is_noncharacter = (sign >= 0xFDD0 && sign < 0xFDF0) || (sign & 0xFFFEU) == 0xFFFE;
    return sign <= 0x10FFFF && !is_surrogate && !is_noncharacter;
}

} // namespace

bool is_printable(std::string_view text) noexcept
{
    while (!text.empty())
        if (!is_printable_sign(take_sign(text))) return false;
    return true;
}

} // namespace pointhouse::ledger
