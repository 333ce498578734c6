#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/money.hpp"
#include "ledger/points.hpp"
#include "ledger/terms.hpp"
#include "ledger/time.hpp"
#include "partners/registry.hpp"

namespace pointhouse::partners {

/// Points that a member brings along, with all that a lot remembers.
struct OpeningLot {
    std::string name; // in the file, for its faults
    std::string member;
    ledger::PartnerId issuer;
    ledger::Points points;
    ledger::Time activity;
    ledger::Day expires_on = ledger::never; // the last day
    ledger::Micro price;
    std::optional<ledger::Day> available_from; // none: active; else pending until that day begins
};

/// What is left of a block at the opening.
struct OpeningBlock {
    ledger::PartnerId partner;
    ledger::Points points;
    ledger::Micro price;
    ledger::Micro fee;
};

/// The state of a coalition that moves in: a balanced set of lots, blocks and balances.
struct Opening {
    ledger::Day as_of = 0; // the state is that of the first moment of this day
    std::vector<std::string> members;
    std::vector<OpeningLot> lots;
    std::vector<OpeningBlock> blocks;
    std::vector<std::pair<std::string, ledger::Micro>> balances; // account → debit above zero
};

/// SHA-256 of a file, hexadecimal: what is approved is this file and no other.
[[nodiscard]] std::string digest_of(std::string_view file);

/// Reads `import opening FILE.json` (ops/manual/opening.md) and holds it against the terms: every
/// name is known, the balances sum to zero, and the liability and the prepaid accounts are what
/// lots and blocks come to. A fault names the lot, block or account.
[[nodiscard]] ledger::Result<Opening, ContractFault> parse_opening(
    std::string_view json, const ledger::Terms& terms);

} // namespace pointhouse::partners
