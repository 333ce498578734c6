#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/posting.hpp"
#include "ledger/store.hpp"
#include "ledger/time.hpp"

namespace pointhouse::ledger {

/// One line of the house's own record: what moves money or changes terms and is not a member's
/// message (DESIGN section 5). `content` is JSON whose keys the kind defines.
struct HouseEntry {
    HouseSequence sequence{};
    Time at{};
    std::string kind{};  // "partner_added", "tariff_set", "certificate_issued", "window_closed", …
    std::string actor{}; // the operator, or "house"
    std::string content{};
    Digest hash{}; // SHA-256 over the previous hash and all fields
};

/// The append-only, chained record, in a store of its own. One thread.
class HouseRecord {
public:
    /// Creates the table where it is missing, loads every entry and checks the chain.
    /// Throws StoreFailure naming the first entry whose chain is broken.
    explicit HouseRecord(Store& store);

    /// Durable when it returns. The reference is valid until the next append.
    const HouseEntry& append(
        Time at, std::string_view kind, std::string_view actor, std::string_view content);
    [[nodiscard]] const std::vector<HouseEntry>& entries() const { return entries_; }
    [[nodiscard]] HouseSequence head() const;

    /// Reads the table afresh and names what is wrong with it first; none when sound.
    [[nodiscard]] static std::optional<std::string> first_fault(Store& store);

private:
    Store& store_;
    std::vector<HouseEntry> entries_;
};

} // namespace pointhouse::ledger
