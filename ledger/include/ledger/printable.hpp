#pragma once

#include <string_view>

namespace pointhouse::ledger {

/// Whether a text is well-formed UTF-8 (Unicode 15, table 3-7) of signs that documents can bear: no
/// control characters (C0, DEL, C1), which XML 1.0 does not hold or discourages, and none of
/// Unicode's 66 noncharacters, which no printer draws. Pure; any thread.
[[nodiscard]] bool is_printable(std::string_view text) noexcept;

} // namespace pointhouse::ledger
