#include <algorithm>
#include <fmt/format.h>
#include <tuple>

#include "simulation/recount.hpp"

// What each kind of entry does to a member's lots and to the house's money, from the words of
// the design: section 3 and the table of section 4.

// What is unknown here is a fault when it comes, not when this is compiled.
#pragma GCC diagnostic ignored "-Wswitch-enum"

namespace pointhouse::ledger::test {
namespace {

std::int64_t prefunded(const Tariff& tariff)
{
    return tariff.issue_price.count() * tariff.prefund_share.numerator /
           tariff.prefund_share.denominator;
}

bool is_draw(const Entry& entry, const Record& record)
{
    switch (entry.kind) {
    case EntryKind::donated:
    case EntryKind::held:
    case EntryKind::moved_out:
    case EntryKind::recovered: return true;
    case EntryKind::redeemed: return record.type == MessageType::redemption;
    default: return false;
    }
}

} // namespace

void Recount::take(std::int64_t& from, const Entry& entry, const char* what)
{
    from -= entry.points.count();
    expect(from >= 0, fmt::format("no lot below zero ({})", what));
}

void Recount::check_drawn(const Entry& entry, const CountedMember& member, const Record& record)
{
    const Day today = calendar_.day_of(record.posted_at);
    const auto* first = member.first_drawn(today);
    expect(
        first != nullptr && first->provenance.key == entry.lot.key,
        "points are drawn in the draw order");
}

void Recount::check_refunded(const Entry& entry, const Record& record)
{
    auto& left = drawn_[record.original];
    expect(
        !left.empty() && left.back().first == entry.lot.key &&
            left.back().second >= entry.points.count(),
        "a refund restores the same lots in reverse order");
    if (left.empty()) return;
    left.back().second -= entry.points.count();
    if (left.back().second == 0) left.pop_back();
}

void Recount::count_entry(const Entry& entry, CountedMember& member, const Record& record)
{
    const std::int64_t points = entry.points.count();
    expect(points > 0, "an entry moves points");
    if (is_draw(entry, record)) check_drawn(entry, member, record);
    if (entry.kind == EntryKind::debt_incurred) {
        member.debts.push_back(
            {.key = entry.debt, .counterpart = entry.counterpart, .points = points});
        return move_points(entry.debt.tariff, -points);
    }

    auto& lot = member.lots[entry.lot.key];
    const bool is_new = lot.active == 0 && lot.pending == 0 && lot.held.empty();
    expect(is_new || lot.provenance == entry.lot, "a lot keeps its provenance");
    lot.provenance = entry.lot;
    const auto part = [&]() -> std::int64_t& {
        if (entry.state == LotState::pending) return lot.pending;
        return entry.state == LotState::held ? lot.held[entry.hold] : lot.active;
    };
    switch (entry.kind) {
    case EntryKind::issued:
    case EntryKind::opened:
        expect(entry.lot.key.origin == record.sequence, "a lot names the record that made it");
        if (entry.state == LotState::pending) lot.matures = entry.until;
        part() += points;
        move_points(entry.lot.tariff, points);
        break;
    case EntryKind::refunded: check_refunded(entry, record); [[fallthrough]];
    case EntryKind::expiry_undone:
        lot.active += points;
        move_points(entry.lot.tariff, points);
        break;
    case EntryKind::redeemed:
    case EntryKind::donated:
        drawn_[record.sequence].emplace_back(entry.lot.key, points);
        take(lot.active, entry, "spent");
        move_points(entry.lot.tariff, -points);
        break;
    case EntryKind::expired:
        expect(
            entry.lot.expires_on <
                    calendar_.day_of(record.posted_at + std::chrono::microseconds{1}) ||
                member.status == MessageType::close,
            "nothing expires before its time");
        take(lot.active, entry, "expired");
        move_points(entry.lot.tariff, -points);
        break;
    case EntryKind::clawed_back:
        take(part(), entry, "clawed back");
        move_points(entry.lot.tariff, -points);
        break;
    case EntryKind::recovered: count_recovery(entry, member, lot.active); break;
    case EntryKind::matured:
        take(lot.pending, entry, "matured");
        lot.active += points;
        break;
    case EntryKind::held: {
        expect(entry.hold == record.sequence, "a hold is named by its record");
        auto& hold = member.holds[entry.hold];
        hold.ends = entry.until;
        take(lot.active, entry, "held");
        lot.held[entry.hold] += points;
        break;
    }
    case EntryKind::released:
        expect(member.holds.contains(entry.hold), "a hold ends once");
        take(lot.held[entry.hold], entry, "released");
        lot.active += points;
        break;
    case EntryKind::moved_out:
        in_transit_[entry.lot.tariff] += points;
        take(part(), entry, "moved out");
        move_points(entry.lot.tariff, -points);
        break;
    case EntryKind::moved_in:
        in_transit_[entry.lot.tariff] -= points;
        if (in_transit_[entry.lot.tariff] == 0) in_transit_.erase(entry.lot.tariff);
        part() += points;
        move_points(entry.lot.tariff, points);
        break;
    case EntryKind::folded_out: count_folded_out(entry, lot.active, record); break;
    case EntryKind::folded_in: count_folded_in(entry, lot.active, record); break;
    default: return expect(false, "the kind of an entry is known here");
    }
    drop_empty(entry, member);
}

// What folds is alike in all but the message and the time within the month.
void Recount::count_folded_out(const Entry& entry, std::int64_t& active, const Record& record)
{
    expect(record.type == MessageType::fold, "lots fold in a record of their own");
    expect(active == entry.points.count(), "a lot folds whole");
    take(active, entry, "folded");
    const auto order = [](const Provenance& from) {
        return std::tuple{from.expires_on, from.activity, from.key};
    };
    const bool is_in_order = folding_.empty() || order(folding_.back().lot) < order(entry.lot);
    expect(is_in_order, "lots fold in the draw order");
    folding_.push_back(entry);
}

void Recount::count_folded_in(const Entry& entry, std::int64_t& active, const Record& record)
{
    expect(folding_.size() > 1, "a fold is of more than one lot");
    expect(entry.lot.key.origin == record.sequence, "a fold names the record that made it");
    std::int64_t points = 0;
    for (const Entry& each : folding_) {
        points += each.points.count();
        Provenance alike = each.lot;
        expect(
            calendar_.month_of(alike.activity) == calendar_.month_of(entry.lot.activity),
            "what folds is of one month");
        alike.key = entry.lot.key;
        alike.activity = entry.lot.activity;
        expect(alike == entry.lot, "what folds is alike");
    }
    if (!folding_.empty())
        expect(
            folding_.front().lot.activity == entry.lot.activity, "a fold keeps the first's place");
    expect(points == entry.points.count(), "a fold has the points of its lots");
    folding_.clear();
    active += entry.points.count();
}

void Recount::count_recovery(const Entry& entry, CountedMember& member, std::int64_t& active)
{
    const std::int64_t points = entry.points.count();
    take(active, entry, "recovered");
    const bool is_oldest = !member.debts.empty() && member.debts.front().key == entry.debt &&
                           member.debts.front().counterpart == entry.counterpart &&
                           member.debts.front().points >= points;
    expect(is_oldest, "the oldest debt is repaid first");
    if (!is_oldest) return;
    member.debts.front().points -= points;
    if (member.debts.front().points == 0) member.debts.erase(member.debts.begin());
    move_points(entry.lot.tariff, -points);
    move_points(entry.debt.tariff, points);
}

void Recount::drop_empty(const Entry& entry, CountedMember& member)
{
    auto& lot = member.lots[entry.lot.key];
    std::erase_if(lot.held, [](const auto& each) { return each.second == 0; });
    if (lot.active == 0 && lot.pending == 0 && lot.held.empty()) member.lots.erase(entry.lot.key);
    // A hold is one unit over its lots.
    std::erase_if(member.holds, [&](const auto& hold) {
        return std::ranges::none_of(
            member.lots, [&](const auto& each) { return each.second.held.contains(hold.first); });
    });
}

void Recount::move_points(TariffVersion version, std::int64_t points)
{
    outstanding_[tariff(version).partner] += points;
}

void Recount::add_money(const Entry& entry)
{
    const std::int64_t n = entry.points.count();
    const auto lot = [&]() -> const Tariff& { return tariff(entry.lot.tariff); };
    const auto add = [&](std::int64_t liability,
                         std::int64_t fee,
                         std::int64_t counterparty,
                         std::int64_t margin) {
        liability_ += liability * n;
        block_money_[0] += (liability + fee + counterparty + margin) * n;
        block_money_[1] += counterparty * n;
        block_money_[2] += liability * n;
        block_money_[3] += fee * n;
        block_money_[4] += margin * n;
    };
    const auto spend = [&](std::int64_t sign) {
        const std::int64_t price = lot().issue_price.count();
        const std::int64_t paid =
            entry.counterpart.is_none() ? price : tariff(entry.counterpart).reimbursement.count();
        add(-sign * prefunded(lot()), 0, sign * paid, sign * (price - paid));
    };
    const auto expire = [&](std::int64_t sign) {
        const std::int64_t whole = prefunded(lot());
        const std::int64_t shared =
            whole * lot().breakage_issuer / (lot().breakage_operator + lot().breakage_issuer);
        add(-sign * whole, 0, sign * shared, sign * (whole - shared));
    };
    switch (entry.kind) {
    case EntryKind::issued: return add(prefunded(lot()), lot().service_fee.count(), 0, 0);
    case EntryKind::clawed_back: return add(-prefunded(lot()), -lot().service_fee.count(), 0, 0);
    case EntryKind::opened: return add(prefunded(lot()), 0, 0, -prefunded(lot()));
    case EntryKind::redeemed:
    case EntryKind::donated: return spend(1);
    case EntryKind::refunded: return spend(-1);
    case EntryKind::expired: return expire(1);
    case EntryKind::expiry_undone: return expire(-1);
    case EntryKind::debt_incurred: {
        const Tariff& debt = tariff(entry.debt.tariff);
        const std::int64_t price = debt.issue_price.count();
        if (entry.debt.kind == DebtKind::house_bears)
            return add(0, -debt.service_fee.count(), 0, -price);
        if (entry.debt.kind != DebtKind::redeemer_bears) return;
        const std::int64_t paid = tariff(entry.counterpart).reimbursement.count();
        return add(0, -debt.service_fee.count(), -paid, paid - price);
    }
    case EntryKind::recovered: {
        const Tariff& debt = tariff(entry.debt.tariff);
        const std::int64_t price = debt.issue_price.count();
        const std::int64_t fee = debt.service_fee.count();
        const std::int64_t given = lot().issue_price.count();
        if (entry.debt.kind == DebtKind::issuer_bears)
            return add(-prefunded(lot()), -fee, price + fee, given - price);
        if (entry.debt.kind == DebtKind::redeemer_bears)
            return add(-prefunded(lot()), 0, price, given - price);
        return add(-prefunded(lot()), 0, 0, given);
    }
    default: return;
    }
}

void Recount::check_totals(const BlockView& block)
{
    std::vector<ControlTotal> totals;
    expect(block.read_totals(totals), "control totals read back");
    Money money{};
    std::map<EntryKind, std::int64_t> points;
    for (const ControlTotal& total : totals) {
        points[total.kind] += total.points.count();
        const MoneyEffect& effect = total.money;
        expect(
            effect.issuer == effect.counterparty + effect.liability + effect.fee + effect.margin,
            "money sums to zero");
        money[0] += effect.issuer.count();
        money[1] += effect.counterparty.count();
        money[2] += effect.liability.count();
        money[3] += effect.fee.count();
        money[4] += effect.margin.count();
    }
    expect(money == block_money_, "a block's money is what its entries come to");
    expect(points == block_points_, "a block's points are what its entries come to");
}

// After every block, over all members.
void Recount::check_books()
{
    std::map<PartnerId, std::int64_t> open;
    std::int64_t liability = 0;
    const auto add_open = [&](const CountedMember::CountedLot& lot) {
        std::int64_t points = lot.active + lot.pending;
        for (const auto& [hold, held] : lot.held) points += held;
        const Tariff& from = tariff(lot.provenance.tariff);
        open[from.partner] += points;
        liability += points * prefunded(from);
    };
    for (const auto& [number, member] : members_) {
        for (const auto& [key, lot] : member.lots) add_open(lot);
        for (const auto& debt : member.debts) open[tariff(debt.key.tariff).partner] -= debt.points;
    }
    for (const auto& [version, points] : in_transit_)
        liability += points * prefunded(tariff(version));
    expect(liability == liability_, "open points at x times p are the points liability");
    for (const auto& [issuer, points] : outstanding_)
        expect(points == open[issuer], "the points of an issuer sum to zero");
    expect(folding_.empty(), "what folds is in its fold");
    const bool is_sharded = last_hashes_.size() > 1;
    expect(in_transit_.empty() || is_sharded, "nothing is on its way between two commits");
}

} // namespace pointhouse::ledger::test
