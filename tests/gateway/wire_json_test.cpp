#include "wire_json.hpp"

#include <map>
#include <memory_resource>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ledger/time.hpp"

namespace pointhouse::gateway {
namespace {

using ledger::MessageType;

/// Reads one text, and keeps what the message points into.
struct Reading {
    explicit Reading(std::string body, MessageType type = MessageType::accrual)
        : text{std::move(body)}
    {
        message.type = type;
        fault = JsonReader{}.read(text, message, scratch);
    }

    std::string text;
    std::pmr::monotonic_buffer_resource scratch;
    ledger::Message message;
    std::optional<Fault> fault;
};

/// {"message_id":"m-1", …} with `more` after the fields that every accrual has.
std::string accrual(const std::string& more)
{
    return R"({"message_id":"m-1","member":"card-1","occurred_at":"2026-06-02T10:00:00Z",)" + more +
           "}";
}

std::string with_time(const std::string& occurred_at)
{
    return R"({"message_id":"m-1","member":"A","points":84,"occurred_at":")" + occurred_at +
           R"("})";
}

std::string with_purchase(const std::string& purchase)
{
    return accrual(R"("purchase":)" + purchase);
}

std::string with_line(const std::string& line)
{
    return with_purchase(
        R"({"amount_minor":100,"currency":"EUR","lines":[{"amount_minor":1},)" + line + "]}");
}

TEST(JsonReader, ReadsAnAccrualOfPoints)
{
    const Reading read{accrual(R"("points":84,"reason":"welcome","promotion":"P1",)"
                               R"("pending_until":"2026-06-16T00:00:00+02:00")")};

    ASSERT_FALSE(read.fault) << read.fault->detail;
    EXPECT_EQ(read.message.message_id, "m-1");
    EXPECT_EQ(read.message.member, "card-1");
    EXPECT_EQ(read.message.occurred_at, *ledger::parse_time("2026-06-02T10:00:00Z"));
    EXPECT_EQ(read.message.points, ledger::Points{84});
    EXPECT_EQ(read.message.reason, "welcome");
    EXPECT_EQ(read.message.promotion, "P1");
    EXPECT_EQ(read.message.pending_until, *ledger::parse_time("2026-06-15T22:00:00Z"));
    EXPECT_FALSE(read.message.purchase);
}

TEST(JsonReader, ReadsAPurchaseWithItsLines)
{
    const Reading read{with_purchase(
        R"({"amount_minor":8450,"currency":"EUR","channel":"store","receipt":"R 1","lines":[)"
        R"({"sku":"a","category":"b","amount_minor":-50,"quantity":3,"tender":"cash","vat_rate":2100},)"
        R"({"amount_minor":8500}]})")};

    ASSERT_FALSE(read.fault) << read.fault->detail;
    const ledger::Purchase& purchase = *read.message.purchase;
    EXPECT_EQ(purchase.amount_minor, 8450);
    EXPECT_EQ(purchase.currency, "EUR");
    EXPECT_EQ(purchase.channel, "store");
    EXPECT_EQ(purchase.receipt, "R 1");
    ASSERT_EQ(purchase.lines.size(), 2U);
    EXPECT_EQ(purchase.lines[0].sku, "a");
    EXPECT_EQ(purchase.lines[0].category, "b");
    EXPECT_EQ(purchase.lines[0].tender, "cash");
    EXPECT_EQ(purchase.lines[0].amount_minor, -50);
    EXPECT_EQ(purchase.lines[0].quantity, 3);
    EXPECT_EQ(purchase.lines[0].vat_rate, 2100);
    EXPECT_EQ(purchase.lines[1].quantity, 1);
    EXPECT_EQ(purchase.lines[1].vat_rate, ledger::vat_rate_unknown);
}

TEST(JsonReader, ReadsEscapesInTextsAndKeys)
{
    const Reading read{
        R"({"message\u005fid":"m\u002d1","m\u0065mber":"card-1","occurred_at":"2026-06-02T10:00:00\u005A",)"
        R"("points":1,"reason":"\u00e9\ud83d\ude00 \"q\" \/"})"};

    ASSERT_FALSE(read.fault) << read.fault->detail;
    EXPECT_EQ(read.message.message_id, "m-1");
    EXPECT_EQ(read.message.member, "card-1");
    EXPECT_EQ(read.message.reason, "é😀 \"q\" /");
}

