#include "coalition.hpp"

#include "ledger/money_effect.hpp"
#include "ledger/time.hpp"

namespace pointhouse::settlement {

using ledger::DebtKind;
using ledger::Entry;
using ledger::EntryKind;
using ledger::Micro;
using ledger::PartnerId;
using ledger::Points;
using ledger::TariffVersion;

namespace {

const std::int32_t standard_rate = 2100;

Entry lot_entry(EntryKind kind, TariffVersion lot, std::int64_t points)
{
    Entry entry;
    entry.kind = kind;
    entry.points = Points{points};
    entry.lot.tariff = lot;
    return entry;
}

} // namespace

Coalition::Coalition()
{
    terms_.currency = {.code = "EUR", .minor_digits = 2};
    terms_.face_value = Micro{10'000};
    contracts_.house = {.id = "house", .name = "Pointhouse"};
}

PartnerId Coalition::add_partner(std::string_view id, std::string_view name, VatMode mode)
{
    const PartnerId partner{static_cast<std::uint32_t>(terms_.partners.size() + 1)};
    terms_.partners.push_back(
        {.partner = partner, .name = std::string{id}, .roles = {.issuer = true, .redeemer = true}});
    contracts_.partners.push_back({.id = std::string{id}, .name = std::string{name}});
    add_tariff({
        .version = {},
        .partner = partner,
        .valid_from = {},
        .issue_price = Micro{10'000},
        .service_fee = Micro{1'000},
        .reimbursement = Micro{9'500},
        .prefund_share = {},
        .expiry = {},
    });
    add_vat(partner, "fee", standard_rate);
    add_vat(partner, "price", mode == VatMode::all_flows ? standard_rate : 0);
    add_vat(partner, "reimbursement", mode == VatMode::all_flows ? standard_rate : 0);
    return partner;
}

PartnerId Coalition::add_charity(std::string_view id, std::string_view name)
{
    const PartnerId partner{static_cast<std::uint32_t>(terms_.partners.size() + 1)};
    terms_.partners.push_back(
        {.partner = partner, .name = std::string{id}, .roles = {.charity = true}});
    contracts_.partners.push_back({.id = std::string{id}, .name = std::string{name}});
    add_vat(partner, "donation", 0);
    return partner;
}

TariffVersion Coalition::add_tariff(ledger::Tariff tariff)
{
    tariff.version = TariffVersion{static_cast<std::uint32_t>(terms_.tariffs.size() + 1)};
    terms_.partners[tariff.partner.value() - 1].tariffs.push_back(tariff.version.value() - 1);
    terms_.tariffs.push_back(tariff);
    return tariff.version;
}

void Coalition::add_vat(PartnerId partner, std::string_view charge, std::int32_t basis_points)
{
    contracts_.vat.push_back({
        .partner = partner,
        .charge = std::string{charge},
        .valid_from = {},
        .treatment = basis_points > 0 ? "taxed" : "out_of_scope",
        .category = {},
        .rate_basis_points = basis_points,
    });
}

void Coalition::issue(Version lot, std::int64_t points)
{
    post(lot_entry(EntryKind::issued, lot, points));
}

void Coalition::redeem(Version lot, Version redeemer, std::int64_t points)
{
    Entry entry = lot_entry(EntryKind::redeemed, lot, points);
    entry.counterpart = redeemer;
    post(entry);
}

void Coalition::refund(Version lot, Version redeemer, std::int64_t points)
{
    Entry entry = lot_entry(EntryKind::refunded, lot, points);
    entry.counterpart = redeemer;
    post(entry);
}

void Coalition::donate(Version lot, PartnerId charity, std::int64_t points)
{
    post(lot_entry(EntryKind::donated, lot, points), charity);
}

void Coalition::refund_donation(Version lot, PartnerId charity, std::int64_t points)
{
    post(lot_entry(EntryKind::refunded, lot, points), charity);
}

void Coalition::claw_back(Version lot, std::int64_t points)
{
    post(lot_entry(EntryKind::clawed_back, lot, points));
}

void Coalition::expire(Version lot, std::int64_t points)
{
    post(lot_entry(EntryKind::expired, lot, points));
}

void Coalition::incur_debt(Version lot, std::int64_t points, DebtKind kind)
{
    Entry entry = lot_entry(EntryKind::debt_incurred, {}, points);
    entry.debt = {.origin = {}, .tariff = lot, .kind = kind};
    post(entry);
}

void Coalition::recover(Version lot, Version debt, std::int64_t points)
{
    Entry entry = lot_entry(EntryKind::recovered, lot, points);
    entry.debt.tariff = debt;
    post(entry);
}

void Coalition::incur_debt_at(Version lot, Version redeemer, std::int64_t points)
{
    Entry entry = lot_entry(EntryKind::debt_incurred, {}, points);
    entry.counterpart = redeemer;
    entry.debt = {.origin = {}, .tariff = lot, .kind = DebtKind::redeemer_bears};
    post(entry);
}

void Coalition::recover_for(Version lot, Version debt, Version redeemer, std::int64_t points)
{
    Entry entry = lot_entry(EntryKind::recovered, lot, points);
    entry.counterpart = redeemer;
    entry.debt = {.origin = {}, .tariff = debt, .kind = DebtKind::redeemer_bears};
    post(entry);
}

void Coalition::post(const Entry& entry, PartnerId charity)
{
    ledger::ControlTotal total;
    total.kind = entry.kind;
    total.tariff = entry.kind == EntryKind::debt_incurred ? entry.debt.tariff : entry.lot.tariff;
    total.counterpart = entry.counterpart;
    total.debt_tariff = entry.kind == EntryKind::recovered ? entry.debt.tariff : TariffVersion{};
    total.charity = charity;
    total.debt = entry.debt.kind;
    total.points = entry.points;
    total.money = money_effect(entry, terms_);
    rows_.push_back(position_of(total, {.year = 2026, .month = 6}, terms_));
}

void Coalition::close_window()
{
    before_.insert(before_.end(), rows_.begin(), rows_.end());
    rows_.clear();
}

WindowFigures Coalition::figures() const
{
    return window_figures({.before = before_, .window = rows_}, terms_);
}

Settlement Coalition::settled() const
{
    return settle({
        .window =
            {
                .month = {.year = 2026, .month = 6},
                .from = ledger::parse_time("2026-05-31T22:00:00Z").value(),
                .to = ledger::parse_time("2026-06-30T22:00:00Z").value(),
                .state = WindowState::closed,
            },
        .positions = {.before = before_, .window = rows_, .earlier = earlier_},
        .terms = terms_,
        .contracts = contracts_,
    });
}

Settlement Coalition::settled_as(ledger::Month month) const
{
    const ledger::Calendar calendar{"UTC"};
    return settle({
        .window =
            {
                .month = month,
                .from = calendar.start_of(month),
                .to = calendar.start_of(month.next()),
                .state = WindowState::closed,
            },
        .positions = {.before = before_, .window = rows_},
        .terms = terms_,
        .contracts = contracts_,
    });
}

June::June(VatMode mode, ledger::Share prefund_share)
    : grocer{coalition.add_partner("GRO", "Grocer", mode)},
      fuel{coalition.add_partner("TNK", "Fuel", mode)},
      bookshop{coalition.add_partner("BOE", "Bookshop", mode)},
      charity{coalition.add_charity("CHA", "Charity")}
{
    const TariffVersion gro{1};
    const TariffVersion tnk{2};
    const TariffVersion boe{3};
    for (ledger::Tariff& tariff : coalition.terms().tariffs) tariff.prefund_share = prefund_share;

    coalition.issue(gro, 1'000); // L1
    coalition.issue(tnk, 400);   // L0
    coalition.close_window();

    coalition.issue(gro, 84);            // E1
    coalition.issue(tnk, 96);            // E3
    coalition.issue(gro, 24);            // E3
    coalition.issue(boe, 250);           // E4
    coalition.issue(gro, 300);           // E5
    coalition.redeem(gro, boe, 500);     // E6
    coalition.refund(gro, boe, 200);     // E7
    coalition.redeem(tnk, gro, 96);      // E11
    coalition.redeem(gro, gro, 24);      // E11
    coalition.redeem(boe, gro, 230);     // E11
    coalition.claw_back(boe, 20);        // E12
    coalition.incur_debt(boe, 180);      // E12
    coalition.recover(gro, boe, 180);    // E12b
    coalition.issue(tnk, 40);            // E13
    coalition.donate(gro, charity, 100); // E14
}

} // namespace pointhouse::settlement
