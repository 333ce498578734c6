#include "ledger/posting.hpp"

#include "ledger/invariant.hpp"

namespace pointhouse::ledger {

std::string_view code_of(Refusal refusal) noexcept
{
    switch (refusal) {
    case Refusal::insufficient_points: return "insufficient_points";
    case Refusal::message_id_reused: return "message_id_reused";
    case Refusal::reversal_exceeds_original: return "reversal_exceeds_original";
    case Refusal::late_window_closed: return "late_window_closed";
    case Refusal::occurred_in_future: return "occurred_in_future";
    case Refusal::issuer_unfunded: return "issuer_unfunded";
    case Refusal::funding_not_agreed: return "funding_not_agreed";
    case Refusal::role_not_allowed: return "role_not_allowed";
    case Refusal::member_blocked: return "member_blocked";
    case Refusal::member_closed: return "member_closed";
    case Refusal::currency_unsupported: return "currency_unsupported";
    case Refusal::points_out_of_range: return "points_out_of_range";
    case Refusal::limit_exceeded: return "limit_exceeded";
    case Refusal::hold_not_open: return "hold_not_open";
    case Refusal::member_unknown: return "member_unknown";
    case Refusal::message_unknown: return "message_unknown";
    case Refusal::hold_unknown: return "hold_unknown";
    case Refusal::overloaded: return "overloaded";
    case Refusal::identifier_taken: return "identifier_taken";
    case Refusal::already_merged: return "already_merged";
    }
    return "internal";
}

bool is_frozen(Refusal refusal) noexcept
{
    switch (refusal) {
    case Refusal::insufficient_points:
    case Refusal::reversal_exceeds_original:
    case Refusal::late_window_closed:
    case Refusal::occurred_in_future:
    case Refusal::issuer_unfunded:
    case Refusal::funding_not_agreed:
    case Refusal::role_not_allowed:
    case Refusal::member_blocked:
    case Refusal::member_closed:
    case Refusal::currency_unsupported:
    case Refusal::points_out_of_range:
    case Refusal::limit_exceeded:
    case Refusal::hold_not_open:
    case Refusal::identifier_taken:
    case Refusal::already_merged: return true;
    case Refusal::message_id_reused:
    case Refusal::member_unknown:
    case Refusal::message_unknown:
    case Refusal::hold_unknown:
    case Refusal::overloaded: return false;
    }
    return false;
}

std::string_view name_of(EntryKind kind) noexcept
{
    switch (kind) {
    case EntryKind::issued: return "issued";
    case EntryKind::redeemed: return "redeemed";
    case EntryKind::refunded: return "refunded";
    case EntryKind::donated: return "donated";
    case EntryKind::clawed_back: return "clawed_back";
    case EntryKind::debt_incurred: return "debt_incurred";
    case EntryKind::recovered: return "recovered";
    case EntryKind::matured: return "matured";
    case EntryKind::expired: return "expired";
    case EntryKind::expiry_undone: return "expiry_undone";
    case EntryKind::held: return "held";
    case EntryKind::released: return "released";
    case EntryKind::moved_out: return "moved_out";
    case EntryKind::moved_in: return "moved_in";
    case EntryKind::opened: return "opened";
    case EntryKind::debt_moved_out: return "debt_moved_out";
    case EntryKind::debt_moved_in: return "debt_moved_in";
    case EntryKind::creditable_moved: return "creditable_moved";
    case EntryKind::reinstated: return "reinstated";
    case EntryKind::reinstated_by_house: return "reinstated_by_house";
    case EntryKind::folded_out: return "folded_out";
    case EntryKind::folded_in: return "folded_in";
    }
    return "unknown";
}

} // namespace pointhouse::ledger
