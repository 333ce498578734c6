#include "settlement/reports.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Account;
using ledger::EntryKind;

} // namespace

PartnerExit partner_exit(
    ledger::PartnerId partner,
    const GlBalances& balances,
    std::span<const ledger::PositionRow> positions,
    const ledger::Terms& terms)
{
    PartnerExit leaving{.partner = partner};
    for (const auto& row : positions) {
        if (row.kind == EntryKind::recovered && row.counterparty == partner)
            leaving.debt_points -= row.points.count();
        if (row.partner != partner) continue;
        if (row.kind == EntryKind::debt_incurred) leaving.debt_points += row.points.count();
        const std::int64_t points = moved_by(row).closing.points;
        if (points == 0) continue;
        leaving.open.points += points;
        leaving.open.liability += row.money.liability;
        const auto& tariff = terms.tariff(row.tariff);
        leaving.due_on_redemption += (tariff.issue_price - tariff.prefunded_price()) * points;
    }
    for (const auto& [key, amount] : balances) {
        if (key.second != partner) continue;
        const auto account = key.first;
        if (account == Account::unbilled || account == Account::receivable) leaving.owes += amount;
        if (account == Account::accrued_redemption || account == Account::accrued_breakage_share ||
            account == Account::payable)
            leaving.is_owed -= amount;
        if (account == Account::prepaid_block || account == Account::prepaid_fee)
            leaving.prepaid -= amount;
    }
    return leaving;
}

namespace {

/// What a row of positions took of the blocks that its lots, or the debt it repays, name.
void add_drawn(std::map<ledger::TariffVersion, BlockRest>& drawn, const ledger::PositionRow& row)
{
    if (row.kind == EntryKind::opened) return; // its money is the opening's
    const auto& money = row.money;
    const bool is_recovery = row.kind == EntryKind::recovered;
    const ledger::Micro fee = is_recovery ? ledger::Micro{} : money.fee;
    auto& own = drawn[row.tariff];
    own.price += money.issuer - fee;
    own.fee += fee;
    if (!is_recovery || row.debt != ledger::DebtKind::issuer_bears) return;
    auto& credited = drawn[row.counterpart];
    credited.price -= money.counterparty + money.fee;
    credited.fee += money.fee;
}

} // namespace

void ExitFold::add(
    std::span<const ledger::AccountLine> lines, std::span<const ledger::PositionRow> positions)
{
    for (const auto& line : lines)
        if (ledger::is_in_money(line.account))
            balances_[{line.account, line.partner}] += ledger::Micro{line.amount};
    for (const auto& row : positions) {
        add_drawn(drawn_, row);
        const auto [found, is_new] =
            positions_.try_emplace({row.kind, row.partner, row.counterparty, row.tariff}, row);
        if (is_new) continue;
        auto& sum = found->second;
        sum.points = ledger::Points{sum.points.count() + row.points.count()};
        sum.money.liability += row.money.liability;
    }
}

PartnerExit ExitFold::of(ledger::PartnerId partner, const ledger::Terms& terms) const
{
    std::vector<ledger::PositionRow> rows;
    for (const auto& [key, row] : positions_) rows.push_back(row);
    auto leaving = partner_exit(partner, balances_, rows, terms);
    for (const auto& block : terms.tariffs) {
        if (!block.is_block() || block.partner != partner) continue;
        BlockRest rest{
            .tariff = block.version,
            .price = block.issue_price * block.block.count(),
            .fee = block.service_fee * block.block.count()};
        if (const auto found = drawn_.find(block.version); found != drawn_.end()) {
            rest.price -= found->second.price;
            rest.fee -= found->second.fee;
        }
        leaving.blocks.push_back(rest);
    }
    return leaving;
}

ReportTable partner_exit_table(const PartnerExit& leaving)
{
    return {
        .name = "exit",
        .columns = {"what", "points", "amount", "then"},
        .rows = {
            {std::string{"open points"},
             leaving.open.points,
             leaving.open.liability,
             std::string{"members spend them until they expire; the liability stays in trust"}},
            {std::string{"due when they are redeemed"},
             leaving.open.points,
             leaving.due_on_redemption,
             std::string{"the partner owes it as it happens; ask for security"}},
            {std::string{"member debt for its points"},
             leaving.debt_points,
             ReportCell{},
             std::string{"credited to the partner as members repay it"}},
            {std::string{"owed by the partner"},
             ReportCell{},
             leaving.owes,
             std::string{"billed at once"}},
            {std::string{"owed to the partner"},
             ReportCell{},
             leaving.is_owed,
             std::string{"paid at once"}},
            {std::string{"left of its blocks"},
             ReportCell{},
             leaving.prepaid,
             std::string{"given back: price and fee"}},
            {std::string{"net, before VAT that is not invoiced yet"},
             ReportCell{},
             leaving.net(),
             std::string{
                 leaving.net() < ledger::Micro{} ? "the partner pays" : "the house pays"}}}};
}

} // namespace pointhouse::settlement
