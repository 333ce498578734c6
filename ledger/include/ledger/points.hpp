#pragma once

#include <compare>
#include <cstdint>

#include "ledger/invariant.hpp"

namespace pointhouse::ledger {

/// A whole number of coalition points, zero or more. Direction is the kind of an entry or the side
/// of a line, never the sign of an amount. Arithmetic that would leave the range is a bug of ours.
class Points {
public:
    constexpr Points() noexcept = default;
    constexpr explicit Points(std::int64_t count) : count_{count}
    {
        if (count < 0) invariant(false, "points are never negative");
    }

    [[nodiscard]] constexpr std::int64_t count() const noexcept { return count_; }
    [[nodiscard]] constexpr bool is_zero() const noexcept { return count_ == 0; }

    friend constexpr auto operator<=>(Points, Points) noexcept = default;

    friend constexpr Points operator+(Points left, Points right)
    {
        std::int64_t sum = 0;
        if (__builtin_add_overflow(left.count_, right.count_, &sum))
            invariant(false, "sums of points fit 64 bits");
        return Points{sum};
    }
    friend constexpr Points operator-(Points from, Points amount)
    {
        return Points{from.count_ - amount.count_};
    }
    constexpr Points& operator+=(Points amount) { return *this = *this + amount; }
    constexpr Points& operator-=(Points amount) { return *this = *this - amount; }

private:
    std::int64_t count_ = 0;
};

/// The most points that one message may carry (CONTRACT.md, bounds).
inline constexpr Points points_per_message_max{1'000'000'000};

} // namespace pointhouse::ledger
