#include "parameters.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/system/error_code.hpp>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "ledger/invariant.hpp"
#include "ledger/time.hpp"
#include "wire_protobuf.hpp"

namespace pointhouse::gateway {
namespace {

using boost::system::error_code;
using Text = boost::json::string_view;

const Parameter* find_parameter(std::span<const Parameter> parameters, std::string_view name)
{
    const auto found = std::ranges::find(parameters, name, &Parameter::name);
    return found == parameters.end() ? nullptr : &*found;
}

bool is_integer(std::string_view text)
{
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size();
}

const char* fault_of_value(ParameterForm form, std::string_view text)
{
    switch (form) {
    case ParameterForm::text: return fault_of_text(text, parameter_bytes_max);
    case ParameterForm::message_id: return fault_of_message_id(text);
    case ParameterForm::integer: return is_integer(text) ? nullptr : "must be a whole number";
    case ParameterForm::flag:
        return text == "true" || text == "false" ? nullptr : "must be true or false";
    case ParameterForm::window:
        return ledger::parse_month(text) ? nullptr : "must be a month, e.g. 2026-06";
    case ParameterForm::day: return ledger::parse_day(text) ? nullptr : fault_of_day;
    }
    return nullptr;
}

std::optional<Fault> take(ParameterValues& values, const Parameter& parameter, std::string text)
{
    if (const char* fault = fault_of_value(parameter.form, text))
        return malformed(parameter.name, fault);
    values.emplace(parameter.name, std::move(text));
    return std::nullopt;
}

std::optional<Fault> missing_of(
    const ParameterValues& values, std::span<const Parameter> parameters)
{
    for (const auto& parameter : parameters)
        if (parameter.is_required && !values.contains(parameter.name))
            return malformed(parameter.name, "is required");
    return std::nullopt;
}

/// The events of one flat object. A fault stops the parser.
class FlatHandler {
public:
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

    void start(std::span<const Parameter> parameters) { parameters_ = parameters; }
    [[nodiscard]] Fault fault() const
    {
        return fault_.value_or(malformed(field_ ? field_->name : "body", "is not valid JSON"));
    }
    [[nodiscard]] ParameterValues values() { return std::move(values_); }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code& error)
    {
        if (std::exchange(is_inside_, true)) return refuse("must be a single value", error);
        return true;
    }
    bool on_object_end(std::size_t, error_code&) { return true; }
    bool on_array_begin(error_code& error) { return refuse("must be a single value", error); }
    bool on_array_end(std::size_t, error_code&) { return true; }
    bool on_key_part(Text part, std::size_t, error_code& error) { return collect(part, error); }
    bool on_key(Text part, std::size_t, error_code& error)
    {
        if (!collect(part, error)) return false;
        const std::string name = std::exchange(parts_, {});
        field_ = find_parameter(parameters_, name);
        if (!field_) return refuse_body("has a field that is not known", error);
        if (values_.contains(name)) return refuse("is there twice", error);
        return true;
    }
    bool on_string_part(Text part, std::size_t, error_code& error) { return collect(part, error); }
    bool on_string(Text part, std::size_t, error_code& error)
    {
        if (!collect(part, error)) return false;
        if (!field_) return refuse_body("must be an object", error);
        if (field_->form == ParameterForm::integer || field_->form == ParameterForm::flag)
            return refuse("has the wrong type", error);
        return take_value(std::exchange(parts_, {}), error);
    }
    bool on_number_part(Text, error_code&) { return true; }
    bool on_int64(std::int64_t number, Text, error_code& error)
    {
        if (!field_ || field_->form != ParameterForm::integer)
            return refuse("has the wrong type", error);
        return take_value(std::to_string(number), error);
    }
    bool on_uint64(std::uint64_t, Text, error_code& error)
    {
        return refuse("must be a whole number", error);
    }
    bool on_double(double, Text, error_code& error)
    {
        return refuse("must be a whole number", error);
    }
    bool on_bool(bool value, error_code& error)
    {
        if (!field_ || field_->form != ParameterForm::flag)
            return refuse("has the wrong type", error);
        return take_value(value ? "true" : "false", error);
    }
    bool on_null(error_code& error) { return refuse("must not be null", error); }
    bool on_comment_part(Text, error_code&) { return true; }
    bool on_comment(Text, error_code&) { return true; }

private:
    bool stop(Fault fault, error_code& error)
    {
        fault_ = std::move(fault);
        error = boost::json::make_error_code(boost::json::error::syntax);
        return false;
    }
    bool refuse(std::string_view what, error_code& error)
    {
        return stop(malformed(field_ ? field_->name : "body", what), error);
    }
    bool refuse_body(std::string_view what, error_code& error)
    {
        return stop(malformed("body", what), error);
    }
    bool collect(Text part, error_code& error)
    {
        if (parts_.size() + part.size() > parameter_bytes_max) return refuse("is too long", error);
        parts_.append(part.data(), part.size());
        return true;
    }
    bool take_value(std::string text, error_code& error)
    {
        if (auto fault = take(values_, *field_, std::move(text)))
            return stop(std::move(*fault), error);
        return true;
    }

