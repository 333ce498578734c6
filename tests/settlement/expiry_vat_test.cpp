#include "settlement/expiry_vat.hpp"

#include <memory>

#include <gtest/gtest.h>

#include "coalition.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Micro;
using ledger::Month;

/// One issuer, whose points go half to the house and half back when they expire; by hand.
struct Expired : ::testing::Test {
    Expired() : issuer{coalition.add_partner("TNK", "Fuel", VatMode::fee_only)}
    {
        coalition.terms().calendar = std::make_shared<const ledger::Calendar>("UTC");
        coalition.contracts().vat.clear();
        auto& tariff = coalition.terms().tariffs.front();
        tariff.breakage_operator = 1;
        tariff.breakage_issuer = 1;
    }

    VatRule& tax(std::string_view charge, std::int32_t basis_points)
    {
        coalition.add_vat(issuer, charge, basis_points);
        return coalition.contracts().vat.back();
    }
    void expire_in(Month window, std::int64_t points)
    {
        coalition.expire(ledger::TariffVersion{1}, points);
        coalition.rows().back().window = window;
    }
    /// "2026-06 TNK retained S 2100 with_the_price 400 2.000000 2.000000 0.420000 2.420000"
    [[nodiscard]] std::vector<std::string> rows()
    {
        ExpiryVat expired;
        for (const auto& row : coalition.rows()) expired.add(row);
        std::vector<std::string> texts;
        for (const auto& cells :
             expired.table(coalition.terms(), coalition.contracts(), std::nullopt).rows) {
            std::string text;
            for (const auto& cell : cells) text += (text.empty() ? "" : " ") + cell_text(cell);
            texts.push_back(text);
        }
        return texts;
    }

    Coalition coalition;
    ledger::PartnerId issuer;
};

using Rows = std::vector<std::string>;
constexpr Month june{2026, 6};

TEST_F(Expired, WhatIsKeptIsTaxedAsThePriceWas)
{
    tax("price", 2100);
    tax("breakage_shared", 2100);
    expire_in(june, 400); // JUNE-2026, E15 and CN-TNK
    EXPECT_EQ(
        rows(),
        (Rows{
            "2026-06 TNK retained S 2100 with_the_price 400 2.000000 2.000000 0.420000 2.420000",
            "2026-06 TNK shared S 2100 on_the_document 400 2.000000 2.000000 0.420000 2.420000"}));
}

TEST_F(Expired, WhatIsKeptHoldsTheTaxWhereThePriceBoreNone)
{
    // V R 64/17: paid for, untaxed, and kept: from the expiry on it is consideration, tax included.
    tax("breakage_retained", 1900);
    expire_in(june, 400);
    EXPECT_EQ(
        rows(),
        (Rows{
            "2026-06 TNK retained S 1900 at_expiry 400 2.000000 1.680000 0.320000 2.000000",
            "2026-06 TNK shared O 0  400 2.000000 2.000000 0.000000 2.000000"}));
}

TEST_F(Expired, AGrossPriceHoldsItToo)
{
    tax("price", 2100).is_gross = true;
    tax("breakage_shared", 2100).is_gross = true;
    expire_in(june, 402); // 2.01 each: 1.66 and 0.35
    EXPECT_EQ(
        rows(),
        (Rows{
            "2026-06 TNK retained S 2100 with_the_price 402 2.010000 1.660000 0.350000 2.010000",
            "2026-06 TNK shared S 2100 on_the_document 402 2.010000 1.660000 0.350000 2.010000"}));
}

TEST_F(Expired, TheRowAtTheEndOfTheWindowCounts)
{
    coalition.terms().tariffs.front().breakage_issuer = 0;
    tax("price", 1900);
    tax("price", 2100).valid_from = ledger::parse_time("2026-07-31T23:00:00Z").value();
    expire_in(june, 1);
    expire_in({2026, 7}, 1);
    expire_in({2026, 7}, 149); // in one line: 1.50, and not 0.01 and 1.49 with their own tax
    EXPECT_EQ(
        rows(),
        (Rows{
            "2026-06 TNK retained S 1900 with_the_price 1 0.010000 0.010000 0.000000 0.010000",
            "2026-07 TNK retained S 2100 with_the_price 150 1.500000 1.500000 0.320000 "
            "1.820000"}));
    EXPECT_TRUE(ExpiryVat{}.table(coalition.terms(), coalition.contracts(), {}).rows.empty());
}

TEST_F(Expired, WhatCameBackIsNotExpired)
{
    tax("price", 2100);
    expire_in(june, 400);
    auto undone = coalition.rows().back();
    undone.kind = ledger::EntryKind::expiry_undone;
    undone.points = ledger::Points{100};
    for (Micro* part : {&undone.money.counterparty, &undone.money.liability, &undone.money.margin})
        *part = Micro{-part->count() / 4};
    coalition.rows().push_back(undone);
    EXPECT_EQ(
        rows().at(0),
        "2026-06 TNK retained S 2100 with_the_price 300 1.500000 1.500000 0.320000 1.820000");
    // What the house pays to bring points back gives nothing of the breakage back.
    undone.kind = ledger::EntryKind::reinstated_by_house;
    coalition.rows().push_back(undone);
    EXPECT_EQ(
        rows().at(0),
        "2026-06 TNK retained S 2100 with_the_price 300 1.500000 1.500000 0.320000 1.820000");
}

} // namespace
} // namespace pointhouse::settlement
