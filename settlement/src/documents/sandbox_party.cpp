#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <numeric>
#include <string>

#include "settlement/ubl.hpp"

namespace pointhouse::settlement {
namespace {

// FNV-1a: the same on every machine, for ever.
std::uint64_t digest_of(std::string_view text)
{
    std::uint64_t digest = 14'695'981'039'346'656'037ULL;
    for (const char character : text) {
        digest ^= static_cast<unsigned char>(character);
        digest *= 1'099'511'628'211ULL;
    }
    return digest;
}

char digit_of(int value)
{
    return static_cast<char>('0' + value);
}

// Eleven digits: the weighted sum of all is 3 modulo 11. A company's first digit is above 3.
std::string register_number(std::uint64_t digest)
{
    constexpr std::array weights{9, 1, 4, 8, 3, 10, 2, 5, 7, 6};
    for (;; ++digest) {
        std::string number = fmt::format("8{:09}", digest % 1'000'000'000);
        int sum = 0;
        for (std::size_t place = 0; place < weights.size(); ++place)
            sum += weights[place] * (number[place] - '0');
        const int check = (3 - sum % 11 + 11) % 11;
        if (check < 10) return number += digit_of(check); // one number in eleven has no check digit
    }
}

// GS1: from the right, digits count three times and once in turn; all of them sum to a multiple of
// ten. 952 is the prefix for examples.
std::string location_number(std::uint64_t digest)
{
    std::string number = fmt::format("952{:09}", digest % 1'000'000'000);
    int sum = 0;
    for (std::size_t place = 0; place < number.size(); ++place)
        sum += (place % 2 == 0 ? 1 : 3) * (number[place] - '0');
    return number += digit_of((10 - sum % 10) % 10);
}

// ISO 13616: with country and check digits moved to the end and letters as 10 to 35, the whole is 1
// modulo 97.
std::string account_number(std::uint64_t digest)
{
    const std::string account = fmt::format("TEST{:013}", digest % 10'000'000'000'000);
    int remainder = 0;
    for (const char character : account + "LV00") {
        const bool is_letter = character >= 'A';
        const int value = is_letter ? character - 'A' + 10 : character - '0';
        remainder = (remainder * (is_letter ? 100 : 10) + value) % 97;
    }
    return fmt::format("LV{:02}{}", 98 - remainder, account);
}

} // namespace

LegalParty sandbox_party(std::string_view id, std::string_view name)
{
    const std::uint64_t digest = digest_of(id);
    const std::string registration = register_number(digest);
    return {
        .id = std::string{id},
        .name = std::string{name},
        .street = fmt::format("{} Sandbox Street", 1 + digest % 99),
        .city = "Example City",
        .postal_code = "LV-0000",
        .country = "LV",
        .vat_id = "LV" + registration,
        .registration = registration,
        .endpoint_scheme = "0088",
        .endpoint = location_number(digest),
        .iban = account_number(digest),
        .bic = "TESTLV20", // a location code that ends in 0 is a test bank's (ISO 9362)
        .email = fmt::format("{}@pointhouse.example", id),
    };
}

} // namespace pointhouse::settlement
