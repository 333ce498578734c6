#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

#include "ledger/ids.hpp"
#include "ledger/message.hpp"
#include "ledger/points.hpp"
#include "ledger/time.hpp"

namespace pointhouse::ledger {

/// Who paid for the points of a lot.
enum class FundingClass : std::uint8_t { partner = 0, house = 1, bought = 2 };

/// Names a lot: the record that made it, and its place in that message's funding list.
struct LotKey {
    Sequence origin{};
    std::uint16_t position = 0;
    friend constexpr auto operator<=>(LotKey, LotKey) noexcept = default;
};

/// What a lot carries from its birth to its end, through refunds and transfers: its provenance.
/// The issuer and every price follow from the tariff version.
struct Provenance {
    LotKey key{};
    Time activity{};                          // when the points were earned
    Day expires_on = never;                   // the last day on which they can be spent
    TariffVersion tariff{};                   // the issuer's
    std::int32_t vat_rate = vat_rate_unknown; // of the sale, basis points
    FundingClass funding = FundingClass::partner;
    friend bool operator==(const Provenance&, const Provenance&) = default;
};

/// The draw order, total: expires soonest, then activity time, then message sequence, then position
/// in the funding list; never-expiring last (`never` is the largest day).
[[nodiscard]] constexpr bool drawn_before(const Provenance& left, const Provenance& right)
{
    if (left.expires_on != right.expires_on) return left.expires_on < right.expires_on;
    if (left.activity != right.activity) return left.activity < right.activity;
    return left.key < right.key;
}

/// Whether the points of a lot can be spent. A held lot has been set aside by a partner.
enum class LotState : std::uint8_t { active = 0, pending = 1, held = 2 };
inline constexpr LotState last_lot_state = LotState::held;

/// Open points of one accrual and one funder.
struct Lot {
    Provenance provenance{};
    Points remaining{}; // above zero: an exhausted lot is dropped
    friend bool operator==(const Lot&, const Lot&) = default;
};

/// How many active lots a member keeps: with more than `open_max`, its oldest fold until there are
/// `folded_to`, which is less.
struct LotLimits {
    std::size_t open_max = 1024;
    std::size_t folded_to = 512;
};

} // namespace pointhouse::ledger
