#include "ledger/money.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace pointhouse::ledger {
namespace {

constexpr std::int64_t micro_per_unit = 1'000'000;

struct KnownCurrency {
    std::string_view code;
    int minor_digits;
};

// ISO 4217 currencies in which loyalty coalitions run; minor digits as the standard lists them.
constexpr std::array known_currencies{
    KnownCurrency{"AED", 2}, KnownCurrency{"AUD", 2}, KnownCurrency{"BGN", 2},
    KnownCurrency{"BHD", 3}, KnownCurrency{"BRL", 2}, KnownCurrency{"CAD", 2},
    KnownCurrency{"CHF", 2}, KnownCurrency{"CLP", 0}, KnownCurrency{"CNY", 2},
    KnownCurrency{"CZK", 2}, KnownCurrency{"DKK", 2}, KnownCurrency{"EUR", 2},
    KnownCurrency{"GBP", 2}, KnownCurrency{"HKD", 2}, KnownCurrency{"HUF", 2},
    KnownCurrency{"IDR", 2}, KnownCurrency{"ILS", 2}, KnownCurrency{"INR", 2},
    KnownCurrency{"ISK", 0}, KnownCurrency{"JPY", 0}, KnownCurrency{"KRW", 0},
    KnownCurrency{"KWD", 3}, KnownCurrency{"MXN", 2}, KnownCurrency{"MYR", 2},
    KnownCurrency{"NOK", 2}, KnownCurrency{"NZD", 2}, KnownCurrency{"PHP", 2},
    KnownCurrency{"PLN", 2}, KnownCurrency{"RON", 2}, KnownCurrency{"SAR", 2},
    KnownCurrency{"SEK", 2}, KnownCurrency{"SGD", 2}, KnownCurrency{"THB", 2},
    KnownCurrency{"TRY", 2}, KnownCurrency{"TWD", 2}, KnownCurrency{"USD", 2},
    KnownCurrency{"VND", 0}, KnownCurrency{"ZAR", 2},
};

std::int64_t divided_half_away_from_zero(Wide amount, std::int64_t divisor)
{
    const Wide magnitude = amount < 0 ? -amount : amount;
    const Wide rounded = (magnitude * 2 + divisor) / (Wide{divisor} * 2);
    const Wide result = amount < 0 ? -rounded : rounded;
    invariant(result >= INT64_MIN && result <= INT64_MAX, "a rounded amount fits 64 bits");
    return static_cast<std::int64_t>(result);
}

std::string format_decimal(std::int64_t amount, std::int64_t per_unit, int digits)
{
    const std::uint64_t magnitude =
        amount < 0 ? ~static_cast<std::uint64_t>(amount) + 1 : static_cast<std::uint64_t>(amount);
    const auto divisor = static_cast<std::uint64_t>(per_unit);
    const std::string_view sign = amount < 0 ? "-" : "";
    if (digits == 0) return fmt::format("{}{}", sign, magnitude);
    return fmt::format("{}{}.{:0{}}", sign, magnitude / divisor, magnitude % divisor, digits);
}

std::int64_t power_of_ten(int digits)
{
    std::int64_t power = 1;
    for (int digit = 0; digit < digits; ++digit) power *= 10;
    return power;
}

} // namespace

std::optional<Currency> find_currency(std::string_view code)
{
    const auto found = std::ranges::find(known_currencies, code, &KnownCurrency::code);
    if (found == known_currencies.end()) return std::nullopt;
    return Currency{.code = std::string{code}, .minor_digits = found->minor_digits};
}

std::int64_t micro_per_minor(const Currency& currency)
{
    return micro_per_unit / power_of_ten(currency.minor_digits);
}

Minor minor_units_of(Micro amount, const Currency& currency)
{
    return Minor{divided_half_away_from_zero(amount.count(), micro_per_minor(currency))};
}

Minor tax_of(Minor net, std::int32_t rate_basis_points)
{
    return Minor{divided_half_away_from_zero(Wide{net.count} * rate_basis_points, 10'000)};
}

Minor net_of(Minor gross, std::int32_t rate_basis_points)
{
    constexpr std::int64_t whole = 10'000;
    return Minor{divided_half_away_from_zero(Wide{gross.count} * whole, whole + rate_basis_points)};
}

std::optional<Micro> parse_micro(std::string_view text)
{
    const bool is_negative = text.starts_with('-');
    if (is_negative) text.remove_prefix(1);
    const std::size_t point = text.find('.');
    const std::string_view whole = text.substr(0, point);
    const std::string_view fraction =
        point == std::string_view::npos ? std::string_view{} : text.substr(point + 1);
    if (whole.empty() || whole.size() > 12 || fraction.size() > 6) return std::nullopt;
    if (point != std::string_view::npos && fraction.empty()) return std::nullopt;

    std::int64_t amount = 0;
    const auto add_digits = [&amount](std::string_view digits) {
        for (const char digit : digits) {
            if (digit < '0' || digit > '9') return false;
            amount = amount * 10 + (digit - '0');
        }
        return true;
    };
    if (!add_digits(whole) || !add_digits(fraction)) return std::nullopt;
    amount *= power_of_ten(6 - static_cast<int>(fraction.size()));
    return Micro{is_negative ? -amount : amount};
}

std::string format_micro(Micro amount)
{
    return format_decimal(amount.count(), micro_per_unit, 6);
}

std::string format_minor(Minor amount, const Currency& currency)
{
    return format_decimal(amount.count, power_of_ten(currency.minor_digits), currency.minor_digits);
}

} // namespace pointhouse::ledger
