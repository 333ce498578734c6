#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ledger/ids.hpp"
#include "ledger/points.hpp"
#include "ledger/time.hpp"

namespace pointhouse::ledger {

/// What a partner may send. The numbers are stored in the journal: append, never renumber.
enum class MessageType : std::uint8_t {
    accrual = 1,
    redemption = 2,
    reversal = 3,
    clawback = 4,
    donation = 5,
    enrolment = 6,
    hold = 7,
    capture = 8,          // of a hold: all of it, or a part and the rest is released
    hold_release = 9,     // of a hold
    accrual_release = 10, // of pending points, before their time
    transfer = 11,
    // By operators: they have no partner.
    block = 12,
    unblock = 13,
    close = 14,
    adjustment = 15,     // points that a partner funds, for a reason
    identification = 16, // by partners again: one identifier more for a member, or in place of one
    merge = 17,          // by operators: two members become one
    reinstatement = 24,  // expired points come back with a new expiry
    // What the house posts by its clock, or as the other half of a message about two members. It
    // has a member and no sender.
    maturity = 32,    // pending points became available
    expiry = 33,      // a lot came to the end of its last day
    hold_end = 34,    // a hold came to its end uncaptured
    transfer_in = 35, // points arrived from another member
    merge_in = 36,    // all that a merged member had arrived
    fold = 37,        // of many lots the oldest, alike in all that counts, became one
    opening = 48,     // lots that a member brought along when the coalition moved in
    // The house's own steps share the journal with the messages.
    cut = 64,         // the end of a window: all before it belongs to it
    drained = 65,     // nothing due before the cut is left to post
    clock = 66,       // the sandbox's clock was moved
    house_entry = 67, // an entry of the house's own record moves money; the terms name it
    unwritten = 68,   // a sequence of a commit that did not become durable in every shard
};

[[nodiscard]] std::string_view name_of(MessageType type) noexcept;
/// A step of the house as a whole: about no member, and from no partner.
[[nodiscard]] constexpr bool is_house_step(MessageType type)
{
    return static_cast<int>(type) >= 64;
}
/// A posting of the house about a member: by no partner, and not a message that could be repeated.
[[nodiscard]] constexpr bool is_house_posting(MessageType type)
{
    return static_cast<int>(type) >= 32 && !is_house_step(type);
}

/// Whether a message that was booked has a second half about another member, and which is one.
[[nodiscard]] constexpr bool has_receipt(MessageType type)
{
    return type == MessageType::transfer || type == MessageType::merge;
}
[[nodiscard]] constexpr bool is_receipt(MessageType type)
{
    return type == MessageType::transfer_in || type == MessageType::merge_in;
}

/// What operators send, and partners may not.
[[nodiscard]] constexpr bool is_of_operator(MessageType type)
{
    return type == MessageType::block || type == MessageType::unblock ||
           type == MessageType::close || type == MessageType::adjustment ||
           type == MessageType::merge || type == MessageType::reinstatement;
}

/// What says how many points it is about, where it does not bring a purchase or means all.
[[nodiscard]] constexpr bool carries_points(MessageType type)
{
    return type == MessageType::accrual || type == MessageType::redemption ||
           type == MessageType::reversal || type == MessageType::clawback ||
           type == MessageType::donation || type == MessageType::hold ||
           type == MessageType::capture || type == MessageType::transfer ||
           type == MessageType::adjustment || type == MessageType::reinstatement;
}

/// What earns, spends or moves a member's points, or grants it some: its months without activity
/// begin anew. Nothing that only takes back, or that the clock brings about.
[[nodiscard]] constexpr bool is_activity(MessageType type)
{
    return type == MessageType::accrual || type == MessageType::redemption ||
           type == MessageType::donation || type == MessageType::capture ||
           type == MessageType::transfer || type == MessageType::transfer_in ||
           type == MessageType::merge_in || type == MessageType::adjustment ||
           type == MessageType::reinstatement;
}

/// Whether a message names its member itself; else it names another message, which has one.
[[nodiscard]] constexpr bool names_member(MessageType type)
{
    return type != MessageType::reversal && type != MessageType::capture &&
           type != MessageType::hold_release && type != MessageType::accrual_release;
}

/// The funder of a reinstatement that the operator pays for.
inline constexpr std::string_view house_as_funder = "house";

inline constexpr std::int32_t vat_rate_unknown = -1;
inline constexpr std::int32_t vat_rate_mixed = -2; // of a purchase: its lines had several

struct PurchaseLine {
    std::string_view sku{};
    std::string_view category{};
    std::string_view tender{};
    std::int64_t amount_minor = 0;
    std::int64_t quantity = 1;
    std::int32_t vat_rate = vat_rate_unknown; // basis points
};

struct Purchase {
    std::int64_t amount_minor = 0; // zero or more
    std::string_view currency{};
    std::string_view channel{};
    std::string_view receipt{};
    std::span<const PurchaseLine> lines{};
};

/// What a member shows. The numbers are stored: append, never renumber.
enum class IdentifierKind : std::uint8_t { unknown = 0, card = 1, phone = 2, token = 3 };
inline constexpr IdentifierKind last_identifier_kind = IdentifierKind::token;
[[nodiscard]] std::string_view name_of(IdentifierKind kind) noexcept;

struct MoneyValue {
    std::int64_t amount_minor = 0;
    std::string_view currency{};
};

/// A message as decoded from the wire, whatever the encoding: shape checked, nothing decided. All
/// views point into memory of the sender of the message, which outlives the decision.
/// An empty view or an empty optional means that the field was not sent.
struct Message {
    MessageType type = MessageType::accrual;
    PartnerId partner{};           // from the certificate
    std::string_view message_id{}; // 1 to 64 of [A-Za-z0-9._:-]
    std::string_view member{}; // an identifier, 1 to 64 of [A-Za-z0-9._:@+-]; none in a reversal
    Time occurred_at{};
    std::optional<Points> points{}; // 1 to 1,000,000,000
    std::optional<Purchase> purchase{};
    std::optional<MoneyValue> value{}; // redemption by value
    std::string_view reverses{};  // reversal, accrual_release: a message id of the same partner
    Sequence hold{};              // capture, hold_release: the record that made the hold
    std::string_view to_member{}; // transfer: an identifier; merge: the one into which
    std::string_view charity{};   // donation: the partner id of a charity
    std::string_view funder{};    // adjustment: the partner id of an issuer; reinstatement: `house`
    std::string_view receipt{};
    std::string_view reason{};
    std::string_view promotion{};
    std::optional<Time> pending_until{};
    std::int64_t expires_in_seconds = 0; // hold: 1 or more
    /// identification, enrolment: what the member is to be known by from now on, of which kind, and
    /// what it must not be known by any more.
    std::string_view identifier{};
    std::string_view replaces{};
    IdentifierKind identifier_kind = IdentifierKind::unknown;
    std::optional<Day> expires_on{}; // reinstatement: the new last day
};

/// The canonical form of a message: the same bytes for the same decoded content with its type,
/// whatever the encoding it came in. What the digest of a record is taken over.
/// Appends to `out`. The partner is part of the key, not of the content; the member is left out,
/// because the digest takes the number instead of the identifier, which must be erasable; nor are
/// the other identifiers here, for which the digest takes numbers or keyed hashes.
void append_canonical(const Message& message, std::string& out);

} // namespace pointhouse::ledger
