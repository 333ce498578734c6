#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ledger/time.hpp"
#include "replay.hpp"
#include "replay_file.hpp"

namespace pointhouse::ops {

/// An invented brand of the demo coalition.
struct DemoBrand {
    std::string_view id;
    std::string_view name;
};

inline constexpr std::string_view demo_currency = "EUR";

[[nodiscard]] std::span<const DemoBrand> demo_brands();

/// A month of the demo coalition, in the order of time: purchases, returns, and redemptions that
/// the member can always afford, often of one brand's points at another. The same seed and month
/// give the same rows.
[[nodiscard]] std::vector<PurchaseRow> demo_month(ledger::Month month, std::uint64_t seed);

struct DemoOptions {
    ServedHouse house; // knows all demo_brands(), with the standard tariff in demo_currency
    ledger::Month month;
    std::uint64_t seed = 2026;
    std::chrono::seconds lasts{25}; // how long a person watches; 0: no pauses
};

/// Plays the demo month through the gateway with a progress bar. Exit code as run_replay; an
/// interrupted demo goes on when it is played again.
int run_demo(const DemoOptions& options);

} // namespace pointhouse::ops