TEST(JsonReader, ReadsEachOtherType)
{
    const std::string head = R"({"message_id":"m-1","occurred_at":"2026-06-02T10:00:00Z",)";
    const Reading redemption{
        head + R"("member":"c","value":{"amount_minor":500,"currency":"EUR"},"receipt":"r"})",
        MessageType::redemption};
    ASSERT_FALSE(redemption.fault) << redemption.fault->detail;
    EXPECT_EQ(redemption.message.value->amount_minor, 500);
    EXPECT_EQ(redemption.message.value->currency, "EUR");
    EXPECT_EQ(redemption.message.receipt, "r");

    const Reading reversal{head + R"("reverses":"m-0"})", MessageType::reversal};
    ASSERT_FALSE(reversal.fault) << reversal.fault->detail;
    EXPECT_EQ(reversal.message.reverses, "m-0");
    EXPECT_FALSE(reversal.message.points);

    const Reading clawback{
        head + R"("member":"c","purchase":{"amount_minor":0,"currency":"EUR"},"reason":"return"})",
        MessageType::clawback};
    ASSERT_FALSE(clawback.fault) << clawback.fault->detail;

    const Reading donation{
        head + R"("member":"c","points":1,"charity":"CHA"})", MessageType::donation};
    ASSERT_FALSE(donation.fault) << donation.fault->detail;
    EXPECT_EQ(donation.message.charity, "CHA");

    const Reading enrolment{R"({"message_id":"m-1","member":"c"})", MessageType::enrolment};
    EXPECT_FALSE(enrolment.fault) << enrolment.fault->detail;
}

TEST(JsonReader, ReadsTheTypeOfATypedMessage)
{
    std::pmr::monotonic_buffer_resource scratch;
    JsonReader reader;
    for (const auto& [name, type, rest] :
         {std::tuple{"accrual", MessageType::accrual, R"("member":"c","points":1)"},
          std::tuple{"redemption", MessageType::redemption, R"("member":"c","points":1)"},
          std::tuple{"reversal", MessageType::reversal, R"("reverses":"m-0")"},
          std::tuple{"clawback", MessageType::clawback, R"("member":"c","points":1)"},
          std::tuple{
              "donation", MessageType::donation, R"("member":"c","points":1,"charity":"X")"}}) {
        const std::string text =
            std::string{R"({"message_id":"m","occurred_at":"2026-06-02T10:00:00Z",)"} + rest +
            R"(,"type":")" + name + "\"}";
        ledger::Message message;
        const auto fault = reader.read_typed(text, message, scratch);
        EXPECT_FALSE(fault) << fault->detail;
        EXPECT_EQ(message.type, type);
    }
    for (const std::string type : {"cut", "drained", "clock", "Accrual", "", "accruals"}) {
        ledger::Message message;
        const std::string text =
            R"({"message_id":"m","member":"c","type":")" + type + R"(","points":1})";
        const auto fault = reader.read_typed(text, message, scratch);
        ASSERT_TRUE(fault) << type;
        EXPECT_EQ(fault->detail, "type: is not a type of message");
    }
    ledger::Message message;
    const std::string text = accrual(R"("points":1)");
    const auto fault = reader.read_typed(text, message, scratch);
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->detail, "type: is required");
}

TEST(JsonReader, ReadsALookUp)
{
    std::pmr::monotonic_buffer_resource scratch;
    JsonReader reader;
    ledger::Message message;
    EXPECT_FALSE(reader.read_member(R"({"member":"card-1"})", message, scratch));
    EXPECT_EQ(message.member, "card-1");
    for (const auto& [text, field] :
         {std::pair{"{}", "member"},
          std::pair{R"({"member":""})", "member"},
          std::pair{R"({"member":"a","points":1})", "points"},
          std::pair{R"({"member":"a","message_id":"m"})", "message_id"},
          std::pair{R"("a")", "body"}}) {
        const auto fault = reader.read_member(text, message, scratch);
        ASSERT_TRUE(fault) << text;
        EXPECT_TRUE(fault->detail.starts_with(std::string{field} + ":")) << fault->detail;
    }
}

struct BadCase {
    std::string text;
    std::string field; // what the detail must begin with
    MessageType type = MessageType::accrual;
};

