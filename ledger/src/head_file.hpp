#pragma once

#include <filesystem>
#include <optional>

#include "ledger/ids.hpp"
#include "ledger/posting.hpp"

namespace pointhouse::ledger {

/// How far the journal surely reached, kept beside it: a flipped bit in SQLite's log silently drops
/// the tail, and a journal shorter than this refuses to start.
struct Head {
    Sequence last;
    Digest hash{}; // of the block that ends there
    HouseSequence house;
    friend bool operator==(const Head&, const Head&) = default;
};

/// Replaces the file in one step. Throws StoreFailure.
void write_head(const std::filesystem::path& folder, const Head& head);
/// None: there is no such file. Throws StoreFailure when it is not a head.
[[nodiscard]] std::optional<Head> read_head(const std::filesystem::path& folder);

} // namespace pointhouse::ledger
