#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "ledger/terms.hpp"
#include "ledger/time.hpp"

namespace pointhouse::ops {

/// A version of an estimate as a person wrote it.
struct NamedEstimate {
    std::string issuer;
    ledger::Day as_of = 0;
    ledger::Share ultimate_redemption_rate; // in millionths
    std::int32_t version = 0;               // of the house's record; 0: of a file, in its order
};

/// Reads a TOML file of [[estimate]] tables with `issuer`, `as_of` and `ultimate_redemption_rate`
/// (ops/manual/finance/reports.md). Throws CommandFailure naming what is wrong first.
[[nodiscard]] std::vector<NamedEstimate> read_estimates(const std::filesystem::path& file);

} // namespace pointhouse::ops