void expect_malformed(const std::vector<BadCase>& cases)
{
    for (const BadCase& bad : cases) {
        const Reading read{bad.text, bad.type};
        ASSERT_TRUE(read.fault) << "taken: " << bad.text;
        EXPECT_EQ(read.fault->code, "malformed") << bad.text;
        EXPECT_TRUE(read.fault->detail.starts_with(bad.field + ": "))
            << bad.text << "\n  said: " << read.fault->detail;
    }
}

TEST(JsonReader, RefusesWhatIsNotOneJsonObject)
{
    std::vector<BadCase> cases;
    for (const std::string text :
         {"",     " ",       "{",        "[",        "[]",        "[{}]",
          "null", "true",    "1",        "\"x\"",    "{}{}",      "{} x",
          "{},",  "{'a':1}", "{\"\":1}", "// c\n{}", "/* c */{}", "\xEF\xBB\xBF{}",
          "nul",  "NaN",     "\0"})
        cases.push_back({text, text == "{}{}" || text == "{} x" || text == "{}," ? "body" : ""});
    for (BadCase& bad : cases) {
        const Reading read{bad.text};
        ASSERT_TRUE(read.fault) << bad.text;
        EXPECT_EQ(read.fault->code, "malformed");
    }
    expect_malformed(
        {{accrual(R"("points":1)") + "x", "body"},
         {accrual(R"("points":1)") + "{}", "body"},
         {accrual(R"("points":1)") + std::string(1, '\0'), "body"},
         {"[" + accrual(R"("points":1)") + "]", "body"},
         {accrual(R"("points":1,)"), "points"},
         {accrual(R"("points")"), "points"},
         {accrual(R"("points":)"), "points"},
         {accrual(R"("points":01)"), "points"},
         {accrual(R"("points":+1)"), "points"},
         {accrual(R"("points":0x10)"), "points"},
         {accrual(R"("points":1 "reason":"x")"), "points"},
         {accrual(R"(points:1)"), "occurred_at"},
         {accrual(R"("points":NaN)"), "points"},
         {accrual(R"("points":Infinity)"), "points"}});
    EXPECT_FALSE(Reading{" \r\n\t" + accrual(R"( "points" : 1 )") + "\r\n "}.fault);
}

TEST(JsonReader, RefusesEveryUnknownField)
{
    expect_malformed(
        {{accrual(R"("points":1,"pointz":1)"), "pointz"},
         {accrual(R"("points":1,"Points":1)"), "Points"},
         {accrual(R"("points":1,"type":"accrual")"), "type"},
         {accrual(R"("points":1,"note":{"a":[1,2,{"b":null}]})"), "note"},
         {accrual(R"("points":1,"":1)"), "(key)"},
         {accrual(R"("points":1,"a b":1)"), "(key)"},
         {accrual(R"("points":1,"\r\nSet-Cookie: x":1)"), "(key)"},
         {accrual(R"("points":1,"__proto__":1)"), "__proto__"},
         {accrual(R"("points":1,"points\u0000":1)"), "(key)"},
         {with_purchase(R"({"amount_minor":1,"currency":"EUR","tax":1})"), "purchase.tax"},
         {with_purchase(R"({"amount_minor":1,"currency":"EUR","points":1})"), "purchase.points"},
         {with_line(R"({"amount_minor":1,"price":1})"), "purchase.lines[1].price"},
         {with_line(R"({"amount_minor":1,"lines":[]})"), "purchase.lines[1].lines"},
         {accrual(R"("value":{"amount_minor":1,"currency":"EUR","x":1})"),
          "value.x",
          MessageType::redemption}});
}

