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
    opening = 48, // lots that a member brought along when the coalition moved in; has no sender
    // The house's own steps share the journal with the messages.
    cut = 64,         // the end of a window: all before it belongs to it
    drained = 65,     // nothing due before the cut is left to post
    clock = 66,       // the sandbox's clock was moved
    house_entry = 67, // an entry of the house's own record moves money; the terms name it
};

[[nodiscard]] std::string_view name_of(MessageType type) noexcept;
[[nodiscard]] constexpr bool is_house_step(MessageType type)
{
    return static_cast<int>(type) >= 64;
}

inline constexpr std::int32_t vat_rate_unknown = -1;

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
    std::string_view reverses{};       // reversal: a message id of the same partner
    std::string_view charity{};        // donation: the partner id of a charity
    std::string_view receipt{};
    std::string_view reason{};
    std::string_view promotion{};
    std::optional<Time> pending_until{};
};

/// The canonical form of a message: the same bytes for the same decoded content with its type,
/// whatever the encoding it came in. What the digest of a record is taken over.
/// Appends to `out`. The partner is part of the key, not of the content; the member is left out,
/// because the digest takes the number instead of the identifier, which must be erasable.
void append_canonical(const Message& message, std::string& out);

} // namespace pointhouse::ledger
