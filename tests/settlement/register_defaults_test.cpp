#include <algorithm>
#include <fmt/format.h>
#include <random>
#include <set>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "desk.hpp"
#include "settlement/receivables.hpp"

// How a window is netted in each way, and what happens when a partner does not pay.

namespace pointhouse::settlement {
namespace {

namespace json = boost::json;
using ledger::Minor;
using ledger::PartnerId;

struct Defaults : WorkedMonth {
    Defaults() { desk.issue_all(june, drafts); }

    void net(NettingMethod method = NettingMethod::multilateral, std::int64_t minimum = 0)
    {
        desk.record(desk.desk.net(june, {.minimum = Minor{minimum}, .method = method}, desk.terms())
                        .value());
    }
    const NetPayment& payment(std::string_view id, bool is_pay_out)
    {
        return *desk.desk.net_of(june)->find(partner(id), is_pay_out);
    }
    void bring_collateral(std::string_view id, std::int64_t amount)
    {
        desk.record(desk.desk
                        .move_collateral(
                            {.partner = partner(id), .paid = Minor{amount}, .evidence = "bank"},
                            desk.terms())
                        .value());
    }
    PayerInDefault payer(std::string_view id, std::set<PartnerId> mutualised = {})
    {
        return {
            .net = june,
            .partner = partner(id),
            .reason = "insolvent",
            .mutualised = std::move(mutualised)};
    }
    /// The reason why not; empty: it is taken.
    std::string take_default(const PayerInDefault& of)
    {
        const auto entry = desk.desk.take_default(of, desk.terms());
        if (!entry) return entry.error().reason;
        desk.record(*entry);
        last = json::parse(entry->content).as_object();
        return {};
    }
    std::int64_t said(std::string_view key) { return last.at(key).to_number<std::int64_t>(); }
    /// What the register says partners owe is what it booked.
    void expect_control_accounts()
    {
        std::map<PartnerId, std::int64_t> open;
        std::map<PartnerId, std::int64_t> owed;
        for (const auto& item : receivables_of(desk.desk)) open[item.partner] += item.open.count;
        for (const auto& item : payables_of(desk.desk)) owed[item.partner] += item.open.count;
        for (const auto& each : desk.terms().partners) {
            EXPECT_EQ(desk.balances["ar:" + each.name], open[each.partner] * 10'000) << each.name;
            EXPECT_EQ(desk.balances["ap:" + each.name], owed[each.partner] * -10'000) << each.name;
        }
    }

    json::object last;
    static constexpr ledger::Month july{2026, 7};
};

TEST_F(Defaults, GrossEachPartnerPaysAllAndGetsAll)
{
    net(NettingMethod::gross);
    EXPECT_EQ(payment("GRO", false).net, Minor{-543});
    EXPECT_EQ(payment("GRO", true).net, Minor{403});
    EXPECT_EQ(payment("GRO", false).reference, "PH-2026-06-GRO-IN");
    EXPECT_EQ(payment("GRO", true).reference, "PH-2026-06-GRO-OUT");
    EXPECT_EQ(desk.desk.net_of(june)->find(partner("CHA"), false), nullptr);

    EXPECT_EQ(desk.settle(june, partner("GRO"), -543), "");
    EXPECT_EQ(
        desk.lines_of_last(), (Lines{{"cash:operating", "5.430000"}, {"ar:GRO", "-5.430000"}}));
    EXPECT_NE(desk.settle(june, partner("GRO"), -1), "") << "all of it came in";
    EXPECT_EQ(desk.settle(june, partner("GRO"), 400), "");
    EXPECT_EQ(desk.settle(june, partner("GRO"), 3), "");
    EXPECT_EQ(desk.balances.at("ap:GRO"), 0);
    expect_control_accounts();
}

struct Fresh : Defaults {
    void TestBody() override {}
};

TEST_F(Defaults, AllMethodsLeaveNothingBehind)
{
    for (const auto method :
         {NettingMethod::gross, NettingMethod::bilateral, NettingMethod::multilateral}) {
        SCOPED_TRACE(name_of(method));
        Fresh each;
        each.net(method);
        std::int64_t moved = 0;
        for (const auto& [id, due] : each.desk.desk.net_of(june)->payments) {
            moved += std::abs(due.net.count);
            if (due.net.count != 0) {
                ASSERT_EQ(each.desk.settle(june, id, due.net.count), "");
            }
            each.expect_control_accounts();
        }
        // JUNE-2026: documents of 17.00 (and TNK's invoice of 1.82, as it is postpaid here).
        EXPECT_EQ(moved, method == NettingMethod::gross ? 1'700 + 182 : 140 + 278 + 100 + 60);
        EXPECT_EQ(clearing_of(*each.desk.desk.net_of(june)).left(), Minor{});
        for (const auto& [account, balance] : each.desk.balances)
            if (account.starts_with("ar:") || account.starts_with("ap:")) {
                EXPECT_EQ(balance, 0) << account;
            }
        const auto again = each.desk.read_again();
        EXPECT_EQ(again.net_of(june)->method, method);
        EXPECT_TRUE(again.net_of(june)->is_settled());
    }
}

TEST_F(Defaults, TheBankNamesGrossPaymentsApart)
{
    net(NettingMethod::gross);
    std::set<std::string> references;
    for (const auto& item : desk.desk.open_items()) {
        references.insert(item.id);
        EXPECT_EQ(item.references.size(), 2U) << item.id << " has its own documents alone";
    }
    EXPECT_EQ(references.size(), 7U);
    desk.record(
        "net_paid",
        fmt::format(
            R"({{"window":"2026-06","partner":{},"paid_minor":100}})", partner("CHA").value()));
    EXPECT_EQ(payment("CHA", true).settled, Minor{100}) << "as written before there was a choice";
}

TEST_F(Defaults, AMinimumCarriesEachPaymentForward)
{
    net(NettingMethod::gross, 150);
    EXPECT_EQ(desk.desk.net_of(june)->find(partner("BOE"), false), nullptr) << "0.67";
    EXPECT_EQ(payment("BOE", true).net, Minor{345});
    desk.issue_all(july, {});
    desk.record(desk.desk.net(july, {}, desk.terms()).value());
    EXPECT_EQ(desk.desk.net_of(july)->find(partner("BOE"), false)->net, Minor{-67});
    EXPECT_EQ(desk.desk.net_of(july)->find(partner("CHA"), true)->net, Minor{100});
}

TEST_F(Defaults, WhatIsLeftIsAReceivableOfTheNextWindow)
{
    net();
    ASSERT_EQ(take_default(payer("GRO")), "");
    EXPECT_EQ(desk.lines_of_last(), (Lines{{"ap:GRO", "4.030000"}, {"ar:GRO", "-4.030000"}}))
        << "what it is owed is offset, 1.40 stay";
    EXPECT_EQ(said("receivable_minor"), 140);
    EXPECT_EQ(said("house_bears_minor"), 140);
    EXPECT_EQ(desk.desk.find("INV-2026-000001")->open(), Minor{140});
    EXPECT_EQ(payment("GRO", false).carried, Minor{-140});
    EXPECT_TRUE(desk.desk.payment_file(june, {}, 0)) << "pay-outs no longer wait";
    expect_control_accounts();

    EXPECT_NE(take_default(payer("GRO")), "") << "once";
    desk.issue_all(july, {});
    desk.record(desk.desk.net(july, {}, desk.terms()).value());
    EXPECT_EQ(desk.desk.net_of(july)->find(partner("GRO"), false)->net, Minor{-140});
    ASSERT_EQ(desk.settle(july, partner("GRO"), -140), "");
    EXPECT_EQ(desk.balances.at("ar:GRO"), 0);
    EXPECT_EQ(desk.balances.at("ap:GRO"), 0);
    const auto again = desk.read_again();
    EXPECT_TRUE(again.net_of(july)->is_settled());
    EXPECT_EQ(again.find("INV-2026-000001")->open(), Minor{});
}

TEST_F(Defaults, CollateralInAnotherCurrencyIsWorthWhatTheDaysRateMakesIt)
{
    const auto euros = desk.terms().currency;
    const auto crowns = *ledger::find_currency("SEK");
    // 11.25 crowns for a euro.
    const ExchangeRate rate{
        .id = "EUR-SEK-2026-07-13", .from = euros, .to = crowns, .numerator = 45, .denominator = 4};
    const auto move = [&](std::int64_t amount) {
        return desk.desk.move_collateral(
            {.partner = partner("GRO"), .paid = Minor{amount}, .evidence = "bank", .rate = rate},
            desk.terms());
    };
    const auto brought = move(1'000'00);
    ASSERT_TRUE(brought);
    desk.record(*brought);
    EXPECT_EQ(
        desk.lines_of_last(),
        (Lines{{"cash:operating", "88.890000"}, {"collateral:GRO", "-88.890000"}}));
    const auto said = json::parse(brought->content).as_object();
    EXPECT_EQ(said.at("amount_minor").to_number<std::int64_t>(), 88'89);
    EXPECT_EQ(
        json::serialize(said.at("paid_in")),
        R"({"currency":"SEK","amount_minor":100000,"rate_id":"EUR-SEK-2026-07-13"})");
    EXPECT_EQ(desk.read_again().collateral_of(partner("GRO")), Minor{88'89});

    EXPECT_FALSE(move(-1'000'07)) << "a cent more than is held";
    EXPECT_FALSE(move(5)) << "less than half a cent";
    EXPECT_FALSE(move(-5));
    EXPECT_FALSE(move(0));
    auto dear = rate;
    dear.numerator = 1;
    dear.denominator = 1'000'000;
    EXPECT_FALSE(desk.desk.move_collateral(
        {.partner = partner("GRO"), .paid = Minor{INT64_MAX}, .evidence = "bank", .rate = dear},
        desk.terms()))
        << "more than can be counted";
    desk.record(move(-1'000'00).value());
    EXPECT_EQ(desk.desk.collateral_of(partner("GRO")), Minor{});
    expect_control_accounts();
}

TEST_F(Defaults, CollateralComesFirst)
{
    EXPECT_FALSE(
        desk.desk.move_collateral({.partner = partner("GRO"), .paid = Minor{-1}}, desk.terms()));
    EXPECT_FALSE(desk.desk.move_collateral({.partner = partner("GRO")}, desk.terms()));
    bring_collateral("GRO", 150);
    EXPECT_EQ(
        desk.lines_of_last(),
        (Lines{{"cash:operating", "1.500000"}, {"collateral:GRO", "-1.500000"}}));
    net();
    ASSERT_EQ(desk.settle(june, partner("GRO"), -30), "");
    ASSERT_EQ(take_default(payer("GRO", {partner("BOE")})), "");
    EXPECT_EQ(
        desk.lines_of_last(), (Lines{{"collateral:GRO", "1.100000"}, {"ar:GRO", "-1.100000"}}));
    EXPECT_EQ(said("receivable_minor"), 0);
    EXPECT_EQ(desk.desk.collateral_of(partner("GRO")), Minor{40});
    EXPECT_EQ(desk.balances.at("ar:GRO"), 0);
    EXPECT_EQ(payment("BOE", true).net, Minor{278}) << "nobody loses";
    bring_collateral("GRO", -40);
    EXPECT_EQ(desk.read_again().collateral_of(partner("GRO")), Minor{});
    expect_control_accounts();
}

TEST_F(Defaults, OnlyWhoAgreedBearsALoss)
{
    net();
    // 1.40 by 2.78, 1.00 and 0.60: 88.86, 31.96 and 19.18 of 140.
    ASSERT_EQ(take_default(payer("GRO", {partner("BOE"), partner("TNK")})), "");
    EXPECT_EQ(payment("BOE", true).net, Minor{278 - 89});
    EXPECT_EQ(payment("TNK", true).net, Minor{60 - 19});
    EXPECT_EQ(payment("CHA", true).net, Minor{100}) << "its contract says nothing of losses";
    EXPECT_EQ(said("house_bears_minor"), 32);
    EXPECT_EQ(clearing_of(*desk.desk.net_of(june)).house_share().count, 189 + 41 + 100);
    expect_control_accounts();
    const auto file = desk.desk.payment_file(june, {}, 0).value();
    EXPECT_EQ(file.amounts.at(partner("BOE")), Minor{189});
    for (const auto& [id, amount] : file.amounts)
        ASSERT_EQ(desk.settle(june, id, amount.count), "");
    EXPECT_TRUE(desk.desk.net_of(june)->is_settled());
    EXPECT_EQ(desk.balances.at("ap:BOE"), -890'000) << "owed until GRO pays";

    desk.issue_all(july, {});
    desk.record(desk.desk.net(july, {}, desk.terms()).value());
    for (const auto& [id, due] : desk.desk.net_of(july)->payments)
        ASSERT_EQ(desk.settle(july, id, due.net.count), "");
    for (const auto& [account, balance] : desk.balances)
        if (account.starts_with("ar:") || account.starts_with("ap:")) {
            EXPECT_EQ(balance, 0) << account;
        }
}

TEST_F(Defaults, GrossItsOwnPayOutIsSetOff)
{
    net(NettingMethod::gross);
    ASSERT_EQ(desk.settle(june, partner("GRO"), -100), "");
    ASSERT_EQ(take_default(payer("GRO")), "");
    EXPECT_EQ(said("set_off_minor"), 403);
    EXPECT_EQ(said("receivable_minor"), 40);
    EXPECT_EQ(payment("GRO", true).open(), Minor{});
    EXPECT_EQ(desk.balances.at("ap:GRO"), 0);
    EXPECT_EQ(desk.balances.at("ar:GRO"), 400'000);
    expect_control_accounts();
    EXPECT_NE(desk.settle(june, partner("GRO"), 1), "") << "nothing is paid out to it";
}

TEST_F(Defaults, PayOutsThatLeftTheHouseBearNothing)
{
    net();
    ASSERT_EQ(desk.settle(june, partner("GRO"), -140), "");
    const auto file = desk.desk.payment_file(june, {}, 0).value();
    desk.record(desk.desk.order_payments(june, file, "").value());
    EXPECT_NE(take_default(payer("GRO", {partner("BOE")})), "") << "it paid";
    EXPECT_NE(take_default(payer("BOE")), "") << "it receives";
    EXPECT_NE(take_default({.net = july, .partner = partner("GRO"), .reason = "x"}), "");
}

TEST_F(Defaults, ANetIsUnwoundAsAWholeBeforeAnythingIsPaid)
{
    net(NettingMethod::gross);
    const auto before = desk.balances;
    auto unnamed = payer("GRO");
    unnamed.reason.clear();
    EXPECT_FALSE(desk.desk.unwind_partner(unnamed, desk.terms()));
    EXPECT_FALSE(desk.desk.take_default(unnamed, desk.terms()));
    desk.record(desk.desk.unwind_partner(payer("GRO"), desk.terms()).value());
    EXPECT_EQ(desk.balances, before) << "no money moved";
    EXPECT_EQ(desk.desk.find("INV-2026-000001")->open(), Minor{543});
    EXPECT_EQ(desk.desk.find("SB-GRO-2026-000001")->open(), Minor{-403});
    EXPECT_EQ(payment("BOE", true).net, Minor{345})
        << "nobody else is touched: the house is between";
    EXPECT_FALSE(desk.desk.unwind_partner(payer("GRO"), desk.terms())) << "once";
    ASSERT_EQ(desk.settle(june, partner("BOE"), -67), "");
    EXPECT_FALSE(desk.desk.unwind_partner(payer("BOE"), desk.terms())) << "a part is settled";
    expect_control_accounts();
    desk.issue_all(july, {});
    desk.record(desk.desk.net(july, {}, desk.terms()).value());
    EXPECT_EQ(desk.desk.net_of(july)->find(partner("GRO"), false)->net, Minor{-140});
}

/// A house of random documents, whose partners pay or do not.
class RandomHouse {
public:
    explicit RandomHouse(std::mt19937_64& random)
        : random_{random}, settlement_{random_settlement(random())}
    {
        terms_.currency = settlement_.currency;
        for (const Party& party : settlement_.partners) {
            const PartnerId id{static_cast<std::uint32_t>(terms_.partners.size() + 1)};
            terms_.partners.push_back({.partner = id, .name = party.id});
            if (random_() % 2 == 0) mutualised_.insert(id);
        }
        desk = std::make_unique<Desk>(terms_);
        window = settlement_.window.month;
        desk->issue_all(window, drafts_of(settlement_));
    }

    [[nodiscard]] const ledger::Terms& terms() const { return terms_; }

    void net(bool is_last)
    {
        const auto method = static_cast<NettingMethod>(random_() % 3);
        const Minor minimum{is_last ? 0 : up_to(100) - 1};
        desk->record(
            desk->desk.net(window, {.minimum = minimum, .method = method}, terms_).value());
        expect_ties();
    }
    /// Who is to pay does, or half of the time does not in full.
    void pay_in(bool is_last)
    {
        const auto payments = desk->desk.net_of(window)->payments;
        for (const auto& [partner, payment] : payments) {
            if (payment.net.count >= 0) continue;
            if (random_() % 3 == 0)
                desk->record(
                    desk->desk
                        .move_collateral({.partner = partner, .paid = Minor{up_to(5'000)}}, terms_)
                        .value());
            const bool defaults = !is_last && random_() % 2 == 0;
            const auto missing = defaults ? up_to(-payment.net.count) : 0;
            if (payment.net.count + missing != 0) {
                ASSERT_EQ(desk->settle(window, partner, payment.net.count + missing), "");
            }
            expect_ties();
            if (!defaults) continue;
            const PayerInDefault payer{
                .net = window, .partner = partner, .reason = "a test", .mutualised = mutualised_};
            desk->record(desk->desk.take_default(payer, terms_).value());
            expect_ties();
        }
    }
    void pay_out()
    {
        const auto file = desk->desk.payment_file(window, {}, 0).value();
        for (const auto& [partner, amount] : file.amounts)
            ASSERT_EQ(desk->settle(window, partner, amount.count), "");
        ASSERT_TRUE(desk->desk.net_of(window)->is_settled());
        EXPECT_EQ(clearing_of(*desk->desk.net_of(window)).left(), Minor{});
        expect_ties();
    }
    /// What the register says partners owe, and are owed, is what it booked.
    void expect_ties()
    {
        std::map<PartnerId, std::int64_t> open;
        std::map<PartnerId, std::int64_t> owed;
        for (const auto& item : receivables_of(desk->desk)) open[item.partner] += item.open.count;
        for (const auto& item : payables_of(desk->desk)) owed[item.partner] += item.open.count;
        for (const auto& each : terms_.partners) {
            const auto where = each.name + " in " + ledger::format_month(window);
            ASSERT_EQ(desk->balances["ar:" + each.name], open[each.partner] * 10'000) << where;
            ASSERT_EQ(desk->balances["ap:" + each.name], owed[each.partner] * -10'000) << where;
        }
    }

    std::unique_ptr<Desk> desk;
    ledger::Month window{};

private:
    std::int64_t up_to(std::int64_t most)
    {
        return 1 + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(most));
    }

    std::mt19937_64& random_;
    Settlement settlement_;
    ledger::Terms terms_;
    std::set<PartnerId> mutualised_;
};

TEST(RandomDefaults, TheBooksTieWhateverIsPaidAndWhoDoesNot)
{
    const auto seed = std::random_device{}();
    std::mt19937_64 random{seed};
    for (int round = 0; round < 120; ++round) {
        SCOPED_TRACE(fmt::format("seed {}, round {}", seed, round));
        RandomHouse house{random};
        Desk& desk = *house.desk;
        for (int month = 0; month < 3; ++month) {
            if (month > 0) desk.issue_all(house.window, {});
            house.net(month == 2);
            house.pay_in(month == 2);
            house.pay_out();
            house.window = house.window.next();
        }
        const auto again = desk.read_again();
        for (const auto& each : house.terms().partners) {
            const auto held = desk.desk.collateral_of(each.partner);
            EXPECT_EQ(desk.balances["ar:" + each.name], 0);
            EXPECT_EQ(desk.balances["ap:" + each.name], 0);
            EXPECT_EQ(desk.balances["collateral:" + each.name], -10'000 * held.count);
            EXPECT_EQ(again.collateral_of(each.partner), held);
        }
        for (const auto* issued : again.documents()) EXPECT_EQ(issued->open(), Minor{});
        if (testing::Test::HasFailure()) break;
    }
}

} // namespace
} // namespace pointhouse::settlement
