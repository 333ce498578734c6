#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace pointhouse::ledger {

/// An identifier that cannot be mixed up with one of another kind. Zero stands for "none".
template <class Kind, class Representation = std::uint64_t>
class Id {
public:
    constexpr Id() noexcept = default;
    constexpr explicit Id(Representation value) noexcept : value_{value} {}

    [[nodiscard]] constexpr Representation value() const noexcept { return value_; }
    [[nodiscard]] constexpr bool is_none() const noexcept { return value_ == 0; }

    friend constexpr auto operator<=>(Id, Id) noexcept = default;

private:
    Representation value_ = 0;
};

/// The house's own number of a partner, given at registration, from 1.
using PartnerId = Id<struct PartnerKind, std::uint32_t>;
/// A member's number, given at enrolment, from 1. The journal knows no other name of a member.
using MemberNumber = Id<struct MemberKind>;
/// The place of a record in a shard's journal, from 1, without gaps.
using Sequence = Id<struct SequenceKind>;
/// The place of a record in the house's own record, from 1, without gaps.
using HouseSequence = Id<struct HouseSequenceKind>;
/// An approved promotion; numbered over the whole house, from 1.
using PromotionId = Id<struct PromotionKind, std::uint32_t>;
/// One immutable set of prices of one partner, dated or of a block; numbered over the whole house,
/// from 1.
using TariffVersion = Id<struct TariffKind, std::uint32_t>;
/// One writer, one block sequence, one hash chain. The embedded default has shard 1 alone.
using ShardId = Id<struct ShardKind, std::uint16_t>;

} // namespace pointhouse::ledger

template <class Kind, class Representation>
struct std::hash<pointhouse::ledger::Id<Kind, Representation>> {
    std::size_t operator()(pointhouse::ledger::Id<Kind, Representation> id) const noexcept
    {
        return std::hash<Representation>{}(id.value());
    }
};
