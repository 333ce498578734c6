#include "partners/settlement_terms.hpp"

#include <gtest/gtest.h>

#include "house_folder.hpp"
#include "partners/registry.hpp"

namespace pointhouse::partners {
namespace {

SettlementTerms careful()
{
    return {
        .currency = "SEK", .net_debit_limit = ledger::Micro{50'000'000'000}, .mutualised = true};
}

TEST(SettlementTerms, AreReadStrictly)
{
    const ledger::Calendar calendar{"UTC"};
    const auto read = parse_settlement_terms(
        "[settlement]\ncurrency = \"SEK\"\nnet_debit_limit = \"50000\"\nmutualised = true\n",
        calendar);
    ASSERT_TRUE(read) << read.error().reason;
    EXPECT_EQ(*read, careful());
    const auto nothing = parse_settlement_terms("[settlement]\n", calendar);
    ASSERT_TRUE(nothing) << nothing.error().reason;
    EXPECT_EQ(*nothing, SettlementTerms{});
    for (const char* wrong :
         {"",
          "[settlement]\ncurrency = \"XXX\"\n",
          "[settlement]\ncurrency = 5\n",
          "[settlement]\nnet_debit_limit = \"-0.01\"\n",
          "[settlement]\nnet_debit_limit = 5\n",
          "[settlement]\nnet_debit_limit = \"1e9\"\n",
          "[settlement]\nnet_debit_limit = \"1000000001\"\n",
          "[settlement]\nmutualised = \"yes\"\n",
          "[settlement]\nmutual = true\n",
          "[settlement]\n[company]\n"})
        EXPECT_FALSE(parse_settlement_terms(wrong, calendar)) << wrong;
}

using TermsOfSettlement = FoundedHouse;

TEST_F(TermsOfSettlement, AreKeptAndWaitForASecondPersonWhereTheyMust)
{
    auto contract = standard_contract("BOE");
    contract.settlement.mutualised = true;
    const auto partner = registry_.add(contract, act_);
    ASSERT_TRUE(partner);
    EXPECT_TRUE(registry_.find_contract("BOE")->settlement.mutualised);
    ASSERT_TRUE(registry_.set_settlement_terms(*partner, careful(), act_));
    EXPECT_EQ(registry_.find_contract("BOE")->settlement, careful());
    EXPECT_EQ(Registry{record_}.find_contract("BOE")->settlement, careful());
    EXPECT_FALSE(registry_.set_settlement_terms(ledger::PartnerId{9}, careful(), act_));
    EXPECT_FALSE(registry_.set_settlement_terms({}, careful(), act_));
    EXPECT_FALSE(registry_.set_settlement_terms(*partner, {.currency = "XXX"}, act_));

    auto prepares = act_;
    prepares.prepares = true;
    ASSERT_TRUE(registry_.set_settlement_terms(*partner, {}, prepares));
    EXPECT_EQ(registry_.find_contract("BOE")->settlement, careful()) << "it waits";
    auto other = act_;
    other.actor = "bob";
    ASSERT_TRUE(registry_.approve(registry_.proposals().back().id, false, other));
    EXPECT_EQ(registry_.find_contract("BOE")->settlement, SettlementTerms{});
}

} // namespace
} // namespace pointhouse::partners