TEST(JsonReader, RefusesEveryFieldThatIsThereTwice)
{
    expect_malformed(
        {{accrual(R"("points":1,"points":1)"), "points"},
         {accrual(R"("points":1,"p\u006fints":1)"), "points"},
         {accrual(R"("points":1,"message_id":"m-1")"), "message_id"},
         {accrual(R"("points":1,"member":"card-1")"), "member"},
         {accrual(R"("points":1,"occurred_at":"2026-06-02T10:00:00Z")"), "occurred_at"},
         {accrual(R"("reason":"a","reason":"a","points":1)"), "reason"},
         {with_purchase(R"({"amount_minor":1,"amount_minor":1,"currency":"EUR"})"),
          "purchase.amount_minor"},
         {with_purchase(R"({"amount_minor":1,"currency":"EUR","currency":"EUR"})"),
          "purchase.currency"},
         {with_purchase(R"({"lines":[],"lines":[],"amount_minor":1,"currency":"EUR"})"),
          "purchase.lines"},
         {with_purchase(R"({"amount_minor":1,"currency":"EUR"},"purchase":{})"), "purchase"},
         {with_line(R"({"amount_minor":1,"amount_minor":1})"), "purchase.lines[1].amount_minor"},
         {with_line(R"({"amount_minor":1,"sku":"a","sku":"a"})"), "purchase.lines[1].sku"}});
    // The same key in two lines, in the purchase and in the message is not twice.
    EXPECT_FALSE(
        Reading{with_line(R"({"amount_minor":1,"sku":"a"},{"amount_minor":1,"sku":"a"})")}.fault);
}

TEST(JsonReader, RefusesEveryWrongTypeByName)
{
    const std::vector<std::string> values{"null", "true", "1", "1.5", "\"x\"", "[]", "{}", "[1]"};
    const auto is_text = [](const std::string& value) { return value == "\"x\""; };
    for (const std::string field :
         {"message_id", "member", "occurred_at", "reason", "pending_until", "promotion"}) {
        for (const std::string& value : values) {
            if (is_text(value)) continue;
            const Reading read{R"({")" + field + R"(":)" + value + "}"};
            ASSERT_TRUE(read.fault) << field << value;
            EXPECT_TRUE(read.fault->detail.starts_with(field + ": ")) << read.fault->detail;
        }
    }
    for (const std::string& value : values) {
        if (value != "1") expect_malformed({{accrual(R"("points":)" + value), "points"}});
        if (value != "{}") expect_malformed({{with_purchase(value), "purchase"}});
        const auto inner = [&](const std::string& field) {
            return with_purchase(
                R"({")" + field + R"(":)" + value + R"(,"amount_minor":1,"currency":"EUR"})");
        };
        if (value != "1")
            expect_malformed(
                {{with_purchase(R"({"amount_minor":)" + value + "}"), "purchase.amount_minor"}});
        if (!is_text(value)) {
            expect_malformed(
                {{with_purchase(R"({"currency":)" + value + "}"), "purchase.currency"},
                 {inner("channel"), "purchase.channel"},
                 {inner("receipt"), "purchase.receipt"}});
            for (const std::string field : {"sku", "category", "tender"})
                expect_malformed(
                    {{with_line(R"({")" + field + R"(":)" + value + R"(,"amount_minor":1})"),
                      "purchase.lines[1]." + field}});
        }
        if (value != "[]") {
            const Reading read{inner("lines")};
            ASSERT_TRUE(read.fault) << value;
            EXPECT_TRUE(read.fault->detail.starts_with("purchase.lines")) << read.fault->detail;
        }
        if (value != "1")
            for (const std::string field : {"amount_minor", "quantity", "vat_rate"})
                expect_malformed(
                    {{with_line(R"({")" + field + R"(":)" + value + "}"),
                      "purchase.lines[1]." + field}});
    }
}

TEST(JsonReader, RefusesNumbersThatAreNotOf64Bits)
{
    for (const std::string number :
         {"1.0",
          "1e0",
          "1E2",
          "0.1",
          "-1.5",
          "1e400",
          "-1e400",
          "9223372036854775808",
          "18446744073709551615",
          "18446744073709551616",
          "-9223372036854775809",
          "100000000000000000000000000000"})
        expect_malformed(
            {{accrual(R"("points":)" + number), "points"},
             {with_purchase(R"({"currency":"EUR","amount_minor":)" + number + "}"),
              "purchase.amount_minor"}});
}

