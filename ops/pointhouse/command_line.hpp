#pragma once

#include <CLI/App.hpp>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/command.hpp"
#include "gateway/house.hpp"

namespace pointhouse::ops {

/// A command line that was understood. Exactly one of `alone` and `in_house` is set.
struct Invocation {
    std::filesystem::path folder; // that relative paths are meant from
    std::filesystem::path data;
    std::filesystem::path operator_certificate; // who acts; empty: not said
    std::string operator_name;                  // who acts, known otherwise; empty: not known
    bool json = false;
    /// A command that is a process of its own: serve, init, replay. Returns the exit code.
    std::function<int(const Invocation&)> alone;
    /// A command on a house, in the process that has it open.
    std::function<gateway::CommandStep(gateway::House&, const Invocation&)> in_house;
    /// What a command says when the house's stores do not open: damaged, or out of reach; none: the
    /// failure.
    std::function<gateway::CommandResult(const std::exception&, const Invocation&)> without_house;

    [[nodiscard]] std::filesystem::path path(const std::string& typed) const;
};

using Alone = std::function<int(const Invocation&)>;
using InHouse = std::function<gateway::CommandStep(gateway::House&, const Invocation&)>;

/// A command that cannot be done, in words for the person at the keyboard.
class CommandFailure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Understands a command line, or has the usage to print (exit code 0 for --help, else 2).
[[nodiscard]] std::expected<Invocation, gateway::CommandResult> parse_command_line(
    const gateway::CommandRequest& request);

/// A check of an option: who reads it later finds words there, not spaces alone.
[[nodiscard]] CLI::Validator has_words();

/// For the files of the commands: declares one that has --data; those that report add --json.
CLI::App& declare_alone(
    CLI::App& parent,
    std::string name,
    std::string description,
    Invocation& invocation,
    Alone action);
CLI::App& declare_in_house(
    CLI::App& parent,
    std::string name,
    std::string description,
    Invocation& invocation,
    InHouse action);
void add_data_option(CLI::App& command, Invocation& invocation);
void add_json_option(CLI::App& command, Invocation& invocation);

/// What declares the commands of one group that share their options and can report as JSON:
/// `declare(name, description, action)`, and the action is called as `action(house, options,
/// invocation)`.
template <class Options>
auto declarer_of(CLI::App& group, Invocation& invocation, const std::shared_ptr<Options>& options)
{
    return [&group, &invocation, options](
               const char* name, const char* description, auto action) -> CLI::App& {
        auto& command = declare_in_house(
            group,
            name,
            description,
            invocation,
            [options, action](gateway::House& house, const Invocation& typed)
                -> gateway::CommandStep { return action(house, *options, typed); });
        add_json_option(command, invocation);
        return command;
    };
}

/// A command that stands for a group, e.g. `partner`.
CLI::App& declare_group(CLI::App& parent, std::string name, std::string description);

} // namespace pointhouse::ops
