#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

namespace pointhouse::ledger {

/// Why the house says no to a message. The names are the wire codes of the partner contract and the
/// numbers are stored in the journal: append, never rename or renumber.
///
/// A refusal for which `is_frozen` holds is booked in the journal: the same message gets it again
/// for ever. The others (404, 503, and a reused id, which belongs to another message) leave no
/// trace.
enum class Refusal : std::uint8_t {
    insufficient_points = 1,
    message_id_reused = 2,
    reversal_exceeds_original = 3,
    late_window_closed = 4,
    occurred_in_future = 5,
    issuer_unfunded = 6,
    funding_not_agreed = 7,
    role_not_allowed = 8,
    member_blocked = 9,
    member_closed = 10,
    currency_unsupported = 11,
    points_out_of_range = 12,
    limit_exceeded = 13,
    hold_not_open = 14,
    member_unknown = 15,
    message_unknown = 16,
    hold_unknown = 17,
    overloaded = 18,
    identifier_taken = 19,
    already_merged = 20,
};

inline constexpr Refusal last_refusal = Refusal::already_merged;

/// The wire code, e.g. "insufficient_points".
[[nodiscard]] std::string_view code_of(Refusal refusal) noexcept;
[[nodiscard]] bool is_frozen(Refusal refusal) noexcept;

/// A value, or the reason there is none.
template <class T, class E = Refusal>
using Result = std::expected<T, E>;

} // namespace pointhouse::ledger
