#include "settlement/statement.hpp"

#include <algorithm>
#include <chrono>
#include <map>

#include <gtest/gtest.h>

#include "coalition.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::DebtKind;
using ledger::EntryKind;
using ledger::Micro;
using ledger::Minor;
using ledger::TariffVersion;

const Statement* find(const Settlement& settlement, std::string_view number)
{
    const auto found = std::ranges::find(settlement.statements, number, &Statement::number);
    return found == settlement.statements.end() ? nullptr : &*found;
}

/// Net, tax and total in cents.
struct Cents {
    std::int64_t net = 0;
    std::int64_t tax = 0;
    std::int64_t total = 0;
    friend bool operator==(const Cents&, const Cents&) = default;
};

void PrintTo(const Cents& cents, std::ostream* stream)
{
    *stream << cents.net << " + " << cents.tax << " = " << cents.total;
}

Cents cents(const Settlement& settlement, std::string_view number)
{
    const Statement* statement = find(settlement, number);
    if (statement == nullptr) return {};
    return {statement->net.count, statement->tax.count, statement->total.count};
}

TEST(Statements, OfTheWorkedMonthToTheCent)
{
    const Settlement settlement = June{VatMode::all_flows}.coalition.settled();

    EXPECT_EQ(cents(settlement, "PF-2026-06-GRO-ISS"), (Cents{449, 94, 543}));
    EXPECT_EQ(cents(settlement, "PF-2026-06-BOE-ISS"), (Cents{55, 12, 67}));
    EXPECT_EQ(cents(settlement, "PF-2026-06-GRO-RED"), (Cents{333, 70, 403}));
    EXPECT_EQ(cents(settlement, "PF-2026-06-BOE-RED"), (Cents{285, 60, 345}));
    EXPECT_EQ(cents(settlement, "PF-2026-06-CHA-DON"), (Cents{100, 0, 100}));
    // 136 points, postpaid until issue B brings prepaid blocks.
    EXPECT_EQ(cents(settlement, "PF-2026-06-TNK-ISS"), (Cents{150, 32, 182}));
    EXPECT_EQ(settlement.statements.size(), 6);
}

TEST(Statements, NetsOfTheWorkedMonth)
{
    const June june{VatMode::all_flows};
    const Settlement settlement = june.coalition.settled();

    EXPECT_EQ(settlement.net_of(june.grocer), Minor{-140});
    EXPECT_EQ(settlement.net_of(june.bookshop), Minor{278});
    EXPECT_EQ(settlement.net_of(june.charity), Minor{100});
    EXPECT_EQ(settlement.net_of(june.fuel), Minor{-182});
    EXPECT_EQ(settlement.net_of(the_house), Minor{-56});
}

TEST(Statements, WithVatOnTheFeeOnly)
{
    const June june{VatMode::fee_only};
    const Settlement settlement = june.coalition.settled();

    // 4.08 + 0.41, tax on 0.41 alone.
    EXPECT_EQ(cents(settlement, "PF-2026-06-GRO-ISS"), (Cents{449, 9, 458}));
    EXPECT_EQ(cents(settlement, "PF-2026-06-GRO-RED"), (Cents{333, 0, 333}));
    EXPECT_EQ(settlement.net_of(june.grocer), Minor{-125});
    EXPECT_EQ(settlement.net_of(june.bookshop), Minor{229});
    EXPECT_EQ(settlement.net_of(june.charity), Minor{100});
}

TEST(Statements, OfHalfPrefundedPointsBringTheRestAtRedemption)
{
    const June june{VatMode::all_flows, {.numerator = 1, .denominator = 2}};
    const Settlement settlement = june.coalition.settled();

    EXPECT_EQ(cents(settlement, "PF-2026-06-GRO-ISS").net, 506 + 41);
    EXPECT_EQ(cents(settlement, "PF-2026-06-BOE-ISS").net, 55);
    EXPECT_EQ(cents(settlement, "PF-2026-06-TNK-ISS"), (Cents{130, 27, 157}));
    EXPECT_EQ(settlement.net_of(june.grocer), Minor{-259});
    EXPECT_EQ(settlement.net_of(june.bookshop), Minor{278});
    EXPECT_EQ(settlement.net_of(june.charity), Minor{100});
}

