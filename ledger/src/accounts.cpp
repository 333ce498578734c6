#include "ledger/accounts.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "ledger/invariant.hpp"

namespace pointhouse::ledger {
namespace {

/// Collects lines and leaves out those that are zero.
class Lines {
public:
    void points(Account account, PartnerId partner, PartnerId issuer, std::int64_t amount)
    {
        if (amount != 0) lines_.push_back({account, partner, issuer, amount});
    }
    void debit(Account account, PartnerId partner, Micro amount)
    {
        points(account, partner, PartnerId{}, amount.count());
    }
    void credit(Account account, PartnerId partner, Micro amount)
    {
        debit(account, partner, -amount);
    }
    [[nodiscard]] std::vector<AccountLine> take() { return std::move(lines_); }

private:
    std::vector<AccountLine> lines_;
};

Account account_of(LotState state)
{
    switch (state) {
    case LotState::active: return Account::members_active;
    case LotState::pending: return Account::members_pending;
    case LotState::held: return Account::members_held;
    }
    invariant(false, "every state of a lot has its account");
    return Account::members_active;
}

void add_points(Lines& lines, const PositionRow& row)
{
    const std::int64_t points = row.points.count();
    // From the debited account to the credited one, all in the points of the row's partner.
    const auto move = [&](Account from, PartnerId of, Account to, PartnerId taker) {
        lines.points(from, of, row.partner, points);
        lines.points(to, taker, row.partner, -points);
    };
    constexpr PartnerId nobody{};
    const Account members = account_of(row.state);
    switch (row.kind) {
    case EntryKind::issued:
    case EntryKind::opened: return move(Account::issued, row.partner, members, nobody);
    case EntryKind::redeemed:
    case EntryKind::donated:
        return move(Account::members_active, nobody, Account::redeemed, row.counterparty);
    case EntryKind::refunded:
        return move(Account::redeemed, row.counterparty, Account::members_active, nobody);
    case EntryKind::clawed_back: return move(members, nobody, Account::clawback, row.partner);
    case EntryKind::debt_incurred:
        return move(Account::members_debt, nobody, Account::clawback, row.partner);
    case EntryKind::recovered:
        // The lot's issuer gives, the debt's issuer receives; each in its own points.
        move(Account::members_active, nobody, Account::recovery, row.partner);
        lines.points(Account::recovery, row.counterparty, row.counterparty, points);
        lines.points(Account::members_debt, nobody, row.counterparty, -points);
        return;
    case EntryKind::expired:
        return move(Account::members_active, nobody, Account::members_expired, nobody);
    case EntryKind::expiry_undone:
    case EntryKind::reinstated:
    case EntryKind::reinstated_by_house:
        return move(Account::members_expired, nobody, Account::members_active, nobody);
    case EntryKind::matured:
    case EntryKind::released: return move(members, nobody, Account::members_active, nobody);
    case EntryKind::held: return move(Account::members_active, nobody, members, nobody);
    case EntryKind::moved_out: return move(members, nobody, Account::transit, nobody);
    case EntryKind::moved_in: return move(Account::transit, nobody, members, nobody);
    case EntryKind::debt_moved_out:
        return move(Account::transit, nobody, Account::members_debt, nobody);
    case EntryKind::debt_moved_in:
        return move(Account::members_debt, nobody, Account::transit, nobody);
    case EntryKind::creditable_moved: // a right, not points
    case EntryKind::folded_out:       // active before and after
    case EntryKind::folded_in: return;
    }
    invariant(false, "every kind of entry has its accounts");
}

// What is drawn from a block is paid already: it is no receivable.
void add_charge(Lines& lines, TariffVersion tariff, Micro price, Micro fee, const Terms& terms)
{
    const Tariff& charged = terms.tariff(tariff);
    if (!charged.is_block()) return lines.debit(Account::unbilled, charged.partner, price + fee);
    lines.debit(Account::prepaid_block, charged.partner, price);
    lines.debit(Account::prepaid_fee, charged.partner, fee);
}

void add_issuer(Lines& lines, const PositionRow& row, const Terms& terms)
{
    // On a recovery the fee that is undone is of the debt, not of the lot.
    const Micro fee = row.kind == EntryKind::recovered ? Micro{} : row.money.fee;
    add_charge(lines, row.tariff, row.money.issuer - fee, fee, terms);
}

void add_counterparty(Lines& lines, const PositionRow& row, const Terms& terms)
{
    if (is_breakage(row.kind))
        return lines.credit(
            Account::accrued_breakage_share, row.counterparty, row.money.counterparty);
    if (row.kind != EntryKind::recovered)
        return lines.credit(Account::accrued_redemption, row.counterparty, row.money.counterparty);
    // Whoever bore the debt is made whole: its issuer by a smaller bill, its redeemer by a payment.
    if (row.debt == DebtKind::redeemer_bears)
        return lines.credit(
            Account::accrued_redemption, terms.tariff(row.bearer).partner, row.money.counterparty);
    if (row.debt != DebtKind::issuer_bears) return;
    const Micro fee = row.money.fee;
    add_charge(lines, row.counterpart, -(row.money.counterparty + fee), fee, terms);
}

std::string_view plain_name(Account account)
{
    switch (account) {
    case Account::issued: return "issued";
    case Account::redeemed: return "redeemed";
    case Account::clawback: return "clawback";
    case Account::recovery: return "recovery";
    case Account::members_active: return "members:active";
    case Account::members_debt: return "members:debt";
    case Account::unbilled: return "unbilled";
    case Account::accrued_redemption: return "accrued_redemption";
    case Account::deferred_revenue: return "deferred_revenue";
    case Account::service_fee: return "revenue:service_fee";
    case Account::redemption_margin: return "revenue:redemption_margin";
    case Account::prepaid_block: return "prepaid_block";
    case Account::prepaid_fee: return "prepaid_fee";
    case Account::cash_trust: return "cash:trust";
    case Account::cash_operating: return "cash:operating";
    case Account::receivable: return "ar";
    case Account::payable: return "ap";
    case Account::vat_output: return "vat:output";
    case Account::vat_input: return "vat:input";
    case Account::rounding: return "rounding";
    case Account::accrued_breakage_share: return "accrued_breakage_share";
    case Account::breakage: return "revenue:breakage";
    case Account::members_pending: return "members:pending";
    case Account::members_held: return "members:held";
    case Account::members_expired: return "expired";
    case Account::transit: return "transit";
    case Account::write_off: return "write_off";
    case Account::collateral: return "collateral";
    case Account::exchange: return "exchange";
    case Account::bank_charges: return "bank_charges";
    }
    invariant(false, "every account has its name");
    return {};
}

bool is_of_partner(Account account)
{
    constexpr std::array accounts{
        Account::issued,
        Account::redeemed,
        Account::clawback,
        Account::recovery,
        Account::unbilled,
        Account::accrued_redemption,
        Account::accrued_breakage_share,
        Account::prepaid_block,
        Account::prepaid_fee,
        Account::receivable,
        Account::payable,
        Account::collateral};
    return std::ranges::find(accounts, account) != accounts.end();
}

} // namespace

std::vector<AccountLine> lines_of(const PositionRow& position, const Terms& terms)
{
    Lines lines;
    add_points(lines, position);
    // The money of an opening is lines of the house's own record.
    if (position.kind == EntryKind::opened) return lines.take();
    add_issuer(lines, position, terms);
    add_counterparty(lines, position, terms);
    lines.credit(Account::deferred_revenue, PartnerId{}, position.money.liability);
    lines.credit(Account::service_fee, PartnerId{}, position.money.fee);
    const Account margin =
        is_breakage(position.kind) ? Account::breakage : Account::redemption_margin;
    lines.credit(margin, PartnerId{}, position.money.margin);
    return lines.take();
}

std::string account_name(Account account, PartnerId partner, const Terms& terms)
{
    std::string name{plain_name(account)};
    if (!partner.is_none()) name.append(":").append(terms.partner(partner).name);
    return name;
}

bool is_in_money(Account account)
{
    switch (account) {
    case Account::issued:
    case Account::redeemed:
    case Account::clawback:
    case Account::recovery:
    case Account::members_active:
    case Account::members_debt:
    case Account::members_pending:
    case Account::members_held:
    case Account::members_expired:
    case Account::transit: return false;
    case Account::unbilled:
    case Account::accrued_redemption:
    case Account::deferred_revenue:
    case Account::service_fee:
    case Account::redemption_margin:
    case Account::accrued_breakage_share:
    case Account::breakage:
    case Account::prepaid_block:
    case Account::prepaid_fee:
    case Account::cash_trust:
    case Account::cash_operating:
    case Account::receivable:
    case Account::payable:
    case Account::vat_output:
    case Account::vat_input:
    case Account::rounding:
    case Account::write_off:
    case Account::collateral:
    case Account::exchange:
    case Account::bank_charges: return true;
    }
    invariant(false, "every account counts in something");
    return false;
}

std::optional<NamedAccount> find_account(std::string_view name, const Terms& terms)
{
    for (int number = 0; number <= static_cast<int>(last_account); ++number) {
        const auto account = static_cast<Account>(number);
        const std::string_view plain = plain_name(account);
        if (!name.starts_with(plain)) continue;
        const std::string_view rest = name.substr(plain.size());
        if (rest.empty()) {
            if (is_of_partner(account)) continue;
            return NamedAccount{.account = account, .partner = {}};
        }
        if (!is_of_partner(account) || !rest.starts_with(':')) continue;
        const PartnerTerms* partner = terms.find_partner(rest.substr(1));
        if (partner == nullptr) return std::nullopt;
        return NamedAccount{.account = account, .partner = partner->partner};
    }
    return std::nullopt;
}

std::string unit_name(PartnerId issuer, const Terms& terms)
{
    return issuer.is_none() ? terms.currency.code : "P." + terms.partner(issuer).name;
}

std::vector<TrialBalanceRow> trial_balance(
    std::span<const PositionRow> positions, const Terms& terms)
{
    std::map<std::pair<std::string, std::string>, TrialBalanceRow> rows;
    for (const auto& position : positions) {
        for (const auto& line : lines_of(position, terms)) {
            std::pair key{
                account_name(line.account, line.partner, terms), unit_name(line.issuer, terms)};
            auto& row = rows[key];
            row.account = std::move(key.first);
            row.unit = std::move(key.second);
            (line.amount > 0 ? row.debits : row.credits) +=
                line.amount > 0 ? line.amount : -line.amount;
        }
    }
    std::vector<TrialBalanceRow> balance;
    balance.reserve(rows.size());
    for (auto& [key, row] : rows) balance.push_back(std::move(row));
    return balance;
}

} // namespace pointhouse::ledger
