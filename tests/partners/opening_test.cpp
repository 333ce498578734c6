#include "partners/opening.hpp"

#include <string>

#include <gtest/gtest.h>

#include "house_folder.hpp"
#include "sample_terms.hpp"

namespace pointhouse::partners {
namespace {

using ledger::Micro;

const std::string sample_opening = R"({
  "as_of": "2026-06-01",
  "members": [{"member": "M1"}, {"member": "M2"}, {"member": "M3"}],
  "lots": [
    {"lot": "L1", "member": "M1", "issuer": "GRO", "points": 1000, "state": "active",
     "activity_at": "2026-05-01T10:00:00Z", "expires_on": "2028-05-31", "issue_price": "0.010000"},
    {"lot": "L0", "member": "M3", "issuer": "TNK", "points": 400, "state": "active",
     "activity_at": "2024-06-01T10:00:00Z", "expires_on": "2026-06-30", "issue_price": "0.010000"}
  ],
  "blocks": [{"partner": "TNK", "points": 5000, "price": "0.010000", "fee": "0.001000"}],
  "balances_micro": {"cash:trust": 64000000, "cash:operating": 5000000,
    "deferred_revenue": -14000000, "prepaid_block:TNK": -50000000, "prepaid_fee:TNK": -5000000}
})";

class OpeningTest : public FoundedHouse {
protected:
    void SetUp() override
    {
        FoundedHouse::SetUp();
        for (const auto* id : {"GRO", "TNK", "CHA"}) {
            const auto contract = parse_contract(sample_terms, id, *registry_.terms()->calendar);
            ASSERT_TRUE(contract) << contract.error().reason;
            ASSERT_TRUE(registry_.add(*contract, act_));
        }
    }
    std::string reason_for(const std::string& json)
    {
        const auto opening = parse_opening(json, *registry_.terms());
        return opening ? "accepted" : opening.error().reason;
    }
    std::string reason_after(const std::string& from, const std::string& to)
    {
        return reason_for(edited(sample_opening, from, to));
    }
    Opening read(const std::string& json)
    {
        auto opening = parse_opening(json, *registry_.terms());
        EXPECT_TRUE(opening) << opening.error().reason;
        return std::move(*opening);
    }
};

