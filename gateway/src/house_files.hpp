#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/house.hpp"
#include "ledger/ledger.hpp"

namespace pointhouse::gateway {

/// The whole of a small file. Throws HouseFailure.
[[nodiscard]] std::string read_small_file(const std::filesystem::path& file);
/// Makes a file that is not there yet, durable when it returns. Throws HouseFailure.
void write_new_file(const std::filesystem::path& file, std::string_view bytes, unsigned mode);

/// Reads pointhouse.toml; unknown keys are refused. Throws HouseFailure naming line or key.
[[nodiscard]] HouseConfig read_config(const std::filesystem::path& file);
/// Names another store in a configuration that a person may have edited.
void set_store(const std::filesystem::path& file, const std::string& store);
void write_config(const std::filesystem::path& file, const HouseConfig& config);

/// Throws HouseFailure when anyone but the file's owner may read it.
void require_private(const std::filesystem::path& file);
/// Makes the house's keys from the system's random source, each in a file of mode 0400.
void make_keys(const std::filesystem::path& folder);
/// Throws HouseFailure when a key is missing, of a wrong size or readable by others.
[[nodiscard]] ledger::LedgerKeys read_ledger_keys(const std::filesystem::path& folder);
[[nodiscard]] std::array<std::byte, 16> read_wire_key(const std::filesystem::path& folder);

/// The clock that a house last ran with; none when it has never served.
[[nodiscard]] std::optional<ClockKind> remembered_clock(const std::filesystem::path& file);
void remember_clock(const std::filesystem::path& file, ClockKind kind);

/// The exclusive right to a data folder, for as long as it lives, however the process ends.
class Lease {
public:
    /// Throws LeaseHeld naming the process that has it, HouseFailure.
    explicit Lease(const std::filesystem::path& file);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

private:
    int descriptor_ = -1;
};

} // namespace pointhouse::gateway
