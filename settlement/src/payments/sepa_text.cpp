#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "settlement/sepa_rules.hpp"

namespace pointhouse::settlement {
namespace {

constexpr std::string_view unchanged =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    "/-?:().,'+ ";

// EPC217-08, "SEPA requirements for an extended character set", for the rest of ASCII.
struct Replacement {
    char from;
    char to;
};
constexpr std::array ascii{
    Replacement{'&', '+'},
    Replacement{';', ','},
    Replacement{'[', '('},
    Replacement{'{', '('},
    Replacement{']', ')'},
    Replacement{'}', ')'},
    Replacement{'\\', '/'},
    Replacement{'|', '/'},
    Replacement{'_', '-'},
    Replacement{'~', '-'},
    Replacement{'`', '\''},
    Replacement{'\t', ' '},
    Replacement{'\r', ' '},
    Replacement{'\n', ' '},
};

// U+00C0 to U+00FF and U+0100 to U+017F, each letter without its accent.
constexpr std::string_view latin_1 = "AAAAAAACEEEEIIIIDNOOOOO.OUUUUYTs"
                                     "aaaaaaaceeeeiiiidnooooo.ouuuuyty";
constexpr std::string_view latin_extended_a = "AaAaAaCcCcCcCcDd"
                                              "DdEeEeEeEeEeGgGg"
                                              "GgGgHhHhIiIiIiIi"
                                              "IiIiJjKkqLlLlLlL"
                                              "lLlNnNnNnnNnOoOo"
                                              "OoOoRrRrRrSsSsSs"
                                              "SsTtTtTtUuUuUuUu"
                                              "UuUuWwYyYZzZzZzs";
static_assert(latin_1.size() == 64 && latin_extended_a.size() == 128);

// U+0391 to U+03A9 and U+0410 to U+042F; small letters follow 32 places later.
constexpr std::array<std::string_view, 25> greek{"A", "V", "G", "D", "E",  "Z",  "I", "TH", "I",
                                                 "K", "L", "M", "N", "X",  "O",  "P", "R",  "S",
                                                 "S", "T", "Y", "F", "CH", "PS", "O"};
constexpr std::array<std::string_view, 32> cyrillic{
    "A", "B", "V", "G", "D", "E", "ZH", "Z",  "I",  "Y",   "K", "L", "M", "N", "O",  "P",
    "R", "S", "T", "U", "F", "H", "TS", "CH", "SH", "SHT", "A", "Y", "Y", "E", "YU", "YA"};

struct Letter {
    std::uint32_t code;
    std::string_view text;
};
constexpr std::array others{
    Letter{0x00A0, " "}, Letter{0x0218, "S"}, Letter{0x0219, "s"}, Letter{0x021A, "T"},
    Letter{0x021B, "t"}, Letter{0x0386, "A"}, Letter{0x0388, "E"}, Letter{0x0389, "I"},
    Letter{0x038A, "I"}, Letter{0x038C, "O"}, Letter{0x038E, "Y"}, Letter{0x038F, "O"},
    Letter{0x0390, "i"}, Letter{0x03AA, "I"}, Letter{0x03AB, "Y"}, Letter{0x03AC, "a"},
    Letter{0x03AD, "e"}, Letter{0x03AE, "i"}, Letter{0x03AF, "i"}, Letter{0x03B0, "y"},
    Letter{0x03CA, "i"}, Letter{0x03CB, "y"}, Letter{0x03CC, "o"}, Letter{0x03CD, "y"},
    Letter{0x03CE, "o"}, Letter{0x2010, "-"}, Letter{0x2011, "-"}, Letter{0x2013, "-"},
    Letter{0x2014, "-"}, Letter{0x2018, "'"}, Letter{0x2019, "'"}, Letter{0x20AC, "E"},
};

std::string in_small_letters(std::string_view capitals)
{
    std::string text{capitals};
    for (char& character : text) character = static_cast<char>(character - 'A' + 'a');
    return text;
}

/// The code point at `place`, which moves behind it; 0xFFFD for a byte that is no UTF-8.
std::uint32_t next_code_point(std::string_view utf8, std::size_t& place)
{
    const auto byte = [utf8](std::size_t at) { return static_cast<std::uint8_t>(utf8[at]); };
    const std::uint8_t first = byte(place++);
    if (first < 0x80) return first;
    const std::size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC2 ? 1 : 0;
    if (more == 0 || first > 0xF4 || place + more > utf8.size()) return 0xFFFD;
    std::uint32_t code = first & (0x3FU >> more);
    for (std::size_t index = 0; index < more; ++index) {
        if ((byte(place + index) & 0xC0U) != 0x80U) return 0xFFFD;
        code = code << 6U | (byte(place + index) & 0x3FU);
    }
    place += more;
    return code;
}

std::string sepa_letter(std::uint32_t code)
{
    if (code < 0x80) {
        const char character = static_cast<char>(code);
        if (unchanged.find(character) != std::string_view::npos) return {character};
        for (const Replacement& replacement : ascii)
            if (replacement.from == character) return {replacement.to};
        return ".";
    }
    if (code >= 0x00C0 && code <= 0x00FF) return {latin_1[code - 0x00C0]};
    if (code >= 0x0100 && code <= 0x017F) return {latin_extended_a[code - 0x0100]};
    if (code >= 0x0391 && code <= 0x03A9) return std::string{greek[code - 0x0391]};
    if (code >= 0x03B1 && code <= 0x03C9) return in_small_letters(greek[code - 0x03B1]);
    if (code >= 0x0410 && code <= 0x042F) return std::string{cyrillic[code - 0x0410]};
    if (code >= 0x0430 && code <= 0x044F) return in_small_letters(cyrillic[code - 0x0430]);
    for (const Letter& letter : others)
        if (letter.code == code) return std::string{letter.text};
    return ".";
}

} // namespace

std::string sepa_text(std::string_view utf8)
{
    std::string text;
    for (std::size_t place = 0; place < utf8.size();)
        text += sepa_letter(next_code_point(utf8, place));
    return text;
}

bool is_sepa_identification(std::string_view text)
{
    return !text.empty() && text.size() <= 35 &&
           text.find_first_not_of(unchanged) == std::string_view::npos && text.front() != '/' &&
           text.back() != '/' && text.find("//") == std::string_view::npos && text.front() != ' ' &&
           text.back() != ' ';
}

} // namespace pointhouse::settlement