TEST(JsonReader, LeavesPointsOutOfRangeToTheLedgerWhichFreezesItsRefusal)
{
    for (const auto& [sent, read_as] : std::map<std::string, std::int64_t>{
             {"0", 0},
             {"-0", 0},
             {"-1", 0},
             {"-9223372036854775808", 0},
             {"1", 1},
             {"1000000001", 1'000'000'001},
             {"9223372036854775807", INT64_MAX}}) {
        const Reading read{accrual(R"("points":)" + sent)};
        ASSERT_FALSE(read.fault) << sent;
        EXPECT_EQ(read.message.points, ledger::Points{read_as});
    }
}

TEST(JsonReader, ReadsTimesAsOtherLanguagesPrintThem)
{
    for (const auto& [sent, read_as] : std::map<std::string, std::string>{
             {"2026-06-02T10:00:00.123456789Z", "2026-06-02T10:00:00.123456Z"},
             {"2026-06-02T10:00:00.1234567Z", "2026-06-02T10:00:00.123456Z"},
             {"2026-06-02T12:00:00.5+02:00", "2026-06-02T10:00:00.5Z"},
             {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"}}) {
        const Reading read{with_time(sent)};
        ASSERT_FALSE(read.fault) << sent;
        EXPECT_EQ(read.message.occurred_at, *ledger::parse_time(read_as)) << sent;
    }
    for (const std::string sent :
         {"2026-06-02T10:00:00.1234567891Z",
          "2026-06-02T10:00:00.Z",
          "2026-06-02T10:58:60Z",
          "2026-06-02T10:59:61Z",
          "9999-12-31T23:59:59Z"})
        EXPECT_TRUE(Reading{with_time(sent)}.fault) << sent;
}

TEST(JsonReader, RefusesTextsOutOfBounds)
{
    const std::string id64(64, 'a');
    const std::string tail = R"(,"member":"c","occurred_at":"2026-06-02T10:00:00Z","points":1})";
    for (const std::string& id :
         {std::string{},
          id64 + "a",
          std::string{"a b"},
          std::string{"a/b"},
          std::string{"a@b"},
          std::string{"a+b"},
          std::string{"é"},
          std::string{"a\\u0000"},
          std::string{"a\\n"},
          std::string{"a%41"}})
        expect_malformed({{R"({"message_id":")" + id + "\"" + tail, "message_id"}});
    for (const std::string& id : {std::string{"a"}, id64, std::string{"A.z_0:9-"}})
        EXPECT_FALSE(Reading{R"({"message_id":")" + id + "\"" + tail}.fault) << id;

    const std::string rest =
        R"(,"message_id":"m","occurred_at":"2026-06-02T10:00:00Z","points":1})";
    for (const std::string& member :
         {std::string{},
          id64 + "a",
          std::string{"a b"},
          std::string{"a/b"},
          std::string{"é"},
          std::string{"a#"},
          std::string{"<a>"}})
        expect_malformed({{R"({"member":")" + member + "\"" + rest, "member"}});
    for (const std::string& member : {id64, std::string{"+31-6@x.y:z_"}})
        EXPECT_FALSE(Reading{R"({"member":")" + member + "\"" + rest}.fault) << member;

    expect_malformed(
        {{accrual(R"("points":1,"reason":"")"), "reason"},
         {accrual(R"("points":1,"reason":")" + std::string(257, 'x') + "\""), "reason"},
         {accrual(R"("points":1,"reason":"a\u0007")"), "reason"},
         {accrual(R"("points":1,"reason":"a\u007f")"), "reason"},
         {accrual("\"points\":1,\"reason\":\"a\nb\""), "reason"},
         {accrual(R"("points":1,"promotion":")" + std::string(65, 'x') + "\""), "promotion"},
         {accrual("\"points\":1,\"reason\":\"\xC3\x28\""), "reason"},
         {accrual("\"points\":1,\"reason\":\"\xFF\""), "reason"},
         {accrual("\"points\":1,\"reason\":\"\xC0\xAF\""), "reason"},
         {accrual("\"points\":1,\"reason\":\"\xED\xA0\x80\""), "reason"},
         {accrual(R"("points":1,"reason":"\ud800")"), "reason"},
         {accrual(R"("points":1,"reason":"\udc00\ud800")"), "reason"},
         {accrual(R"("points":1,"reason":"\x41")"), "reason"},
         {accrual(R"("points":1,"reason":"\u12")"), "reason"},
         {accrual(R"("points":1,"reason":"open)"), "reason"},
         {with_purchase(R"({"amount_minor":1,"currency":"EUR","channel":""})"), "purchase.channel"},
         {with_purchase(
              R"({"amount_minor":1,"currency":"EUR","receipt":")" + std::string(65, 'x') + "\"}"),
          "purchase.receipt"}});
    EXPECT_FALSE(Reading{accrual(R"("points":1,"reason":")" + std::string(256, 'x') + "\"")}.fault);
}

