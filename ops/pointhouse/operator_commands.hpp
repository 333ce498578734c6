#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "gateway/operator_route.hpp"

namespace pointhouse::ops {

/// How the value of a parameter stands on a command line.
enum class Typed : std::uint8_t {
    as_sent,
    // An amount in minor units of what the request is about, typed as a decimal: -140 is -1.40.
    minor,
    micro, // the same in millionths
};

/// A parameter of a command over the wire.
struct CommandParameter {
    gateway::Parameter parameter{};
    std::string_view option{}; // "--reason"; empty: positional, in the order of the parameters
    Typed typed = Typed::as_sent;
};

/// A command that operators may give over the wire.
struct OperatorCommand {
    bool is_act = false;
    /// It changes nothing, and is a POST only because it brings a file: it has no message id.
    bool only_reads = false;
    /// Its answer is too large for the record, and can be made again, the same.
    bool is_made_again = false;
    std::string_view words{}; // "settle draft"
    std::string_view flag{};  // that always goes with it, "--all"
    std::string_view summary{};
    std::vector<CommandParameter> parameters{};
    gateway::MediaType file = gateway::MediaType::none; // that the request brings
    std::string_view file_option{};                     // empty: positional
    std::vector<gateway::MediaType> answers{gateway::MediaType::json};
    /// Where the command writes what it does not print, "--out"; with JSON it is a folder, and the
    /// answer has its files in the place of their names.
    std::string_view out_option{};
    std::string_view pdf_option{}; // where it writes a page with a diagram; empty: it has none
};

/// All of them; the same for ever.
[[nodiscard]] std::span<const OperatorCommand> operator_commands();

} // namespace pointhouse::ops
