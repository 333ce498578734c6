#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "ledger/money.hpp"
#include "settlement/netting.hpp"

namespace pointhouse::settlement {

/// A recorded rate: numerator / denominator units of `to` for one unit of `from`.
struct ExchangeRate {
    std::string id{}; // under which the house's record has it, "EUR-USD-2026-06-30"
    ledger::Currency from{};
    ledger::Currency to{};
    std::int64_t numerator = 1;
    std::int64_t denominator = 1;
    friend bool operator==(const ExchangeRate&, const ExchangeRate&) = default;
};

/// The highest rate that is taken: a thousand million for one unit, with six places.
inline constexpr std::int64_t rate_millionths_max = 1'000'000'000'000'000;

/// The same rate the other way round, exactly.
[[nodiscard]] ExchangeRate inverse_of(const ExchangeRate& rate);

enum class ExchangeFault : std::uint8_t {
    rate_not_positive,
    amount_overflow, // a converted position does not fit 64 bits
};

/// Net positions in the currency they are paid in.
struct ConvertedPositions {
    NetPositions nets{}; // sum to zero
    ledger::Currency currency{};
    std::string rate_id{};
    /// What the positions would sum to if each were rounded alone. Above zero: receivers get so
    /// much less, a gain of the account for exchange differences; below: a loss.
    ledger::Minor exchange_result{};
};

/// What one movement of money may come to, in millionths: sums of many fit 64 bits.
inline constexpr ledger::Wide movement_amount_max = ledger::Wide{1} << 58U;

/// `amount` at the rate, rounded once, half away from zero. Error: amount_overflow, when it comes
/// to more than 2⁶² millionths.
[[nodiscard]] std::expected<ledger::Minor, ExchangeFault> convert(
    ledger::Minor amount, const ExchangeRate& rate);

/// Converts net positions once, never the obligations behind them. Rounding each position alone
/// would make or lose money, so payers are authoritative: each pays its own amount, rounded, and
/// receivers share the sum of these by largest remainder, equal fractions in the order of ids.
/// Pure; any thread. Pre: the positions sum to zero. Post: so do the converted ones.
[[nodiscard]] std::expected<ConvertedPositions, ExchangeFault> convert(
    const NetPositions& nets, const ExchangeRate& rate);

} // namespace pointhouse::settlement