TEST(JsonReader, RefusesValuesOutOfBounds)
{
    for (const std::string currency : {"", "EU", "EURO", "eur", "E R", "12E", "€"})
        expect_malformed(
            {{with_purchase(R"({"amount_minor":1,"currency":")" + currency + "\"}"),
              "purchase.currency"},
             {accrual(R"("value":{"amount_minor":1,"currency":")" + currency + "\"}"),
              "value.currency",
              MessageType::redemption}});
    for (const std::string time :
         {"",
          "2026-06-02",
          "2026-06-02T10:00:00",
          "2026-06-02 10:00:00Z",
          "2026-02-30T10:00:00Z",
          "2026-06-02T24:00:00Z",
          "2026-06-02T10:00:61Z",
          "2026-06-02T10:00:00.1234567Z",
          "1969-12-31T23:59:59Z",
          "2200-01-01T00:00:00Z",
          "2026-06-02T10:00:00Zx",
          "1780390800"})
        expect_malformed(
            {{R"({"message_id":"m","occurred_at":")" + time + "\"}", "occurred_at"},
             {accrual(R"("points":1,"pending_until":")" + time + "\""), "pending_until"}});
    expect_malformed(
        {{with_purchase(R"({"amount_minor":-1,"currency":"EUR"})"), "purchase.amount_minor"},
         {with_purchase(R"({"amount_minor":1000000000001,"currency":"EUR"})"),
          "purchase.amount_minor"},
         {accrual(R"("value":{"amount_minor":0,"currency":"EUR"})"),
          "value.amount_minor",
          MessageType::redemption},
         {accrual(R"("value":{"amount_minor":-5,"currency":"EUR"})"),
          "value.amount_minor",
          MessageType::redemption},
         {with_line(R"({"amount_minor":1,"quantity":0})"), "purchase.lines[1].quantity"},
         {with_line(R"({"amount_minor":1,"quantity":-1})"), "purchase.lines[1].quantity"},
         {with_line(R"({"amount_minor":1,"vat_rate":-1})"), "purchase.lines[1].vat_rate"},
         {with_line(R"({"amount_minor":1,"vat_rate":10001})"), "purchase.lines[1].vat_rate"},
         {with_line(R"({"amount_minor":-1000000000001})"), "purchase.lines[1].amount_minor"}});
    EXPECT_FALSE(Reading{with_purchase(R"({"amount_minor":0,"currency":"EUR","lines":[]})")}.fault);
}

TEST(JsonReader, RefusesWhatIsMissing)
{
    expect_malformed(
        {{"{}", "message_id"},
         {R"({"message_id":"m"})", "member"},
         {R"({"message_id":"m","member":"c"})", "occurred_at"},
         {R"({"message_id":"m","member":"c","occurred_at":"2026-06-02T10:00:00Z"})", "points"},
         {R"({"message_id":"m","member":"c","occurred_at":"2026-06-02T10:00:00Z"})",
          "points",
          MessageType::redemption},
         {R"({"message_id":"m","occurred_at":"2026-06-02T10:00:00Z"})",
          "reverses",
          MessageType::reversal},
         {accrual(R"("points":1)"), "charity", MessageType::donation},
         {R"({"message_id":"m"})", "member", MessageType::enrolment},
         {R"({"message_id":"m","member":"c","kind":"card"})", "identifier", MessageType::enrolment},
         {R"({"message_id":"m","member":"c","replaces":"d"})", "kind", MessageType::enrolment},
         {R"({"message_id":"m","kind":"watch","identifier":"d"})",
          "kind",
          MessageType::identification},
         {R"({"message_id":"m","kind":"card"})", "identifier", MessageType::identification},
         {R"({"message_id":"m","reason":"r"})", "into", MessageType::merge},
         {R"({"message_id":"m","into":"d"})", "reason", MessageType::merge},
         {with_purchase("{}"), "purchase.amount_minor"},
         {with_purchase(R"({"amount_minor":1})"), "purchase.currency"},
         {with_purchase(R"({"currency":"EUR"})"), "purchase.amount_minor"},
         {accrual(R"("value":{"currency":"EUR"})"), "value.amount_minor", MessageType::redemption},
         {accrual(R"("value":{"amount_minor":1})"), "value.currency", MessageType::redemption},
         {with_line("{}"), "purchase.lines[1].amount_minor"}});
}

