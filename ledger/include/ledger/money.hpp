#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ledger/invariant.hpp"

namespace pointhouse::ledger {

__extension__ using Wide = __int128;

/// Signed millionths of the house's book currency: exact for every price that a tariff may state.
/// Rounding to minor units happens once, on a document line (`minor_units_of`).
class Micro {
public:
    constexpr Micro() noexcept = default;
    constexpr explicit Micro(std::int64_t count) noexcept : count_{count} {}

    [[nodiscard]] constexpr std::int64_t count() const noexcept { return count_; }

    friend constexpr auto operator<=>(Micro, Micro) noexcept = default;

    friend constexpr Micro operator+(Micro left, Micro right)
    {
        return narrowed(Wide{left.count_} + right.count_);
    }
    friend constexpr Micro operator-(Micro left, Micro right)
    {
        return narrowed(Wide{left.count_} - right.count_);
    }
    friend constexpr Micro operator-(Micro amount) { return Micro{0} - amount; }
    friend constexpr Micro operator*(Micro price, std::int64_t quantity)
    {
        return narrowed(Wide{price.count_} * quantity);
    }
    constexpr Micro& operator+=(Micro amount) { return *this = *this + amount; }
    constexpr Micro& operator-=(Micro amount) { return *this = *this - amount; }

private:
    static constexpr Micro narrowed(Wide amount)
    {
        if (amount < INT64_MIN || amount > INT64_MAX) invariant(false, "money fits 64 bits");
        return Micro{static_cast<std::int64_t>(amount)};
    }

    std::int64_t count_ = 0;
};

/// Signed minor units (cents) of a currency: what documents and the wire carry.
struct Minor {
    std::int64_t count = 0;
    friend constexpr auto operator<=>(Minor, Minor) noexcept = default;

    friend constexpr Minor operator+(Minor left, Minor right)
    {
        const Wide sum = Wide{left.count} + right.count;
        if (sum < INT64_MIN || sum > INT64_MAX) invariant(false, "money fits 64 bits");
        return {static_cast<std::int64_t>(sum)};
    }
    friend constexpr Minor operator-(Minor amount) { return Minor{0} - amount; }
    friend constexpr Minor operator-(Minor left, Minor right)
    {
        const Wide difference = Wide{left.count} - right.count;
        if (difference < INT64_MIN || difference > INT64_MAX)
            invariant(false, "money fits 64 bits");
        return {static_cast<std::int64_t>(difference)};
    }
    constexpr Minor& operator+=(Minor amount) { return *this = *this + amount; }
    constexpr Minor& operator-=(Minor amount) { return *this = *this - amount; }
};

/// An ISO 4217 currency. `minor_digits` is 2 for EUR, 0 for JPY, 3 for KWD.
struct Currency {
    std::string code;
    int minor_digits = 2;
    friend bool operator==(const Currency&, const Currency&) = default;
};

/// The currency of an ISO 4217 code, or none when the code is not one that the house books in.
[[nodiscard]] std::optional<Currency> find_currency(std::string_view code);

/// Micro-units in one minor unit: 10,000 for EUR. Post: at least 1,000.
[[nodiscard]] std::int64_t micro_per_minor(const Currency& currency);

/// Rounds to minor units, half away from zero: the one rounding of a document line.
[[nodiscard]] Minor minor_units_of(Micro amount, const Currency& currency);

/// Value-added tax on a net amount: `net` × basis points / 10,000, half away from zero.
[[nodiscard]] Minor tax_of(Minor net, std::int32_t rate_basis_points);

/// What of an amount that holds its tax is without it: the net amount that comes nearest to it with
/// `tax_of`, exactly where one does. Half away from zero.
[[nodiscard]] Minor net_of(Minor gross, std::int32_t rate_basis_points);

/// Reads a decimal of at most six places, e.g. "0.0095" or "1000.00"; none when it is not one.
[[nodiscard]] std::optional<Micro> parse_micro(std::string_view text);

/// Writes all six places: "0.009500", "-1.250000".
[[nodiscard]] std::string format_micro(Micro amount);

/// Writes a minor amount with the currency's places: "-1.40", or "140" for JPY.
[[nodiscard]] std::string format_minor(Minor amount, const Currency& currency);

} // namespace pointhouse::ledger
