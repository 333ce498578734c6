#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "gateway/command.hpp"
#include "gateway/house.hpp"

namespace pointhouse::gateway {

/// The whole house as it is at one moment between two commits: all stores, index runs, keys,
/// certificates and configuration. Taken on the house's thread, where nothing commits meanwhile, so
/// the journal holds everything that the books and the head file know of; written on any other.
class HouseSnapshot {
public:
    explicit HouseSnapshot(House& house);
    ~HouseSnapshot();
    HouseSnapshot(const HouseSnapshot&) = delete;
    HouseSnapshot& operator=(const HouseSnapshot&) = delete;

    /// Writes a backup into a folder that is missing or empty, its MANIFEST.json last.
    /// Throws HouseFailure, ledger::StoreFailure, Interrupted.
    void write_to(const std::filesystem::path& backup, Console& console) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Copies a backup into a data folder that is missing or empty, after every file has been checked
/// against the manifest; what was in PostgreSQL goes into a database that holds no house: that of
/// `store`, empty: the one that the backed up house used. Returns where the stores are now. Throws
/// HouseFailure, ledger::StoreFailure, and leaves nothing half made.
std::string copy_backup(
    const std::filesystem::path& backup,
    const std::filesystem::path& data,
    const std::string& store,
    Console& console);
/// Removes a house: the files of its data folder, and what its database holds.
void discard_house(const std::filesystem::path& data, const std::string& store);

} // namespace pointhouse::gateway
