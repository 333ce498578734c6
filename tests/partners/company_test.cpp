#include "partners/company.hpp"

#include <gtest/gtest.h>

#include "house_folder.hpp"
#include "partners/registry.hpp"

namespace pointhouse::partners {
namespace {

Company bookshop()
{
    return {
        .name = "Bookshop B.V.",
        .country = "NL",
        .endpoint_scheme = "0088",
        .endpoint = "9501101530003",
        .iban = "NL91ABNA0417164300",
        .bic = "ABNANL2A",
        .self_billing_agreed = "2026-01-15"};
}

TEST(Company, IsSoundOrItsFaultIsNamed)
{
    EXPECT_EQ(fault_of(Company{}), std::nullopt);
    EXPECT_EQ(fault_of(bookshop()), std::nullopt);
    const auto fault_with = [](std::string Company::* field, std::string value) {
        Company company = bookshop();
        company.*field = std::move(value);
        const auto fault = fault_of(company);
        return fault ? fault->substr(0, fault->find(':')) : "none";
    };
    for (const char* iban :
         {"NL91ABNA0417164301", "NL91 ABNA 0417 1643 00", "nl91ABNA0417164300", "91", "XX"})
        EXPECT_EQ(fault_with(&Company::iban, iban), "iban") << iban;
    for (const char* bic : {"ABNANL2", "ABNANL2A12", "abnanl2a", "ABNA112A"})
        EXPECT_EQ(fault_with(&Company::bic, bic), "bic") << bic;
    for (const char* country : {"N", "NLD", "nl", "1L"})
        EXPECT_EQ(fault_with(&Company::country, country), "country") << country;
    EXPECT_EQ(fault_with(&Company::endpoint, ""), "endpoint");
    EXPECT_EQ(fault_with(&Company::self_billing_agreed, "2026-02-30"), "self_billing_agreed");
    for (const char* days : {"0", "366", "x", "1.5", "-1", "99999999999", " 3"})
        EXPECT_EQ(
            fault_with(&Company::self_billing_objection_days, days), "self_billing_objection_days")
            << days;
    EXPECT_EQ(fault_with(&Company::self_billing_objection_days, "365"), "none");
    EXPECT_EQ(fault_with(&Company::name, std::string(201, 'x')), "name");
    EXPECT_EQ(fault_with(&Company::city, "two\nlines"), "city");
}

TEST(Company, IsReadFromItsTable)
{
    const ledger::Calendar calendar{"UTC"};
    const auto read = parse_company(
        "[company]\nname = \"B\"\niban = \"NL91ABNA0417164300\"\ncountry = \"NL\"\n", calendar);
    ASSERT_TRUE(read) << read.error().reason;
    EXPECT_EQ(read->iban, "NL91ABNA0417164300");
    EXPECT_FALSE(parse_company("", calendar));
    EXPECT_FALSE(parse_company("[company]\nIBAN = \"x\"\n", calendar));
    EXPECT_FALSE(parse_company("[company]\niban = \"NL00ABNA0417164300\"\n", calendar));
    EXPECT_FALSE(parse_company("[company]\niban = 91\n", calendar));
}

using CompanyOfAPartner = FoundedHouse;

TEST_F(CompanyOfAPartner, IsKeptAndWaitsForASecondPersonWhereItMust)
{
    const auto partner = registry_.add(standard_contract("BOE"), act_);
    ASSERT_TRUE(partner);
    ASSERT_TRUE(registry_.set_company(*partner, bookshop(), act_));
    EXPECT_EQ(registry_.find_contract("BOE")->company, bookshop());
    Company wrong = bookshop();
    wrong.iban = "NL00ABNA0417164300";
    EXPECT_FALSE(registry_.set_company(*partner, wrong, act_));

    auto prepares = act_;
    prepares.prepares = true;
    Company moved = bookshop();
    moved.iban = "DE89370400440532013000";
    ASSERT_TRUE(registry_.set_company(*partner, moved, prepares));
    ASSERT_TRUE(registry_.set_company({}, bookshop(), act_));
    EXPECT_EQ(registry_.find_contract("BOE")->company, bookshop()) << "it waits";
    const auto waiting = registry_.proposals().at(0).id;
    EXPECT_FALSE(registry_.approve(waiting, false, act_)) << "nobody approves what he prepared";
    auto other = act_;
    other.actor = "bob";
    ASSERT_TRUE(registry_.approve(waiting, false, other));
    EXPECT_EQ(registry_.find_contract("BOE")->company, moved);
    EXPECT_EQ(registry_.house_company(), bookshop());

    const Registry again{record_};
    EXPECT_EQ(again.find_contract("BOE")->company, moved);
    EXPECT_EQ(again.house_company(), bookshop());
}

TEST_F(CompanyOfAPartner, ActsOfSettlementWaitAndAreApproved)
{
    const auto id = registry_.propose_settlement("documents", "6 documents", R"({"x":1})", act_);
    ASSERT_EQ(registry_.proposals().size(), 1U);
    EXPECT_EQ(registry_.proposals()[0].kind, "documents");
    auto other = act_;
    other.actor = "bob";
    ASSERT_TRUE(registry_.approve(id, false, other));
    EXPECT_TRUE(registry_.proposals().empty());
    EXPECT_EQ(record_.entries().back().kind, "documents_approved");
    EXPECT_EQ(record_.entries().back().content, R"({"proposal":2})");
    EXPECT_FALSE(registry_.approve(id, false, other)) << "once";
}

} // namespace
} // namespace pointhouse::partners
