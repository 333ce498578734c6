#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ledger/message.hpp"

namespace pointhouse::gateway {

/// Why bytes are not a message: a wire code ("malformed", or "points_out_of_range") and a detail
/// that starts with the name of the field, e.g. "purchase.lines[2].quantity: must be a whole
/// number".
struct Fault {
    std::string_view code;
    std::string detail;
};

[[nodiscard]] Fault malformed(std::string_view field, std::string_view what);

/// The fields of a message, as a set of bits: which were sent, which its type takes.
enum class Field : std::uint8_t {
    type,
    message_id,
    member,
    occurred_at,
    points,
    purchase,
    value,
    receipt,
    reason,
    pending_until,
    promotion,
    reverses,
    charity,
    hold_id,
    accrual,
    to_member,
    expires_in_seconds,
    funder,
    kind,
    identifier,
    replaces,
    into,
    expires_on,
};
using FieldSet = std::uint32_t;
[[nodiscard]] constexpr FieldSet set_of(Field field)
{
    return 1U << static_cast<unsigned>(field);
}
[[nodiscard]] std::string_view name_of(Field field);

// The bounds of CONTRACT.md, and of what it leaves open. The same in both encodings.
inline constexpr std::size_t message_id_characters_max = 64;
inline constexpr std::size_t member_characters_max = 64;
inline constexpr std::size_t reason_bytes_max = 256; // other texts: 64
inline constexpr std::size_t text_bytes_max = 64;
inline constexpr std::size_t lines_max = 500;
inline constexpr std::int64_t amount_minor_max = 1'000'000'000'000;
inline constexpr std::int64_t quantity_max = 1'000'000'000;
inline constexpr std::int64_t vat_rate_max = 10'000;
inline constexpr std::int64_t hold_seconds_max = 31'536'000; // a year
inline constexpr std::size_t batch_messages_max = 10'000;

// The form of one value: what is wrong with it, or null. Any thread.
[[nodiscard]] const char* fault_of_message_id(std::string_view text);
[[nodiscard]] const char* fault_of_member(std::string_view text);
[[nodiscard]] const char* fault_of_text(std::string_view text, std::size_t bytes_max);
[[nodiscard]] const char* fault_of_currency(std::string_view text);
[[nodiscard]] const char* fault_of_kind(std::string_view text);
/// Pre: it has no fault.
[[nodiscard]] ledger::IdentifierKind identifier_kind_of(std::string_view text);
inline constexpr const char* fault_of_day = "must be a day, e.g. 2026-06-30";

/// The last step of decoding: its type takes all the fields that were sent, has all that it needs,
/// not two that exclude each other; then `points`, when sent, are taken over if within range.
/// `type` among `sent` is ignored. `of_path`: what the path of the request says, so the body must
/// not.
[[nodiscard]] std::optional<Fault> complete(
    ledger::Message& message, FieldSet sent, std::int64_t points, FieldSet of_path = 0);

/// The fields of a type that the path of its route says: a hold's id, an accrual's message id, a
/// member.
[[nodiscard]] FieldSet fields_of_path(ledger::MessageType type);

/// The same for a look-up of a member, which has `member` alone.
[[nodiscard]] std::optional<Fault> complete_lookup(FieldSet sent);

/// The type of a wire name ("accrual"); none when it is not one that partners send.
[[nodiscard]] std::optional<ledger::MessageType> find_message_type(std::string_view name);

} // namespace pointhouse::gateway
