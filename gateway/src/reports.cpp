#include "reports.hpp"

#include <optional>
#include <stdexcept>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "ledger/time.hpp"

namespace pointhouse::gateway {
namespace {

namespace json = boost::json;

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string text_of(const json::value& value)
{
    return json::value_to<std::string>(value);
}

[[noreturn]] void fail(const std::string& name)
{
    throw std::logic_error{"a report has no Protobuf field " + name};
}

void require(const FieldDescriptor& field, FieldDescriptor::CppType type, bool is_list)
{
    if (field.cpp_type() != type || field.is_repeated() != is_list) fail(field.name());
}

const FieldDescriptor* find_field(const Message& form, const std::string& name)
{
    return form.GetDescriptor()->FindFieldByName(name);
}

/// One value that is no list.
void set(Message& form, const FieldDescriptor& field, const json::value& value)
{
    const auto& access = *form.GetReflection();
    if (value.is_bool()) {
        require(field, FieldDescriptor::CPPTYPE_BOOL, false);
        access.SetBool(&form, &field, value.as_bool());
    } else if (value.is_string()) {
        require(field, FieldDescriptor::CPPTYPE_STRING, false);
        access.SetString(&form, &field, text_of(value));
    } else {
        require(field, FieldDescriptor::CPPTYPE_INT64, false);
        access.SetInt64(&form, &field, value.to_number<std::int64_t>());
    }
}

void fill(Message& form, const json::object& object);

void add_all(Message& form, const FieldDescriptor& field, const json::array& values)
{
    const auto& access = *form.GetReflection();
    for (const auto& value : values) {
        if (value.is_object()) {
            require(field, FieldDescriptor::CPPTYPE_MESSAGE, true);
            fill(*access.AddMessage(&form, &field), value.as_object());
        } else {
            require(field, FieldDescriptor::CPPTYPE_STRING, true);
            access.AddString(&form, &field, text_of(value));
        }
    }
}

/// What is null is not set. A time is text in JSON and a number of microseconds in Protobuf, which
/// its name says.
void fill(Message& form, const json::object& object)
{
    for (const auto& [key, value] : object) {
        const std::string name{key};
        const auto* const field = find_field(form, name);
        if (field == nullptr) {
            const auto* const micros = find_field(form, name + "_micros");
            const auto time = micros ? ledger::parse_time(text_of(value)) : std::nullopt;
            if (!time) fail(name);
            form.GetReflection()->SetInt64(&form, micros, ledger::micros_of(*time));
        } else if (value.is_array()) {
            add_all(form, *field, value.as_array());
        } else if (value.is_object()) {
            require(*field, FieldDescriptor::CPPTYPE_MESSAGE, false);
            fill(*form.GetReflection()->MutableMessage(&form, field), value.as_object());
        } else if (!value.is_null()) {
            set(form, *field, value);
        }
    }
}

} // namespace

void answer_report(Exchange& exchange, int status, std::string json, Message& form)
{
    exchange.status = status;
    if (exchange.answer_type != MediaType::protobuf) {
        exchange.answer = std::move(json);
        exchange.answer_body_type = MediaType::json;
        return;
    }
    fill(form, json::parse(json).as_object());
    form.AppendToString(&exchange.answer);
    exchange.answer_body_type = MediaType::protobuf;
}

} // namespace pointhouse::gateway
