#include "parameters.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

// The values of requests that are no messages: what is read, and that nothing else is.

namespace pointhouse::gateway {
namespace {

constexpr std::array all{
    Parameter{"window", ParameterForm::window, true, {}},
    Parameter{"words", ParameterForm::text, false, {}},
    Parameter{"amount_minor", ParameterForm::integer, false, {}},
    Parameter{"open", ParameterForm::flag, false, {}},
    Parameter{"until", ParameterForm::day, false, {}},
    Parameter{"message_id", ParameterForm::message_id, false, {}}};

std::string fault_of_json(std::string_view body)
{
    const auto read = read_json_parameters(body, all);
    return read ? "" : read.error().detail;
}

std::string fault_of_query(std::string_view query)
{
    const auto read = read_query_parameters(query, all);
    return read ? "" : read.error().detail;
}

TEST(JsonParameters, AreReadAsTheirForms)
{
    const auto read = read_json_parameters(
        R"( {"window":"2026-06","words":"--a \"b\" \u00e9","amount_minor":-9223372036854775808,
             "open":true,"until":"2026-06-30","message_id":"d:1"} )",
        all);
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(
        *read,
        (ParameterValues{
            {"window", "2026-06"},
            {"words", "--a \"b\" \xC3\xA9"},
            {"amount_minor", "-9223372036854775808"},
            {"open", "true"},
            {"until", "2026-06-30"},
            {"message_id", "d:1"}}));
}

TEST(JsonParameters, NameTheFieldThatIsWrong)
{
    const std::array<std::pair<std::string_view, std::string_view>, 20> cases{{
        {R"({})", "window: is required"},
        {R"({"window":"2026-13"})", "window: must be a month, e.g. 2026-06"},
        {R"({"window":202606})", "window: has the wrong type"},
        {R"({"window":null})", "window: must not be null"},
        {R"({"window":{}})", "window: must be a single value"},
        {R"({"window":["2026-06"]})", "window: must be a single value"},
        {R"({"window":"2026-06","window":"2026-06"})", "window: is there twice"},
        {R"({"window":"2026-06","colour":1})", "body: has a field that is not known"},
        {R"({"window":"2026-06","words":""})", "words: must not be empty"},
        {R"({"window":"2026-06","words":"a\u0007"})", "words: must be text that can be printed"},
        {R"({"window":"2026-06","amount_minor":"1"})", "amount_minor: has the wrong type"},
        {R"({"window":"2026-06","amount_minor":1.0})", "amount_minor: must be a whole number"},
        {R"({"window":"2026-06","amount_minor":9223372036854775808})",
         "amount_minor: must be a whole number"},
        {R"({"window":"2026-06","open":"true"})", "open: has the wrong type"},
        {R"({"window":"2026-06","until":"2026-02-30"})", "until: must be a day, e.g. 2026-06-30"},
        {R"({"window":"2026-06","message_id":"a b"})",
         "message_id: must be 1 to 64 of A-Z a-z 0-9 . _ : -"},
        {R"({"window":"2026-06"} x)", "body: has bytes after the JSON document"},
        {R"("window")", "body: must be an object"},
        {R"([1])", "body: must be a single value"},
        {R"({"window":"2026-06")", "window: is not valid JSON"},
    }};
    for (const auto& [body, detail] : cases) EXPECT_EQ(fault_of_json(body), detail) << body;
    EXPECT_EQ(fault_of_json(""), "body: is not valid JSON");
    EXPECT_EQ(fault_of_json("{\"window\":\"\xFF\"}"), "window: is not valid JSON");
    const std::string longest(parameter_bytes_max, 'x');
    EXPECT_EQ(fault_of_json(R"({"window":"2026-06","words":")" + longest + "\"}"), "");
    EXPECT_EQ(
        fault_of_json(R"({"window":"2026-06","words":")" + longest + "x\"}"), "words: is too long");
    EXPECT_EQ(fault_of_json("{\"" + longest + "x\":1}"), "body: is too long")
        << "the name of a field";
}

TEST(QueryParameters, AreReadAsTheirForms)
{
    const auto read =
        read_query_parameters("window=2026-06&words=a%20%3D%26b=c&amount_minor=-5&open=false", all);
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(
        *read,
        (ParameterValues{
            {"window", "2026-06"},
            {"words", "a =&b=c"},
            {"amount_minor", "-5"},
            {"open", "false"}}));
}

TEST(QueryParameters, NameWhatIsWrong)
{
    EXPECT_EQ(fault_of_query(""), "window: is required");
    EXPECT_EQ(fault_of_query("window"), "window: must be a month, e.g. 2026-06");
    EXPECT_EQ(fault_of_query("window=2026-06&window=2026-06"), "window: is there twice");
    EXPECT_EQ(
        fault_of_query("window=2026-06&colour=red"), "query: has a parameter that is not known");
    EXPECT_EQ(fault_of_query("window=2026-06&&"), "query: has a parameter that is not known");
    EXPECT_EQ(
        fault_of_query("window=2026-06&amount_minor=+5"), "amount_minor: must be a whole number");
    EXPECT_EQ(
        fault_of_query("window=2026-06&amount_minor=5x"), "amount_minor: must be a whole number");
    EXPECT_EQ(fault_of_query("window=2026-06&open=1"), "open: must be true or false");
    EXPECT_EQ(fault_of_query("window=2026-06&words=%4"), "words: has a broken escape");
    EXPECT_EQ(fault_of_query("window=2026-06&words=%FF"), "words: must be ASCII");
    EXPECT_EQ(
        fault_of_query("window=2026-06&words=%0A"), "words: must be text that can be printed");
}

} // namespace
} // namespace pointhouse::gateway
