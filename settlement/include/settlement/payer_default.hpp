#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "settlement/netting.hpp"

namespace pointhouse::settlement {

enum class DefaultFault : std::uint8_t {
    not_a_payer,     // the party's position is not below zero, or it is the house
    amount_negative, // what was paid in, or the collateral
    paid_in_full,    // so there is no default
};

/// What the contracts say, and what is at hand, when a payer does not pay.
struct DefaultTerms {
    ledger::PartnerId payer{};
    ledger::Minor paid_in{};              // of its position, by the deadline
    ledger::Minor collateral{};           // prepaid or secured, and free to be drawn
    bool mutualised = false;              // contracts of receivers share such a loss
    std::set<ledger::PartnerId> exempt{}; // but theirs do not: the house bears their shares
};

/// How a default is borne. All amounts are zero or more, but for `nets`.
struct DefaultCover {
    ledger::Minor shortfall{};        // what the payer did not pay in
    ledger::Minor collateral_drawn{}; // comes first
    ledger::Minor receivable{};       // the rest: the payer owes it in the next window
    /// Who lends for that rest, and gets it when the payer pays: nobody but the house, unless
    /// losses are mutualised.
    std::map<ledger::PartnerId, ledger::Minor> loss_shares{};
    ledger::Minor house_bears{};
    NetPositions nets{}; // to be paid now: they sum to zero, and the payer's is what it did pay
};

/// Covers a shortfall in the order: collateral; where losses are mutualised, partners that receive,
/// pro rata to their positions by largest remainder, the house for those who are exempt; the house.
/// A pure decision: whether it is taken is for two people to say. Pre: `nets` sum to zero, the
/// house among them. Post: shortfall = collateral_drawn + receivable; receivable = loss_shares +
/// house_bears.
[[nodiscard]] std::expected<DefaultCover, DefaultFault> cover_default(
    const NetPositions& nets, const DefaultTerms& terms);

/// The other way out: the window without the defaulter, as if nobody had dealt with it. It can turn
/// a receiver into a payer, so it is the last resort. Nothing remains for the defaulter.
[[nodiscard]] std::expected<NetPositions, NettingFault> unwind(
    std::span<const Obligation> obligations, ledger::PartnerId defaulter);

/// A party that owes more, net, than its limit.
struct LimitBreach {
    ledger::PartnerId party{};
    ledger::Minor net_debit{};
    ledger::Minor limit{};
    friend bool operator==(const LimitBreach&, const LimitBreach&) = default;
};

/// Parties above their net debit limit, by id; exactly at the limit is not above it. A party
/// without a limit never is.
[[nodiscard]] std::vector<LimitBreach> over_net_debit_limit(
    const NetPositions& nets, const std::map<ledger::PartnerId, ledger::Minor>& limits);

/// Payers whose pay-in is not there in full, with what is missing. Pay-outs wait until there is
/// none. `paid_in` is what each has paid for this window according to the bank.
[[nodiscard]] std::map<ledger::PartnerId, ledger::Minor> pay_ins_missing(
    const NetPositions& nets, const std::map<ledger::PartnerId, ledger::Minor>& paid_in);

} // namespace pointhouse::settlement
