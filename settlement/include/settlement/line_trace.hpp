#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ledger/position.hpp"
#include "ledger/terms.hpp"
#include "settlement/document.hpp"

namespace pointhouse::settlement {

/// What turns a line of a document into one of its statement: a credit note over points issued
/// takes from the bill, an invoice over breakage that was given back does.
[[nodiscard]] std::int64_t sign_on_statement(const Document& document);

/// What an entry put on a line of a document, in the document's signs and the house's currency.
struct TracedPart {
    std::size_t line = 0; // from 0
    std::int64_t points = 0;
    ledger::Micro amount{};
};

/// Where on a document of the entry's own window its money stands; nothing: on another one. The
/// same shares as statements are summed of, so that all entries of a window come to its lines.
/// Pure. Pre: the document is no correction, and not over a block: what these say no entry moved.
[[nodiscard]] std::vector<TracedPart> parts_on(
    const Document& document, const ledger::PositionRow& entry, const ledger::Terms& terms);

} // namespace pointhouse::settlement
