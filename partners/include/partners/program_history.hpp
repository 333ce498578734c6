#pragma once

#include <span>
#include <string>
#include <vector>

#include "ledger/house_record.hpp"
#include "ledger/ids.hpp"

namespace pointhouse::partners {

/// An entry of the house's record by which a contract came to name a program of the house.
struct ProgramChange {
    ledger::HouseSequence entry{};
    ledger::Time at{};
    ledger::PartnerId partner{};
    std::string program{}; // empty: none
    bool is_first = false; // with the contract itself
};

/// In the order of the record. Pure. Throws std::exception when an entry cannot be read.
[[nodiscard]] std::vector<ProgramChange> program_changes(
    std::span<const ledger::HouseEntry> entries);

} // namespace pointhouse::partners
