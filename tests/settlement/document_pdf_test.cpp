#include "settlement/document_pdf.hpp"

#include <gtest/gtest.h>

#include "golden.hpp"
#include "pdf_reader.hpp"
#include "random_documents.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Minor;

/// The worked month's document, issued under a number.
Document issued(std::size_t place, std::string_view number)
{
    Document document = drafts_of(june_with_expiry(VatMode::all_flows)).at(place);
    document.number = number;
    document.issued_on = *ledger::parse_day("2026-07-02");
    return document;
}

void expect_words(const std::string& text, const std::vector<std::string>& words)
{
    for (const std::string& wanted : words)
        EXPECT_NE(text.find(wanted), std::string::npos) << wanted << "\n" << text;
}

TEST(DocumentPdf, OfAnInvoiceReadsAsAPersonExpects)
{
    const std::string text = text_of(document_pdf(issued(0, "2026-000001")));

    expect_golden("june-INV-GRO.pdf.txt", text);
    expect_words(
        text,
        {"Invoice",
         "2026-000001",
         "VAT LV82577712910",
         "Issued on",
         "2 July 2026",
         "1 – 30 June 2026",
         "14 July 2026",
         "Tariff 1 · June 2026",
         "Issue price",
         "408",
         "10.00",
         "VAT 21 % on 4.49",
         "Grocer pays Pointhouse",
         "EUR 5.43",
         "IBAN LV62 TEST 1590 2577 7129 1",
         "Page 1 of 1"});
}

TEST(DocumentPdf, OfASelfBilledInvoiceSaysSo)
{
    const std::string text = text_of(document_pdf(issued(1, "GRO-2026-000001")));

    expect_words(
        text,
        {"Self-billed invoice", "Self-billing: issued by the buyer", "Pointhouse pays Grocer"});
}

TEST(DocumentPdf, OfASelfBilledDocumentSaysUntilWhenItsSellerMayObject)
{
    Document document = issued(1, "GRO-2026-000001");
    EXPECT_EQ(text_of(document_pdf(document)).find("objection"), std::string::npos);
    document.objection_days = 14;
    expect_words(
        text_of(document_pdf(document)),
        {"Object by", "16 July 2026", "Without an objection until 16 July", "accepted"});
    document.number.clear();
    expect_words(text_of(document_pdf(document)), {"within 14 days of its issue"});
}

TEST(DocumentPdf, OfACorrectionNamesWhatItCorrectsAndWhy)
{
    Document credit =
        full_credit_of(issued(1, "GRO-2026-000001"), *ledger::parse_day("2026-08-06"));
    credit.number = "GRO-2026-000002";
    credit.reason = "Issued to the wrong company, as both sides agreed in dispute 12 on 4 August.";
    credit.accounting = AccountingVat{
        .currency = {.code = "CZK", .minor_digits = 2},
        .rate_id = "ECB-2026-06-30",
        .rate_millionths = 24'715'000,
    };
    total_document(credit);

    const std::string text = text_of(document_pdf(credit));

    expect_golden("june-SBCN-GRO.pdf.txt", text);
    expect_words(
        text,
        {"Self-billed credit note",
         "Self-billing: issued by the buyer",
         "Corrects",
         "GRO-2026-000001",
         "in dispute 12",
         "VAT in CZK at 24.715 (ECB-2026-06-30)",
         "17.30",
         "Grocer pays Pointhouse"});
}

TEST(DocumentPdf, OfAPaymentStatementIsNoInvoice)
{
    Document statement = issued(6, "CHA-2026-000001");

    expect_words(
        text_of(document_pdf(statement)),
        {"Payment statement",
         "Not an invoice: no VAT is due",
         "Not subject to VAT: 1.00",
         "Pointhouse pays Charity"});

    statement = full_credit_of(statement, statement.issued_on);
    expect_words(
        text_of(document_pdf(statement)), {"Charity pays Pointhouse", "−1.00", "EUR 1.00"});
}

TEST(DocumentPdf, OfADraftSaysSo)
{
    expect_words(text_of(document_pdf(issued(0, ""))), {"Draft, not issued", "Invoice Draft"});
}

TEST(DocumentPdf, WithNothingDueSaysSo)
{
    Document invoice = issued(0, "2026-000001");
    for (DocumentLine& line : invoice.lines) {
        line.net = Minor{};
        line.exact = {};
    }
    total_document(invoice);

    const std::string text = text_of(document_pdf(invoice));

    expect_words(text, {"Nothing is due"});
    EXPECT_EQ(text.find("pays"), std::string::npos);
}

TEST(DocumentPdf, IsTheSameBytesEveryTime)
{
    const Document invoice = issued(0, "2026-000001");

    const std::string pdf = document_pdf(invoice);

    EXPECT_EQ(document_pdf(invoice), pdf);
    EXPECT_NE(pdf.find("20260702000000Z"), std::string::npos) << "dated at the day of issue";
}

/// An invoice of many tariffs, each with points granted and taken back, at several VAT rates.
Document long_invoice()
{
    Coalition coalition;
    coalition.add_partner("GRO", "Grocer", VatMode::all_flows);
    for (int further = 0; further < 40; ++further)
        coalition.add_tariff(coalition.terms().tariffs.front());
    for (const ledger::Tariff& tariff : coalition.terms().tariffs) {
        coalition.issue(tariff.version, 1'234'567);
        coalition.claw_back(tariff.version, 567);
    }
    Document invoice = drafts_of(coalition.settled()).front();
    invoice.number = "2026-000001";
    return invoice;
}

TEST(DocumentPdf, BreaksLongTablesAndGivesEachTariffItsSum)
{
    const std::string pdf = document_pdf(long_invoice());

    std::string text = text_of(pdf);

    EXPECT_EQ(occurrences(text, "Issue price"), 41);
    EXPECT_EQ(occurrences(text, "Tariff 17 · June 2026"), 1);
    EXPECT_EQ(occurrences(text, "13,574.00"), 41) << "12,340.00 + 1,234.00 of each tariff";
    EXPECT_EQ(occurrences(text, "556,534.00"), 2) << "net, and what VAT is due on";
    EXPECT_EQ(occurrences(text, "EUR 673,406.14"), 1);
    const std::size_t pages = occurrences(text, "\f");
    ASSERT_GT(pages, 3);
    for (std::size_t page = 1; page <= pages; ++page) {
        SCOPED_TRACE(testing::Message() << "page " << page);
        const std::string on_page = text.substr(0, text.find('\f'));
        text.erase(0, on_page.size() + 1);
        const bool has_lines = occurrences(on_page, "Tariff") > 0;
        EXPECT_EQ(occurrences(on_page, "Price per 1,000"), has_lines ? 1 : 0);
        EXPECT_EQ(
            occurrences(on_page, "Page " + std::to_string(page) + " of " + std::to_string(pages)),
            1);
    }
}

TEST(DocumentPdf, CutsWhatIsTooLong)
{
    Document invoice = issued(0, "2026-000001");
    invoice.seller.name = std::string(200, 'W') + "END";
    invoice.reason = std::string(2'000, 'x') + " END";

    // The text behind an ellipsis stays in the PDF; where its words end on the page is seen.
    const std::string boxes = poppler(document_pdf(invoice), "-bbox");
    const std::string_view key{"xMax=\""};
    int words = 0;
    for (std::size_t at = boxes.find(key); at != std::string::npos; at = boxes.find(key, at + 1)) {
        EXPECT_LE(std::stod(boxes.substr(at + key.size())), 542) << "the right margin";
        ++words;
    }
    EXPECT_GT(words, 50);
}

} // namespace
} // namespace pointhouse::settlement
