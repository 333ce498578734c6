#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pointhouse::gateway {

class House;

/// The work of a command was cut short: the house stops, or nobody listens any more.
class Interrupted : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Where a command speaks while it works. One thread at a time. Both calls throw Interrupted.
class Console {
public:
    virtual ~Console() = default;
    /// How far the work is: a line that the next one replaces.
    virtual void progress(std::string_view line) = 0;
    /// A part of the result, for standard output.
    virtual void print(std::string_view text) = 0;
};

/// How a command ended: 0 done, 1 refused or found wrong, 2 not a command that the house knows.
struct CommandResult {
    int exit_code = 0;
    std::string output{};    // for standard output, after all that was printed
    std::string complaint{}; // for standard error
    /// Of the problem that the wire says a refusal by; empty: settlement_refused.
    std::string_view code{};
    /// What was asked for waits as this proposal for another operator; 0: it does not.
    std::uint64_t proposal = 0;
    /// It is the answer of an earlier request with the same message id.
    bool is_replayed = false;
};

struct CommandStep;
/// What a command does on the house's thread.
using NextStep = std::function<CommandStep(House&)>;
/// What long work came to: its end, or what it found is for the house to act on.
using WorkEnd = std::variant<CommandResult, NextStep>;
/// Work of a command that takes long and needs nothing of the house's thread.
using LongWork = std::function<WorkEnd(Console&)>;
/// What a command came to on the house's thread: its end, or work to do elsewhere.
struct CommandStep : std::variant<CommandResult, LongWork> {
    using variant::variant;
};

/// A command as it was typed. Relative paths in it are meant from `folder`.
struct CommandRequest {
    std::vector<std::string> arguments{};
    std::filesystem::path folder{};
};

/// Runs the first step of a command, on the house's thread.
using CommandInterpreter = std::function<CommandStep(House&, const CommandRequest&)>;

} // namespace pointhouse::gateway
