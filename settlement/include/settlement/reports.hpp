#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "ledger/accounts.hpp"
#include "ledger/journal_export.hpp"
#include "ledger/position.hpp"
#include "ledger/spent_points.hpp"
#include "ledger/terms.hpp"
#include "settlement/block_invoice.hpp"
#include "settlement/general_ledger.hpp"
#include "settlement/report_table.hpp"

namespace pointhouse::settlement {

/// Points of one issuer and what stands for them in the points liability.
struct LiabilityFlow {
    std::int64_t points = 0;
    ledger::Micro liability{};
    friend bool operator==(const LiabilityFlow&, const LiabilityFlow&) = default;
};

/// How the open points of one issuer came from opening to closing, and their liability with them:
///
///     closing = opening + issued − redeemed − donated − clawed_back − recovered − expired
///
/// `redeemed` is less refunds, `expired` less what came back, `recovered` repaid members' debts.
/// Points that move between members are open all the while.
struct LiabilityRollForward {
    ledger::PartnerId issuer{};
    LiabilityFlow opening{};
    LiabilityFlow issued{};
    LiabilityFlow redeemed{};
    LiabilityFlow donated{};
    LiabilityFlow clawed_back{};
    LiabilityFlow recovered{};
    LiabilityFlow expired{};
    LiabilityFlow closing{};
};

/// What one position moves, as a roll-forward of its own. Pure.
[[nodiscard]] LiabilityRollForward moved_by(const ledger::PositionRow& row);

/// Folds positions into a roll-forward. One thread.
class RollForward {
public:
    /// `is_opening`: of before the interval.
    void add(const ledger::PositionRow& row, bool is_opening);
    /// By issuer. Post: the identity above holds in points and in money.
    [[nodiscard]] std::vector<LiabilityRollForward> rows() const;

private:
    std::map<ledger::PartnerId, LiabilityRollForward> rows_;
};

/// A table of it, and the sum of all issuers. `programs[id - 1]` are those of their contracts; none
/// of a house without programs.
[[nodiscard]] ReportTable roll_forward_table(
    std::span<const LiabilityRollForward> rows,
    const ledger::Terms& terms,
    std::span<const std::string> programs = {});
/// The sums by program; issuers of none under the empty name. Their issuer is none. Pure.
[[nodiscard]] std::map<std::string, LiabilityRollForward> rolled_by_program(
    std::span<const LiabilityRollForward> rows, std::span<const std::string> programs);
/// A table of these.
[[nodiscard]] ReportTable programs_table(
    const std::map<std::string, LiabilityRollForward>& programs);

/// What one partner still owes of the points that the house answers for.
struct PartnerCredit {
    ledger::PartnerId partner{};
    ledger::Micro unbilled{};   // its account
    ledger::Micro receivable{}; // its account, VAT included
    /// The issue price among them, which no cash stands for yet: unsecured partner credit.
    ledger::Micro issue_price{};
};

/// Whether the trust account stands for the points: JUNE-2026, invariant 6.
struct Coverage {
    ledger::Micro trust_cash{};
    ledger::Micro points_liability{};
    ledger::Micro prepaid_blocks{};
    std::vector<PartnerCredit> credit{}; // of partners that owe something

