#include <fmt/format.h>
#include <initializer_list>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "operator_desk.hpp"

// The description of operators' routes, made of what they read and answer, so that it cannot differ
// from what the house does.

namespace pointhouse::gateway {

namespace json = boost::json;

namespace {

json::object schema_of(ParameterForm form)
{
    switch (form) {
    case ParameterForm::text: return {{"type", "string"}, {"minLength", 1}, {"maxLength", 1000}};
    case ParameterForm::message_id: return {{"$ref", "#/components/schemas/MessageId"}};
    case ParameterForm::integer: return {{"type", "integer"}, {"format", "int64"}};
    case ParameterForm::flag: return {{"type", "boolean"}};
    case ParameterForm::window: return {{"type", "string"}, {"pattern", "^[0-9]{4}-[0-9]{2}$"}};
    case ParameterForm::day: return {{"$ref", "#/components/schemas/Day"}};
    }
    return {};
}

json::array query_of(const OperatorRoute& route)
{
    json::array parameters;
    for (const auto& each : route.parameters) {
        parameters.push_back(json::object{
            {"name", each.name},
            {"in", "query"},
            {"required", each.is_required},
            {"description", each.description},
            {"schema", schema_of(each.form)}});
    }
    return parameters;
}

json::object json_body_of(const OperatorRoute& route)
{
    json::object properties;
    json::array required;
    for (const auto& each : route.parameters) {
        auto schema = schema_of(each.form);
        schema.emplace("description", each.description);
        properties.emplace(each.name, std::move(schema));
        if (each.is_required) required.emplace_back(each.name);
    }
    return {
        {"type", "object"},
        {"additionalProperties", false},
        {"properties", std::move(properties)},
        {"required", std::move(required)}};
}

json::object content_of(MediaType type, json::object schema)
{
    return {{name_of(type), json::object{{"schema", std::move(schema)}}}};
}

json::object file_schema_of(MediaType type)
{
    if (type == MediaType::png) return {{"contentMediaType", name_of(type)}}; // bytes, no text
    return {{"type", type == MediaType::json ? "object" : "string"}};
}

json::object answers_of(const OperatorRoute& route)
{
    json::object headers{{"Request-Id", json::object{{"$ref", "#/components/headers/RequestId"}}}};
    if (route.has_message_id())
        headers.emplace(
            "Idempotent-Replayed",
            json::object{{"$ref", "#/components/headers/IdempotentReplayed"}});
    json::object content;
    for (const auto type : route.answers) {
        const bool is_json = type == MediaType::json;
        content.emplace(
            name_of(type),
            json::object{{"schema", is_json ? json::object{} : json::object{{"type", "string"}}}});
    }
    json::object answers{
        {"200",
         json::object{{"description", route.summary}, {"headers", headers}, {"content", content}}}};
    if (route.is_act) {
        answers.emplace(
            "202",
            json::object{
                {"description",
                 "Prepared: it waits for another operator, who approves the proposal"},
                {"headers", headers},
                {"content",
                 content_of(MediaType::json, {{"$ref", "#/components/schemas/WaitingProposal"}})}});
    }
    for (const auto status : {400, 401, 403, 404, 422, 429, 500, 503})
        answers.emplace(
            fmt::format("{}", status),
            json::object{{"$ref", fmt::format("#/components/responses/Problem{}", status)}});
    if (route.is_act)
        for (const auto status : {411, 413, 415})
            answers.emplace(
                fmt::format("{}", status),
                json::object{{"$ref", fmt::format("#/components/responses/Problem{}", status)}});
    return answers;
}

/// "/v1/operator/settle/draft" acts: "postSettleDraft".
std::string operation_id_of(const OperatorRoute& route)
{
    constexpr std::string_view prefix = "/v1/operator";
    std::string id = route.is_act ? "post" : "get";
    bool is_start = false;
    for (const char each : route.path.substr(prefix.size())) {
        const bool is_letter = each >= 'a' && each <= 'z';
        if (is_letter) id += is_start ? static_cast<char>(each - 'a' + 'A') : each;
        is_start = !is_letter;
    }
    return id;
}

json::object operation_of(const OperatorRoute& route)
{
    json::object operation{
        {"operationId", operation_id_of(route)},
        {"tags", json::array{"operators"}},
        {"summary", route.summary}};
    const bool has_json = route.is_act && route.file == MediaType::none;
    if (!has_json && !route.parameters.empty()) operation.emplace("parameters", query_of(route));
    if (route.is_act) {
        auto content = has_json ? content_of(MediaType::json, json_body_of(route))
                                : content_of(route.file, file_schema_of(route.file));
        operation.emplace(
            "requestBody", json::object{{"required", true}, {"content", std::move(content)}});
    }
    operation.emplace("responses", answers_of(route));
    return operation;
}

} // namespace

std::string openapi_with(std::string_view document, std::span<const OperatorRoute> routes)
{
    auto whole = json::parse(document).as_object();
    auto& paths = whole.at("paths").as_object();
    for (const auto& route : routes) {
        auto& path = paths[route.path];
        if (!path.is_object()) path = json::object{};
        path.as_object().emplace(route.is_act ? "post" : "get", operation_of(route));
    }
    return json::serialize(whole);
}

} // namespace pointhouse::gateway
