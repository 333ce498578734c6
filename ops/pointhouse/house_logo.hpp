#pragma once

#include <string>

#include <boost/json/value.hpp>

#include "command_line.hpp"

namespace pointhouse::ops {

/// Gives the house a logo for what it issues from now on. In a production house another operator
/// approves it.
[[nodiscard]] gateway::CommandResult set_logo(
    gateway::House& house, const std::string& file, const Invocation& typed);

/// Documents have the drawn mark again, from now on. In a production house another operator
/// approves it.
[[nodiscard]] gateway::CommandResult withdraw_logo(
    gateway::House& house, const std::string& reason, const Invocation& typed);

/// What can be said of it in words; null: the house has none.
[[nodiscard]] boost::json::value logo_as_json(const partners::Logo& logo);

} // namespace pointhouse::ops
