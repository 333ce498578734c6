#include "settlement/ubl.hpp"

#include <functional>
#include <set>

#include <gtest/gtest.h>

#include "golden.hpp"
#include "random_documents.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Micro;
using ledger::Minor;

/// The worked month's documents, issued on 2 July under the numbers that JUNE-2026.md gives them.
std::vector<Document> june_documents(VatMode mode)
{
    std::vector<Document> documents = drafts_of(june_with_expiry(mode));
    for (Document& document : documents) {
        const bool is_house = document.seller.id == "house";
        const std::string& partner = is_house ? document.buyer.id : document.seller.id;
        const std::string prefix = is_credit(document.kind) ? "CN-" : (is_house ? "INV-" : "SB-");
        document.number = prefix + partner;
        if (document.vat.front().rate.category == "O" && is_house) document.number += "-O";
        document.issued_on = *ledger::parse_day("2026-07-02");
    }
    return documents;
}

Document numbered(std::vector<Document> documents, std::string_view number)
{
    for (Document& document : documents)
        if (document.number == number) return document;
    ADD_FAILURE() << "no " << number;
    return documents.front();
}

TEST(UblXml, OfTheWorkedMonth)
{
    for (const Document& document : june_documents(VatMode::all_flows)) {
        if (document.kind != DocumentKind::payment_statement)
            expect_golden("june-" + document.number + ".xml", ubl_xml(document));
    }
}

TEST(UblXml, OutsideTheScopeOfVatNamesNoVatIdentifier)
{
    const Document invoice = numbered(june_documents(VatMode::fee_only), "INV-GRO-O");

    const std::string xml = ubl_xml(invoice);

    expect_golden("june-INV-GRO-O.xml", xml);
    EXPECT_EQ(xml.find(invoice.seller.vat_id), std::string::npos);
    EXPECT_EQ(xml.find(invoice.buyer.vat_id), std::string::npos);
}

TEST(UblXml, OfACorrectionNamesWhatItCorrects)
{
    const auto documents = june_documents(VatMode::all_flows);
    Document invoice = numbered(documents, "INV-GRO");
    invoice.accounting = AccountingVat{
        .currency = {.code = "CZK", .minor_digits = 2},
        .rate_id = "ECB-2026-06-30",
        .rate_millionths = 24'715'000,
    };
    Document credit = full_credit_of(invoice, *ledger::parse_day("2026-08-03"));
    credit.number = "CN-GRO-1";
    credit.reason = "Billed twice, see dispute 12 <GRO & house>.";
    expect_golden("june-CN-GRO-1.xml", ubl_xml(credit));

    Document self_billed = full_credit_of(numbered(documents, "SB-BOE"), credit.issued_on);
    self_billed.number = "SBCN-BOE-1";
    expect_golden("june-SBCN-BOE-1.xml", ubl_xml(self_billed));
}

