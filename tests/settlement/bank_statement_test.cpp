#include "settlement/bank_statement.hpp"

#include <numeric>
#include <regex>

#include <gtest/gtest.h>

#include "golden.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Minor;

ledger::Day day(const char* text)
{
    return ledger::parse_day(text).value();
}

std::vector<BankStatement> parsed(const std::string& xml)
{
    auto statements = parse_camt053(xml);
    EXPECT_TRUE(statements.has_value()) << statements.error().words;
    return statements.value_or(std::vector<BankStatement>{});
}

/// `text` with the first `from` replaced.
std::string replaced(std::string text, std::string_view from, std::string_view to)
{
    const std::size_t place = text.find(from);
    EXPECT_NE(place, std::string::npos) << from;
    return place == std::string::npos ? text : text.replace(place, from.size(), to);
}

TEST(Camt053, OfAbnAmro)
{
    const auto statements = parsed(golden("bank/abn-amro.xml"));

    ASSERT_EQ(statements.size(), 1U);
    const BankStatement& statement = statements[0];
    EXPECT_EQ(statement.account, "NL91ABNA0417164300");
    EXPECT_EQ(statement.currency.code, "EUR");
    EXPECT_EQ(statement.id, "195/2026");
    EXPECT_EQ(statement.electronic_sequence, 195);
    EXPECT_EQ(statement.legal_sequence, 141);
    EXPECT_EQ(statement.from, "2026-07-14T00:00:00.000+02:00");
    EXPECT_EQ(statement.to, "2026-07-14T23:59:59.999+02:00");
    EXPECT_EQ(statement.opening, (BookedBalance{Minor{69'00}, day("2026-07-13")}));
    EXPECT_EQ(statement.closing, (BookedBalance{Minor{66'74}, day("2026-07-14")}));
    ASSERT_EQ(statement.rows.size(), 6U);

    const BankRow pay_in{
        .entry = 1,
        .amount = Minor{1'40},
        .booked_on = day("2026-07-14"),
        .value_on = day("2026-07-14"),
        .servicer_reference = "6195123456789012",
        .end_to_end_id = "GRO-PAY-0714",
        .remittance = "2026-06 INV-2026-1 less SB-GRO-2026-1",
        .counterparty = "Grocer & Zonen N.V.",
        .counterparty_account = "BE68539007547034",
        .code = "PMNT-RCDT-ESCT",
    };
    EXPECT_EQ(statement.rows[0], pay_in);
    const BankRow pay_out{
        .entry = 2,
        .detail = 2,
        .amount = Minor{-2'42},
        .booked_on = day("2026-07-14"),
        .value_on = day("2026-07-14"),
        .servicer_reference = "6195123456789013",
        .end_to_end_id = "2026-06-TNK",
        .payment_block = "2026-06-1",
        .creditor_reference = "RF18539007547034",
        .counterparty = "Tankstation Delta",
        .counterparty_account = "BE68539007547034",
        .code = "PMNT-ICDT-ESCT",
    };
    EXPECT_EQ(statement.rows[2], pay_out);
    const BankRow returned{
        .entry = 3,
        .amount = Minor{2'78},
        .booked_on = day("2026-07-14"),
        .value_on = day("2026-07-14"),
        .servicer_reference = "6195123456789099",
        .end_to_end_id = "2026-06-BOE",
        .counterparty = "Bockler + Sohne Buchhandlung GmbH",
        .counterparty_account = "DE89370400440532013000",
        .return_reason = "AC04",
        .code = "PMNT-ICDT-RRTN",
    };
    EXPECT_EQ(statement.rows[4], returned);
    const BankRow charges{
        .entry = 4,
        .amount = Minor{-24},
        .booked_on = day("2026-07-14"),
        .value_on = day("2026-07-01"),
        .remittance = "KOSTEN BETALINGSVERKEER JUNI",
        .code = "N190",
    };
    EXPECT_EQ(statement.rows[5], charges);
}

TEST(Camt053, OfRabobankWithAPrefix)
{
    const auto statements = parsed(golden("bank/rabobank.xml"));

    ASSERT_EQ(statements.size(), 2U);
    EXPECT_EQ(statements[0].opening.amount, Minor{-12'50});
    EXPECT_EQ(statements[0].closing.amount, Minor{7'50});
    EXPECT_EQ(statements[0].electronic_sequence, 26'135);
    ASSERT_EQ(statements[0].rows.size(), 2U);
    EXPECT_EQ(statements[0].rows[0].amount, Minor{10'00});
    EXPECT_EQ(statements[0].rows[0].end_to_end_id, "");
    EXPECT_EQ(statements[0].rows[1].entry_reference, "2");
    EXPECT_EQ(statements[1].electronic_sequence, 26'136);
    EXPECT_TRUE(statements[1].rows.empty());
}

TEST(Camt053, OfIngInVersion02)
{
    const auto statements = parsed(golden("bank/ing.xml"));

    ASSERT_EQ(statements.size(), 1U);
    const BankStatement& statement = statements[0];
    EXPECT_EQ(statement.account, "NL20INGB0001234567");
    EXPECT_EQ(statement.page, 1);
    EXPECT_EQ(statement.entries_pending, 1);
    ASSERT_EQ(statement.rows.size(), 6U);
    const BankRow pay_in{
        .entry = 1,
        .amount = Minor{1'40},
        .booked_on = day("2026-07-14"),
        .value_on = day("2026-07-14"),
        .servicer_reference = "026195100000001",
        .entry_reference = "1",
        .end_to_end_id = "GRO-PAY-0714",
        .remittance = "PH-2026-06-GRO",
        .counterparty = "Grocer & Zonen N.V.",
        .counterparty_account = "BE68539007547034",
        .code = "PMNT-RCDT-ESCT",
    };
    EXPECT_EQ(statement.rows[0], pay_in);
    EXPECT_EQ(statement.rows[1].creditor_reference, "RF18539007547034");
    EXPECT_EQ(statement.rows[1].payment_block, "PH-2026-06-1");
    EXPECT_EQ(statement.rows[3].counterparty, "Stichting Goed Doel");
    EXPECT_EQ(statement.rows[3].amount, Minor{-1'00});
    EXPECT_EQ(statement.rows[4].return_reason, "AC04");
    EXPECT_EQ(statement.rows[5].remittance, "KOSTEN ZAKELIJK BETALINGSVERKEER");
}

/// A statement of version 08 in the words of 02: what a bank would have sent before.
std::string in_version_02(std::string xml)
{
    const auto every = [&xml](const std::string& from, const std::string& to) {
        xml = std::regex_replace(xml, std::regex{from}, to);
    };
    every("camt\\.053\\.001\\.08", "camt.053.001.02");
    every("(<(?:\\w+:)?Sts>)<(?:\\w+:)?Cd>(\\w+)</(?:\\w+:)?Cd>", "$1$2");
    every("</?(?:\\w+:)?Pty>", "");
    return xml;
}

TEST(Camt053, OfVersion02SaysTheSame)
{
    for (const char* bank : {"bank/abn-amro.xml", "bank/rabobank.xml"}) {
        const auto old = in_version_02(golden(bank));
        ASSERT_EQ(old.find("<Pty>"), std::string::npos);
        EXPECT_EQ(parsed(old), parsed(golden(bank))) << bank;
    }
    // Pages of version 02 are messages.
    const auto pages = replaced(
        in_version_02(golden("bank/abn-amro.xml")),
        "</GrpHdr>",
        "<MsgPgntn><PgNb>3</PgNb><LastPgInd>true</LastPgInd></MsgPgntn></GrpHdr>");
    EXPECT_EQ(parsed(pages)[0].page, 3);
}

TEST(Camt053, DoesNotMixVersions)
{
    const auto mixed =
        replaced(golden("bank/ing.xml"), "<Sts>BOOK</Sts>", "<Sts><Cd>BOOK</Cd></Sts>");
    EXPECT_EQ(parse_camt053(mixed).error().refusal, StatementRefusal::element_missing);
    const auto other =
        replaced(golden("bank/abn-amro.xml"), "<Sts><Cd>BOOK</Cd></Sts>", "<Sts>BOOK</Sts>");
    EXPECT_EQ(parse_camt053(other).error().refusal, StatementRefusal::element_missing);
}

TEST(Camt053, NamesTheVersionThatItDoesNotRead)
{
    for (const char* version : {"01", "03", "04", "06", "07", "09", "10", "12", "8", "002", ""}) {
        const auto form = std::string{"camt.053.001."} + version;
        const auto read =
            parse_camt053(replaced(golden("bank/abn-amro.xml"), "camt.053.001.08", form));
        ASSERT_FALSE(read.has_value()) << version;
        EXPECT_EQ(read.error().refusal, StatementRefusal::not_camt053);
        EXPECT_NE(read.error().words.find('"' + form + '"'), std::string::npos)
            << read.error().words;
    }
}

TEST(Camt053, OfDeutscheBankInPages)
{
    const auto statements = parsed(golden("bank/deutsche-bank.xml"));

    ASSERT_EQ(statements.size(), 2U);
    EXPECT_EQ(statements[0].page, 1);
    EXPECT_EQ(statements[0].closing, (BookedBalance{Minor{1'033'06}, day("2026-07-14")}));
    ASSERT_EQ(statements[0].rows.size(), 2U);
    EXPECT_EQ(statements[0].rows[0].amount, Minor{400'00});
    EXPECT_EQ(statements[0].rows[0].remittance, "RG INV-2026-7 UND INV-2026-8");
    EXPECT_EQ(statements[0].rows[0].counterparty, "HERR MÜLLER");
    EXPECT_EQ(statements[0].rows[1].counterparty_account, "0815-4711");
    EXPECT_EQ(statements[0].rows[1].remittance, "INV-2026-9 mit Dank");

    EXPECT_EQ(statements[1].page, 2);
    EXPECT_EQ(statements[1].opening, (BookedBalance{Minor{1'033'06}, day("2026-07-14")}));
    ASSERT_EQ(statements[1].rows.size(), 1U);
    EXPECT_TRUE(statements[1].rows[0].is_reversal);
    EXPECT_EQ(statements[1].rows[0].amount, Minor{-5'00});
    EXPECT_EQ(statements[1].rows[0].booked_on, day("2026-07-14"));
    EXPECT_EQ(statements[1].entries_pending, 1);
}

TEST(Camt053, WhateverTheNameSpaceIsCalled)
{
    const std::string plain = golden("bank/rabobank.xml");
    std::string without;
    for (std::size_t place = 0; place < plain.size();) {
        if (plain.compare(place, 4, "ns2:") == 0)
            place += 4;
        else
            without += plain[place++];
    }
    without = replaced(without, "xmlns:ns2", "xmlns");

    EXPECT_EQ(parsed(without), parsed(plain));
}

TEST(Camt053, MayStartWithAByteOrderMark)
{
    const std::string xml = golden("bank/abn-amro.xml");

    EXPECT_EQ(parsed("\xEF\xBB\xBF" + xml), parsed(xml));
}

TEST(Camt053, ExpandsNoEntities)
{
    const std::string xml = golden("bank/abn-amro.xml");

    EXPECT_EQ(
        parsed(replaced(xml, "Grocer &amp; Zonen", "&#71;rocer &lol; &lt;&amp;"))
            .at(0)
            .rows.at(0)
            .counterparty,
        "Grocer &lol; <& N.V.");
}

TEST(Camt053, ABatchWithoutAmountsStaysWhole)
{
    std::string xml = golden("bank/abn-amro.xml");
    for (const char* amount : {"2.78", "2.42", "1.00"}) {
        const std::string element =
            std::string{"<Amt Ccy=\"EUR\">"} + amount + "</Amt>\n            ";
        xml = replaced(xml, element + "<CdtDbtInd>DBIT</CdtDbtInd>", "");
    }

    const auto statements = parsed(xml);

    ASSERT_EQ(statements.size(), 1U);
    ASSERT_EQ(statements[0].rows.size(), 4U);
    EXPECT_EQ(statements[0].rows[1].amount, Minor{-6'20});
    EXPECT_EQ(statements[0].rows[1].end_to_end_id, "");
    EXPECT_EQ(statements[0].rows[1].payment_block, "2026-06-1");
}

TEST(Camt053, AReturnWithoutAReasonIsAReturn)
{
    const std::string xml = replaced(golden("bank/abn-amro.xml"), "<Rsn><Cd>AC04</Cd></Rsn>", "");

    EXPECT_EQ(parsed(xml).at(0).rows.at(4).return_reason, "MS03");
}

struct Spoiled {
    const char* name;
    const char* from;
    const char* to;
    StatementRefusal refusal;
    const char* words; // part of them
};

class Camt053Refuses : public testing::TestWithParam<Spoiled> {};

TEST_P(Camt053Refuses, AndSaysWhere)
{
    const auto [name, from, to, refusal, words] = GetParam();

    const auto statements = parse_camt053(replaced(golden("bank/abn-amro.xml"), from, to));

    ASSERT_FALSE(statements.has_value());
    EXPECT_EQ(statements.error().refusal, refusal) << statements.error().words;
    EXPECT_NE(statements.error().words.find(words), std::string::npos) << statements.error().words;
}

using enum StatementRefusal;

INSTANTIATE_TEST_SUITE_P(
    Every,
    Camt053Refuses,
    testing::Values(
        Spoiled{"Latin1", "UTF-8", "ISO-8859-1", not_utf8, "declares"},
        Spoiled{"BadUtf8", "Zonen", "Zon\xC0\xAF", not_utf8, "UTF-8"},
        Spoiled{"Surrogate", "Zonen", "Zon\xED\xA0\x80", not_utf8, "UTF-8"},
        Spoiled{"ControlCharacter", "Zonen", "Zon\x01", not_utf8, "UTF-8"},
        Spoiled{"NotClosed", "</Document>", "", not_xml, "well-formed"},
        Spoiled{"ClosedWrongly", "</BkToCstmrStmt>", "</BkToCstmr>", not_xml, "well-formed"},
        Spoiled{"TwoRoots", "</Document>", "</Document><Document/>", not_xml, "one element"},
        Spoiled{
            "DocumentType",
            "<Document ",
            "<!DOCTYPE Document [<!ENTITY a \"b\">]><Document ",
            document_type,
            "document type"},
        Spoiled{"OldVersion", "camt.053.001.08", "camt.053.001.04", not_camt053, "camt.053.001.04"},
        Spoiled{
            "NoNameSpace",
            "xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"",
            "",
            not_camt053,
            "camt.053.001.08"},
        Spoiled{
            "OtherRoot",
            "<GrpHdr>",
            "</BkToCstmrStmt><BkToCstmrStmt><GrpHdr>",
            element_repeated,
            "BkToCstmrStmt"},
        Spoiled{"NoId", "<Id>195/2026</Id>", "", element_missing, "Id"},
        Spoiled{"EmptyId", "<Id>195/2026</Id>", "<Id> </Id>", value_invalid, "Id"},
        Spoiled{"TwoIds", "<Id>195/2026</Id>", "<Id>1</Id><Id>2</Id>", element_repeated, "Id"},
        Spoiled{
            "SequenceInWords", "<ElctrncSeqNb>195", "<ElctrncSeqNb>one", value_invalid, "\"one\""},
        Spoiled{"SequenceBelowZero", "<LglSeqNb>141", "<LglSeqNb>-1", value_invalid, "\"-1\""},
        Spoiled{
            "PageWithoutNumber",
            "<ElctrncSeqNb>",
            "<StmtPgntn><PgNb>0</PgNb></StmtPgntn><ElctrncSeqNb>",
            value_invalid,
            "page"},
        Spoiled{"NoAccount", "<IBAN>NL91ABNA0417164300</IBAN>", "", element_missing, "account"},
        Spoiled{"CurrencyUnknown", "<Ccy>EUR</Ccy>", "<Ccy>EUX</Ccy>", value_invalid, "EUX"},
        Spoiled{
            "OtherCurrency",
            "<Amt Ccy=\"EUR\">1.40",
            "<Amt Ccy=\"USD\">1.40",
            currency_differs,
            "USD"},
        Spoiled{"NoCurrency", "<Amt Ccy=\"EUR\">1.40", "<Amt>1.40", currency_differs, "EUR"},
        Spoiled{"NoOpening", "<Cd>PRCD</Cd>", "<Cd>FWAV</Cd>", balance_missing, "opening"},
        Spoiled{"NoClosing", "<Cd>CLBD</Cd>", "<Cd>CLAV</Cd>", balance_missing, "closing"},
        Spoiled{"TwoOpenings", "<Cd>CLBD</Cd>", "<Cd>PRCD</Cd>", balance_repeated, "PRCD"},
        Spoiled{"BalanceWithoutDay", "<Dt><Dt>2026-07-13</Dt></Dt>", "", element_missing, "day"},
        Spoiled{"NoAmount", "<Amt Ccy=\"EUR\">1.40</Amt>", "", element_missing, "Amt"},
        Spoiled{
            "TwoAmounts",
            "<Amt Ccy=\"EUR\">1.40</Amt>",
            "<Amt Ccy=\"EUR\">1.40</Amt><Amt Ccy=\"EUR\">1.40</Amt>",
            element_repeated,
            "entry 1"},
        Spoiled{"AmountWithComma", "1.40", "1,40", value_invalid, "\"1,40\""},
        Spoiled{"AmountBelowZero", "1.40", "-1.40", value_invalid, "\"-1.40\""},
        Spoiled{"AmountOfMoreDigits", "1.40", "1.401", value_invalid, "entry 1"},
        Spoiled{"AmountTooLarge", "1.40", "1400000000000.00", value_invalid, "entry 1"},
        Spoiled{"AmountEmpty", "1.40", "", value_invalid, "entry 1"},
        Spoiled{"AmountInFloating", "1.40", "1.4e0", value_invalid, "entry 1"},
        Spoiled{
            "NoSide",
            "<CdtDbtInd>DBIT</CdtDbtInd>\n        <Sts>",
            "<Sts>",
            value_invalid,
            "entry 2"},
        Spoiled{
            "OtherSide",
            "<CdtDbtInd>DBIT</CdtDbtInd>\n            <RltdPties>",
            "<CdtDbtInd>C</CdtDbtInd><RltdPties>",
            value_invalid,
            "entry 2"},
        Spoiled{"NoStatus", "<Sts><Cd>BOOK</Cd></Sts>", "", element_missing, "Sts"},
        Spoiled{
            "NoSuchDay",
            "<BookgDt><Dt>2026-07-14</Dt>",
            "<BookgDt><Dt>2026-02-30</Dt>",
            value_invalid,
            "2026-02-30"},
        Spoiled{
            "DayWithMore",
            "<BookgDt><Dt>2026-07-14</Dt>",
            "<BookgDt><Dt>2026-07-141</Dt>",
            value_invalid,
            "2026-07-141"},
        Spoiled{"EmptyDay", "<BookgDt><Dt>2026-07-14</Dt>", "<BookgDt>", value_invalid, "BookgDt"},
        Spoiled{
            "ReversalPerhaps",
            "<Sts><Cd>BOOK",
            "<RvslInd>perhaps</RvslInd><Sts><Cd>BOOK",
            value_invalid,
            "perhaps"},
        Spoiled{"DetailsMore", "2.42", "2.43", details_do_not_add_up, "entry 2"},
        Spoiled{
            "DetailWithoutAmount",
            "<Amt Ccy=\"EUR\">2.42</Amt>",
            "",
            details_do_not_add_up,
            "transaction 2"},
        Spoiled{"EntryMore", "1.40", "1.41", balances_do_not_add_up, "-0.01"},
        Spoiled{"ClosingMore", "66.74", "66.75", balances_do_not_add_up, "0.01"},
        Spoiled{"EntryNotBooked", "<Cd>BOOK", "<Cd>INFO", balances_do_not_add_up, "1.40"}),
    [](const auto& spoiled) { return std::string{spoiled.param.name}; });

TEST(Camt053, RefusesAFileWithoutStatements)
{
    const auto statements = parse_camt053(
        R"(<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt/></Document>)");

    ASSERT_FALSE(statements.has_value());
    EXPECT_EQ(statements.error().refusal, element_missing);
}

TEST(Camt053, RefusesWhatIsNoStatement)
{
    EXPECT_EQ(parse_camt053("").error().refusal, not_xml);
    EXPECT_EQ(parse_camt053("account;amount").error().refusal, not_xml);
    EXPECT_EQ(parse_camt053("<a/>").error().refusal, not_camt053);
    EXPECT_EQ(parse_camt053("<Document/>").error().refusal, not_camt053);
    EXPECT_EQ(parse_camt053(golden("payments/pain001-june-2026.xml")).error().refusal, not_camt053);
}

TEST(Camt053, RefusesWhatIsTooLargeOrTooDeep)
{
    EXPECT_EQ(parse_camt053(std::string(statement_bytes_max + 1, ' ')).error().refusal, too_large);

    std::string deep;
    for (int level = 0; level < 1'000'000; ++level) deep += "<a>";
    for (int level = 0; level < 1'000'000; ++level) deep += "</a>";
    EXPECT_EQ(parse_camt053(deep).error().refusal, too_deep);
}

// The second statement of a file is spoiled: nothing of the file is taken, and the place is named.
TEST(Camt053, TakesAFileWholeOrNotAtAll)
{
    const std::string xml =
        replaced(golden("bank/deutsche-bank.xml"), "<Amt Ccy=\"EUR\">5.00", "<Amt Ccy=\"EUR\">x");

    const auto statements = parse_camt053(xml);

    ASSERT_FALSE(statements.has_value());
    EXPECT_NE(statements.error().words.find("statement 2, entry 1"), std::string::npos)
        << statements.error().words;
}

} // namespace
} // namespace pointhouse::settlement
