#include "operator_desk.hpp"

#include <string>
#include <utility>

#include "answers.hpp"
#include "json_text.hpp"
#include "log.hpp"
#include "parameters.hpp"
#include "problems.hpp"

namespace pointhouse::gateway {
namespace {

BodyForm body_form_of(const OperatorRoute& route)
{
    if (!route.is_act) return BodyForm::none;
    return route.file == MediaType::none ? BodyForm::json : BodyForm::file;
}

/// What a person at a keyboard reads, as the detail of a problem: without the program's name and
/// the line's end.
std::string_view as_detail(std::string_view complaint)
{
    constexpr std::string_view program = "pointhouse: ";
    if (complaint.starts_with(program)) complaint.remove_prefix(program.size());
    while (complaint.ends_with('\n')) complaint.remove_suffix(1);
    return complaint;
}

constexpr std::string_view message_id_name = "message_id";

std::string message_id_of(const ParameterValues& values)
{
    const auto found = values.find(message_id_name);
    return found == values.end() ? std::string{} : found->second;
}

/// What a request is answered with.
struct AnswerForm {
    MediaType type = MediaType::json;
    std::string message_id{}; // empty: it has none
};

void answer_result(Exchange& exchange, const CommandResult& result, const AnswerForm& form)
{
    exchange.replayed = result.is_replayed;
    if (result.proposal != 0) {
        exchange.status = 202;
        exchange.answer_body_type = MediaType::json;
        append_json_parts(
            exchange.answer, R"({"proposal":)", result.proposal, R"(,"state":"waiting"})");
        return;
    }
    if (result.exit_code != 0) {
        const std::string_view usual =
            result.exit_code == 2 ? "malformed" : std::string_view{"settlement_refused"};
        return answer_problem(
            exchange,
            result.code.empty() ? usual : result.code,
            as_detail(result.complaint),
            form.message_id);
    }
    exchange.status = 200;
    exchange.answer_body_type = form.type;
    exchange.answer = result.output;
    if (form.type == MediaType::json && exchange.answer.ends_with('\n')) exchange.answer.pop_back();
}

/// Like a command's, that such a request was made stands in the log; who acted and how, in the
/// house's record.
void log_answer(const Exchange& exchange, std::string_view path)
{
    log_event(
        LogLevel::info,
        "operator_request",
        {{LogField::request_id, {exchange.request_id.data(), exchange.request_id.size()}},
         {LogField::route, path},
         {LogField::status, std::to_string(exchange.status)}});
}

} // namespace

OperatorDesk::OperatorDesk(Desk& desk, OperatorRoutes requests)
    : desk_{desk}, requests_{std::move(requests)}
{
    for (const auto& route : requests_.routes) {
        routes_.push_back(
            {.id = RouteId::operator_request,
             .method = route.is_act ? Method::post : Method::get,
             .form = body_form_of(route),
             .path = route.path,
             .file = route.file,
             .answers = route.answers});
    }
}

bool OperatorDesk::begin(Exchange& exchange)
{
    const auto& route = requests_.routes[exchange.operator_route];
    const bool has_json = route.is_act && route.file == MediaType::none;
    if (has_json && !exchange.query.empty()) {
        answer_problem(exchange, "malformed", "query: takes no parameter");
        return true;
    }
    auto values = has_json ? read_json_parameters(exchange.body, route.parameters)
                           : read_query_parameters(exchange.query, route.parameters);
    if (!values) {
        answer_problem(exchange, values.error().code, values.error().detail);
        return true;
    }
    const auto message_id = message_id_of(*values);
    if (!message_id.empty()) {
        const auto [place, is_first] = under_way_.try_emplace(message_id);
        if (!is_first) {
            place->second.push_back(&exchange);
            return false;
        }
    }
    OperatorRequest request{
        .route = exchange.operator_route,
        .operator_name = exchange.caller->name,
        .values = std::move(*values),
        .file = route.file == MediaType::none ? std::string_view{} : exchange.body,
        .answer = exchange.answer_type};
    AnswerForm form{.type = request.answer, .message_id = message_id};
    const bool is_taken = desk_.take(
        exchange,
        [this, request = std::move(request)](House& house) {
            return requests_.interpret(house, request);
        },
        [form = std::move(form),
         path = route.path](Exchange& answered, const CommandResult& result) {
            answer_result(answered, result, form);
            log_answer(answered, path);
        },
        [this, message_id] { finish_waiting(message_id); });
    if (is_taken) return false;
    under_way_.erase(message_id);
    answer_overloaded(exchange);
    return true;
}

void OperatorDesk::finish_waiting(const std::string& message_id)
{
    auto node = under_way_.extract(message_id);
    if (node.empty()) return;
    for (auto* const exchange : node.mapped())
        if (begin(*exchange)) exchange->finish();
}

} // namespace pointhouse::gateway