// The same price line, cut as the ledger cuts it: what was prefunded when issued, the rest when
// spent.
TEST(UblXml, OfPointsAtSeveralPricesIsOneUnitAndSaysWhichPoints)
{
    Coalition coalition;
    coalition.add_partner("A", "Brand", VatMode::all_flows);
    coalition.terms().tariffs[0].prefund_share = {.numerator = 1, .denominator = 4};
    const ledger::TariffVersion version{1};
    coalition.issue(version, 1'000);
    coalition.redeem(version, version, 300);
    Document invoice = drafts_of(coalition.settled()).front();
    invoice.number = "INV-1";

    const std::string xml = ubl_xml(invoice);

    EXPECT_NE(
        xml.find("Tariff 1, June 2026: 1,000 points issued at 2.50 per 1,000; 300 points redeemed, "
                 "rest of the price at 7.50 per 1,000"),
        std::string::npos)
        << xml;
    EXPECT_NE(
        xml.find(R"(<cbc:InvoicedQuantity unitCode="C62">1</cbc:InvoicedQuantity>)"),
        std::string::npos);
    EXPECT_NE(
        xml.find(R"(<cbc:PriceAmount currencyID="EUR">4.75</cbc:PriceAmount>)"), std::string::npos);
}

TEST(UblXml, IsTheSameBytesAgain)
{
    const Document invoice = numbered(june_documents(VatMode::all_flows), "INV-GRO");

    EXPECT_EQ(ubl_xml(invoice), ubl_xml(invoice));
}

TEST(UblXmlDeathTest, OfWhatIsNoInvoiceBreaksAPromise)
{
    Document statement = numbered(june_documents(VatMode::all_flows), "SB-CHA");
    EXPECT_DEATH(static_cast<void>(ubl_xml(statement)), "a payment statement is no invoice");
    Document draft = numbered(june_documents(VatMode::all_flows), "INV-GRO");
    draft.number.clear();
    EXPECT_DEATH(static_cast<void>(ubl_xml(draft)), "what is issued has a number");
}

struct Lack {
    std::string said;
    std::function<void(Document&)> take_away;
};

TEST(MissingForInvoice, NamesTheFirstDetail)
{
    const std::vector<Lack> lacks{
        {"the seller  has no identifier", [](Document& of) { of.seller.id.clear(); }},
        {"the seller house has no registered name", [](Document& of) { of.seller.name.clear(); }},
        {"the seller house has no street", [](Document& of) { of.seller.street.clear(); }},
        {"the seller house has no city", [](Document& of) { of.seller.city.clear(); }},
        {"the buyer GRO has no country", [](Document& of) { of.buyer.country.clear(); }},
        {"the buyer GRO has no country of two capital letters (ISO 3166-1)",
         [](Document& of) { of.buyer.country = "Latvia"; }},
        {"the buyer GRO has no scheme of its electronic address",
         [](Document& of) { of.buyer.endpoint_scheme.clear(); }},
        {"the buyer GRO has no electronic address",
         [](Document& of) { of.buyer.endpoint.clear(); }},
        {"the buyer GRO has details that cannot be printed",
         [](Document& of) { of.buyer.email = "a\x01"; }},
        {"the seller house has no VAT identifier", [](Document& of) { of.seller.vat_id.clear(); }},
        {"the VAT identifier of the seller house lacks its country's prefix",
         [](Document& of) { of.seller.vat_id = "82577712910"; }},
        {"the buyer GRO has no VAT identifier",
         [](Document& of) {
             of.lines[0].vat = {.category = "AE"};
             of.buyer.vat_id.clear();
         }},
        {"VAT category S goes with a rate above zero",
         [](Document& of) { of.lines[1].vat.basis_points = 0; }},
        {"VAT category E goes with a rate of zero",
         [](Document& of) { of.lines[1].vat.category = "E"; }},
        {"VAT category \"X\" is none of S, Z, E, AE, O",
         [](Document& of) { of.lines[1].vat.category = "X"; }},
        {"the reason has signs that cannot be printed", [](Document& of) { of.reason = "\x02"; }},
        {"an electronic invoice has two decimals, KWD has 3",
         [](Document& of) { of.currency = {.code = "KWD", .minor_digits = 3}; }},
    };
    const Document whole = numbered(june_documents(VatMode::all_flows), "INV-GRO");
    EXPECT_EQ(missing_for_invoice(whole), std::nullopt);
    for (const Lack& lack : lacks) {
        Document document = whole;
        lack.take_away(document);
        EXPECT_EQ(missing_for_invoice(document), lack.said);
    }
}

TEST(MissingForInvoice, AsksOnlyForWhatIsNeeded)
{
    Document outside = numbered(june_documents(VatMode::fee_only), "INV-GRO-O");
    outside.seller.vat_id.clear();
    EXPECT_EQ(missing_for_invoice(outside), std::nullopt);

    Document taxed = numbered(june_documents(VatMode::all_flows), "INV-GRO");
    taxed.buyer.vat_id.clear();
    taxed.seller.iban.clear();
    taxed.seller.registration.clear();
    taxed.seller.email.clear();
    EXPECT_EQ(missing_for_invoice(taxed), std::nullopt);

    Document statement = numbered(june_documents(VatMode::all_flows), "SB-CHA");
    statement.seller = {.id = "CHA", .name = "Charity"};
    EXPECT_EQ(missing_for_invoice(statement), std::nullopt);
    statement.seller.name.clear();
    EXPECT_EQ(missing_for_invoice(statement), "the party CHA has no name");
}

TEST(MissingForInvoice, KnowsTheRulesOfDutchSellers)
{
    Document invoice = numbered(june_documents(VatMode::all_flows), "INV-GRO");
    const auto make_dutch = [](LegalParty& party) {
        party.country = "NL";
        party.vat_id = "NL123456789B01";
        party.registration = "12345678";
    };
    make_dutch(invoice.seller);
    make_dutch(invoice.buyer);
    EXPECT_EQ(missing_for_invoice(invoice), std::nullopt);

    Document document = invoice;
    document.kind = DocumentKind::credit_note;
    EXPECT_EQ(
        missing_for_invoice(document), "a credit note of a Dutch seller has to name an invoice");
    document = invoice;
    document.seller.vat_id = "NL123456789001";
    EXPECT_EQ(missing_for_invoice(document), "the VAT identifier of the seller house is not Dutch");
    document = invoice;
    document.buyer.registration = "1234567";
    EXPECT_EQ(
        missing_for_invoice(document), "the buyer GRO has no KVK number of 8 digits nor OIN of 20");
    document = invoice;
    document.seller.postal_code.clear();
    EXPECT_EQ(missing_for_invoice(document), "the seller house has no postal code");
    document = invoice;
    document.seller.iban.clear();
    EXPECT_EQ(missing_for_invoice(document), "the seller house has no account to be paid to");

    Document self_billed = numbered(june_documents(VatMode::all_flows), "SB-GRO");
    make_dutch(self_billed.seller);
    self_billed.seller.registration.clear();
    EXPECT_EQ(missing_for_invoice(self_billed), std::nullopt) << "they bind no self-billed one";
}

TEST(MissingForInvoice, RefusesCountriesWhoseRulesItDoesNotKnow)
{
    Document invoice = numbered(june_documents(VatMode::all_flows), "INV-GRO");
    for (const char* country : {"DK", "GR", "IS", "NO"}) {
        invoice.seller.country = country;
        EXPECT_EQ(
            missing_for_invoice(invoice),
            std::string{"Peppol's own rules for sellers in "} + country +
                " need details that are not kept");
    }
    invoice.seller.country = "DE";
    EXPECT_EQ(missing_for_invoice(invoice), std::nullopt);
    invoice.buyer.country = "DE";
    EXPECT_NE(missing_for_invoice(invoice), std::nullopt);
}

TEST(SandboxParty, IsTheSameForAnIdAndDiffersBetweenThem)
{
    EXPECT_EQ(sandbox_party("GRO", "Grocer"), sandbox_party("GRO", "Grocer"));
    std::set<std::string> numbers;
    for (int id = 0; id < 1'000; ++id) {
        const LegalParty party = sandbox_party("partner-" + std::to_string(id), "Partner");
        EXPECT_EQ(party.vat_id.size(), 13);
        EXPECT_EQ(party.endpoint.size(), 13);
        EXPECT_EQ(party.iban.size(), 21);
        numbers.insert(party.vat_id);
        numbers.insert(party.endpoint);
        numbers.insert(party.iban);
    }
    EXPECT_EQ(numbers.size(), 3'000);
}

} // namespace
} // namespace pointhouse::settlement
