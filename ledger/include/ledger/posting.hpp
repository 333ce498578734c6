#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/lot.hpp"
#include "ledger/message.hpp"
#include "ledger/points.hpp"
#include "ledger/result.hpp"
#include "ledger/terms.hpp"
#include "ledger/time.hpp"

namespace pointhouse::ledger {

using Digest = std::array<std::byte, 32>; // SHA-256

/// What an entry does. Each is one balanced set, in one issuer's points (`recovered`: two, the
/// lot's issuer's and the debt's). The numbers are stored in the journal: append, never renumber.
enum class EntryKind : std::uint8_t {
    issued = 1,          // a new lot                                    issuer   → member
    redeemed = 2,        // from a lot to the redeemer                    member   → redeemer
    refunded = 3,        // back into the lot it came from                redeemer → member
    donated = 4,         // from a lot to a charity                       member   → charity
    clawed_back = 5,     // out of the lots of the accrual or its issuer  member   → issuer
    debt_incurred = 6,   // clawed back, but spent: the member owes it   debt     → issuer
    recovered = 7,       // points of a lot repay the oldest debt         member   → debt
    matured = 8,         // a pending lot can be spent                    pending  → active
    expired = 9,         // a lot's last day is over: breakage            member   → expired
    expiry_undone = 10,  // so that it can be clawed back                expired  → member
    held = 11,           // set aside for a partner                       active   → held
    released = 12,       // back into the lot it came from                held     → active
    moved_out = 13,      // a lot leaves for another member               member   → transit
    moved_in = 14,       // and arrives there                             transit  → member
    opened = 15,         // a lot that a member brought along             issuer   → member
    debt_moved_out = 16, // a debt leaves for another member             transit  → debt
    debt_moved_in = 17,  // and arrives there                            debt     → transit
    // What an issuer issued to a merged member and was not credited counts on for the other; moves
    // no points.
    creditable_moved = 18,
    // Expired points come back; the same lot lasts longer.                 expired  → member
    reinstated = 19,          // who kept the breakage gives it back, each its share
    reinstated_by_house = 20, // the house pays
    // Lots of one member that are alike become one; no account moves.
    folded_out = 21, // all that a lot has goes into the next `folded_in`
    folded_in = 22,  // the lot that they became
};

inline constexpr EntryKind last_entry_kind = EntryKind::folded_in;

/// Whether points come back that had expired, into the lot that they expired from.
[[nodiscard]] constexpr bool undoes_expiry(EntryKind kind)
{
    return kind == EntryKind::expiry_undone || kind == EntryKind::reinstated ||
           kind == EntryKind::reinstated_by_house;
}
/// Whether breakage is made or undone, with the shares of the lot's tariff.
[[nodiscard]] constexpr bool is_breakage(EntryKind kind)
{
    return kind == EntryKind::expired || undoes_expiry(kind);
}

/// Whether entries of a kind name a lot, and whether they name a debt (`recovered`: both).
/// A `creditable_moved` names neither; its lot has the tariff alone, for its issuer.
[[nodiscard]] constexpr bool has_lot(EntryKind kind)
{
    return kind != EntryKind::debt_incurred && kind != EntryKind::debt_moved_out &&
           kind != EntryKind::debt_moved_in && kind != EntryKind::creditable_moved;
}
[[nodiscard]] constexpr bool has_debt(EntryKind kind)
{
    return kind == EntryKind::debt_incurred || kind == EntryKind::recovered ||
           kind == EntryKind::debt_moved_out || kind == EntryKind::debt_moved_in;
}

[[nodiscard]] std::string_view name_of(EntryKind kind) noexcept;

/// To whom a member's debt is owed until it is recovered. `issuer`: the issuer was credited nothing
/// yet; `house`: the issuer was credited at once, or the clawback was beyond what it had issued
/// (`excess`), for which it is never credited.
enum class DebtKind : std::uint8_t {
    issuer_bears = 0,
    house_bears = 1,
    redeemer_bears = 2,
    excess = 3
};

/// A debt that an entry makes or repays.
struct DebtKey {
    Sequence origin{};      // the clawback that made it
    TariffVersion tariff{}; // of the issuer that clawed back, with the price and fee to credit
    DebtKind kind = DebtKind::issuer_bears;
    friend constexpr auto operator<=>(DebtKey, DebtKey) noexcept = default;
};

/// One allocation: so many points of one lot (or one debt), moved for one reason.
struct Entry {
    EntryKind kind = EntryKind::issued;
    Points points{};             // above zero
    Provenance lot{};            // where has_lot(kind)
    TariffVersion counterpart{}; // redeemed, refunded, held, released: the redeemer's
    DebtKey debt{};              // where has_debt(kind)
    /// Where the lot's points are that are not active: issued, moved_in: afterwards; clawed_back,
    /// matured, moved_out, held, released: the side that is not active.
    LotState state = LotState::active;
    Time until{};    // pending: when they mature; held: when the hold ends
    Sequence hold{}; // held: the record that made the hold
    friend bool operator==(const Entry&, const Entry&) = default;
};

struct Balance {
    Points available{};
    Points pending{};
    Points held{};
    Points debt{};
    friend bool operator==(const Balance&, const Balance&) = default;
};

/// The frozen outcome of one message: a record of the journal. With no refusal it is a posting.
/// What the answer says is computed from this alone, so that a repeated message gets the same
/// bytes.
struct Record {
    Sequence sequence{};
    MessageType type = MessageType::accrual;
    std::optional<Refusal> refusal{};
    PartnerId partner{};           // none for a house step
    std::string_view message_id{}; // points into the block that holds the record
    MemberNumber member{};         // none for a house step
    Sequence previous{};           // the member's record before this one; none: its first
    HouseSequence terms{};         // the sequence of the house's own record that the decision saw
    Time occurred_at{};
    Time posted_at{};         // the house's time of the decision
    Digest content{};         // salted SHA-256 of the canonical message
    Points points{};          // accrued, redeemed, reversed, clawed back
    TariffVersion tariff{};   // of the sending partner, where one was used
    PartnerId counterparty{}; // donation: the charity
    PromotionId promotion{};  // accrual: the one that it was granted under
    std::int64_t amount_minor =
        0; // accrual by purchase: its amount; reversal by purchase: returned so far; redemption
           // by value: the value, where whole points come to more
    /// transfer, merge: who receives; transfer_in, merge_in: who sent; identifier_taken: who has it
    MemberNumber other_member{};
    Sequence original{}; // the record that it is about: a reversal's, a hold's, a pending accrual's
    Sequence reversal_before{};   // reversal: the newest earlier reversal of the same original
    Points reversed_so_far{};     // reversal: the total with this one
    Balance balance{};            // after
    std::vector<Entry> entries{}; // in the order in which they apply
};

} // namespace pointhouse::ledger
