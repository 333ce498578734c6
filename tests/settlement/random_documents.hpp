#pragma once

#include <cstdint>
#include <vector>

#include "coalition.hpp"
#include "settlement/document.hpp"

namespace pointhouse::settlement {

/// The legal details of the house and of the partners of a settlement.
struct Parties {
    LegalParty house{};
    std::vector<LegalParty> partners{};
};

[[nodiscard]] Parties parties_of(const Settlement& settlement);

/// The worked month with the expiry of L0: 400 points of TNK, half of whose price goes back to it.
[[nodiscard]] Settlement june_with_expiry(VatMode mode, ledger::Share prefund_share = {});

/// A month of a small coalition that one seed decides: prices, VAT of every treatment, more undone
/// than done here and there, lines below zero and lines without a single price.
[[nodiscard]] Settlement random_settlement(std::uint64_t seed);

/// Its drafts.
[[nodiscard]] std::vector<Document> drafts_of(const Settlement& settlement);

} // namespace pointhouse::settlement
