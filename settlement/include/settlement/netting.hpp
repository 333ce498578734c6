#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <span>

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
    amount_overflow, // a position does not fit 64 bits
};

/// Positive: the party receives. Negative: the party pays.
using NetPositions = std::map<ledger::PartnerId, ledger::Minor>;

/// Folds obligations into one position per party (multilateral netting). Pure; any thread.
/// Post: the positions sum to zero; netting moves money, it never makes any.
[[nodiscard]] std::expected<NetPositions, NettingFault> net_positions(
    std::span<const Obligation> obligations);

} // namespace pointhouse::settlement