TEST(JsonReader, RefusesTheFieldsOfOtherTypes)
{
    const std::string purchase = R"("purchase":{"amount_minor":1,"currency":"EUR"})";
    const std::string value = R"("value":{"amount_minor":1,"currency":"EUR"})";
    const std::string reversal =
        R"({"message_id":"m","occurred_at":"2026-06-02T10:00:00Z","reverses":"a",)";
    expect_malformed(
        {{accrual("\"points\":1," + purchase), "points"},
         {accrual(purchase + ",\"points\":1"), "points"},
         {accrual("\"points\":1," + purchase), "points", MessageType::clawback},
         {accrual("\"points\":1," + value), "points", MessageType::redemption},
         {reversal + "\"points\":1," + purchase + "}", "points", MessageType::reversal},
         {accrual(value), "value"},
         {accrual(purchase), "purchase", MessageType::redemption},
         {accrual(R"("points":1,"receipt":"r")"), "receipt"},
         {accrual(R"("points":1,"reverses":"r")"), "reverses"},
         {accrual(R"("points":1,"charity":"r")"), "charity"},
         {accrual(R"("points":1,"reason":"r")"), "reason", MessageType::redemption},
         {accrual(R"("points":1,"charity":"r")"), "charity", MessageType::redemption},
         {accrual(R"("points":1,"promotion":"r")"), "promotion", MessageType::clawback},
         {accrual(R"("points":1,"pending_until":"2026-06-02T10:00:00Z")"),
          "pending_until",
          MessageType::clawback},
         {reversal + R"("member":"c"})", "member", MessageType::reversal},
         {R"({"message_id":"m","member":"c","points":1})", "points", MessageType::enrolment},
         {R"({"message_id":"m","member":"c","occurred_at":"2026-06-02T10:00:00Z"})",
          "occurred_at",
          MessageType::enrolment}});
}

TEST(JsonReader, BoundsDepthAndLines)
{
    expect_malformed(
        {{std::string(1'000'000, '['), "body"},
         {accrual(R"("points":)" + std::string(100'000, '{')), "points"}});

    const auto lines = [](std::size_t count) {
        std::string text = R"({"amount_minor":1,"currency":"EUR","lines":[)";
        for (std::size_t line = 0; line < count; ++line)
            text += line == 0 ? R"({"amount_minor":1})" : R"(,{"amount_minor":1})";
        return with_purchase(text + "]}");
    };
    const Reading most{lines(lines_max)};
    ASSERT_FALSE(most.fault) << most.fault->detail;
    EXPECT_EQ(most.message.purchase->lines.size(), lines_max);
    expect_malformed({{lines(lines_max + 1), "purchase.lines"}});
}

TEST(JsonReader, RemembersTheMessageIdOfWhatItRefuses)
{
    EXPECT_EQ(Reading{accrual(R"("points":"x")")}.message.message_id, "m-1");
    EXPECT_EQ(Reading{R"({"message_id":"a b","points":1})"}.message.message_id, "");
    EXPECT_EQ(Reading{R"({"points":"x","message_id":"m"})"}.message.message_id, "");
}

TEST(JsonReader, RefusesEveryPrefixOfAMessage)
{
    const std::string whole = with_line(R"({"sku":"\u00e9","amount_minor":1,"vat_rate":2100})");
    ASSERT_FALSE(Reading{whole}.fault);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const Reading read{whole.substr(0, size)};
        ASSERT_TRUE(read.fault) << size;
        EXPECT_EQ(read.fault->code, "malformed");
    }
}

TEST(JsonReader, IsNotLeftInDisorderByAFault)
{
    JsonReader reader;
    std::pmr::monotonic_buffer_resource scratch;
    const std::string good = with_line(R"({"amount_minor":2,"sku":"s"})");
    for (std::size_t size = 0; size < good.size(); ++size) {
        ledger::Message broken;
        ASSERT_TRUE(reader.read(good.substr(0, size), broken, scratch));
        ledger::Message message;
        const auto fault = reader.read(good, message, scratch);
        ASSERT_FALSE(fault) << size << fault->detail;
        ASSERT_EQ(message.purchase->lines.size(), 2U);
    }
}

} // namespace
} // namespace pointhouse::gateway