    [[nodiscard]] ledger::Micro covered() const { return points_liability + prepaid_blocks; }
    [[nodiscard]] ledger::Micro unsecured() const;
    /// trust_cash / covered, in ten-thousandths, rounded down; none: there is nothing to cover.
    [[nodiscard]] std::optional<std::int64_t> ratio() const;
    /// Trust cash and the issue price still owed come to what is to be covered, or more.
    [[nodiscard]] bool holds() const { return trust_cash + unsecured() >= covered(); }
};

/// What a partner was charged until now, net of VAT.
struct ChargedSoFar {
    ledger::Micro price{};
    ledger::Micro fee{};
};
using Charges = std::map<ledger::PartnerId, ChargedSoFar>;

/// Adds what a position charges or credits issuers that pay afterwards.
void add_charges(Charges& charges, const ledger::PositionRow& row, const ledger::Terms& terms);

/// From the house's accounts at an instant. What is unbilled or invoiced and not paid is taken to
/// hold price, fee and VAT in the proportion in which the partner was charged so far. Pure.
[[nodiscard]] Coverage coverage(
    const GlBalances& balances,
    const Charges& charges,
    const ledger::Terms& terms,
    ledger::Time at);

[[nodiscard]] std::vector<ReportTable> coverage_tables(
    const Coverage& coverage, const ledger::Terms& terms);

/// One version of an estimate of how many of an issuer's points will ever be redeemed, with what is
/// known then.
struct BreakageEstimate {
    ledger::Day as_of = 0;
    ledger::Share ultimate_redemption_rate{}; // URR: above zero
    ledger::Share shared_breakage{0, 1};      // of breakage, given back to the issuer
    std::int64_t points_sold = 0;
    ledger::Micro consideration{};    // of them
    std::int64_t points_redeemed = 0; // until then
};

/// What an estimate comes to (IFRS 15.B44–B47): money in minor units.
struct BreakageVersion {
    BreakageEstimate estimate{};
    ledger::Minor transaction_price{}; // consideration less the refund liability
    ledger::Minor refund_liability{};  // the share of expected breakage that is given back
    ledger::Minor revenue_to_date{};
    ledger::Minor revenue{}; // of this version: with the catch-up of all before it
    ledger::Minor contract_liability{};
};

/// Revenue in proportion to redemptions expected, each version catching up cumulatively with all
/// before it. Rounded once each, half away from zero. Versions are in the order of their days.
/// Pure. An overlay: nothing is booked. Refused, in words: a rate that is none, more redeemed than
/// sold.
[[nodiscard]] std::expected<std::vector<BreakageVersion>, std::string> breakage_versions(
    std::span<const BreakageEstimate> estimates, const ledger::Currency& currency);

/// What became of an issuer's points, by the month in which they were earned and the VAT rate of
/// that sale: for the correction of its own VAT base when members pay with points.
class RedemptionNotice {
public:
    void add(const ledger::SpentPoints& spent, const ledger::Terms& terms);
    /// By issuer, month, VAT rate, redeemer: points net of refunds, at issue price and at face
    /// value.
    [[nodiscard]] ReportTable table(
        const ledger::Terms& terms, std::optional<ledger::PartnerId> issuer) const;

private:
    struct Key {
        ledger::PartnerId issuer{};
        ledger::Month origin{};
        std::int32_t vat_rate = ledger::vat_rate_unknown;
        ledger::PartnerId redeemer{};
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    struct Sum {
        std::int64_t points = 0;
        ledger::Micro price{};
    };
    std::map<Key, Sum> sums_;
};

/// What a partner would leave behind if it left now: a dry run, nothing is booked. Pure.
struct PartnerExit {
    ledger::PartnerId partner{};
    LiabilityFlow open{};            // its points with members
    std::int64_t debt_points = 0;    // owed by members for its points
    ledger::Micro owes{};            // unbilled and invoiced
    ledger::Micro is_owed{};         // redemptions, breakage shares, documents not paid out
    ledger::Micro prepaid{};         // what is left of its blocks, price and fee
    std::vector<BlockRest> blocks{}; // what no point took of each, also where it was given back
    /// What it still owes when its open points are redeemed: (1 − x)·p of each.
    ledger::Micro due_on_redemption{};

    /// Above zero: the house pays the partner.
    [[nodiscard]] ledger::Micro net() const { return is_owed + prepaid - owes; }
    /// Nothing is billed or to be billed, and no point that members still have costs it anything.
    [[nodiscard]] bool is_settled() const
    {
        const ledger::Micro nothing{};
        return owes == nothing && is_owed == nothing && due_on_redemption == nothing;
    }
};

[[nodiscard]] PartnerExit partner_exit(
    ledger::PartnerId partner,
    const GlBalances& balances,
    std::span<const ledger::PositionRow> positions,
    const ledger::Terms& terms);

/// Adds up what the journal moved for that. Memory does not grow with it. One thread.
class ExitFold {
public:
    void add(
        std::span<const ledger::AccountLine> lines, std::span<const ledger::PositionRow> positions);
    [[nodiscard]] PartnerExit of(ledger::PartnerId partner, const ledger::Terms& terms) const;

private:
    /// What tells positions apart here.
    using Key =
        std::tuple<ledger::EntryKind, ledger::PartnerId, ledger::PartnerId, ledger::TariffVersion>;
    GlBalances balances_;
    std::map<Key, ledger::PositionRow> positions_;
    std::map<ledger::TariffVersion, BlockRest> drawn_; // of any tariff; only blocks are asked for
};

[[nodiscard]] ReportTable partner_exit_table(const PartnerExit& leaving);

} // namespace pointhouse::settlement
