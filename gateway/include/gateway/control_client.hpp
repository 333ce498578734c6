#pragma once

#include <filesystem>
#include <optional>

#include "gateway/command.hpp"

namespace pointhouse::gateway {

/// Has a command done by the process that serves the house. What it prints and its progress go to
/// the console as they come. None: nobody listens on the socket. Throws HouseFailure when the
/// answer breaks off.
[[nodiscard]] std::optional<CommandResult> ask_serving_house(
    const std::filesystem::path& socket, const CommandRequest& request, Console& console);

} // namespace pointhouse::gateway
