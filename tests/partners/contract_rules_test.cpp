#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "certs/authority.hpp"
#include "certs/identity.hpp"
#include "house_folder.hpp"

namespace pointhouse::partners {
namespace {

struct Spoilt {
    std::string reason;
    std::function<void(PartnerContract&)> spoil;
};

class ContractRules : public FoundedHouse {
protected:
    /// Each is refused for its reason, and leaves the record and the registry as they were.
    void expect_refused(const std::vector<Spoilt>& cases)
    {
        const auto head = record_.head();
        for (const auto& [reason, spoil] : cases) {
            auto contract = standard_contract("GRO");
            spoil(contract);
            const auto added = registry_.add(contract, act_);
            ASSERT_FALSE(added) << reason;
            EXPECT_EQ(added.error().reason, reason);
        }
        EXPECT_EQ(record_.head(), head);
        EXPECT_TRUE(registry_.contracts().empty());
        EXPECT_TRUE(registry_.terms()->partners.empty());
    }
};

TEST_F(ContractRules, AcceptTheStandardContract)
{
    ASSERT_TRUE(registry_.add(standard_contract("home-decor"), act_));

    const auto& contract = *registry_.find_contract("home-decor");
    EXPECT_TRUE(contract.terms.roles.issuer);
    EXPECT_TRUE(contract.terms.roles.redeemer);
    EXPECT_FALSE(contract.terms.roles.charity);
    EXPECT_EQ(contract.terms.debt_shares, ledger::DebtShares{});
    EXPECT_TRUE(contract.terms.excess_clawbacks_allowed);
    ASSERT_EQ(contract.tariffs.size(), 1U);
    EXPECT_EQ(contract.tariffs[0].valid_from, ledger::Time{});
    EXPECT_EQ(contract.tariffs[0].issue_price, ledger::Micro{10'000});
    EXPECT_EQ(contract.tariffs[0].service_fee, ledger::Micro{1'000});
    EXPECT_EQ(contract.tariffs[0].reimbursement, ledger::Micro{9'500});
    EXPECT_EQ(contract.tariffs[0].prefunded_price(), ledger::Micro{10'000});
    EXPECT_FALSE(contract.tariffs[0].expiry);
    for (const auto* flow :
         {"price",
          "fee",
          "reimbursement",
          "donation",
          "breakage_shared",
          "breakage_retained",
          "block"}) {
        const auto* row = registry_.find_vat(contract.terms.partner, flow, ledger::Time{});
        ASSERT_NE(row, nullptr) << flow;
        EXPECT_EQ(row->rate_basis_points, 2100);
    }
}

TEST_F(ContractRules, RefuseIdsThatAreNone)
{
    const std::string form =
        "id: 1 to 32 letters, digits, '.', '_' or '-', the first a letter or digit";
    std::vector<Spoilt> cases;
    for (const std::string id :
         {"",
          ".",
          "..",
          "-a",
          "_a",
          "a/b",
          "a b",
          "a:b",
          "é",
          "a\n",
          "a\t",
          "%41",
          "123456789012345678901234567890123"}) {
        cases.push_back({form, [id](PartnerContract& contract) { contract.terms.name = id; }});
    }
    cases.push_back({form, [](PartnerContract& c) { c.terms.name = std::string("a\0b", 3); }});
    for (const std::string id : {"house", "root", "issuing", "others", "ca.pem", "operator-anna"}) {
        cases.push_back(
            {"id: " + id + " is a name of the house's own",
             [id](PartnerContract& contract) { contract.terms.name = id; }});
    }
    expect_refused(cases);
}

TEST_F(ContractRules, AcceptOnlyIdsThatACertificateCanCarry)
{
    for (const std::string id :
         {"GRO",
          "home-decor",
          "a",
          "7",
          "A.b_c-9",
          "house-adjustments",
          "operator",
          "ca.pem2",
          "root",
          "issuing",
          "house",
          "operator-x",
          "ca.pem",
          "-a",
          ".a",
          "12345678901234567890123456789012"}) {
        const bool certifiable = certs::is_certificate_name(id) && !certs::is_reserved_name(id);
        const bool accepted = registry_.add(standard_contract(id), act_).has_value();
        EXPECT_TRUE(certifiable || !accepted) << id;
    }
    EXPECT_NE(registry_.find_contract("house-adjustments"), nullptr);
    EXPECT_NE(registry_.find_contract("12345678901234567890123456789012"), nullptr);
}

TEST_F(ContractRules, RefuseContractsThatSayWhatCannotBe)
{
    const std::string name = "name: 1 to 100 bytes of printable text";
    expect_refused({
        {name, [](PartnerContract& c) { c.display_name = ""; }},
        {name, [](PartnerContract& c) { c.display_name = std::string(101, 'a'); }},
        {name, [](PartnerContract& c) { c.display_name = "a\nb"; }},
        {name, [](PartnerContract& c) { c.display_name = "\xc3\x28"; }},
        {"roles: at least one of issuer, redeemer, charity",
         [](PartnerContract& c) { c.terms.roles = {}; }},
        {"credit_limit: only for postpaid",
         [](PartnerContract& c) {
             c.terms.billing = ledger::Billing::prepaid;
             c.terms.credit_limit = ledger::Micro{1};
         }},
        {"credit_limit: from 0 to 1000000000.000000",
         [](PartnerContract& c) { c.terms.credit_limit = ledger::Micro{-1}; }},
        {"credit_limit: from 0 to 1000000000.000000",
         [](PartnerContract& c) { c.terms.credit_limit = ledger::Micro{1'000'000'000'000'001}; }},
        {"prefund_share: a prepaid partner prefunds the whole, 1",
         [](PartnerContract& c) {
             c.terms.billing = ledger::Billing::prepaid;
             c.tariffs[0].prefund_share = {.numerator = 1, .denominator = 2};
         }},
        {"notice_days: from 0 to 366", [](PartnerContract& c) { c.notice_days = -1; }},
        {"minimum_burn_value: a point is worth 0.01 in this house",
         [](PartnerContract& c) { c.tariffs[0].minimum_burn_value = ledger::Micro{10'001}; }},
        {"promotion: p: at most 16 funders",
         [](PartnerContract& c) {
             PromotionTerms promotion{.id = "p", .funders = {}};
             for (int number = 0; number < 17; ++number) {
                 promotion.funders.emplace_back("P" + std::to_string(number), 1);
             }
             c.promotions.push_back(promotion);
         }},
        {"tariff: an issuer or redeemer needs one", [](PartnerContract& c) { c.tariffs.clear(); }},
        {"tariff: each begins after the one before it",
         [](PartnerContract& c) { c.tariffs.push_back(c.tariffs[0]); }},
        {"flows: at least one", [](PartnerContract& c) { c.vat[0].flows.clear(); }},
        {"treatment: \"free\" is unknown", [](PartnerContract& c) { c.vat[0].treatment = "free"; }},
        {"category: \"S\" goes with taxed", [](PartnerContract& c) { c.vat[0].category = "Z"; }},
        {"rate_bp: from 1 to 10000 when taxed, else 0",
         [](PartnerContract& c) { c.vat[0].rate_basis_points = 10'001; }},
        {"rate_bp: from 1 to 10000 when taxed, else 0",
         [](PartnerContract& c) {
             c.vat[0].treatment = "exempt";
             c.vat[0].category = "E";
         }},
        {"price: \"gross\" goes with taxed: else it holds no VAT",
         [](PartnerContract& c) {
             c.vat[0] = {
                 .partner = {},
                 .valid_from = {},
                 .flows = {"fee"},
                 .treatment = "exempt",
                 .category = "E",
                 .rate_basis_points = 0,
                 .is_gross = true};
         }},
        {"tax_point: \"delivery\" is none of period_end, issue, payment",
         [](PartnerContract& c) { c.vat[0].tax_point = "delivery"; }},
        {"tax_point: a block is taxed when it is paid",
         [](PartnerContract& c) {
             c.vat[0].flows = {"fee", "block"};
             c.vat[0].tax_point = "issue";
         }},
        {"tax_point: out of scope there is none",
         [](PartnerContract& c) {
             c.vat[0] = {
                 .partner = {},
                 .valid_from = {},
                 .flows = {"fee"},
                 .treatment = "out_of_scope",
                 .category = "O",
                 .rate_basis_points = 0,
                 .tax_point = "payment"};
         }},
        {"flows: price stands there twice",
         [](PartnerContract& c) { c.vat[0].flows = {"fee", "price", "price"}; }},
        {"vat: two rows for price from the same day",
         [](PartnerContract& c) { c.vat.push_back(c.vat[0]); }},
        {"promotion: p: nobody funds it",
         [](PartnerContract& c) { c.promotions.push_back({.id = "p", .funders = {}}); }},
    });
}

TEST_F(ContractRules, RefuseTariffsThatSayWhatCannotBe)
{
    const auto with = [](std::function<void(ledger::Tariff&)> spoil) {
        return [spoil](PartnerContract& contract) { spoil(contract.tariffs[0]); };
    };
    const std::string breakage = "breakage: integer shares from 0 to 1000000, not both 0";
    expect_refused({
        {"from: a day from 1970 to 2199",
         with([](auto& t) { t.valid_from = ledger::Time{std::chrono::seconds{-1}}; })},
        {"from: a day from 1970 to 2199",
         with([](auto& t) { t.valid_from = ledger::Time{std::chrono::days{365 * 400}}; })},
        {"issue_price: from 0 to 1000.000000",
         with([](auto& t) { t.issue_price = ledger::Micro{-1}; })},
        {"issue_price: from 0 to 1000.000000",
         with([](auto& t) { t.issue_price = ledger::Micro{1'000'000'001}; })},
        {"service_fee: from 0 to 1000.000000",
         with([](auto& t) { t.service_fee = ledger::Micro{-1}; })},
        {"reimbursement: from 0 to 1000.000000",
         with([](auto& t) { t.reimbursement = ledger::Micro{-1}; })},
        {"prefund_share: from 0 to 1",
         with([](auto& t) { t.prefund_share = {.numerator = 1, .denominator = 0}; })},
        {"prefund_share: from 0 to 1",
         with([](auto& t) { t.prefund_share = {.numerator = 3, .denominator = 2}; })},
        {"prefund_share: from 0 to 1",
         with([](auto& t) { t.prefund_share = {.numerator = -1, .denominator = 2}; })},
        {"prefund_share: 1/3 of 0.010000 is no whole number of millionths",
         with([](auto& t) { t.prefund_share = {.numerator = 1, .denominator = 3}; })},
        {breakage, with([](auto& t) { t.breakage_operator = -1; })},
        {breakage, with([](auto& t) { t.breakage_operator = 0; })},
        {breakage, with([](auto& t) { t.breakage_issuer = 2'000'000'000; })},
        {"breakage: 1 to 2 of 0.010000 is no whole number of millionths",
         with([](auto& t) { t.breakage_issuer = 2; })},
        {"pending_days: from 0 to 366", with([](auto& t) { t.pending_days = -1; })},
        {"pending_days: from 0 to 366", with([](auto& t) { t.pending_days = 367; })},
        {"expiry: from 1 to 1200 months",
         with([](auto& t) { t.expiry = ledger::ExpiryPolicy{.months = 0, .at_month_end = true}; })},
        {"pending_days: at most 28 for each month of expiry, or points end before they can be "
         "spent",
         with([](auto& t) {
             t.expiry = ledger::ExpiryPolicy{.months = 2, .at_month_end = false};
             t.pending_days = 57;
         })},
    });
}

TEST_F(ContractRules, RefuseAContractWrittenForAnotherHouse)
{
    expect_refused({
        {"house.currency: the contract is written for GBP; this house has EUR",
         [](PartnerContract& c) { c.house.currency = "GBP"; }},
        {"house.time_zone: the contract is written for UTC; this house has Europe/Amsterdam",
         [](PartnerContract& c) { c.house.time_zone = "UTC"; }},
        {"house.face_value: the contract is written for 0.020000; this house has 0.01",
         [](PartnerContract& c) { c.house.face_value = ledger::Micro{20'000}; }},
        {"house.late_window_days: the contract is written for 30; this house has 60",
         [](PartnerContract& c) { c.house.late_window_days = 30; }},
    });
    auto fitting = standard_contract("GRO");
    fitting.house = {
        .currency = "EUR",
        .time_zone = "Europe/Amsterdam",
        .face_value = ledger::Micro{10'000},
        .late_window_days = 60};
    EXPECT_TRUE(registry_.add(fitting, act_));
}

} // namespace
} // namespace pointhouse::partners
