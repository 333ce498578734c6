#include <algorithm>

#include "ledger/invariant.hpp"
#include "settlement/reports.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Account;
using ledger::EntryKind;
using ledger::Micro;
using ledger::PartnerId;
using ledger::Wide;

constexpr Wide whole_basis_points = 10'000;

Micro balance_of(const GlBalances& balances, Account account, PartnerId partner)
{
    const auto found = balances.find({account, partner});
    return found == balances.end() ? Micro{} : found->second;
}

Micro balance_of(const GlBalances& balances, Account account)
{
    Micro sum;
    for (const auto& [key, amount] : balances)
        if (key.first == account) sum += amount;
    return sum;
}

/// amount × part / whole, rounded down: what is counted as security is never too much.
Micro share_of(Micro amount, Wide part, Wide whole)
{
    if (whole <= 0 || part <= 0) return {};
    const Wide product = Wide{amount.count()} * part;
    Wide quotient = product / whole;
    if (product % whole != 0 && product < 0) --quotient;
    return Micro{static_cast<std::int64_t>(quotient)};
}

/// The proportion of price and fee that a partner's open amounts are taken to have.
ChargedSoFar proportion_of(
    const Charges& charges, PartnerId partner, const ledger::Terms& terms, ledger::Time at)
{
    const auto found = charges.find(partner);
    if (found != charges.end() && found->second.price + found->second.fee > Micro{})
        return found->second;
    // Only what an opening brought along: the tariff's own proportion.
    const auto* const tariff = terms.find_tariff(partner, at);
    if (tariff == nullptr) return {};
    return {.price = tariff->prefunded_price(), .fee = tariff->service_fee};
}

bool is_billed_afterwards(ledger::TariffVersion version, const ledger::Terms& terms)
{
    return !version.is_none() && !terms.tariff(version).is_block();
}

} // namespace

Micro Coverage::unsecured() const
{
    Micro sum;
    for (const auto& each : credit) sum += each.issue_price;
    return sum;
}

std::optional<std::int64_t> Coverage::ratio() const
{
    if (covered() <= Micro{}) return std::nullopt;
    return static_cast<std::int64_t>(
        Wide{trust_cash.count()} * whole_basis_points / covered().count());
}

void add_charges(Charges& charges, const ledger::PositionRow& row, const ledger::Terms& terms)
{
    const auto& money = row.money;
    if (row.kind == EntryKind::recovered) {
        if (row.debt == ledger::DebtKind::issuer_bears &&
            is_billed_afterwards(row.counterpart, terms)) {
            auto& credited = charges[row.counterparty];
            credited.price -= money.counterparty + money.fee;
            credited.fee += money.fee;
        }
        if (is_billed_afterwards(row.tariff, terms)) charges[row.partner].fee += money.issuer;
        return;
    }
    if (money.issuer == Micro{} || !is_billed_afterwards(row.tariff, terms)) return;
    auto& charged = charges[row.partner];
    // What falls due only when points are redeemed stands for no point that is open.
    const bool is_price = row.kind == EntryKind::issued || row.kind == EntryKind::clawed_back ||
                          row.kind == EntryKind::debt_incurred;
    if (is_price) charged.price += money.issuer - money.fee;
    charged.fee += is_price ? money.fee : money.issuer;
}

Coverage coverage(
    const GlBalances& balances, const Charges& charges, const ledger::Terms& terms, ledger::Time at)
{
    Coverage found{
        .trust_cash = balance_of(balances, Account::cash_trust),
        .points_liability = -balance_of(balances, Account::deferred_revenue),
        .prepaid_blocks = -balance_of(balances, Account::prepaid_block),
        .credit = {}};
    for (const auto& partner : terms.partners) {
        PartnerCredit credit{
            .partner = partner.partner,
            .unbilled = balance_of(balances, Account::unbilled, partner.partner),
            .receivable = balance_of(balances, Account::receivable, partner.partner)};
        if (credit.unbilled == Micro{} && credit.receivable == Micro{}) continue;
        const auto part = proportion_of(charges, partner.partner, terms, at);
        const auto vat = partner.vat_at(at);
        const Wide price = part.price.count();
        const Wide fee = part.fee.count();
        const Wide gross =
            price * (whole_basis_points + vat.price) + fee * (whole_basis_points + vat.fee);
        // What the house owes a partner is no claim, and leaves the others' claims as they are.
        credit.issue_price = std::max(
            Micro{},
            share_of(credit.unbilled, price, price + fee) +
                share_of(credit.receivable, price * whole_basis_points, gross));
        found.credit.push_back(credit);
    }
    return found;
}

std::vector<ReportTable> coverage_tables(const Coverage& coverage, const ledger::Terms& terms)
{
    ReportTable whole{
        .name = "coverage",
        .columns =
            {"trust_cash",
             "points_liability",
             "prepaid_blocks",
             "to_cover",
             "unsecured_credit",
             "ratio_basis_points",
             "holds"},
        .rows = {}};
    const auto ratio = coverage.ratio();
    whole.rows.push_back(
        {coverage.trust_cash,
         coverage.points_liability,
         coverage.prepaid_blocks,
         coverage.covered(),
         coverage.unsecured(),
         ratio ? ReportCell{*ratio} : ReportCell{},
         std::string{coverage.holds() ? "yes" : "no"}});
    ReportTable partners{
        .name = "unsecured_partner_credit",
        .columns = {"partner", "unbilled", "receivable", "issue_price"},
        .rows = {}};
    for (const auto& credit : coverage.credit)
        partners.rows.push_back(
            {terms.partner(credit.partner).name,
             credit.unbilled,
             credit.receivable,
             credit.issue_price});
    return {std::move(whole), std::move(partners)};
}

} // namespace pointhouse::settlement
