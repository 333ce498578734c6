#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "partners/registry.hpp"
#include "sample_terms.hpp"

namespace pointhouse::partners {
namespace {

using ledger::Micro;
using ledger::Share;

const ledger::Calendar& amsterdam()
{
    static const ledger::Calendar calendar{"Europe/Amsterdam"};
    return calendar;
}

PartnerContract contract_of(std::string_view id)
{
    auto contract = parse_contract(sample_terms, id, amsterdam());
    EXPECT_TRUE(contract) << contract.error().reason;
    return contract.value_or(PartnerContract{});
}

std::string reason_for(const std::string& toml, std::string_view id = "GRO")
{
    const auto contract = parse_contract(toml, id, amsterdam());
    return contract ? "accepted" : contract.error().reason;
}

TEST(ParseContract, ReadsAnIssuerAndRedeemer)
{
    const auto contract = contract_of("GRO");

    EXPECT_EQ(contract.terms.name, "GRO");
    EXPECT_EQ(contract.display_name, "Grocer");
    EXPECT_TRUE(contract.terms.roles.issuer);
    EXPECT_TRUE(contract.terms.roles.redeemer);
    EXPECT_FALSE(contract.terms.roles.charity);
    EXPECT_EQ(contract.terms.debt_shares, ledger::DebtShares{});
    EXPECT_TRUE(contract.terms.excess_clawbacks_allowed);
    EXPECT_EQ(contract.terms.billing, ledger::Billing::postpaid);
    EXPECT_EQ(contract.terms.credit_limit, Micro{1'000'000'000});

    ASSERT_EQ(contract.tariffs.size(), 2U);
    const auto& first = contract.tariffs[0];
    // Midnight in Amsterdam, in winter.
    EXPECT_EQ(ledger::format_time(first.valid_from), "2025-12-31T23:00:00Z");
    EXPECT_EQ(first.issue_price, Micro{10'000});
    EXPECT_EQ(first.service_fee, Micro{1'000});
    EXPECT_EQ(first.reimbursement, Micro{9'500});
    EXPECT_EQ(first.prefund_share, (Share{.numerator = 1, .denominator = 1}));
    EXPECT_EQ(first.pending_days, 14);
    EXPECT_EQ(first.expiry, (ledger::ExpiryPolicy{.months = 24, .at_month_end = true}));
    EXPECT_EQ(first.breakage_operator, 1);
    EXPECT_EQ(first.breakage_issuer, 1);

    const auto& second = contract.tariffs[1];
    EXPECT_EQ(ledger::format_time(second.valid_from), "2026-06-30T22:00:00Z");
    EXPECT_EQ(second.issue_price, Micro{12'000});
    EXPECT_EQ(second.service_fee, Micro{0});
    EXPECT_EQ(second.prefund_share, (Share{.numerator = 1, .denominator = 2}));
    EXPECT_EQ(second.pending_days, 0);
    EXPECT_FALSE(second.expiry);
    EXPECT_EQ(second.breakage_operator, 1);
    EXPECT_EQ(second.breakage_issuer, 0);

    ASSERT_EQ(contract.vat.size(), 1U);
    EXPECT_EQ(
        contract.vat[0].flows,
        (std::vector<std::string>{"price", "fee", "reimbursement", "breakage_shared"}));
    EXPECT_EQ(contract.vat[0].treatment, "taxed");
    EXPECT_EQ(contract.vat[0].category, "S");
    EXPECT_EQ(contract.vat[0].rate_basis_points, 2100);
}

TEST(ParseContract, ReadsAnIssuerWithPrepaidBlocks)
{
    const auto contract = contract_of("TNK");

    EXPECT_EQ(contract.terms.billing, ledger::Billing::prepaid);
    EXPECT_EQ(contract.terms.on_short, ledger::OnShort::next_block);
    EXPECT_FALSE(contract.terms.credit_limit);
    EXPECT_EQ(
        contract.terms.debt_shares, (ledger::DebtShares{.issuer = 0, .redeemer = 0, .house = 1}));
    EXPECT_FALSE(contract.terms.excess_clawbacks_allowed);
    ASSERT_EQ(contract.tariffs.size(), 1U);
    // Midnight of that day in Amsterdam was in 1969, before the house's time begins.
    EXPECT_EQ(contract.tariffs[0].valid_from, ledger::Time{});
    EXPECT_EQ(contract.tariffs[0].prefund_share, Share{});
    EXPECT_EQ(
        contract.tariffs[0].expiry, (ledger::ExpiryPolicy{.months = 6, .at_month_end = false}));
    EXPECT_TRUE(contract.vat.empty());
}

TEST(ParseContract, ReadsACharityWithoutATariff)
{
    const auto contract = contract_of("CHA");

    EXPECT_EQ(contract.display_name, "CHA");
    EXPECT_TRUE(contract.terms.roles.charity);
    EXPECT_TRUE(contract.tariffs.empty());
    ASSERT_EQ(contract.vat.size(), 1U);
    EXPECT_EQ(contract.vat[0].category, "O");
    EXPECT_EQ(contract.vat[0].rate_basis_points, 0);
}

TEST(ParseContract, KeepsTheHouseTableAndTheFundersPromotions)
{
    const auto contract = contract_of("TNK");

    EXPECT_EQ(contract.house.currency, "EUR");
    EXPECT_EQ(contract.house.time_zone, "Europe/Amsterdam");
    EXPECT_EQ(contract.house.face_value, Micro{10'000});
    EXPECT_EQ(contract.house.late_window_days, 60);
    ASSERT_EQ(contract.promotions.size(), 1U);
    const auto& promotion = contract.promotions[0];
    EXPECT_EQ(promotion.id, "double-fuel-june");
    const decltype(promotion.funders) as_written{{"TNK", 4}, {"GRO", 1}};
    EXPECT_EQ(promotion.funders, as_written);
    EXPECT_EQ(ledger::format_day(promotion.from), "2026-06-01");
    EXPECT_EQ(ledger::format_day(promotion.to), "2026-06-30");
    EXPECT_EQ(promotion.cap_points, 100'000);
    EXPECT_TRUE(contract_of("CHA").promotions.empty());
}

TEST(ParseContract, ReadsSharesInEveryForm)
{
    const auto share_of = [](const std::string& text) {
        const auto toml =
            edited(sample_terms, "prefund_share = \"1/2\"", "prefund_share = \"" + text + '"');
        const auto contract = parse_contract(toml, "GRO", amsterdam());
        return contract ? std::optional{contract->tariffs[1].prefund_share} : std::nullopt;
    };
    EXPECT_EQ(share_of("0"), (Share{.numerator = 0, .denominator = 1}));
    EXPECT_EQ(share_of("1"), (Share{.numerator = 1, .denominator = 1}));
    EXPECT_EQ(share_of("1.000000"), (Share{.numerator = 1, .denominator = 1}));
    EXPECT_EQ(share_of("0.25"), (Share{.numerator = 1, .denominator = 4}));
    EXPECT_EQ(share_of("3/12"), (Share{.numerator = 1, .denominator = 4}));
    EXPECT_EQ(share_of("2/3"), (Share{.numerator = 2, .denominator = 3}));
    for (const auto* text :
         {"",
          "2",
          "1.1",
          "-0.5",
          "-1/2",
          "1/-2",
          "1/0",
          "0/0",
          "3/2",
          "1/2/3",
          "1 / 2",
          "/2",
          "1/",
          "half",
          "0.0000001",
          "99999999999/99999999999"}) {
        EXPECT_FALSE(share_of(text)) << text;
    }
}

TEST(ParseContract, ReadsWhoBearsDebtAndKeepsBreakageByNameOrByShares)
{
    const auto with = [](const std::string& from, const std::string& to) {
        return parse_contract(edited(sample_terms, from, to), "GRO", amsterdam()).value();
    };
    const std::string bearer = "debt_bearer = \"issuer\"";
    EXPECT_EQ(
        with(bearer, "debt_bearer = { operator = 2, issuer = 3 }").terms.debt_shares,
        (ledger::DebtShares{.issuer = 3, .redeemer = 0, .house = 2}));
    EXPECT_EQ(
        with(bearer, "debt_bearer = \"redeemer\"").terms.debt_shares,
        (ledger::DebtShares{.issuer = 0, .redeemer = 1, .house = 0}));
    const auto kept =
        with("breakage = { operator = 1, issuer = 1 }", "breakage = \"issuer\"").tariffs[0];
    EXPECT_EQ(kept.breakage_operator, 0);
    EXPECT_EQ(kept.breakage_issuer, 1);
}

struct Edit {
    std::string from;
    std::string to;
    std::string reason; // what the refusal says, line and key included
};

void expect_refusals(const std::vector<Edit>& edits, std::string_view id = "GRO")
{
    for (const auto& [from, to, reason] : edits) {
        EXPECT_EQ(reason_for(edited(sample_terms, from, to), id), reason) << from << " → " << to;
    }
}

TEST(ParseContract, NamesLineAndKeyOfAKeyThatItDoesNotKnow)
{
    expect_refusals({
        {"[house]", "[hose]", "line 1: hose: is no key of this table"},
        {"late_window_days", "late_days", "line 5: late_days: is no key of this table"},
        {"billing", "biling", "line 12: biling: is no key of this table"},
        {"pending_days", "pending", "line 21: pending: is no key of this table"},
        {"months = 24,", "months = 24, day = 1,", "line 22: day: is no key of this table"},
        {"issuer = 1 }", "issuer = 1, charity = 1 }", "line 23: charity: is no key of this table"},
        {"rate_bp", "rate", "line 35: rate: is no key of this table"},
        {"cap_points", "cap", "line 65: cap: is no key of this table"},
    });
}

TEST(ParseContract, NamesLineAndKeyOfAMissingKey)
{
    expect_refusals({
        {"id = \"TNK\"\n", "", "line 37: id: is missing"},
        {"roles = [\"issuer\", \"redeemer\"]\n", "", "line 8: roles: is missing"},
        {"  from = \"2026-01-01\"\n", "", "line 15: from: is missing"},
        {"  issue_price = \"0.010000\"\n", "", "line 15: issue_price: is missing"},
        {"  service_fee = \"0.001000\"\n", "", "line 15: service_fee: is missing"},
        {"  reimbursement = \"0.009500\"\n", "", "line 15: reimbursement: is missing"},
        {"  prefund_share = \"1\"\n", "", "line 15: prefund_share: is missing"},
        {"months = 24, ", "", "line 22: months: is missing"},
        {", at = \"month_end\"", "", "line 22: at: is missing"},
        {"operator = 1, ", "", "line 23: operator: is missing"},
        {", issuer = 1 }", "}", "line 23: issuer: is missing"},
        {"  treatment = \"taxed\"\n", "", "line 30: treatment: is missing"},
        {"funders = { TNK = 4, GRO = 1 }\n", "", "line 60: funders: is missing"},
    });
}

TEST(ParseContract, NamesLineAndKeyOfAValueOfTheWrongType)
{
    const std::string decimal = "must be a decimal of at most six places in quotes, as \"0.0095\"";
    const std::string day = "must be a day in quotes, as \"2026-06-30\"";
    expect_refusals({
        {"\"0.010000\"", "0.01", "line 17: issue_price: " + decimal},
        {"\"0.010000\"", "\"0.0100001\"", "line 17: issue_price: " + decimal},
        {"\"0.010000\"", "\"1e-2\"", "line 17: issue_price: " + decimal},
        {"\"0.010000\"", "\"0,01\"", "line 17: issue_price: " + decimal},
        {"\"0.010000\"", "\"\"", "line 17: issue_price: " + decimal},
        {"\"1000.00\"", "1000", "line 13: credit_limit: " + decimal},
        {"\"2026-01-01\"", "2026-01-01", "line 16: from: " + day},
        {"\"2026-01-01\"", "\"2026-02-30\"", "line 16: from: " + day},
        {"\"2026-01-01\"", "\"1 January\"", "line 16: from: " + day},
        {"name = \"Grocer\"", "name = 7", "line 10: name: must be text in quotes"},
        {"[\"issuer\", \"redeemer\"]", "\"issuer\"", "line 11: roles: must be a list of texts"},
        {"[\"issuer\", \"redeemer\"]", "[1]", "line 11: roles: must be a list of texts"},
        {"pending_days = 14",
         "pending_days = 1.5",
         "line 21: pending_days: must be a whole number"},
        {"pending_days = 14",
         "pending_days = 4294967296",
         "line 21: pending_days: is out of range"},
        {"{ months = 24, at = \"month_end\" }", "24", "line 22: expiry: must be a table"},
        {"[[partner]]\nid = \"GRO\"",
         "[partner]\nid = \"GRO\"",
         "line 37: Error while parsing table header: cannot redefine existing table 'partner' as "
         "array-of-tables"},
    });
}

TEST(ParseContract, NamesLineAndKeyOfAValueThatCannotBe)
{
    expect_refusals({
        {"\"redeemer\"]",
         "\"buyer\"]",
         "line 11: roles: \"buyer\" is none of issuer, redeemer, charity"},
        {"debt_bearer = \"issuer\"",
         "debt_bearer = \"house\"",
         "line 14: debt_bearer: \"issuer\", \"redeemer\" or \"operator\", or shares of them"},
        {"debt_bearer = \"issuer\"",
         "debt_bearer = { issuer = 1, house = 1 }",
         "line 14: house: is no key of this table"},
        {"debt_bearer = \"issuer\"",
         "debt_bearer = { issuer = 0, operator = -1 }",
         "line 8: partner: debt_bearer: integer shares from 0 to 1000000, not all 0"},
        {"debt_bearer = \"issuer\"",
         "debt_bearer = {}",
         "line 8: partner: debt_bearer: integer shares from 0 to 1000000, not all 0"},
        {"breakage = { operator = 1, issuer = 1 }",
         "breakage = \"redeemer\"",
         "line 23: breakage: \"operator\" or \"issuer\", or shares of them"},
        {"billing = \"postpaid\"", "on_short = \"refuse\"", "line 12: on_short: only for prepaid"},
        {"pending_days = 14",
         "minimum_burn_value = \"-0.01\"",
         "line 15: tariff: minimum_burn_value: from 0 to 1000.000000"},
        {"billing = \"postpaid\"",
         "notice_days = 367",
         "line 8: partner: notice_days: from 0 to 366"},
        {"prefund_share = \"1\"",
         "prefund_share = \"1.5\"",
         "line 20: prefund_share: from 0 to 1, as \"1\", \"1/2\" or \"0.5\""},
        {"at = \"month_end\"", "at = \"year_end\"", "line 22: at: \"month_end\" or \"day\""},
        {"\"0.010000\"", "\"-0.01\"", "line 15: tariff: issue_price: from 0 to 1000.000000"},
        {"\"0.012\"",
         "\"0.012001\"",
         "line 24: tariff: prefund_share: 1/2 of 0.012001 is no whole number of millionths"},
        {"prefund_share = \"1/2\"",
         "prefund_share = \"1/7\"",
         "line 24: tariff: prefund_share: 1/7 of 0.012000 is no whole number of millionths"},
        {"\"0.010000\"",
         "\"0.010001\"",
         "line 15: tariff: breakage: 1 to 1 of 0.010001 is no whole number of millionths"},
        {"\"2026-07-01\"",
         "\"2026-01-01\"",
         "line 8: partner: tariff: each begins after the one before it"},
        {"\"price\", \"fee\"",
         "\"price\", \"gift\"",
         "line 30: vat: flows: \"gift\" is none of price, fee, reimbursement, donation, "
         "breakage_shared, breakage_retained, block"},
        {"rate_bp = 2100",
         "rate_bp = 0",
         "line 30: vat: rate_bp: from 1 to 10000 when taxed, else 0"},
        {"rate_bp = 2100", "rate_bp = 2100\nprice = \"full\"", "line 36: price: net or gross"},
        {"billing = \"postpaid\"",
         "billing = \"barter\"",
         "line 12: billing: \"postpaid\" or \"prepaid\""},
        {"\"as price\"",
         "\"none\"",
         "line 6: breakage_retained_vat: only \"as price\" is possible"},
        {"to = \"2026-06-30\"",
         "to = \"2026-05-31\"",
         "line 60: promotion: double-fuel-june: ends before it begins"},
        {"TNK = 4",
         "TNK = 0",
         "line 60: promotion: double-fuel-june: funder TNK: a share of 1 or more"},
    });
}

TEST(ParseContract, NamesWhatAPrepaidPartnerCannotHave)
{
    expect_refusals(
        {
            {"\"next_block\"", "\"wait\"", "line 42: on_short: \"refuse\" or \"next_block\""},
            {"\"1.0\"",
             "\"1/2\"",
             "line 37: partner: prefund_share: a prepaid partner prefunds the whole, 1"},
        },
        "TNK");
}

TEST(ParseContract, NamesTheIdsWhenTheOneAskedForIsNotThere)
{
    EXPECT_EQ(
        reason_for(sample_terms, "BOE"),
        "line 1: partner: no [[partner]] has id = \"BOE\"; the file has GRO, TNK, CHA");
    EXPECT_EQ(
        reason_for("", "BOE"),
        "line 1: partner: no [[partner]] has id = \"BOE\"; the file has none");
    EXPECT_EQ(
        reason_for(edited(sample_terms, "\"TNK\"", "\"GRO\"")),
        "line 38: id: GRO stands there twice");
}

TEST(ParseContract, RefusesWhatIsNotToml)
{
    for (const std::string toml :
         {"[[partner",
          "id = ",
          "a = 1\na = 2",
          "\xff\xfe",
          "<xml/>",
          "partner = 7",
          "partner = []",
          "partner = [1]",
          "promotion = [{}]\npartner = 1"}) {
        const auto reason = reason_for(toml);
        EXPECT_TRUE(reason.starts_with("line ")) << toml << ": " << reason;
    }
    // As deep as it likes: refused, not followed.
    EXPECT_TRUE(reason_for("a = " + std::string(100'000, '[')).starts_with("line "));
}

TEST(ParseTariff, ReadsOneTableWithEveryPriceInIt)
{
    const auto tariff = parse_tariff(
        R"([tariff]
from = "2026-08-01"
issue_price = "0.02"
service_fee = "0"
reimbursement = "0.019"
prefund_share = "1"
)",
        amsterdam());

    ASSERT_TRUE(tariff) << tariff.error().reason;
    EXPECT_EQ(ledger::format_time(tariff->valid_from), "2026-07-31T22:00:00Z");
    EXPECT_EQ(tariff->issue_price, Micro{20'000});
    EXPECT_EQ(tariff->reimbursement, Micro{19'000});
}

TEST(ParseTariff, RefusesWhatIsMissingOrUnknown)
{
    const std::string good =
        "[tariff]\nfrom = \"2026-08-01\"\nissue_price = \"0.02\"\nservice_fee = "
        "\"0\"\nreimbursement = \"0.019\"\nprefund_share = \"1\"\n";
    const auto reason_of = [](const std::string& toml) {
        const auto tariff = parse_tariff(toml, amsterdam());
        return tariff ? "accepted" : tariff.error().reason;
    };
    EXPECT_EQ(reason_of(good), "accepted");
    for (const std::string key :
         {"from", "issue_price", "service_fee", "reimbursement", "prefund_share"}) {
        const auto start = good.find(key);
        auto without = good;
        without.erase(start, good.find('\n', start) - start + 1);
        EXPECT_EQ(reason_of(without), "line 1: " + key + ": is missing");
    }
    EXPECT_EQ(reason_of(""), "line 1: tariff: is missing");
    EXPECT_EQ(reason_of("[[tariff]]\n"), "line 1: tariff: must be a table");
    EXPECT_EQ(reason_of(good + "bonus = 1\n"), "line 7: bonus: is no key of this table");
    EXPECT_EQ(reason_of(good + "[partner]\n"), "line 7: partner: is no key of this table");
}

} // namespace
} // namespace pointhouse::partners
