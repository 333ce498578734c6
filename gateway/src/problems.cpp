#include "problems.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "ledger/invariant.hpp"
#include "log.hpp"
#include "message_form.hpp"
#include "pointhouse/v1/answers.pb.h"

namespace pointhouse::gateway {
namespace {

using enum Retry;

constexpr std::array list{
    Problem{"malformed", 400, never, "The request is not in the form that the contract asks for"},
    Problem{"certificate_refused", 401, never, "The certificate is unknown, expired or revoked"},
    Problem{"forbidden", 403, never, "The caller's role may not do this"},
    Problem{"member_unknown", 404, never, "No such member"},
    Problem{"message_unknown", 404, never, "No such message of this partner"},
    Problem{"hold_unknown", 404, never, "No such hold of this partner"},
    Problem{"document_unknown", 404, never, "No such document of this partner"},
    Problem{"dispute_unknown", 404, never, "No such dispute of this partner"},
    Problem{"window_unknown", 404, never, "The house has no such window"},
    Problem{"proposal_unknown", 404, never, "Nothing waits for approval under this id"},
    Problem{"route_unknown", 404, never, "No such path"},
    Problem{"method_not_allowed", 405, never, "The path does not take this method"},
    Problem{"not_acceptable", 406, never, "The path has no type that Accept asks for"},
    Problem{"hold_not_open", 409, never, "The hold was captured, released or has ended"},
    Problem{"dispute_not_open", 409, never, "The dispute is not at a stage for this, or too late"},
    Problem{"length_required", 411, never, "The request has no Content-Length"},
    Problem{"too_large", 413, never, "The request is larger than its bound"},
    Problem{"media_type_unsupported", 415, never, "The body's media type or encoding is not taken"},
    Problem{"insufficient_points", 422, new_id, "The member has too few available points"},
    Problem{
        "message_id_reused", 422, new_id, "The message id belongs to a message with other content"},
    Problem{
        "reversal_exceeds_original", 422, never, "More would be reversed than the original holds"},
    Problem{"late_window_closed", 422, never, "The accrual is older than the late window"},
    Problem{"occurred_in_future", 422, new_id, "The message is dated in the future"},
    Problem{"issuer_unfunded", 422, new_id, "The issuer's points are not funded"},
    Problem{"funding_not_agreed", 422, never, "No approved agreement says who funds this"},
    Problem{"role_not_allowed", 422, never, "The partner's contract does not have this role"},
    Problem{"member_blocked", 422, new_id, "The member is blocked"},
    Problem{"member_closed", 422, never, "The member's account is closed"},
    Problem{"currency_unsupported", 422, never, "The house does not book in this currency"},
    Problem{"points_out_of_range", 422, never, "A message carries 1 to 1,000,000,000 points"},
    Problem{"limit_exceeded", 422, new_id, "A limit of the contract would be exceeded"},
    Problem{"identifier_taken", 422, never, "The identifier is another member's"},
    Problem{"dispute_refused", 422, never, "What is contested cannot be contested"},
    Problem{"settlement_refused", 422, never, "What the settlement stands at does not allow it"},
    Problem{"proposal_rejected", 422, new_id, "Another operator turned it down"},
    Problem{"already_merged", 422, never, "The two are one member already"},
    Problem{"rate_limited", 429, same_id, "Too many requests of this partner"},
    Problem{"internal", 500, same_id, "The house failed; nothing is known to be booked"},
    Problem{"overloaded", 503, same_id, "The house is busy; nothing is known to be booked"},
};

} // namespace

std::span<const Problem> problems()
{
    return list;
}

const Problem& problem_of(std::string_view code)
{
    const auto* const found = std::ranges::find(list, code, &Problem::code);
    ledger::invariant(found != list.end(), "every code is in the closed list");
    return *found;
}

int status_of(std::string_view code)
{
    return problem_of(code).status;
}

std::string_view name_of(Retry retry)
{
    switch (retry) {
    case never: return "never";
    case same_id: return "same_id";
    case new_id: return "new_id";
    }
    return {};
}

void append_problem(
    std::string& out, std::string_view code, std::string_view detail, std::string_view message_id)
{
    const Problem& problem = problem_of(code);
    fmt::format_to(
        std::back_inserter(out),
        R"({{"type":"urn:pointhouse:problem:{}","title":"{}","status":{},"detail":{},"code":"{}","retry":"{}")",
        code,
        problem.title,
        problem.status,
        boost::json::serialize(detail),
        code,
        name_of(problem.retry));
    if (!message_id.empty())
        fmt::format_to(std::back_inserter(out), R"(,"message_id":"{}")", message_id);
    out += '}';
}

void fill_problem(
    v1::Problem& out, std::string_view code, std::string_view detail, std::string_view message_id)
{
    const Problem& problem = problem_of(code);
    out.set_type(fmt::format("urn:pointhouse:problem:{}", code));
    out.set_title(problem.title.data(), problem.title.size());
    out.set_status(problem.status);
    out.set_detail(detail.data(), detail.size());
    out.set_code(code.data(), code.size());
    const std::string_view retry = name_of(problem.retry);
    out.set_retry(retry.data(), retry.size());
    out.set_message_id(message_id.data(), message_id.size());
}

MediaType problem_type_of(const AcceptedTypes& accepted, MediaType usual)
{
    constexpr std::array types{MediaType::json, MediaType::protobuf};
    const auto type = accepted.choose(types, usual);
    return type == MediaType::protobuf ? type : MediaType::json;
}

void answer_problem(
    Exchange& exchange, std::string_view code, std::string_view detail, std::string_view message_id)
{
    exchange.status = status_of(code);
    exchange.is_problem = true;
    if (code == "overloaded") exchange.retry_after_seconds = 1;
    exchange.answer.clear();
    const auto type = exchange.answer_type == MediaType::protobuf
                          ? MediaType::protobuf
                          : problem_type_of(exchange.accepted, exchange.answer_type);
    if (type == MediaType::protobuf) {
        v1::Problem problem;
        fill_problem(problem, code, detail, message_id);
        problem.AppendToString(&exchange.answer);
        exchange.answer_body_type = MediaType::protobuf;
        return;
    }
    append_problem(exchange.answer, code, detail, message_id);
    exchange.answer_body_type = MediaType::json;
}

void answer_fault(Exchange& exchange, const Fault& fault, std::string_view message_id)
{
    answer_problem(exchange, fault.code, fault.detail, message_id);
}

void answer_overloaded(Exchange& exchange, std::string_view detail)
{
    answer_problem(exchange, "overloaded", detail);
}

void answer_internal(Exchange& exchange, const std::exception& failure)
{
    log_event(
        LogLevel::error,
        "request_failed",
        {{LogField::request_id, {exchange.request_id.data(), exchange.request_id.size()}},
         {LogField::reason, failure.what()}});
    answer_problem(exchange, "internal", "Quote the Request-Id to support");
}

} // namespace pointhouse::gateway
