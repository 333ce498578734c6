#pragma once

#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "command_line.hpp"

namespace pointhouse::ops {

/// Done, with this on standard output.
[[nodiscard]] gateway::CommandResult done(std::string text);
/// Done, with JSON or words, as --json asks.
[[nodiscard]] gateway::CommandResult report(
    const Invocation& invocation, const boost::json::value& json, std::string text);
/// Not done: exit code 1 and why.
[[nodiscard]] gateway::CommandResult refused(std::string_view reason);

/// Throws CommandFailure in a production house, which never does this in one go.
void require_sandbox(gateway::House& house, std::string_view what);

/// The whole of a small file, or so much of its beginning. Throws CommandFailure.
[[nodiscard]] std::string read_text(
    const std::filesystem::path& file, std::size_t bytes_max = std::string::npos);

/// A window that was typed. Throws CommandFailure.
[[nodiscard]] ledger::Month read_window(const std::string& typed);

/// An amount of money as it is typed, "-1.40". Throws CommandFailure.
[[nodiscard]] ledger::Minor read_amount(const std::string& typed, const ledger::Currency& currency);

/// The partner of a name that was typed. Throws CommandFailure.
[[nodiscard]] const ledger::PartnerTerms& require_partner(
    gateway::House& house, std::string_view id);

} // namespace pointhouse::ops
