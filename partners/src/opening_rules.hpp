#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ledger/money.hpp"
#include "ledger/terms.hpp"
#include "partners/opening.hpp"

namespace pointhouse::partners {

inline constexpr std::int64_t block_points_max = 1'000'000'000'000;
/// Micro-units of all blocks that were ever sold, and of all that an opening brings along: as much
/// as the books can sum up (ledger::FundingCounters has the same bound for messages).
inline constexpr ledger::Wide house_money_max = ledger::Wide{1} << 60;

/// What does not fit together in an opening, or with the terms; none when it can be imported.
[[nodiscard]] std::optional<std::string> fault_of(
    const Opening& opening, const ledger::Terms& terms);

/// The tariff that opening lots of an issuer at a price have: the dated one of that day, at that
/// price. Its version is the dated one's where the price is, too. None: the issuer has none then.
[[nodiscard]] std::optional<ledger::Tariff> opening_tariff(
    ledger::PartnerId issuer, ledger::Micro price, ledger::Day as_of, const ledger::Terms& terms);

} // namespace pointhouse::partners
