#include <algorithm>

#include <gtest/gtest.h>

#include "desk.hpp"
#include "settlement/block_invoice.hpp"

// What is left of a block when its partner leaves.

namespace pointhouse::settlement {
namespace {

using ledger::Micro;
using ledger::Minor;

struct LeftOfABlock : WorkedMonth {
    explicit LeftOfABlock(bool is_gross = false)
    {
        const auto parties = parties_of(settlement);
        drafts.push_back(block_invoice(
            {.partner = partner("TNK"),
             .tariff = block,
             .points = ledger::Points{1'000},
             .price = Micro{10'500},
             .fee = Micro{300},
             .sold_on = *ledger::parse_day("2026-06-16"),
             .vat = {.category = "S", .basis_points = 900, .is_gross = is_gross}},
            june,
            settlement.currency,
            parties.house,
            parties.partners.at(partner("TNK").value() - 1)));
        desk.issue_all(june, drafts);
    }

    /// The reason why not; empty: it went back.
    std::string give_back(std::int64_t price, std::int64_t fee)
    {
        const auto entry = desk.desk.give_block_back(
            {.tariff = block, .price = Micro{price}, .fee = Micro{fee}}, desk.issue_terms());
        if (!entry) return entry.error().reason;
        desk.record(*entry);
        return {};
    }

    ledger::TariffVersion block{5};
    std::string invoice = "INV-2026-000004"; // 10.50 and 0.30, VAT 0.97
};

TEST_F(LeftOfABlock, GoesBackToTheMillionthAndTrustPaysNoMoreThanItHas)
{
    ASSERT_EQ(give_back(7'003'500, 200'100), "");
    const auto* issued = desk.desk.documents().back();
    const Document& credit = issued->document;
    EXPECT_EQ(credit.kind, DocumentKind::credit_note);
    EXPECT_EQ(credit.number, "CN-2026-000002");
    EXPECT_EQ(credit.corrects->number, invoice);
    EXPECT_EQ(credit.net, Minor{720});
    EXPECT_EQ(credit.tax, Minor{65}) << "9 % of 7.20";
    EXPECT_EQ(credit.lines.front().points, 667);
    EXPECT_EQ(issued->open(), Minor{}) << "paid with its issue";
    EXPECT_EQ(
        desk.lines_of_last(),
        (Lines{
            {"prepaid_block:TNK", "7.003500"},
            {"prepaid_fee:TNK", "0.200100"},
            {"vat:output", "0.650000"},
            {"cash:trust", "-7.000000"},
            {"cash:operating", "-0.850000"},
            {"rounding", "-0.003600"}}));
    EXPECT_EQ(desk.desk.find(invoice)->credited, Minor{785});
    EXPECT_EQ(desk.read_again().documents().back()->document, credit);

    desk.record(desk.desk.net(june, {}, desk.terms()).value());
    const auto& netted = desk.desk.net_of(june)->documents;
    EXPECT_EQ(std::ranges::count(netted, credit.number), 0);
}

struct LeftOfAGrossBlock : LeftOfABlock {
    LeftOfAGrossBlock() : LeftOfABlock{true} {}
};

TEST_F(LeftOfAGrossBlock, GoesBackWithoutTheVatThatItHeld)
{
    const Document& sold = desk.desk.find(invoice)->document;
    ASSERT_EQ(sold.total, Minor{1'080});
    ASSERT_EQ(sold.tax, Minor{89});
    ASSERT_EQ(give_back(7'003'500, 200'100), "");
    const Document& credit = desk.desk.documents().back()->document;
    EXPECT_EQ(credit.total, Minor{720});
    EXPECT_EQ(credit.tax, Minor{59});
    EXPECT_EQ(
        desk.lines_of_last(),
        (Lines{
            {"prepaid_block:TNK", "7.003500"},
            {"prepaid_fee:TNK", "0.200100"},
            {"vat:output", "0.590000"},
            {"cash:trust", "-7.000000"},
            {"cash:operating", "-0.200000"},
            {"revenue:service_fee", "-0.010000"},
            {"revenue:redemption_margin", "-0.580000"},
            {"rounding", "-0.003600"}}));
}

TEST_F(LeftOfABlock, GoesBackOnceAndWhatComesLaterAfterIt)
{
    ASSERT_EQ(give_back(7'003'500, 200'100), "");
    EXPECT_NE(give_back(7'003'500, 200'100), "") << "the same rest: nothing is left of it";
    // 100 points come back to the block: the rest is theirs and those of before.
    ASSERT_EQ(give_back(8'053'500, 230'100), "");
    EXPECT_EQ(desk.desk.documents().back()->document.net, Minor{108});
    EXPECT_EQ(
        desk.desk.left_to_give_back(
            {.tariff = block, .price = Micro{8'053'500}, .fee = Micro{230'100}}),
        (BlockRest{.tariff = block}));
}

TEST_F(LeftOfABlock, IsNoMoreThanTheBlock)
{
    EXPECT_NE(give_back(10'500'001, 0), "");
    EXPECT_NE(give_back(0, 300'001), "");
    EXPECT_NE(give_back(-1, 0), "");
    EXPECT_NE(give_back(0, 0), "");
    EXPECT_EQ(desk.desk.documents().back()->document.number, invoice);
    ASSERT_EQ(give_back(10'500'000, 300'000), "") << "nobody drew a point";
    EXPECT_EQ(desk.desk.find(invoice)->credited, desk.desk.find(invoice)->document.total);
    EXPECT_EQ(desk.desk.standing_of(*desk.desk.find(invoice)), DocumentState::credited);
}

TEST_F(LeftOfABlock, PartsOfAPointHaveNoQuantity)
{
    ASSERT_EQ(give_back(5'250, 0), "") << "half a point, where the price was half prefunded";
    const Document& credit = desk.desk.documents().back()->document;
    ASSERT_EQ(credit.lines.size(), 1U);
    EXPECT_FALSE(credit.lines.front().price);
    EXPECT_EQ(credit.net, Minor{1});
    EXPECT_EQ(desk.lines_of_last().at("rounding"), "0.004750");
    EXPECT_EQ(desk.lines_of_last().count("cash:trust"), 0U) << "it is less than a cent";
}

TEST_F(LeftOfABlock, WaitsForItsInvoice)
{
    const auto entry = desk.desk.give_block_back(
        {.tariff = ledger::TariffVersion{9}, .price = Micro{10'000}}, desk.issue_terms());
    ASSERT_FALSE(entry);
    EXPECT_NE(entry.error().reason.find("is not issued"), std::string::npos);
}

} // namespace
} // namespace pointhouse::settlement
