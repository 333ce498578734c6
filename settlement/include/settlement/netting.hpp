#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <span>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/money.hpp"

namespace pointhouse::settlement {

/// In an obligation, no partner (the id that is none) stands for the house.
inline constexpr ledger::PartnerId the_house{};

/// One party owes another, in minor units of one currency.
struct Obligation {
    ledger::PartnerId debtor{};
    ledger::PartnerId creditor{};
    ledger::Minor amount{}; // zero or more
};

enum class NettingFault : std::uint8_t {
    amount_negative, // an obligation below zero is one in the other direction
    amount_overflow, // a position, or the sum of the payments, does not fit 64 bits
};

/// Positive: the party receives. Negative: the party pays.
using NetPositions = std::map<ledger::PartnerId, ledger::Minor>;

/// Folds obligations into one position per party (multilateral netting). Pure; any thread.
/// Post: the positions sum to zero; netting moves money, it never makes any.
[[nodiscard]] std::expected<NetPositions, NettingFault> net_positions(
    std::span<const Obligation> obligations);

/// One transfer of money; above zero, and never from a party to itself.
struct Payment {
    ledger::PartnerId payer{};
    ledger::PartnerId payee{};
    ledger::Minor amount{};
    friend bool operator==(const Payment&, const Payment&) = default;
};

/// How a window may be paid. All ways leave every party with the same position.
struct PaymentPlan {
    std::vector<Payment> payments{}; // by payer, then payee, where nothing else is said
    ledger::Minor moved{};           // what payers give up in all
};

/// Every debtor pays every creditor in full: one payment for all that one owes to the other.
[[nodiscard]] std::expected<PaymentPlan, NettingFault> gross_payments(
    std::span<const Obligation> obligations);

/// Each pair of parties settles its difference.
[[nodiscard]] std::expected<PaymentPlan, NettingFault> bilateral_payments(
    std::span<const Obligation> obligations);

/// Each partner makes or gets one payment, to or from the house. What the house owes or is owed
/// itself is no payment, but counts in `moved`. Pre: the positions sum to zero.
[[nodiscard]] std::expected<PaymentPlan, NettingFault> payments_through_house(
    const NetPositions& nets);

/// Without an account in the middle: the largest payer pays the largest receiver as much as both
/// allow, until all are settled; equal amounts in the order of ids. The payments stand in this
/// order, one less than the parties that have a position at most. (The fewest possible is NP-hard.)
/// Pre: the positions sum to zero.
[[nodiscard]] std::expected<PaymentPlan, NettingFault> direct_payments(const NetPositions& nets);

} // namespace pointhouse::settlement
