#pragma once

#include <cstdint>
#include <string_view>
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
/// Gross: the taxed prices hold the tax.
[[nodiscard]] Settlement june_with_expiry(
    VatMode mode, ledger::Share prefund_share = {}, bool is_gross = false);

/// What happened in a random month, so that it can be worked out again: `lot` and `other` are
/// tariff versions, of the lot and of the redeemer or debt.
struct Step {
    std::string_view what;
    std::uint32_t lot = 0;
    std::uint32_t other = 0;
    std::int64_t points = 0;
    ledger::Month origin{}; // an earlier month that it belongs to; none: the window's own
    bool undoes = false;    // what that booked
};

struct RandomMonth {
    ledger::Terms terms;
    Contracts contracts;
    std::vector<Step> steps;
    Settlement settlement;
};

/// A month of a small coalition that one seed decides: prices, VAT of every treatment, more undone
/// than done here and there, lines below zero and lines without a single price.
[[nodiscard]] RandomMonth random_month(std::uint64_t seed);
[[nodiscard]] Settlement random_settlement(std::uint64_t seed);

/// Its drafts.
[[nodiscard]] std::vector<Document> drafts_of(const Settlement& settlement);

} // namespace pointhouse::settlement
