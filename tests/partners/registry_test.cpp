#include "partners/registry.hpp"

#include <string>

#include <gtest/gtest.h>

#include "house_folder.hpp"
#include "sample_terms.hpp"

namespace pointhouse::partners {
namespace {

using RegistryBeforeTheFounding = EmptyHouse;
using RegistryTest = FoundedHouse;

ledger::Time day(std::string_view text)
{
    return ledger::Time{std::chrono::days{ledger::parse_day(text).value()}};
}

ledger::Tariff tariff_from_day(std::string_view from)
{
    auto tariff = standard_contract("x").tariffs[0];
    tariff.valid_from = day(from);
    return tariff;
}

template <class T>
std::string reason_of(const Registry::Accepted<T>& accepted)
{
    return accepted ? "accepted" : accepted.error().reason;
}

TEST_F(RegistryBeforeTheFounding, HasNoTermsAndTakesNoPartners)
{
    EXPECT_EQ(registry_.terms(), nullptr);
    EXPECT_EQ(registry_.terms_at(ledger::HouseSequence{1}), nullptr);
    EXPECT_EQ(
        reason_of(registry_.add(standard_contract("GRO"), act_)), "the house is not founded yet");
    EXPECT_EQ(reason_of(registry_.change_currency("GBP", act_)), "the house is not founded yet");
    EXPECT_TRUE(record_.entries().empty());
}

TEST_F(RegistryBeforeTheFounding, RefusesAHouseThatCannotBe)
{
    const auto reason = [this](const Registry::Founding& founding) {
        return reason_of(registry_.found(founding, act_));
    };
    EXPECT_EQ(reason({.currency = "XYZ"}), "the house does not book in currency \"XYZ\"");
    EXPECT_EQ(reason({.currency = "eur"}), "the house does not book in currency \"eur\"");
    EXPECT_EQ(reason({.time_zone = "Mars/Olympus"}), "there is no time zone \"Mars/Olympus\"");
    for (const auto* face_value : {"0", "-0.01", "1e-2", "", "1000.000001"}) {
        EXPECT_EQ(
            reason({.face_value = face_value}), "the face value is above 0, up to 1000.000000")
            << face_value;
    }
    EXPECT_EQ(reason({.late_window_days = -1}), "the late window has 0 to 3660 days");
    EXPECT_EQ(reason({.late_window_days = 3661}), "the late window has 0 to 3660 days");
    EXPECT_TRUE(record_.entries().empty());
}

TEST_F(RegistryTest, IsFoundedOnce)
{
    EXPECT_EQ(reason_of(registry_.found({}, act_)), "the house is founded already");
    EXPECT_EQ(registry_.founding().time_zone, "Europe/Amsterdam");
    EXPECT_EQ(registry_.terms()->face_value, ledger::Micro{10'000});
    EXPECT_EQ(record_.entries().size(), 1U);
}

TEST_F(RegistryTest, WritesWhoActedAndWhen)
{
    const auto& entry = record_.entries().at(0);
    EXPECT_EQ(entry.kind, "house_founded");
    EXPECT_EQ(entry.actor, "anna");
    EXPECT_EQ(entry.at, act_.at);
}

TEST_F(RegistryTest, NumbersPartnersAndTariffsOverTheWholeHouse)
{
    auto two_tariffs = standard_contract("GRO");
    two_tariffs.tariffs.push_back(tariff_from_day("2026-07-01"));
    two_tariffs.tariffs[0].version = ledger::TariffVersion{99};
    two_tariffs.terms.partner = ledger::PartnerId{99};

    EXPECT_EQ(registry_.add(two_tariffs, act_), ledger::PartnerId{1});
    EXPECT_EQ(registry_.add(standard_contract("BOE"), act_), ledger::PartnerId{2});
    EXPECT_EQ(
        registry_.set_tariff(ledger::PartnerId{1}, tariff_from_day("2026-08-01"), act_),
        ledger::TariffVersion{4});

    const auto terms = registry_.terms();
    ASSERT_EQ(terms->tariffs.size(), 4U);
    for (const std::uint32_t version : {1U, 2U, 3U, 4U}) {
        EXPECT_EQ(terms->tariffs[version - 1].version, ledger::TariffVersion{version});
    }
    EXPECT_EQ(terms->tariffs[2].partner, ledger::PartnerId{2});
    EXPECT_EQ(terms->find_partner("BOE")->partner, ledger::PartnerId{2});
    const auto* in_force = terms->find_tariff(ledger::PartnerId{1}, day("2026-07-15"));
    ASSERT_NE(in_force, nullptr);
    EXPECT_EQ(in_force->version, ledger::TariffVersion{2});
    EXPECT_EQ(registry_.find_contract("GRO")->tariffs.size(), 3U);
    EXPECT_EQ(registry_.find_contract("gro"), nullptr);
}

TEST_F(RegistryTest, RefusesAnIdThatIsTaken)
{
    ASSERT_TRUE(registry_.add(standard_contract("GRO"), act_));
    EXPECT_EQ(
        reason_of(registry_.add(standard_contract("GRO"), act_)), "id: GRO is registered already");
    EXPECT_EQ(registry_.contracts().size(), 1U);
}

TEST_F(RegistryTest, RefusesATariffThatIsDatedBack)
{
    auto contract = standard_contract("GRO");
    contract.tariffs[0].valid_from = day("2026-03-01");
    ASSERT_TRUE(registry_.add(contract, act_));
    const ledger::PartnerId partner{1};
    const auto reason = [&](std::string_view from) {
        return reason_of(registry_.set_tariff(partner, tariff_from_day(from), act_));
    };
    const auto* taken =
        "from: GRO has a tariff from 2026-03-01T00:00:00Z on; a further one begins later";
    EXPECT_EQ(reason("2026-02-28"), taken);
    EXPECT_EQ(reason("2026-03-01"), taken);

    registry_.window_closed({2026, 4}, ledger::Sequence{10}, act_);
    EXPECT_EQ(reason("2026-03-15"), "from: the window 2026-03 is closed");
    EXPECT_EQ(reason("2026-04-30"), "from: the window 2026-04 is closed");
    EXPECT_EQ(registry_.terms()->tariffs.size(), 1U);
    EXPECT_EQ(reason("2026-05-01"), "accepted");
}

TEST_F(RegistryTest, RefusesATariffOfNobodyOrThatCannotBe)
{
    ASSERT_TRUE(registry_.add(standard_contract("GRO"), act_));
    for (const std::uint32_t partner : {0U, 2U, 4'000'000'000U}) {
        EXPECT_EQ(
            reason_of(registry_.set_tariff(
                ledger::PartnerId{partner}, tariff_from_day("2026-07-01"), act_)),
            "there is no such partner");
    }
    auto tariff = tariff_from_day("2026-07-01");
    tariff.prefund_share = {.numerator = 1, .denominator = 3};
    EXPECT_EQ(
        reason_of(registry_.set_tariff(ledger::PartnerId{1}, tariff, act_)),
        "prefund_share: 1/3 of 0.010000 is no whole number of millionths");
}

TEST_F(RegistryTest, ChangesTheCurrencyOfAnEmptySandboxAlone)
{
    ASSERT_TRUE(registry_.change_currency("GBP", act_));
    EXPECT_EQ(registry_.terms()->currency.code, "GBP");
    EXPECT_EQ(registry_.founding().currency, "GBP");
    EXPECT_EQ(
        reason_of(registry_.change_currency("XYZ", act_)),
        "the house does not book in currency \"XYZ\"");

    ASSERT_TRUE(registry_.add(standard_contract("GRO"), act_));
    EXPECT_EQ(
        reason_of(registry_.change_currency("EUR", act_)),
        "a house with partners keeps its currency");
    EXPECT_EQ(registry_.terms()->currency.code, "GBP");
}

TEST_F(RegistryBeforeTheFounding, KeepsTheCurrencyOfAProductionHouse)
{
    ASSERT_TRUE(registry_.found({.production = true}, act_));
    EXPECT_EQ(
        reason_of(registry_.change_currency("GBP", act_)), "a production house keeps its currency");
}

TEST_F(RegistryTest, RevokesACertificateOnce)
{
    registry_.certificate_issued(
        {.serial = "00ab", .subject = "partner:GRO", .not_after = day("2026-08-30")}, act_);
    registry_.certificate_issued(
        {.serial = "00cd", .subject = "partner:GRO", .not_after = day("2026-09-30")}, act_);

    ASSERT_TRUE(registry_.revoke_certificate("00ab", act_));

    EXPECT_TRUE(registry_.certificates().at("00ab").revoked);
    EXPECT_FALSE(registry_.certificates().at("00cd").revoked);
    EXPECT_EQ(registry_.certificates().at("00cd").not_after, day("2026-09-30"));
    EXPECT_EQ(
        reason_of(registry_.revoke_certificate("00ab", act_)),
        "certificate 00ab is revoked already");
    EXPECT_EQ(
        reason_of(registry_.revoke_certificate("00ef", act_)),
        "the house issued no certificate 00ef");
    EXPECT_EQ(record_.entries().size(), 4U);
}

TEST_F(RegistryTest, FindsTheVatRowInForce)
{
    auto contract = standard_contract("GRO");
    auto raised = contract.vat[0];
    raised.valid_from = day("2026-07-01");
    raised.flows = {"fee"};
    raised.rate_basis_points = 2500;
    contract.vat.insert(contract.vat.begin(), raised);
    contract.vat[1].flows = {"price", "fee"};
    ASSERT_TRUE(registry_.add(contract, act_));

    const auto rate = [this](std::string_view flow, std::string_view at) {
        const auto* row = registry_.find_vat(ledger::PartnerId{1}, flow, day(at));
        return row ? row->rate_basis_points : -1;
    };
    EXPECT_EQ(rate("fee", "2026-06-30"), 2100);
    EXPECT_EQ(rate("fee", "2026-07-01"), 2500);
    EXPECT_EQ(rate("price", "2026-07-01"), 2100);
    EXPECT_EQ(rate("donation", "2026-07-01"), -1);
    EXPECT_EQ(registry_.find_vat(ledger::PartnerId{}, "fee", day("2026-07-01")), nullptr);
    EXPECT_EQ(registry_.find_vat(ledger::PartnerId{2}, "fee", day("2026-07-01")), nullptr);
}

TEST_F(RegistryTest, ChangesVatFromADayOn)
{
    auto contract = standard_contract("GRO");
    contract.vat = {
        {.partner = {},
         .valid_from = day("2026-01-01"),
         .flows = {"price", "fee"},
         .treatment = "taxed",
         .category = "S",
         .rate_basis_points = 2100}};
    ASSERT_TRUE(registry_.add(contract, act_));
    const ledger::PartnerId partner{1};
    const auto row = [&](std::string_view from, std::string flow, std::int32_t rate) {
        VatTerms terms = contract.vat[0];
        terms.valid_from = day(from);
        terms.flows = {std::move(flow)};
        terms.rate_basis_points = rate;
        return terms;
    };
    const auto before = registry_.terms();
    const std::vector later{row("2026-07-01", "fee", 1900), row("2026-08-01", "fee", 2000)};
    ASSERT_TRUE(registry_.set_vat(partner, later, act_));

    const auto rate = [&](std::string_view flow, std::string_view at) {
        return registry_.find_vat(partner, flow, day(at))->rate_basis_points;
    };
    EXPECT_EQ(rate("fee", "2026-06-30"), 2100);
    EXPECT_EQ(rate("fee", "2026-07-01"), 1900);
    EXPECT_EQ(rate("fee", "2026-08-01"), 2000);
    EXPECT_EQ(rate("price", "2026-08-01"), 2100);
    // The ledger counts price and fee with their VAT towards a limit.
    EXPECT_EQ(before->partner(partner).vat.size(), 1U);
    const auto& vat = registry_.terms()->partner(partner).vat;
    ASSERT_EQ(vat.size(), 3U);
    EXPECT_EQ(vat[1].price, 2100);
    EXPECT_EQ(vat[1].fee, 1900);
    const Registry again{record_};
    EXPECT_EQ(text_of(again), text_of(registry_));
    EXPECT_EQ(again.terms()->partner(partner).vat.size(), 3U);

    const auto reason = [&](const VatTerms& terms) {
        return reason_of(registry_.set_vat(partner, std::vector{terms}, act_));
    };
    EXPECT_EQ(
        reason(row("2026-07-15", "fee", 1900)),
        "from: GRO has VAT on fee from 2026-08-01 on; what follows begins later");
    EXPECT_EQ(
        reason(row("2026-09-01", "fee", 0)), "vat: rate_bp: from 1 to 10000 when taxed, else 0");
    EXPECT_EQ(reason_of(registry_.set_vat(partner, {}, act_)), "vat: one row or more");
    EXPECT_EQ(
        reason_of(registry_.set_vat(ledger::PartnerId{2}, later, act_)),
        "there is no such partner");
    const std::vector twice{row("2026-09-01", "fee", 1900), row("2026-09-01", "fee", 2000)};
    EXPECT_EQ(
        reason_of(registry_.set_vat(partner, twice, act_)),
        "from: GRO has VAT on fee from 2026-09-01 on; what follows begins later");
    auto doubled = row("2026-09-01", "fee", 1900);
    doubled.flows.emplace_back("fee");
    EXPECT_EQ(reason(doubled), "vat: flows: fee stands there twice");
    registry_.window_closed({2026, 9}, ledger::Sequence{10}, act_);
    EXPECT_EQ(reason(row("2026-09-30", "price", 1900)), "from: the window 2026-09 is closed");
    EXPECT_EQ(reason(row("2026-10-01", "price", 1900)), "accepted");
}

TEST_F(RegistryTest, KnowsPricesThatHoldTheirVat)
{
    auto contract = standard_contract("GRO");
    auto& row = contract.vat[0];
    row.is_gross = true;
    ASSERT_TRUE(registry_.add(contract, act_));
    row.valid_from = day("2026-07-01");
    row.is_gross = false;
    ASSERT_TRUE(registry_.set_vat(ledger::PartnerId{1}, std::vector{row}, act_));
    // As records of before it was known have it.
    EXPECT_EQ(record_.entries().back().content.find("gross"), std::string::npos);
    EXPECT_EQ(record_.entries().back().content.find("tax_point"), std::string::npos);
    row.valid_from = day("2026-08-01");
    row.flows = {"fee"};
    row.tax_point = "payment";
    ASSERT_TRUE(registry_.set_vat(ledger::PartnerId{1}, std::vector{row}, act_));

    const Registry again{record_};
    EXPECT_EQ(text_of(again), text_of(registry_));
    EXPECT_TRUE(again.find_vat(ledger::PartnerId{1}, "fee", day("2026-06-30"))->is_gross);
    EXPECT_FALSE(again.find_vat(ledger::PartnerId{1}, "fee", day("2026-07-01"))->is_gross);
    // A limit counts what is owed, and no VAT is owed on top of these prices.
    const auto& partner = again.terms()->partner(ledger::PartnerId{1});
    EXPECT_EQ(partner.vat_at(day("2026-06-30")).price, 0);
    EXPECT_EQ(partner.vat_at(day("2026-07-01")).price, 2100);
    EXPECT_EQ(
        again.find_vat(ledger::PartnerId{1}, "fee", day("2026-07-01"))->tax_point, "period_end");
    EXPECT_EQ(again.find_vat(ledger::PartnerId{1}, "fee", day("2026-08-01"))->tax_point, "payment");
}

TEST_F(RegistryTest, TakesEveryPartnerOfATermsFile)
{
    const auto calendar = registry_.terms()->calendar;
    for (const auto* id : {"GRO", "TNK", "CHA"}) {
        const auto contract = parse_contract(sample_terms, id, *calendar);
        ASSERT_TRUE(contract) << contract.error().reason;
        const auto added = registry_.add(*contract, act_);
        ASSERT_TRUE(added) << added.error().reason;
    }
    const Registry again{record_};
    EXPECT_EQ(text_of(again), text_of(registry_));
    EXPECT_EQ(again.find_contract("TNK")->promotions.size(), 1U);
    EXPECT_EQ(again.find_contract("GRO")->terms.credit_limit, ledger::Micro{1'000'000'000});
}

TEST_F(RegistryTest, PassesOverEntriesOfOthers)
{
    record_.append(act_.at, "document_sent", "anna", R"({"number":7})");
    ASSERT_TRUE(registry_.add(standard_contract("GRO"), act_));

    const Registry again{record_};

    EXPECT_EQ(text_of(again), text_of(registry_));
    EXPECT_EQ(again.terms()->as_of, ledger::HouseSequence{3});
}

TEST_F(RegistryTest, NamesAnEntryThatItCannotRead)
{
    const std::string good =
        R"({"partner":1,"id":"GRO","tariff":{}})"; // of a partner that does not exist
    for (const auto& [kind, content] : std::vector<std::pair<std::string, std::string>>{
             {"tariff_set", good},
             {"vat_set", R"({"partner":1,"id":"GRO","vat":[]})"},
             {"partner_added", "{}"},
             {"partner_added", "[]"},
             {"partner_added", "{"},
             {"certificate_issued", R"({"serial":7})"},
             {"certificate_revoked", R"({"serial":"00ab"})"},
             {"window_closed", R"({"window":"2026-13","cut":1})"},
             {"currency_changed", R"({"currency":"XYZ"})"}}) {
        HouseFolder folder;
        ledger::HouseRecord record{folder.store()};
        record.append(act_.at, "house_founded", "anna", record_.entries().at(0).content);
        record.append(act_.at, kind, "anna", content);
        try {
            const Registry registry{record};
            ADD_FAILURE() << kind << ' ' << content;
        } catch (const std::runtime_error& failure) {
            const std::string reason = failure.what();
            EXPECT_TRUE(
                reason.starts_with("entry 2 of the house's record (" + kind + ") cannot be read: "))
                << reason;
        }
    }
}

} // namespace
} // namespace pointhouse::partners
