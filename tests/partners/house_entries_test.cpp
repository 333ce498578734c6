#include "house_entries.hpp"

#include <gtest/gtest.h>

#include "house_folder.hpp"
#include "sample_terms.hpp"

namespace pointhouse::partners {
namespace {

// What is in the record of a living house is read for ever: these texts may only grow.
class HouseEntries : public FoundedHouse {
protected:
    [[nodiscard]] std::string newest() const { return record_.entries().back().content; }
};

TEST_F(HouseEntries, AreWrittenWithTheirKeysInOneOrder)
{
    EXPECT_EQ(
        newest(),
        R"({"currency":"EUR","time_zone":"Europe/Amsterdam","face_value":"0.01",)"
        R"("late_window_days":60,"production":false})");

    ASSERT_TRUE(registry_.change_currency("GBP", act_));
    EXPECT_EQ(newest(), R"({"currency":"GBP"})");

    registry_.certificate_issued(
        {.serial = "00ab", .subject = "partner:GRO", .not_after = act_.at}, act_);
    EXPECT_EQ(
        newest(),
        R"({"serial":"00ab","subject":"partner:GRO","not_after":"2026-06-01T00:00:00Z"})");

    ASSERT_TRUE(registry_.revoke_certificate("00ab", act_));
    EXPECT_EQ(newest(), R"({"serial":"00ab"})");

    registry_.window_closed({2026, 5}, ledger::Sequence{1'234'567'890'123}, act_);
    EXPECT_EQ(newest(), R"({"window":"2026-05","cut":1234567890123})");
}

TEST_F(HouseEntries, HoldAWholeContract)
{
    const auto contract = parse_contract(sample_terms, "TNK", *registry_.terms()->calendar);
    ASSERT_TRUE(contract) << contract.error().reason;
    ASSERT_TRUE(registry_.add(*contract, act_));

    EXPECT_EQ(record_.entries().back().kind, "partner_added");
    EXPECT_EQ(
        newest(),
        R"({"partner":1,"id":"TNK","name":"Fuel","roles":["issuer"],"debt_bearer":"operator",)"
        R"("excess_clawbacks":false,"billing":"prepaid","credit_limit":null,"on_short":"next_block",)"
        R"("tariffs":[{"version":1,"from":"1970-01-01T00:00:00Z","issue_price":"0.010000",)"
        R"("service_fee":"0.001000","reimbursement":"0.000000","prefund_share":[1,1],)"
        R"("pending_days":0,"expiry":{"months":6,"at":"day"},"breakage":{"operator":1,"issuer":0}}],)"
        R"("vat":[],"promotions":[{"id":"double-fuel-june","funders":{"TNK":4,"GRO":1},)"
        R"("from":"2026-06-01","to":"2026-06-30","cap_points":100000}]})");
}

TEST_F(HouseEntries, HoldAFurtherTariff)
{
    ASSERT_TRUE(registry_.add(standard_contract("GRO"), act_));
    auto tariff = standard_contract("GRO").tariffs[0];
    tariff.valid_from = act_.at;
    ASSERT_TRUE(registry_.set_tariff(ledger::PartnerId{1}, tariff, act_));

    EXPECT_EQ(record_.entries().back().kind, "tariff_set");
    EXPECT_EQ(
        newest(),
        R"({"partner":1,"id":"GRO","tariff":{"version":2,"from":"2026-06-01T00:00:00Z",)"
        R"("issue_price":"0.010000","service_fee":"0.001000","reimbursement":"0.009500",)"
        R"("prefund_share":[1,1],"pending_days":0,"expiry":null,)"
        R"("breakage":{"operator":1,"issuer":0}}})");
}

} // namespace
} // namespace pointhouse::partners
