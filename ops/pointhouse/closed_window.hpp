#pragma once

#include "settle_documents.hpp"

namespace pointhouse::ops {

/// An entry of money that may come after the soft close of its window.
struct LateEntry {
    ledger::Month window{};
    std::string act{};    // "net 2026-06"
    std::string reason{}; // why it comes late; empty: none was given
};

/// Whether it may be recorded: always before a soft close, after it for a reason that another
/// operator permits in a production house, and never after a hard close. Throws CommandFailure.
[[nodiscard]] Permitted admit_late(
    gateway::House& house, const LateEntry& late, const Invocation& typed);

/// Records what was admitted, with its reason where it came late.
void record_admitted(
    gateway::House& house,
    const settlement::NewEntry& entry,
    const LateEntry& late,
    const Permitted& permitted);

/// For the commands that record such entries: `--reason`.
void add_late_option(CLI::App& command, std::string& reason);

} // namespace pointhouse::ops
