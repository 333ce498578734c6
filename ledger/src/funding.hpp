#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "ledger/ids.hpp"
#include "ledger/lot.hpp"
#include "ledger/money.hpp"
#include "ledger/points.hpp"
#include "ledger/posting.hpp"
#include "ledger/result.hpp"
#include "ledger/terms.hpp"
#include "ledger/time.hpp"

namespace pointhouse::ledger {

/// What an issuer owes and has not been billed for, net of VAT, in micro-units. May be below zero.
struct Unbilled {
    Micro price{};
    Micro fee{};
    friend bool operator==(const Unbilled&, const Unbilled&) = default;
};

/// How far the blocks, the credit and the promotions of a house are used: the state that belongs to
/// no member. It changes by apply() alone, as the journal's records say, so that it is the same
/// after a replay. The writer's thread.
class FundingCounters {
public:
    /// Points that a block still has. Clawbacks return points to their block; those of a purchase
    /// that is not named may return more to one than was drawn from it, and less to another.
    [[nodiscard]] Points left_in(const Tariff& block) const;
    [[nodiscard]] Unbilled unbilled(PartnerId issuer) const;
    /// Points granted under a promotion. A clawback does not give them back to it.
    [[nodiscard]] Points granted(PromotionId promotion) const;
    /// The last entry of the house's own record whose money the journal has booked.
    [[nodiscard]] HouseSequence booked() const { return booked_; }

    /// Transfers and merges that were sent and have not arrived: between shards.
    [[nodiscard]] const std::vector<Sequence>& in_transit() const { return in_transit_; }

    /// Money that was ever charged, redeemed or recovered, at most: no account of the house, and no
    /// sum of its debits, comes near what 64 bits hold. One issuer cannot use it up for the others.
    static constexpr Micro turnover_max{std::int64_t{1} << 61};
    static constexpr Micro issuer_turnover_max{std::int64_t{1} << 59};
    /// Whether the books can hold what the record does, too.
    [[nodiscard]] bool has_room_for(const Record& record, const Terms& terms) const;

    /// Takes what the record's entries did. `terms` know every tariff that they name.
    void apply(const Record& record, const Terms& terms);

    /// The stored form (ledger/JOURNAL.md), with all records up to `through`: canonical, equal
    /// states have equal bytes. Appends.
    void encode(Sequence through, std::vector<std::byte>& out) const;
    /// False when the bytes are not the counters through that record.
    [[nodiscard]] bool decode(std::span<const std::byte> bytes, Sequence through);
    /// Whether they are of a house of before, which did not count its turnover: they are counted
    /// again from the journal.
    [[nodiscard]] static bool is_of_before(std::span<const std::byte> bytes);
    friend bool operator==(const FundingCounters&, const FundingCounters&) = default;

private:
    void apply_entry(const Entry& entry, const Terms& terms);
    void charge(const Tariff& tariff, Micro price, Micro fee);
    void draw(const Tariff& tariff, std::int64_t points);
    void issue(const Tariff& tariff, std::int64_t points);
    void credit_debt(const Entry& entry, const Terms& terms);

    HouseSequence booked_;
    std::vector<std::int64_t> turnover_; // by partner − 1, of its lots; micro-units
    std::int64_t house_turnover_ = 0;    // the sum
    std::vector<std::int64_t> drawn_;    // by tariff version − 1; zero for dated tariffs
    std::vector<Unbilled> unbilled_;     // by partner − 1
    std::vector<std::int64_t> granted_;  // by promotion − 1
    std::vector<Sequence> in_transit_;   // as they were sent
};

/// Points of an accrual that one partner pays for in one way: they become one lot.
struct FundingPart {
    PartnerId funder{};
    TariffVersion tariff{};        // of the lot: the funder's block, or its dated tariff
    const Tariff* dated = nullptr; // the funder's at the activity: expiry follows from it
    Points points{};               // above zero
    FundingClass funding = FundingClass::partner;

    [[nodiscard]] bool is_prepaid() const { return tariff != dated->version; }
};

/// In the order of the funding list: the place of a part is the position of its lot.
using FundingParts = boost::container::small_vector<FundingPart, 2>;
/// A lot's position is stored in a byte.
inline constexpr std::size_t funding_parts_max = 256;

/// What has to be funded.
struct FundingRequest {
    PartnerId partner{};           // who sends the accrual
    std::string_view message_id{}; // with it the left-over point of a joint promotion is drawn
    Time activity{};               // prices and promotions of that time apply
    Time now{};                    // VAT of that time counts against a credit limit
    Points points{};
    std::string_view promotion{}; // empty: the sender funds all
};

/// Says who pays for the points of an accrual, at which prices. Pure. Refusals: funding_not_agreed
/// (no tariff at the activity; no such promotion, outside its dates, the sender funds no part of it
/// or another funder has left), limit_exceeded (the promotion's cap), issuer_unfunded (a block or a
/// credit limit of any funder is short: then the whole is refused). No points need no funds: no
/// parts.
[[nodiscard]] Result<FundingParts> fund(
    const FundingRequest& request, const Terms& terms, const FundingCounters& counters);

/// Splits points by integer shares, in their order. The points that whole shares leave over go to
/// funders picked by a hash of (promotion, partner, message id), weighted by what each share leaves
/// over: on average everybody pays its share, and the order of messages does not matter.
[[nodiscard]] std::vector<Points> split_by_shares(
    const Promotion& promotion, const FundingRequest& request, const Terms& terms);

} // namespace pointhouse::ledger