TEST_F(OpeningTest, ReadsLotsBlocksAndBalances)
{
    const auto opening = read(sample_opening);

    EXPECT_EQ(ledger::format_day(opening.as_of), "2026-06-01");
    EXPECT_EQ(opening.members, (std::vector<std::string>{"M1", "M2", "M3"}));
    ASSERT_EQ(opening.lots.size(), 2U);
    EXPECT_EQ(opening.lots[0].member, "M1");
    EXPECT_EQ(opening.lots[0].points, ledger::Points{1000});
    EXPECT_EQ(ledger::format_day(opening.lots[0].expires_on), "2028-05-31");
    EXPECT_EQ(opening.lots[0].price, Micro{10'000});
    EXPECT_FALSE(opening.lots[0].available_from);
    ASSERT_EQ(opening.blocks.size(), 1U);
    EXPECT_EQ(opening.blocks[0].fee, Micro{1'000});
    EXPECT_EQ(opening.balances.size(), 5U);
}

TEST_F(OpeningTest, ReadsPendingLotsAndLotsThatNeverExpire)
{
    auto text = edited(
        sample_opening,
        R"("state": "active")",
        R"("state": "pending", "available_from": "2026-06-10")");
    text = edited(text, R"("expires_on": "2028-05-31")", R"("expires_on": null)");
    const auto opening = read(text);
    EXPECT_EQ(opening.lots[0].available_from, ledger::parse_day("2026-06-10"));
    EXPECT_EQ(opening.lots[0].expires_on, ledger::never);
}

TEST_F(OpeningTest, RefusesWhatItCannotRead)
{
    EXPECT_EQ(reason_for("{").substr(0, 19), "the file is no JSON");
    EXPECT_EQ(reason_for("[]"), "must be an object");
    EXPECT_EQ(reason_for("{}"), "as_of is missing");
    for (const std::string twice :
         {R"("as_of": "2026-05-01", "as_of")", R"("\u0061s_of": 1, "as_of")"})
        EXPECT_EQ(reason_after(R"("as_of")", twice), "as_of: the key stands there twice");
    EXPECT_EQ(
        reason_after(R"("cash:trust": 64000000)", R"("cash:trust": 1, "cash:trust": 64000000)"),
        "cash:trust: the key stands there twice");
    EXPECT_EQ(
        reason_after(R"("as_of": "2026-06-01",)", R"("as_of": "2026-06-31",)"),
        R"(as_of must be a day, as "2026-06-30")");
    EXPECT_EQ(reason_after(R"("blocks":)", R"("block":)"), "blocks is missing");
    EXPECT_EQ(reason_after(R"("as_of")", R"("note": 1, "as_of")"), "note is no key here");
    EXPECT_EQ(reason_after(R"({"member": "M2"})", R"("M2")"), "member 2: must be an object");
    EXPECT_EQ(
        reason_after(R"({"member": "M2"})", R"({"member": "M 2"})"),
        "member 2: member is no identifier");
    EXPECT_EQ(
        reason_after(R"({"member": "M2"})", R"({"member": "M1"})"), "member 2: stands there twice");
    EXPECT_EQ(reason_after(R"("lot": "L0")", R"("lot": "L1")"), "lot L1: stands there twice");
    EXPECT_EQ(
        reason_after(R"("member": "M1", )", R"("member": "M9", )"),
        "lot L1: its member is not listed");
    EXPECT_EQ(
        reason_after(R"("issuer": "GRO")", R"("issuer": "XXX")"),
        "lot L1: the house knows no partner XXX");
    EXPECT_EQ(reason_after(R"("issuer": "GRO")", R"("issuer": "CHA")"), "lot L1: CHA is no issuer");
    for (const auto* points : {"0", "-1", "1000000001"}) {
        EXPECT_EQ(
            reason_after(R"("points": 1000)", std::string{R"("points": )"} + points),
            "lot L1: points: from 1 to 1000000000");
    }
    EXPECT_EQ(
        reason_after(R"("points": 1000)", R"("points": 1.5)"),
        "lot L1: points must be a whole number");
    EXPECT_EQ(
        reason_after(R"("state": "active")", R"("state": "held")"),
        R"(lot L1: state must be "active" or "pending")");
    EXPECT_EQ(
        reason_after(R"("state": "active")", R"("state": "pending")"),
        "lot L1: available_from is missing");
    EXPECT_EQ(
        reason_after(R"("2026-05-01T10:00:00Z")", R"("2026-05-01")"),
        "lot L1: activity_at must be a time, RFC 3339");
    EXPECT_EQ(
        reason_after(R"("issue_price": "0.010000")", R"("issue_price": 0.01)"),
        "lot L1: issue_price must be text");
    EXPECT_EQ(
        reason_after(R"("issue_price": "0.010000")", R"("issue_price": "0.0100001")"),
        "lot L1: issue_price must be a decimal of at most six places in quotes, from 0 to "
        "1000.000000");
    EXPECT_EQ(
        reason_after(R"("partner": "TNK")", R"("partner": "BOE")"),
        "block 1: the house knows no partner BOE");
    EXPECT_EQ(
        reason_after(R"("cash:trust": 64000000)", R"("cash:trust": "64")"),
        "balances_micro: cash:trust must be a whole number of millionths");
}

TEST_F(OpeningTest, RefusesWhatDoesNotFitTogether)
{
    EXPECT_EQ(
        reason_after("2026-05-01T10:00:00Z", "2026-05-31T22:00:00Z"),
        "lot L1: earned after the opening");
    EXPECT_EQ(
        reason_after("2028-05-31", "2026-05-31"), "lot L1: it has expired before the opening");
    EXPECT_EQ(
        reason_after(
            R"("state": "active")", R"("state": "pending", "available_from": "2026-06-01")"),
        "lot L1: pending, but available at the opening");
    EXPECT_EQ(
        reason_after(R"("as_of": "2026-06-01")", R"("as_of": "2025-06-01")"),
        "lot L1: earned after the opening");
    EXPECT_EQ(
        reason_after(R"("partner": "TNK")", R"("partner": "GRO")"),
        "block of GRO: the partner is not prepaid");
    EXPECT_EQ(
        reason_after(R"("cash:trust": 64000000)", R"("cash:trust": 64000001)"),
        "balances_micro: debits and credits are not equal");
    EXPECT_EQ(
        reason_after(R"("cash:trust")", R"("cash:safe")"),
        "balances_micro: the house has no money account cash:safe");
    EXPECT_EQ(
        reason_after(R"("cash:trust")", R"("issued:GRO")"),
        "balances_micro: the house has no money account issued:GRO");
    EXPECT_EQ(
        reason_after(R"("cash:trust")", R"("unbilled:XXX")"),
        "balances_micro: the house has no money account unbilled:XXX");
    EXPECT_EQ(
        reason_after(R"("deferred_revenue": -14000000)", R"("deferred_revenue": -14000001)"),
        "balances_micro: deferred_revenue is -14.000001, but lots and blocks come to -14.000000");
    EXPECT_EQ(
        reason_after(R"("points": 5000)", R"("points": 4999)"),
        "balances_micro: prepaid_block:TNK is -50.000000, but lots and blocks come to -49.990000");
    EXPECT_EQ(
        reason_after(R"(, "prepaid_fee:TNK": -5000000)", ""),
        "balances_micro: prepaid_fee:TNK is missing");
    EXPECT_EQ(
        reason_after(R"("prepaid_fee:TNK")", R"("prepaid_fee:GRO")"),
        "balances_micro: prepaid_fee:GRO is -5.000000, but lots and blocks come to 0.000000");
}

TEST_F(OpeningTest, IsImportedOnceAndAfterApproval)
{
    const auto opening = read(sample_opening);
    const auto proposed = registry_.propose_opening(opening, "00ff", act_);
    ASSERT_TRUE(proposed) << proposed.error().reason;
    EXPECT_EQ(
        registry_.proposals().at(0).summary,
        "opening of 2026-06-01: 3 members, 2 lots, 1400 points, 1 blocks");
    EXPECT_FALSE(registry_.opening());
    EXPECT_EQ(registry_.propose_opening(opening, "00ff", act_), *proposed);
    EXPECT_EQ(registry_.proposals().size(), 1U);
    EXPECT_EQ(
        registry_.propose_opening(opening, "00fe", act_).error().reason,
        "another opening waits for approval already");

    ASSERT_TRUE(registry_.approve(*proposed, true, act_));

    ASSERT_TRUE(registry_.opening());
    EXPECT_EQ(registry_.opening()->digest, "00ff");
    EXPECT_EQ(registry_.opening()->entry, record_.head());
    const auto terms = registry_.terms();
    ASSERT_EQ(terms->partner(ledger::PartnerId{2}).blocks.size(), 1U);
    const auto& block = terms->tariffs[terms->partner(ledger::PartnerId{2}).blocks[0]];
    EXPECT_EQ(block.block, ledger::Points{5'000});
    EXPECT_EQ(
        registry_.opening()->tariffs.at({ledger::PartnerId{1}, Micro{10'000}}),
        terms->find_tariff(ledger::PartnerId{1}, act_.at)->version);
    std::int64_t sum = 0;
    for (const auto& line : registry_.money_of(record_.head())) sum += line.amount;
    EXPECT_EQ(sum, 0);
    EXPECT_EQ(registry_.money_of(record_.head()).size(), 5U);
    EXPECT_EQ(
        registry_.propose_opening(opening, "00ff", act_).error().reason,
        "this house has its opening already");
    EXPECT_EQ(text_of(Registry{record_}), text_of(registry_));
}

TEST_F(OpeningTest, LotsAtAnotherPriceGetATariffOfTheirOwn)
{
    auto text = edited(sample_opening, R"("issue_price": "0.010000")", R"("issue_price": "0.008")");
    text = edited(text, R"("deferred_revenue": -14000000)", R"("deferred_revenue": -12000000)");
    text = edited(text, R"("cash:trust": 64000000)", R"("cash:trust": 62000000)");
    const auto proposed = registry_.propose_opening(read(text), "00ff", act_);
    ASSERT_TRUE(registry_.approve(*proposed, true, act_));

    const auto version = registry_.opening()->tariffs.at({ledger::PartnerId{1}, Micro{8'000}});
    const auto terms = registry_.terms();
    EXPECT_EQ(terms->tariff(version).issue_price, Micro{8'000});
    EXPECT_EQ(terms->tariff(version).service_fee, Micro{1'000});
    EXPECT_NE(terms->find_tariff(ledger::PartnerId{1}, act_.at)->version, version);
    EXPECT_EQ(text_of(Registry{record_}), text_of(registry_));
}

TEST_F(OpeningTest, WhatPartnersOwedCountsAgainstTheirLimit)
{
    auto text = edited(
        sample_opening,
        R"("cash:trust": 64000000)",
        R"("cash:trust": 60000000, "unbilled:GRO": 1000000, "ar:GRO": 3000000)");
    const auto before = registry_.terms();
    const auto proposed = registry_.propose_opening(read(text), "00ff", act_);
    ASSERT_TRUE(registry_.approve(*proposed, true, act_));
    const auto& partner = registry_.terms()->partner(ledger::PartnerId{1});
    EXPECT_EQ(partner.moved.unbilled_price, Micro{1'000'000});
    EXPECT_EQ(partner.moved.receivable, Micro{3'000'000});
    EXPECT_EQ(text_of(*registry_.terms_at(before->as_of)), text_of(*before));
}

} // namespace
} // namespace pointhouse::partners