TEST(Statements, OfPointsPaidAtRedemption)
{
    const June june{VatMode::all_flows, {.numerator = 0, .denominator = 1}};
    const Settlement settlement = june.coalition.settled();

    EXPECT_EQ(cents(settlement, "PF-2026-06-GRO-ISS").net, 604 + 41);
    EXPECT_EQ(cents(settlement, "PF-2026-06-TNK-ISS"), (Cents{110, 23, 133}));
    EXPECT_EQ(settlement.net_of(june.grocer), Minor{-377});
    EXPECT_EQ(settlement.net_of(june.fuel), Minor{-133});
}

TEST(Statements, LinesSayWhatTheyAreMadeOf)
{
    const Settlement settlement = June{VatMode::all_flows}.coalition.settled();
    const Statement* bookshop = find(settlement, "PF-2026-06-BOE-ISS");
    ASSERT_NE(bookshop, nullptr);
    EXPECT_EQ(bookshop->payer.id, "BOE");
    EXPECT_EQ(bookshop->payee.id, "house");
    ASSERT_EQ(bookshop->lines.size(), 2);

    const StatementLine& price = bookshop->lines.front();
    EXPECT_EQ(price.charge, Charge::price);
    EXPECT_EQ(price.tariff, TariffVersion{3});
    EXPECT_EQ(price.points, 50); // 250 issued, 20 clawed back, 180 recovered
    EXPECT_EQ(price.price, Micro{10'000});
    EXPECT_EQ(price.exact, Micro{500'000});
    ASSERT_EQ(price.details.size(), 3);
    EXPECT_EQ(price.details[0].kind, EntryKind::issued);
    EXPECT_EQ(price.details[0].points, 250);
    EXPECT_EQ(price.details[1].kind, EntryKind::clawed_back);
    EXPECT_EQ(price.details[1].amount, Micro{-200'000});
    EXPECT_EQ(price.details[2].kind, EntryKind::recovered);
    EXPECT_EQ(price.details[2].points, -180);
    EXPECT_EQ(bookshop->lines.back().charge, Charge::fee);
    EXPECT_EQ(bookshop->lines.back().price, Micro{1'000});
}

TEST(Statements, ALineOfSeveralPricesHasNoneOfItsOwn)
{
    const Settlement settlement =
        June{VatMode::all_flows, {.numerator = 1, .denominator = 2}}.coalition.settled();

    const StatementLine& price = find(settlement, "PF-2026-06-BOE-ISS")->lines.front();

    EXPECT_FALSE(price.price.has_value()); // issued at half the price, recovered at the whole
    EXPECT_EQ(price.exact, Micro{500'000});
}

TEST(Statements, KeepWhatRoundingAdded)
{
    const Settlement settlement = June{VatMode::all_flows}.coalition.settled();

    EXPECT_EQ(find(settlement, "PF-2026-06-GRO-ISS")->rounding, Micro{2'000});
    EXPECT_EQ(find(settlement, "PF-2026-06-GRO-RED")->rounding, Micro{5'000});
    EXPECT_EQ(find(settlement, "PF-2026-06-BOE-ISS")->rounding, Micro{0});
}

TEST(Statements, OfAWindowWithoutMovementAreNone)
{
    June june{VatMode::all_flows};
    june.coalition.close_window();

    const Settlement settlement = june.coalition.settled();

    EXPECT_TRUE(settlement.statements.empty());
    EXPECT_EQ(settlement.net_of(june.grocer), Minor{0});
}

TEST(Statements, EachTariffVersionHasItsOwnLines)
{
    Coalition coalition;
    const auto partner = coalition.add_partner("GRO", "Grocer", VatMode::all_flows);
    ledger::Tariff dearer = coalition.terms().tariffs.front();
    dearer.issue_price = Micro{12'345};
    const TariffVersion second = coalition.add_tariff(dearer);
    coalition.issue(TariffVersion{1}, 3);
    coalition.issue(second, 3);

    const Settlement settlement = coalition.settled();

    const Statement& statement = settlement.statements.front();
    ASSERT_EQ(statement.lines.size(), 4);
    EXPECT_EQ(statement.lines[0].net, Minor{3});
    EXPECT_EQ(statement.lines[1].net, Minor{0}); // 0.003
    EXPECT_EQ(statement.lines[2].tariff, second);
    EXPECT_EQ(statement.lines[2].net, Minor{4});      // 0.037035
    EXPECT_EQ(settlement.net_of(partner), Minor{-8}); // 0.07 and 21 % of it
}

TEST(Statements, SayWhatOfALineIsOfAnEarlierMonth)
{
    constexpr ledger::Month may{.year = 2026, .month = 5};
    constexpr ledger::Month april{.year = 2026, .month = 4};
    Coalition coalition;
    coalition.add_partner("GRO", "Grocer", VatMode::all_flows);
    coalition.add_partner("BOE", "Bookshop", VatMode::all_flows);
    constexpr TariffVersion grocer{1};
    constexpr TariffVersion bookshop{2};
    // A recovery of BOE's points is late, and repays what was clawed back of April's of GRO.
    coalition.issue(grocer, 30);
    coalition.claw_back(grocer, 10);
    coalition.recover(bookshop, grocer, 7);
    std::vector<ledger::EarlierPosition> earlier;
    for (const auto& row : coalition.rows()) {
        const bool is_undone = row.kind != EntryKind::issued;
        earlier.push_back(
            {.origin = is_undone ? april : may, .undoes = is_undone, .position = row});
        if (row.kind == EntryKind::recovered)
            earlier.push_back({.origin = may, .undoes = false, .position = row});
    }
    coalition.issue(grocer, 100);

    const Window window{
        .month = {.year = 2026, .month = 6}, .from = {}, .to = ledger::Time{std::chrono::days{1}}};
    const auto plain =
        statements(window, coalition.rows(), coalition.terms(), coalition.contracts());
    const auto marked =
        statements(window, coalition.rows(), coalition.terms(), coalition.contracts(), earlier);

    ASSERT_EQ(marked.size(), 1U);
    const StatementLine& price = marked[0].lines[0];
    EXPECT_EQ(price.points, 100 + 30 - 10 - 7);
    EXPECT_EQ(
        price.earlier,
        (std::vector<EarlierPart>{
            {.origin = april,
             .kind = EntryKind::clawed_back,
             .undoes = true,
             .points = -10,
             .amount = Micro{-100'000}},
            {.origin = april,
             .kind = EntryKind::recovered,
             .undoes = true,
             .points = -7,
             .amount = Micro{-70'000}},
            {.origin = may, .points = 30, .amount = Micro{300'000}}}));
    // They change no amount.
    ASSERT_EQ(plain.size(), 1U);
    EXPECT_EQ(plain[0].total, marked[0].total);
    EXPECT_EQ(plain[0].lines[0].details, price.details);
    EXPECT_TRUE(plain[0].lines[0].earlier.empty());
}

TEST(Statements, HalfACentIsRoundedAwayFromZeroOnBothSides)
{
    Coalition coalition;
    coalition.add_partner("GRO", "Grocer", VatMode::all_flows);
    coalition.issue(TariffVersion{1}, 5);
    EXPECT_EQ(coalition.settled().statements.front().lines.back().net, Minor{1}); // 0.005

    coalition.close_window();
    coalition.claw_back(TariffVersion{1}, 5);
    const Settlement settlement = coalition.settled();
    const Statement& undone = settlement.statements.front();
    EXPECT_EQ(undone.lines.back().net, Minor{-1});
    EXPECT_EQ(undone.total, Minor{-7}); // −0.06 and −0.0126
}

TEST(Statements, AStatementBelowZeroIsOwedTheOtherWay)
{
    Coalition coalition;
    const auto partner = coalition.add_partner("GRO", "Grocer", VatMode::all_flows);
    coalition.issue(TariffVersion{1}, 1'000);
    coalition.close_window();
    coalition.claw_back(TariffVersion{1}, 1'000);

    const Settlement settlement = coalition.settled();

    EXPECT_EQ(settlement.statements.front().total, Minor{-1'331});
    EXPECT_EQ(settlement.net_of(partner), Minor{1'331});
    EXPECT_EQ(settlement.net_of(the_house), Minor{-1'331});
}

TEST(Statements, ADebtThatTheHouseBearsIsCreditedAtOnce)
{
    Coalition coalition;
    coalition.add_partner("BOE", "Bookshop", VatMode::all_flows);
    const TariffVersion own{1};
    coalition.issue(own, 250);
    coalition.redeem(own, own, 230);
    coalition.claw_back(own, 20);
    coalition.incur_debt(own, 180, DebtKind::house_bears);

    EXPECT_EQ(cents(coalition.settled(), "PF-2026-06-BOE-ISS").net, 55);
}

TEST(Statements, ADebtThatTheIssuerBearsIsCreditedOnRecoveryOnly)
{
    Coalition coalition;
    coalition.add_partner("BOE", "Bookshop", VatMode::all_flows);
    const TariffVersion own{1};
    coalition.issue(own, 250);
    coalition.redeem(own, own, 230);
    coalition.claw_back(own, 20);
    coalition.incur_debt(own, 180);

    EXPECT_EQ(cents(coalition.settled(), "PF-2026-06-BOE-ISS").net, 253); // 230 × 0.011
}

TEST(Statements, ADebtThatTheRedeemerBearsComesBackFromIt)
{
    Coalition coalition;
    coalition.add_partner("BOE", "Bookshop", VatMode::all_flows);
    coalition.add_partner("GRO", "Grocer", VatMode::all_flows);
    const TariffVersion boe{1};
    const TariffVersion gro{2};
    coalition.issue(boe, 250);
    coalition.redeem(boe, gro, 230);
    coalition.claw_back(boe, 20);
    coalition.incur_debt_at(boe, gro, 180);
    EXPECT_EQ(cents(coalition.settled(), "PF-2026-06-BOE-ISS").net, 55);
    EXPECT_EQ(cents(coalition.settled(), "PF-2026-06-GRO-RED").net, 48); // 50 × 0.0095

    coalition.close_window();
    coalition.issue(gro, 180);
    coalition.recover_for(gro, boe, gro, 180);
    // Made whole at the price of the debt's points: 180 × 0.01.
    EXPECT_EQ(cents(coalition.settled(), "PF-2026-06-GRO-RED").net, 180);
}

TEST(Statements, ARefundedDonationReducesTheDonation)
{
    Coalition coalition;
    coalition.add_partner("GRO", "Grocer", VatMode::all_flows);
    const auto charity = coalition.add_charity("CHA", "Charity");
    coalition.issue(TariffVersion{1}, 500);
    coalition.donate(TariffVersion{1}, charity, 300);
    coalition.refund_donation(TariffVersion{1}, charity, 100);

    EXPECT_EQ(cents(coalition.settled(), "PF-2026-06-CHA-DON"), (Cents{200, 0, 200}));
}

TEST(Statements, TheVatRuleIsTheOneAtTheEndOfTheWindow)
{
    Coalition coalition;
    const auto partner = coalition.add_partner("GRO", "Grocer", VatMode::all_flows);
    const auto add_rule = [&](const char* from, std::int32_t basis_points) {
        coalition.add_vat(partner, "price", basis_points);
        coalition.contracts().vat.back().valid_from = ledger::parse_time(from).value();
    };
    add_rule("2026-06-30T22:00:00Z", 2'500); // the next window's
    add_rule("2026-06-30T21:59:59Z", 900);
    coalition.issue(TariffVersion{1}, 1'000);

    const Settlement settlement = coalition.settled();

    const Statement& statement = settlement.statements.front();
    EXPECT_EQ(statement.lines.front().vat.basis_points, 900);
    ASSERT_EQ(statement.vat.size(), 2);
    EXPECT_EQ(statement.vat[0].tax, Minor{90});
    EXPECT_EQ(statement.vat[1].tax, Minor{21});
}

TEST(Statements, WithoutAVatRuleBearNoTax)
{
    Coalition coalition;
    coalition.add_partner("GRO", "Grocer", VatMode::all_flows);
    coalition.contracts().vat.clear();
    coalition.issue(TariffVersion{1}, 1'000);

    const Settlement settlement = coalition.settled();

    EXPECT_EQ(settlement.statements.front().tax, Minor{0});
    EXPECT_EQ(settlement.statements.front().vat.front().rate.category, "O");
}

TEST(Statements, UseTheCurrencysMinorUnits)
{
    Coalition coalition;
    coalition.add_partner("GRO", "Grocer", VatMode::all_flows);
    coalition.issue(TariffVersion{1}, 12'345); // 123.45 and 12.345

    coalition.terms().currency = {.code = "JPY", .minor_digits = 0};
    const Settlement yen = coalition.settled();
    EXPECT_EQ(yen.statements.front().net, Minor{123 + 12});
    EXPECT_EQ(yen.statements.front().tax, Minor{28});

    coalition.terms().currency = {.code = "KWD", .minor_digits = 3};
    const Settlement dinar = coalition.settled();
    EXPECT_EQ(dinar.statements.front().net, Minor{123'450 + 12'345});
    EXPECT_EQ(dinar.statements.front().rounding, Micro{0});
}

using StatementsDeathTest = testing::Test;

TEST(StatementsDeathTest, SumsOfMoneyThatOverflowStopTheProcess)
{
    Coalition coalition;
    coalition.add_partner("GRO", "Grocer", VatMode::all_flows);
    for (int row = 0; row < 2; ++row) {
        coalition.issue(TariffVersion{1}, 1);
        coalition.rows().back().money = {.issuer = Micro{INT64_MAX}, .liability = Micro{INT64_MAX}};
    }

    EXPECT_DEATH(static_cast<void>(coalition.settled()), "fits 64 bits");
}

/// June, whose price and fee of the grocer are taxed by a row of the month and one from 1 July on.
std::map<Charge, VatRate> rates_of_grocer(
    const VatRule& row, const VatRule& later, const Contracts& issued = {})
{
    June june{VatMode::all_flows};
    auto& contracts = june.coalition.contracts();
    contracts.issued_at = issued.issued_at;
    contracts.issued = issued.issued;
    std::erase_if(contracts.vat, [&](const VatRule& rule) { return rule.partner == june.grocer; });
    for (VatRule rule : {row, later}) {
        rule.partner = june.grocer;
        for (const auto* charge : {"price", "fee"}) {
            rule.charge = charge;
            contracts.vat.push_back(rule);
        }
    }
    std::map<Charge, VatRate> rates;
    for (const auto& statement : june.coalition.settled().statements)
        if (statement.partner == june.grocer && statement.type == StatementType::issuance)
            for (const auto& line : statement.lines) rates[line.charge] = line.vat;
    return rates;
}

TEST(TaxPoint, DecidesWhichRowTaxes)
{
    const auto july = *ledger::parse_time("2026-06-30T22:00:00Z"); // in Amsterdam
    VatRule row{.treatment = "taxed", .category = "S", .rate_basis_points = 2100, .is_gross = true};
    const VatRule later{
        .valid_from = july, .treatment = "taxed", .category = "S", .rate_basis_points = 2500};
    Contracts issued{.issued_at = july};
    VatRate expected{.category = "S", .basis_points = 2100, .is_gross = true};
    EXPECT_EQ(rates_of_grocer(row, later, issued)[Charge::fee], expected);
    row.tax_point = expected.tax_point = TaxPoint::issue;
    EXPECT_EQ(rates_of_grocer(row, later)[Charge::fee], expected) << "issued on the last day";
    expected.basis_points = 2500;
    EXPECT_EQ(rates_of_grocer(row, later, issued)[Charge::fee], expected)
        << "the prices are those of June, and hold the tax";
    row.tax_point = expected.tax_point = TaxPoint::payment;
    EXPECT_EQ(rates_of_grocer(row, later, issued)[Charge::fee], expected);

    // What is issued keeps its day.
    issued.issued[{
        ledger::PartnerId{1}, StatementType::issuance, ledger::TariffVersion{1}, Charge::fee}] =
        july - std::chrono::hours{24};
    auto rates = rates_of_grocer(row, later, issued);
    EXPECT_EQ(rates[Charge::price].basis_points, 2500);
    EXPECT_EQ(rates[Charge::fee].basis_points, 2100);

    VatRule none = later;
    none.treatment = "out_of_scope";
    none.category = "O";
    none.rate_basis_points = 0;
    issued.issued.clear();
    EXPECT_EQ(rates_of_grocer(row, none, issued)[Charge::fee], VatRate{.category = "O"});
}

TEST(TaxPoint, NamesAreFoundAgain)
{
    for (const auto point : {TaxPoint::period_end, TaxPoint::issue, TaxPoint::payment})
        EXPECT_EQ(find_tax_point(name_of(point)), point);
    EXPECT_FALSE(find_tax_point("delivery"));
}

} // namespace
} // namespace pointhouse::settlement