    std::span<const Parameter> parameters_;
    const Parameter* field_ = nullptr;
    bool is_inside_ = false;
    std::string parts_;
    ParameterValues values_;
    std::optional<Fault> fault_;
};

int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    const int letter = digit | 0x20;
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/// None: an escape that is none.
std::optional<std::string> percent_decoded(std::string_view text)
{
    std::string decoded;
    for (std::size_t place = 0; place < text.size(); ++place) {
        if (text[place] != '%') {
            decoded += text[place];
            continue;
        }
        if (place + 2 >= text.size()) return std::nullopt;
        const int high = hex_value(text[place + 1]);
        const int low = hex_value(text[place + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        decoded += static_cast<char>(high * 16 + low);
        place += 2;
    }
    return decoded;
}

} // namespace

std::expected<ParameterValues, Fault> read_json_parameters(
    std::string_view body, std::span<const Parameter> parameters)
{
    boost::json::parse_options options;
    options.max_depth = 2;
    boost::json::basic_parser<FlatHandler> events{options};
    events.handler().start(parameters);
    error_code error;
    const auto read = events.write_some(false, body.data(), body.size(), error);
    if (error) return std::unexpected(events.handler().fault());
    if (read != body.size())
        return std::unexpected(malformed("body", "has bytes after the JSON document"));
    auto values = events.handler().values();
    if (auto fault = missing_of(values, parameters)) return std::unexpected(std::move(*fault));
    return values;
}

std::expected<ParameterValues, Fault> read_protobuf_parameters(
    std::string_view body, std::span<const Parameter> parameters, google::protobuf::Message& form)
{
    if (auto fault = read_strictly(body, form)) return std::unexpected(std::move(*fault));
    const auto& access = *form.GetReflection();
    ParameterValues values;
    for (const auto& parameter : parameters) {
        const auto* const field =
            form.GetDescriptor()->FindFieldByName(std::string{parameter.name});
        ledger::invariant(field != nullptr, "a form has a field for each parameter");
        if (!access.HasField(form, field)) continue;
        auto text = parameter.form == ParameterForm::integer
                        ? std::to_string(access.GetInt64(form, field))
                        : access.GetString(form, field);
        if (auto fault = take(values, parameter, std::move(text)))
            return std::unexpected(std::move(*fault));
    }
    if (auto fault = missing_of(values, parameters)) return std::unexpected(std::move(*fault));
    return values;
}

std::expected<ParameterValues, Fault> read_query_parameters(
    std::string_view query, std::span<const Parameter> parameters)
{
    ParameterValues values;
    while (!query.empty()) {
        const auto pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(pair.size() + 1, query.size()));
        const auto equals = std::min(pair.find('='), pair.size());
        const auto* parameter = find_parameter(parameters, pair.substr(0, equals));
        if (!parameter)
            return std::unexpected(malformed("query", "has a parameter that is not known"));
        if (values.contains(parameter->name))
            return std::unexpected(malformed(parameter->name, "is there twice"));
        auto text = percent_decoded(pair.substr(std::min(equals + 1, pair.size())));
        if (!text) return std::unexpected(malformed(parameter->name, "has a broken escape"));
        // What needs other characters is in a JSON body, whose UTF-8 the parser checks.
        if (std::ranges::any_of(*text, [](char each) { return (each & 0x80) != 0; }))
            return std::unexpected(malformed(parameter->name, "must be ASCII"));
        if (auto fault = take(values, *parameter, std::move(*text)))
            return std::unexpected(std::move(*fault));
    }
    if (auto fault = missing_of(values, parameters)) return std::unexpected(std::move(*fault));
    return values;
}

} // namespace pointhouse::gateway
