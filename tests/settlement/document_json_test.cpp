#include "settlement/document_json.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "golden.hpp"
#include "random_documents.hpp"

namespace pointhouse::settlement {
namespace {

Document full_document()
{
    Document document = drafts_of(june_with_expiry(VatMode::all_flows)).front();
    document.number = "2026-000001";
    document.corrects = Preceding{.number = "2025-000999", .issued_on = 20'000};
    document.accounting = AccountingVat{
        .currency = {.code = "CZK", .minor_digits = 2},
        .rate_id = "ECB-2026-06-30",
        .rate_millionths = 24'715'000,
    };
    document.reason = "“Quoted”, \n & more";
    total_document(document);
    return document;
}

TEST(DocumentJson, HasTheKeysOfTheContract)
{
    expect_golden("document.json", document_json(full_document()) + '\n');
}

TEST(DocumentJson, NamesWhoPaysWhom)
{
    const auto documents = drafts_of(june_with_expiry(VatMode::all_flows));
    const auto sides = [](const Document& document) {
        const boost::json::value shown = boost::json::parse(document_json(document));
        return std::string{shown.at("payer").as_string()} + " pays " +
               std::string{shown.at("payee").as_string()};
    };

    EXPECT_EQ(sides(documents[0]), "GRO pays house"); // invoice
    EXPECT_EQ(sides(documents[1]), "house pays GRO"); // self-billed
    EXPECT_EQ(sides(documents[3]), "house pays TNK"); // credit note
    EXPECT_EQ(sides(documents[6]), "house pays CHA"); // donation
    EXPECT_EQ(sides(full_credit_of(documents[1], 0)), "GRO pays house");
}

TEST(DocumentFromJson, ReadsBackWhatWasWritten)
{
    EXPECT_EQ(document_from_json(document_json(full_document())), full_document());
    int read = 0;
    for (std::uint64_t seed = 0; read < 20'000; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        for (const Document& document : drafts_of(random_settlement(seed))) {
            for (const Document& one : {document, full_credit_of(document, 20'700)}) {
                const std::string text = document_json(one);
                const auto back = document_from_json(text);
                ASSERT_TRUE(back.has_value()) << back.error();
                EXPECT_EQ(*back, one);
                EXPECT_EQ(document_json(*back), text);
                ++read;
            }
        }
        if (testing::Test::HasFailure()) return;
    }
}

std::string said_of(const std::string& text)
{
    const auto document = document_from_json(text);
    return document ? "nothing" : document.error();
}

TEST(DocumentFromJson, SaysWhatIsWrong)
{
    const auto with = [](std::string_view key, const boost::json::value& value) {
        boost::json::object object = boost::json::parse(document_json(full_document())).as_object();
        object[key] = value;
        return boost::json::serialize(object);
    };

    EXPECT_TRUE(said_of("{").starts_with("no JSON"));
    EXPECT_EQ(said_of("[]"), "the document is no object");
    EXPECT_EQ(said_of("{}"), "type is missing");
    EXPECT_EQ(said_of(with("type", "receipt")), "type \"receipt\" is unknown");
    EXPECT_EQ(said_of(with("type", 380)), "type is no text");
    EXPECT_EQ(said_of(with("issued_on", "2026-02-30")), "issued_on \"2026-02-30\" is unknown");
    EXPECT_EQ(said_of(with("currency", "XXX")), "currency \"XXX\" is unknown");
    EXPECT_EQ(said_of(with("net_minor", 1.5)), "net_minor is no number that fits");
    EXPECT_EQ(said_of(with("partner_number", -1)), "partner_number is no number that fits");
    EXPECT_EQ(said_of(with("lines", nullptr)), "lines is no array");
    EXPECT_EQ(said_of(with("seller", "house")), "seller is no object");
    EXPECT_EQ(said_of(with("total_minor", 544)), "its totals do not follow from its lines");
    EXPECT_EQ(
        said_of(with("payer", "BOE")), "type_code, payer and payee do not follow from the rest");
    EXPECT_EQ(said_of(with("rounding_micro", 0)), "its totals do not follow from its lines");
}

// Input never aborts: sums that would not fit are refused before they are made.
TEST(DocumentFromJson, RefusesAmountsThatDoNotSum)
{
    for (const char* key : {"exact_micro", "net_minor", "vat_rate_basis_points"}) {
        boost::json::object object = boost::json::parse(document_json(full_document())).as_object();
        for (boost::json::value& line : object["lines"].as_array())
            line.as_object()[key] =
                std::string_view{key}.starts_with("vat") ? INT32_MAX : INT64_MAX;
        EXPECT_EQ(said_of(boost::json::serialize(object)), "an amount or a rate is out of range");
    }
    boost::json::object object = boost::json::parse(document_json(full_document())).as_object();
    object["accounting"].as_object()["rate_millionths"] = INT64_MIN;
    EXPECT_EQ(said_of(boost::json::serialize(object)), "an amount or a rate is out of range");
}

// Every byte changed by one: it is refused, or another document, and never a crash.
TEST(DocumentFromJson, BearsAnyByteChanged)
{
    const std::string whole = document_json(full_document());
    for (std::size_t place = 0; place < whole.size(); ++place) {
        std::string text = whole;
        text[place] = static_cast<char>(text[place] ^ 1);
        const auto document = document_from_json(text);
        EXPECT_FALSE(document && document_json(*document) == whole) << place;
    }
}

TEST(DocumentCsv, OfADocumentWithAllThereIs)
{
    expect_golden("document.csv", document_csv(full_document()));
}

TEST(DocumentCsv, QuotesWhatNeedsItAndSumsToTheTotals)
{
    Document document = full_document();
    document.number = "A,\"B\"";

    const std::string text = document_csv(document);

    EXPECT_NE(text.find("\r\n\"A,\"\"B\"\"\",invoice,2026-06-30,"), std::string::npos) << text;
    EXPECT_TRUE(text.ends_with(",total,,,,,,,,,4.49,,,0.94,5.43,EUR,house,GRO,2025-000999,\r\n"))
        << text;
}

} // namespace
} // namespace pointhouse::settlement
