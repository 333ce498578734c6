#include "settlement/payment_file.hpp"

#include <functional>
#include <pugixml.hpp>
#include <random>

#include <gtest/gtest.h>

#include "golden.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Minor;

/// The pay-outs of June 2026.
PaymentOrder june_order()
{
    return {
        .message_id = "2026-06-1",
        .created_at = ledger::parse_time("2026-07-14T08:00:00Z").value(),
        .execute_on = ledger::parse_day("2026-07-14").value(),
        .currency = {"EUR", 2},
        .debtor =
            {.name = "Pointhouse B.V.",
             .iban = "NL91ABNA0417164300",
             .bic = "ABNANL2A",
             .town = "Amsterdam",
             .country = "NL"},
        .transfers{
            {.end_to_end_id = "2026-06-BOE",
             .amount = Minor{2'78},
             .creditor =
                 {.name = "Böckler & Söhne Buchhandlung GmbH",
                  .iban = "DE89370400440532013000",
                  .bic = "DEUTDEFF500",
                  .town = "Köln",
                  .country = "DE"},
             .documents = {"SB-BOE-2026-1", "INV-2026-2"}},
            {.end_to_end_id = "2026-06-TNK",
             .amount = Minor{2'42},
             .creditor = {.name = "Tankstation Δέλτα", .iban = "BE68539007547034"},
             .creditor_reference = "RF18539007547034"},
            {.end_to_end_id = "2026-06-CHA",
             .amount = Minor{1'00},
             .creditor = {.name = "Œuvre de <Charité>", .iban = "FR1420041010050500013M02606"},
             .documents = {"DON-2026-1"}},
        },
    };
}

TEST(Pain001, OfTheWorkedMonth)
{
    const auto file = pain001(june_order());

    ASSERT_TRUE(file.has_value()) << file.error().words;
    expect_golden("payments/pain001-june-2026.xml", *file);
}

/// June's pay-outs in crowns, two of which leave SEPA.
PaymentOrder crowns()
{
    PaymentOrder order = june_order();
    order.currency = {"SEK", 2};
    order.message_id = "2026-06-1-SEK";
    order.transfers[1].creditor.bic = "GKCCBEBB";
    order.transfers[2].creditor.iban = "TR330006100519786457841326";
    order.transfers[2].creditor.bic = "TCZBTR2A";
    return order;
}

TEST(Pain001, OfAnotherCurrencyIsNoSepaPayment)
{
    const auto file = pain001(crowns());
    ASSERT_TRUE(file.has_value()) << file.error().words;
    EXPECT_EQ(file->find("SEPA"), std::string::npos);
    EXPECT_EQ(file->find("EUR"), std::string::npos);
    expect_golden("payments/pain001-june-2026-sek.xml", *file);

    PaymentOrder yen = crowns();
    yen.currency = {"JPY", 0};
    const auto whole = pain001(yen);
    ASSERT_TRUE(whole.has_value()) << whole.error().words;
    EXPECT_NE(whole->find("<InstdAmt Ccy=\"JPY\">278</InstdAmt>"), std::string::npos);
}

TEST(Pain001, OfAnotherCurrencyNeedsTheBankOfBoth)
{
    PaymentOrder order = crowns();
    order.debtor.bic.clear();
    EXPECT_EQ(pain001(order).error().refusal, PaymentRefusal::bic_missing);
    order = crowns();
    order.transfers[0].creditor.bic = "DEUT";
    EXPECT_EQ(pain001(order).error().refusal, PaymentRefusal::bic_invalid);
    order = crowns();
    order.transfers[0].creditor.iban = "DE88370400440532013000";
    EXPECT_EQ(pain001(order).error().refusal, PaymentRefusal::iban_invalid);
}

TEST(Pain001, IsTheSameBytesAgain)
{
    EXPECT_EQ(pain001(june_order()).value(), pain001(june_order()).value());
}

TEST(Pain001, WithoutTheBankOfTheDebtor)
{
    PaymentOrder order = june_order();
    order.debtor.bic.clear();
    order.batch_booking = false;

    const auto file = pain001(order);

    ASSERT_TRUE(file.has_value());
    expect_golden("payments/pain001-without-bic.xml", *file);
}

std::string remittance_of(const std::vector<std::string>& documents)
{
    PaymentOrder order = june_order();
    order.transfers.front().documents = documents;
    pugi::xml_document parsed;
    parsed.load_string(pain001(order).value().c_str());
    return parsed.select_node("//CdtTrfTxInf[1]/RmtInf/Ustrd").node().text().as_string();
}

TEST(Pain001, NamesAsManyDocumentsAsItCan)
{
    const std::string long_number(50, 'N');

    EXPECT_EQ(remittance_of({}), "");
    EXPECT_EQ(remittance_of({"A-1", "B_2"}), "A-1, B-2");
    EXPECT_EQ(
        remittance_of({long_number, long_number, long_number, long_number}),
        long_number + ", " + long_number + " and 2 more");
    EXPECT_EQ(remittance_of({std::string(140, 'N')}), std::string(140, 'N'));
    EXPECT_EQ(remittance_of({std::string(150, 'N')}), std::string(140, 'N'));
    EXPECT_EQ(remittance_of({std::string(139, 'N'), "A"}), std::string(139, 'N'));
}

struct Refusal {
    const char* name;
    std::function<void(PaymentOrder&)> spoil;
    PaymentRefusal refusal;
    const char* words; // part of them
};

class Pain001Refuses : public testing::TestWithParam<Refusal> {};

TEST_P(Pain001Refuses, AndSaysWhy)
{
    PaymentOrder order = june_order();
    GetParam().spoil(order);

    const auto file = pain001(order);

    ASSERT_FALSE(file.has_value());
    EXPECT_EQ(file.error().refusal, GetParam().refusal) << file.error().words;
    EXPECT_NE(file.error().words.find(GetParam().words), std::string::npos) << file.error().words;
}

INSTANTIATE_TEST_SUITE_P(
    Every,
    Pain001Refuses,
    testing::Values(
        Refusal{
            "BicOfAnotherCurrency",
            [](PaymentOrder& order) { order.currency = {"GBP", 2}; },
            PaymentRefusal::bic_missing,
            "payment 2: a payment in GBP needs the BIC"},
        Refusal{
            "NoPayments",
            [](PaymentOrder& order) { order.transfers.clear(); },
            PaymentRefusal::no_payments,
            "no payment"},
        Refusal{
            "TooManyPayments",
            [](PaymentOrder& order) { order.transfers.resize(transfers_max + 1); },
            PaymentRefusal::too_many_payments,
            "100000"},
        Refusal{
            "MessageId",
            [](PaymentOrder& order) { order.message_id = std::string(36, 'x'); },
            PaymentRefusal::message_id_invalid,
            "35"},
        Refusal{
            "DebtorName",
            [](PaymentOrder& order) { order.debtor.name = " "; },
            PaymentRefusal::name_missing,
            "debtor"},
        Refusal{
            "CreditorName",
            [](PaymentOrder& order) { order.transfers[1].creditor.name.clear(); },
            PaymentRefusal::name_missing,
            "payment 2"},
        Refusal{
            "DebtorIban",
            [](PaymentOrder& order) { order.debtor.iban = "NL92ABNA0417164300"; },
            PaymentRefusal::iban_invalid,
            "debtor"},
        Refusal{
            "CreditorIban",
            [](PaymentOrder& order) { order.transfers[2].creditor.iban.clear(); },
            PaymentRefusal::iban_invalid,
            "payment 3"},
        Refusal{
            "OutsideSepa",
            [](PaymentOrder& order) {
                order.transfers[0].creditor.iban = "TR330006100519786457841326";
            },
            PaymentRefusal::iban_outside_sepa,
            "TR33"},
        Refusal{
            "Bic",
            [](PaymentOrder& order) { order.transfers[0].creditor.bic = "DEUT"; },
            PaymentRefusal::bic_invalid,
            "DEUT"},
        Refusal{
            "Country",
            [](PaymentOrder& order) { order.transfers[0].creditor.country = "Germany"; },
            PaymentRefusal::country_invalid,
            "Germany"},
        Refusal{
            "EndToEndId",
            [](PaymentOrder& order) { order.transfers[0].end_to_end_id = "a//b"; },
            PaymentRefusal::end_to_end_id_invalid,
            "a//b"},
        Refusal{
            "EndToEndIdThatIsNone",
            [](PaymentOrder& order) { order.transfers[0].end_to_end_id = "NOTPROVIDED"; },
            PaymentRefusal::end_to_end_id_invalid,
            "NOTPROVIDED"},
        Refusal{
            "EndToEndIdTwice",
            [](PaymentOrder& order) { order.transfers[2].end_to_end_id = "2026-06-BOE"; },
            PaymentRefusal::end_to_end_id_repeated,
            "payment 3"},
        Refusal{
            "ZeroAmount",
            [](PaymentOrder& order) { order.transfers[0].amount = Minor{0}; },
            PaymentRefusal::amount_not_positive,
            "payment 1"},
        Refusal{
            "NegativeAmount",
            [](PaymentOrder& order) { order.transfers[0].amount = Minor{-1}; },
            PaymentRefusal::amount_not_positive,
            "payment 1"},
        Refusal{
            "LargeAmount",
            [](PaymentOrder& order) { order.transfers[0].amount = Minor{100'000'000'000}; },
            PaymentRefusal::amount_too_large,
            "999999999.99"},
        Refusal{
            "CreditorReference",
            [](PaymentOrder& order) { order.transfers[1].creditor_reference = "RF00"; },
            PaymentRefusal::creditor_reference_invalid,
            "RF00"}),
    [](const auto& spoiled) { return std::string{spoiled.param.name}; });

TEST(Pain001, TakesTheLargestAmount)
{
    PaymentOrder order = june_order();
    order.transfers[0].amount = Minor{99'999'999'999};

    EXPECT_TRUE(pain001(order).has_value());
}

// What a reader adds up is what both control sums say.
TEST(Pain001, ControlSumsOfRandomOrders)
{
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937_64 random{seed};
        PaymentOrder order = june_order();
        const CreditTransfer example = order.transfers.front();
        order.transfers.clear();
        std::int64_t sum = 0;
        for (std::uint64_t number = 1 + random() % 30; number > 0; --number) {
            CreditTransfer transfer = example;
            transfer.end_to_end_id += std::to_string(number);
            transfer.amount = Minor{1 + static_cast<std::int64_t>(random() % 99'999'999'999)};
            sum += transfer.amount.count;
            order.transfers.push_back(transfer);
        }

        pugi::xml_document parsed;
        ASSERT_TRUE(parsed.load_string(pain001(order).value().c_str()));

        const auto text = [&parsed](const char* path) {
            return std::string{parsed.select_node(path).node().text().as_string()};
        };
        EXPECT_EQ(text("//GrpHdr/CtrlSum"), format_minor(Minor{sum}, order.currency));
        EXPECT_EQ(text("//PmtInf/CtrlSum"), text("//GrpHdr/CtrlSum"));
        EXPECT_EQ(text("//GrpHdr/NbOfTxs"), std::to_string(order.transfers.size()));
        EXPECT_EQ(text("//PmtInf/NbOfTxs"), text("//GrpHdr/NbOfTxs"));
        EXPECT_EQ(parsed.select_nodes("//CdtTrfTxInf").size(), order.transfers.size());
    }
}

} // namespace
} // namespace pointhouse::settlement
