#include "reports.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>

#include <boost/json.hpp>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "ledger/time.hpp"
#include "parameters.hpp"
#include "pointhouse/v1/settlement.pb.h"
#include "wire_house.hpp"

namespace pointhouse::gateway {
namespace {

namespace json = boost::json;

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

template <class Form>
Form as_protobuf(const std::string& text)
{
    TestExchange exchange{RouteId::position, "", grocer_caller()};
    exchange.in(MediaType::protobuf);
    Form form;
    answer_report(exchange, 201, text, form);
    EXPECT_EQ(exchange.status, 201);
    EXPECT_EQ(exchange.answer_body_type, MediaType::protobuf);
    Form read;
    EXPECT_TRUE(read.ParseFromString(exchange.answer));
    return read;
}

TEST(Reports, AreJsonAsTheyAre)
{
    TestExchange exchange{RouteId::position, "", grocer_caller()};
    v1::Position form;
    answer_report(exchange, 200, R"({"window":"2026-06","of":"what no form has"})", form);
    EXPECT_EQ(exchange.answer, R"({"window":"2026-06","of":"what no form has"})");
    EXPECT_EQ(exchange.answer_body_type, MediaType::json);
}

TEST(Reports, HaveTheSameNamesInProtobuf)
{
    const auto position = as_protobuf<v1::Position>(
        R"({"window":"2026-06","partner":"GRO","opening":-1,"net_minor":-9223372036854775808,"closing":9223372036854775807})");
    EXPECT_EQ(position.window(), "2026-06");
    EXPECT_EQ(position.partner(), "GRO");
    EXPECT_EQ(position.opening(), -1);
    EXPECT_EQ(position.net_minor(), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(position.closing(), std::numeric_limits<std::int64_t>::max());

    const auto found = as_protobuf<v1::Reconciliation>(
        R"({"ok":false,"day":null,"house":{"count":1,"points":2,"amount_minor":3},"breaks":[)"
        R"({"class":"late","message_id":"m","fields":["points","member"],"house":null,)"
        R"("partner":{"type":"accrual","occurred_at":"2026-06-02T10:00:00Z","member":"é"}}]})");
    EXPECT_EQ(found.house().amount_minor(), 3);
    ASSERT_EQ(found.breaks_size(), 1);
    EXPECT_EQ(found.breaks(0).class_(), "late");
    EXPECT_EQ(found.breaks(0).fields(1), "member");
    EXPECT_FALSE(found.breaks(0).has_house());
    EXPECT_EQ(found.breaks(0).partner().occurred_at_micros(), 1'780'394'400'000'000);
    EXPECT_EQ(found.breaks(0).partner().member(), "é");

    const auto document = as_protobuf<v1::Document>(
        R"({"corrects":null,"lines":[{"points":null,"net_minor":5},{"points":0,"price_micro":7}]})");
    EXPECT_FALSE(document.has_corrects());
    EXPECT_FALSE(document.lines(0).has_points());
    EXPECT_TRUE(document.lines(1).has_points());
}

TEST(Reports, ThatAFormCannotHoldAreNotSentInPart)
{
    for (const char* const text :
         {R"({"unknown":1})",
          R"({"window":1})",
          R"({"opening":"1"})",
          R"({"opening":true})",
          R"({"opening":[1]})",
          R"({"window":{"a":1}})",
          R"({"occurred_at":"2026-06-02T10:00:00Z"})"}) {
        TestExchange exchange{RouteId::position, "", grocer_caller()};
        exchange.in(MediaType::protobuf);
        v1::Position form;
        EXPECT_THROW(answer_report(exchange, 200, text, form), std::logic_error) << text;
        EXPECT_TRUE(exchange.answer.empty()) << text;
    }
}

/// Fills every field, lists with up to three items, and says the same as JSON.
json::object make_up(Message& form, std::mt19937_64& random)
{
    json::object object;
    const auto& access = *form.GetReflection();
    for (int place = 0; place < form.GetDescriptor()->field_count(); ++place) {
        const auto& field = *form.GetDescriptor()->field(place);
        std::string name = field.name();
        if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
            if (!field.is_repeated()) {
                object[name] = make_up(*access.MutableMessage(&form, &field), random);
                continue;
            }
            auto& items = object[name].emplace_array();
            for (auto count = random() % 4; count > 0; --count)
                items.push_back(make_up(*access.AddMessage(&form, &field), random));
        } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
            const bool value = random() % 2 == 0;
            access.SetBool(&form, &field, value);
            object[name] = value;
        } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_INT64) {
            const bool is_time = name.ends_with("_micros");
            const auto value = static_cast<std::int64_t>(
                is_time ? random() % 7'258'118'400 * 1'000'000 : random());
            access.SetInt64(&form, &field, value);
            if (is_time)
                object[name.substr(0, name.size() - 7)] =
                    ledger::format_time(ledger::time_of_micros(value));
            else
                object[name] = value;
        } else if (field.is_repeated()) {
            access.AddString(&form, &field, name);
            object[name] = json::array{name};
        } else {
            const auto value = name + std::to_string(random() % 1000);
            access.SetString(&form, &field, value);
            object[name] = value;
        }
    }
    return object;
}

template <class Form>
void expect_same_either_way(std::mt19937_64& random)
{
    Form form;
    const auto text = json::serialize(make_up(form, random));
    const auto read = as_protobuf<Form>(text);
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(read, form)) << text;
}

TEST(Reports, OfEveryFormComeOverWhole)
{
    const auto seed = std::random_device{}();
    SCOPED_TRACE(seed);
    std::mt19937_64 random{seed};
    for (int round = 0; round < 100; ++round) {
        expect_same_either_way<v1::Position>(random);
        expect_same_either_way<v1::DocumentList>(random);
        expect_same_either_way<v1::Document>(random);
        expect_same_either_way<v1::NetStatement>(random);
        expect_same_either_way<v1::Disputes>(random);
        expect_same_either_way<v1::Reconciliation>(random);
    }
}

// Parameters in Protobuf.

constexpr std::array of_a_dispute{
    Parameter{"message_id", ParameterForm::message_id, true, {}},
    Parameter{"line", ParameterForm::integer, true, {}},
    Parameter{"evidence", ParameterForm::text, true, {}},
    Parameter{"reason", ParameterForm::text, false, {}}};

v1::DisputeOpening opening()
{
    v1::DisputeOpening sent;
    sent.set_message_id("d-1");
    sent.set_line(0);
    sent.set_evidence("till 4, été");
    return sent;
}

std::string fault_of(const std::string& bytes)
{
    v1::DisputeOpening form;
    const auto values = read_protobuf_parameters(bytes, of_a_dispute, form);
    return values ? "" : std::string{values.error().code} + " " + values.error().detail;
}

TEST(ProtobufParameters, AreReadLikeThoseOfJson)
{
    v1::DisputeOpening form;
    const auto values = read_protobuf_parameters(opening().SerializeAsString(), of_a_dispute, form);
    ASSERT_TRUE(values);
    const ParameterValues expected{
        {"message_id", "d-1"}, {"line", "0"}, {"evidence", "till 4, été"}};
    EXPECT_EQ(*values, expected);
    const auto in_json = read_json_parameters(
        R"({"message_id":"d-1","line":0,"evidence":"till 4, été"})", of_a_dispute);
    ASSERT_TRUE(in_json);
    EXPECT_EQ(*in_json, *values);
}

TEST(ProtobufParameters, RefuseWhatJsonRefuses)
{
    auto sent = opening();
    sent.clear_line();
    EXPECT_EQ(fault_of(sent.SerializeAsString()), "malformed line: is required");
    sent = opening();
    sent.set_evidence("");
    EXPECT_EQ(fault_of(sent.SerializeAsString()), "malformed evidence: is required");
    sent.set_evidence("a\nb");
    EXPECT_TRUE(fault_of(sent.SerializeAsString()).starts_with("malformed evidence: "));
    sent.set_evidence(std::string(1001, 'x'));
    EXPECT_TRUE(fault_of(sent.SerializeAsString()).starts_with("malformed evidence: "));
    sent = opening();
    sent.set_message_id("a b");
    EXPECT_TRUE(fault_of(sent.SerializeAsString()).starts_with("malformed message_id: "));
    const auto good = opening().SerializeAsString();
    EXPECT_EQ(fault_of(good), "");
    EXPECT_EQ(fault_of(good + "\x18\x01"), "malformed line: is there twice");
    EXPECT_EQ(fault_of(good + "\x78\x01"), "malformed field 15: is not a known field");
    EXPECT_TRUE(fault_of(good.substr(0, good.size() - 1)).starts_with("malformed "));
    EXPECT_TRUE(fault_of("\x0a\x02\xff\xfe").starts_with("malformed "));
    EXPECT_EQ(fault_of(""), "malformed message_id: is required");
}

} // namespace
} // namespace pointhouse::gateway
