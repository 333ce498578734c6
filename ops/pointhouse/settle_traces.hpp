#pragma once

#include "command_line.hpp"

namespace pointhouse::ops {

/// The commands that lead from documents to entries and back: trace, billed.
void declare_settle_traces(CLI::App& settle, Invocation& invocation);

} // namespace pointhouse::ops
