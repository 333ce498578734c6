#pragma once

#include <expected>
#include <fmt/format.h>

#include "settlement/document.hpp"
#include "settlement/new_entry.hpp"

namespace pointhouse::settlement {

/// The period in which a seller may object to what was written in its name is over.
/// Pre: the document has one.
[[nodiscard]] inline std::unexpected<RegisterFault> objected_too_late(const Document& document)
{
    return std::unexpected(RegisterFault{fmt::format(
        "the last day to object to {} was {}",
        document.number,
        ledger::format_day(document.object_by().value()))});
}

} // namespace pointhouse::settlement
