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
    const auto travelling =
        parse_settlement_terms("[settlement]\nprogram = \"travel\"\n", calendar);
    ASSERT_TRUE(travelling) << travelling.error().reason;
    EXPECT_EQ(travelling->program, "travel");
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
          "[settlement]\nprogram = 5\n",
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

struct Programs : FoundedHouse {
    /// The reason why not; empty: the house has them.
    std::string name(std::vector<std::string> programs)
    {
        HouseTable table;
        table.programs = std::move(programs);
        const auto proposed = registry_.propose_house_terms(table, act_);
        if (!proposed) return proposed.error().reason;
        const auto approved = registry_.approve(*proposed, true, act_);
        return approved ? std::string{} : approved.error().reason;
    }
    std::string add(std::string_view id, std::string program)
    {
        auto contract = standard_contract(id);
        contract.settlement.program = std::move(program);
        const auto added = registry_.add(contract, act_);
        return added ? std::string{} : added.error().reason;
    }
};

TEST_F(Programs, AreTheHouseS)
{
    EXPECT_EQ(
        add("BOE", "travel"),
        "settlement: program: \"travel\" is none of the house's: it has none");
    ASSERT_EQ(name({"grocery", "travel"}), "");
    EXPECT_EQ(name({"grocery", "travel"}), "house: these terms are in force already");
    EXPECT_EQ(add("BOE", "travel"), "");
    EXPECT_EQ(add("ANY", ""), "") << "a contract may name none";
    EXPECT_EQ(
        add("TYP", "travle"),
        "settlement: program: \"travle\" is none of the house's: grocery, travel");
    const auto partner = registry_.find_contract("BOE")->terms.partner;
    EXPECT_FALSE(registry_.set_settlement_terms(partner, {.program = "travle"}, act_));
    ASSERT_TRUE(registry_.set_settlement_terms(partner, {.program = "grocery"}, act_));
    EXPECT_EQ(name({"travel"}), "programs: BOE is in grocery");
    EXPECT_EQ(name({"grocery"}), "") << "nobody is in travel any more";

    const Registry again{record_};
    EXPECT_EQ(again.programs(), std::vector<std::string>{"grocery"});
    EXPECT_EQ(again.find_contract("BOE")->settlement.program, "grocery");
    auto elsewhere = standard_contract("ELS");
    elsewhere.house.programs = {"grocery", "travel"};
    EXPECT_FALSE(registry_.add(elsewhere, act_)) << "written for another house";
}

TEST_F(Programs, HaveNamesThatABankCarries)
{
    for (const std::string wrong :
         {"", "none", "Travel", "travel-2", "travel 2", "thirteenchars", "réisen"})
        EXPECT_NE(name({wrong}), "") << wrong;
    EXPECT_NE(name({"travel", "travel"}), "") << "twice";
    EXPECT_EQ(name({"twelveletter", "2"}), "");
    EXPECT_EQ(name({}), "");
    EXPECT_TRUE(registry_.programs().empty());
}

TEST_F(Programs, ThatAContractNamesMeanwhileStay)
{
    ASSERT_EQ(name({"grocery", "travel"}), "");
    HouseTable table;
    table.programs = {"grocery"};
    const auto waiting = registry_.propose_house_terms(table, act_);
    EXPECT_EQ(registry_.proposals().back().summary, "terms of the house: programs grocery");
    ASSERT_EQ(add("BOE", "travel"), "");
    EXPECT_FALSE(registry_.approve(*waiting, true, act_));
    EXPECT_EQ(registry_.programs().size(), 2U);

    // What does not name them leaves them as they are.
    HouseTable grace;
    grace.refund_grace_days = 3;
    ASSERT_TRUE(registry_.approve(*registry_.propose_house_terms(grace, act_), true, act_));
    EXPECT_EQ(Registry{record_}.programs().size(), 2U);
}

} // namespace
} // namespace pointhouse::partners
