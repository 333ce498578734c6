#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/house.hpp"
#include "ledger/journal.hpp"
#include "ledger/store.hpp"

namespace pointhouse::gateway {

/// All stores of a house as they are at one moment, for a backup.
class StoreSnapshot {
public:
    using Progress = std::function<void(std::string_view)>;
    virtual ~StoreSnapshot() = default;
    /// Writes them as files into the folder of a backup; returns their names in it.
    [[nodiscard]] virtual std::vector<std::filesystem::path> write_to(
        const std::filesystem::path& backup, const Progress& progress) const = 0;
};

/// Where a house keeps its data. This is the one place that names a concrete store. All calls on
/// the house's thread, but where they say otherwise. They throw ledger::StoreFailure.
class HouseStores {
public:
    virtual ~HouseStores() = default;
    [[nodiscard]] virtual std::unique_ptr<ledger::Store> open_record() = 0;
    [[nodiscard]] virtual std::unique_ptr<ledger::Store> open_identities() = 0;
    [[nodiscard]] virtual std::unique_ptr<ledger::Store> open_books() = 0;
    /// Leaves none, whatever is wrong with them. Not while they are open.
    virtual void discard_books() = 0;
    /// `shards`: how many the house was made with.
    [[nodiscard]] virtual std::unique_ptr<ledger::Journal> open_journal(std::size_t shards) = 0;
    [[nodiscard]] virtual std::unique_ptr<StoreSnapshot> snapshot(std::size_t shards) = 0;
    /// Another process has taken over. Any thread.
    [[nodiscard]] virtual bool are_lost() const { return false; }
};

/// True for `sqlite` and for the URL of a PostgreSQL database.
[[nodiscard]] bool is_store_name(std::string_view store);
[[nodiscard]] bool is_postgres(std::string_view store);

/// What a new house needs before its stores can be opened; refuses a database that has one already.
void make_house_stores(const std::string& store);
/// Takes the right to them. Throws LeaseHeld.
[[nodiscard]] std::unique_ptr<HouseStores> open_house_stores(
    const HouseFolder& folder, const std::string& store);
/// Undoes make_house_stores; files in the data folder are the caller's.
void discard_house_stores(const std::string& store);

/// True for a file of a backup that is loaded into a database and not copied into the data folder.
[[nodiscard]] bool is_part_of_database(const std::filesystem::path& name);
/// Makes the stores of a house from those files.
void load_house_stores(
    const std::filesystem::path& backup,
    const std::string& store,
    const StoreSnapshot::Progress& progress);

} // namespace pointhouse::gateway
