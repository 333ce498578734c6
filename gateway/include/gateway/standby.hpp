#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "gateway/house.hpp"
#include "gateway/server.hpp"

namespace pointhouse::gateway {

/// Opens a house to serve it. Where another process has a house in PostgreSQL, waits as its
/// standby, and meanwhile says so on the admin address (/readyz); the right passes when the other
/// gave it back or showed no sign of life for its time to live. Null: SIGTERM or SIGINT came first.
/// Throws HouseFailure, and LeaseHeld where the house is kept in files.
[[nodiscard]] std::unique_ptr<House> open_or_stand_by(
    const std::filesystem::path& data, std::optional<ClockKind> clock, const ServeOptions& options);

} // namespace pointhouse::gateway
