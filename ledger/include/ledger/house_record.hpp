#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
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
    /// `head_folder` keeps how far it surely reached: a shorter record is refused. None: it is read
    /// beside one that does that.
    explicit HouseRecord(Store& store, std::filesystem::path head_folder = {});

    /// Durable when it returns, unless entries are held. The reference is valid until the next
    /// append. Throws StoreFailure: the entries are then those that the store has, which may be one
    /// more, or, where it cannot be read now, those that are known to be durable.
    const HouseEntry& append(
        Time at, std::string_view kind, std::string_view actor, std::string_view content);
    /// From now on what is appended is held in memory, until `write_held` makes all of it durable
    /// or `drop_held` forgets it: several entries are one then, or none. Pre: nothing is held.
    void hold();
    /// One transaction. Throws StoreFailure: nothing is held any more, and the entries are those
    /// that the store has or, where it cannot be read now, those that are known to be durable.
    void write_held();
    void drop_held();
    [[nodiscard]] bool is_holding() const { return held_from_.has_value(); }
    /// What was appended, with what is held.
    [[nodiscard]] const std::vector<HouseEntry>& entries() const { return entries_; }
    [[nodiscard]] HouseSequence head() const;

    /// Reads the table afresh and names what is wrong with it first; none when sound.
    [[nodiscard]] static std::optional<std::string> first_fault(
        Store& store, const std::filesystem::path& head_folder = {});

private:
    void write(std::span<const HouseEntry> entries);
    /// After a failure so many are known to be durable, and the store is asked for more.
    void write_or_look(std::span<const HouseEntry> entries, std::size_t durable);
    void write_head_file(const HouseEntry& last) const;
    void read_again(std::size_t durable);

    Store& store_;
    std::filesystem::path head_folder_;
    std::vector<HouseEntry> entries_;
    std::optional<std::size_t> held_from_; // the place of the first entry that is held
};

} // namespace pointhouse::ledger
