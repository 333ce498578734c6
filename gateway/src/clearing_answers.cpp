#include <algorithm>
#include <charconv>
#include <exception>

#include "clearing.hpp"
#include "json_text.hpp"
#include "ledger/invariant.hpp"
#include "log.hpp"
#include "member_views.hpp"
#include "pointhouse/v1/answers.pb.h"
#include "pointhouse/v1/settlement.pb.h"
#include "problems.hpp"
#include "query.hpp"
#include "reports.hpp"

// What a turn's commit came to, as each of its exchanges is told.

namespace pointhouse::gateway {
namespace {

using ledger::MessageType;

Reader reader_of(const Caller& caller)
{
    return {caller.partner};
}

/// A read's answer in the encoding of the client. `Answer` has an append_json.
template <class Answer>
void answer_read(Exchange& exchange, const Answer& answer)
{
    exchange.status = 200;
    if (exchange.answer_type == MediaType::protobuf) {
        answer.AppendToString(&exchange.answer);
        exchange.answer_body_type = MediaType::protobuf;
    } else {
        append_json(exchange.answer, answer);
        exchange.answer_body_type = MediaType::json;
    }
}

Verdict verdict_of_item(const Turn& turn, const Turn::Item& item)
{
    if (item.fault.code.empty()) return verdict_of(turn.messages[item.message].outcome);
    return {
        .status = status_of(item.fault.code),
        .replayed = false,
        .code = item.fault.code,
        .detail = item.fault.detail,
        .record = nullptr};
}

std::optional<std::size_t> parse_limit(std::string_view text)
{
    if (text.empty()) return entries_default;
    std::size_t limit = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (limit < 1 || limit > entries_max) return std::nullopt;
    return limit;
}

} // namespace

Clearing::Progress Clearing::answer_echo(Exchange& exchange) const
{
    v1::EchoAnswer answer;
    if (exchange.caller->is_operator())
        answer.set_operator_(exchange.caller->name);
    else
        answer.set_partner(exchange.caller->name);
    answer.set_time_micros(ledger::micros_of(ledger_.house_time()));
    answer_read(exchange, answer);
    return Progress::answered;
}

void Clearing::answer_turn(Turn& turn)
{
    const auto terms = ledger_.terms();
    answers_.use(*terms);
    for (const Turn::Waiting& waiting : turn.waiting) {
        Exchange& exchange = *waiting.exchange;
        try {
            if (turn.has_failed)
                answer_problem(exchange, "internal", "Quote the Request-Id to support");
            else
                answer(turn, waiting);
        } catch (const ledger::StoreFailure& failure) {
            // A read while the journal is being looked at again after a failed commit.
            log_event(LogLevel::error, "read_failed", {{LogField::reason, failure.what()}});
            answer_overloaded(exchange);
        } catch (const std::exception& failure) {
            answer_internal(exchange, failure);
        }
        exchange.finish();
    }
}

void Clearing::answer(Turn& turn, const Turn::Waiting& waiting)
{
    Exchange& exchange = *waiting.exchange;
    switch (exchange.route) {
    case RouteId::accruals:
    case RouteId::redemptions:
    case RouteId::reversals:
    case RouteId::clawbacks:
    case RouteId::donations:
    case RouteId::transfers:
    case RouteId::holds:
    case RouteId::hold_capture:
    case RouteId::hold_release:
    case RouteId::accrual_release:
    case RouteId::member_block:
    case RouteId::member_unblock:
    case RouteId::member_close:
    case RouteId::member_merge:
    case RouteId::member_reinstate:
    case RouteId::adjustments:
        if (waiting.count == 0) return answer_proposal(exchange, turn.questions[waiting.first]);
        return answer_message(exchange, turn.messages[waiting.first]);
    case RouteId::member_identifiers:
    case RouteId::members: return answer_message(exchange, turn.messages[waiting.first]);
    case RouteId::batches: return answer_batch(turn, waiting);
    case RouteId::quotes: return answer_quote(exchange, turn.questions[waiting.first]);
    case RouteId::member_lookup:
        return answer_member(exchange, turn.questions[waiting.first].message.member);
    case RouteId::member: return answer_member(exchange, exchange.arguments[0]);
    case RouteId::member_entries: return answer_entries(exchange);
    case RouteId::hold: return answer_hold(exchange);
    case RouteId::message: return answer_outcome(exchange);
    case RouteId::position: return answer_position(exchange);
    case RouteId::documents:
    case RouteId::document:
    case RouteId::statement: return answer_document(exchange);
    case RouteId::document_answer:
    case RouteId::disputes:
    case RouteId::dispute:
    case RouteId::dispute_open:
    case RouteId::dispute_answer:
    case RouteId::dispute_escalate:
    case RouteId::reconciliation:
    case RouteId::reconciliation_compare:
    case RouteId::operator_request:
    case RouteId::echo:
    case RouteId::openapi: break;
    }
    ledger::invariant(false, "only what needs the ledger waits for it");
}

void Clearing::answer_message(Exchange& exchange, const ledger::Submission& submission)
{
    const Verdict verdict = verdict_of(submission.outcome);
    exchange.replayed = verdict.replayed;
    if (!verdict.is_booked()) {
        return answer_problem(
            exchange, verdict.code, verdict.detail, submission.message.message_id);
    }
    exchange.status = verdict.status;
    const Answers::Subject subject{
        *verdict.record, submission.message.member, reader_of(*exchange.caller)};
    if (exchange.answer_type == MediaType::protobuf) {
        answers_.append_protobuf(exchange.answer, subject);
        exchange.answer_body_type = MediaType::protobuf;
    } else {
        answers_.append_json(exchange.answer, subject);
        exchange.answer_body_type = MediaType::json;
    }
}

// Once it was approved its outcome is frozen, and the same message gets it like any other. Until
// then what would be refused is refused at once, and nothing is frozen.
void Clearing::answer_proposal(Exchange& exchange, ledger::Submission& submission)
{
    const ledger::Message& message = submission.message;
    if (ledger_.find_outcome(message.partner, message.message_id, submission.outcome)) {
        ledger_.commit({&submission, 1});
        return answer_message(exchange, submission);
    }
    ledger_.quote(message, submission.outcome);
    const Verdict verdict = verdict_of(submission.outcome);
    if (!verdict.is_booked())
        return answer_problem(exchange, verdict.code, verdict.detail, message.message_id);
    const auto proposal = house_.propose(message, exchange.caller->name);
    if (!proposal) return answer_fault(exchange, proposal.error(), message.message_id);
    exchange.status = 202;
    if (exchange.answer_type == MediaType::protobuf) {
        v1::ProposalAnswer answer;
        answer.set_proposal(static_cast<std::int64_t>(proposal->value()));
        answer.set_message_id(std::string{message.message_id});
        answer.set_state("waiting");
        answer.AppendToString(&exchange.answer);
        exchange.answer_body_type = MediaType::protobuf;
        return;
    }
    append_json_parts(
        exchange.answer,
        R"({"proposal":)",
        proposal->value(),
        R"(,"message_id":")",
        message.message_id,
        R"(","state":"waiting"})");
    exchange.answer_body_type = MediaType::json;
}

// JSON lines unless the client asks for one JSON document or for Protobuf.
void Clearing::answer_batch(Turn& turn, const Turn::Waiting& waiting)
{
    Exchange& exchange = *waiting.exchange;
    const bool is_protobuf = exchange.answer_type == MediaType::protobuf;
    const bool is_document = exchange.answer_type == MediaType::json;
    exchange.status = 200;
    exchange.answer_body_type = is_protobuf   ? MediaType::protobuf
                                : is_document ? MediaType::json
                                              : MediaType::json_lines;
    if (is_document) exchange.answer += R"({"results":[)";

    v1::BatchResult one; // serialized one after the other, results are a BatchResult of all
    one.add_results();
    for (std::size_t index = 0; index < waiting.count; ++index) {
        const Turn::Item& item = turn.items[waiting.first + index];
        const Verdict verdict = verdict_of_item(turn, item);
        const Answers::Item answer{
            .verdict = verdict,
            .message_id = item.message_id,
            .member = verdict.is_booked() ? turn.messages[item.message].message.member : "",
            .reader = reader_of(*exchange.caller)};
        if (is_protobuf) {
            v1::Result& result = *one.mutable_results(0);
            result.Clear();
            answers_.fill_item(result, answer);
            one.AppendToString(&exchange.answer);
            continue;
        }
        if (is_document && index > 0) exchange.answer += ',';
        answers_.append_item_json(exchange.answer, answer);
        if (!is_document) exchange.answer += '\n';
    }
    if (is_document) exchange.answer += "]}";
}

void Clearing::answer_quote(Exchange& exchange, ledger::Submission& question)
{
    ledger_.quote(question.message, question.outcome);
    answer_message(exchange, question);
    if (exchange.status == 201) exchange.status = 200;
    exchange.replayed = false;
}

void Clearing::answer_member(Exchange& exchange, std::string_view identifier)
{
    // An identifier that cannot be one is answered as one that nobody has.
    if (fault_of_member(identifier) == nullptr) {
        if (const auto member = ledger_.find_member(identifier))
            return answer_read(exchange, member_answer(identifier, *member, *ledger_.terms()));
    }
    answer_problem(exchange, "member_unknown", "member: nobody has this identifier");
}

void Clearing::answer_entries(Exchange& exchange)
{
    ReadQuery query;
    if (const auto fault = ReadQuery::parse(exchange.query, query))
        return answer_fault(exchange, *fault);
    if (!query.partner.empty())
        return answer_fault(exchange, malformed("partner", "is not a parameter of this read"));
    const auto limit = parse_limit(query.limit);
    if (!limit) return answer_fault(exchange, malformed("limit", "must be 1 to 100"));

    const Reader reader = reader_of(*exchange.caller);
    std::optional<ledger::Sequence> before;
    if (!query.cursor.empty()) {
        const auto cursor = ids_.decode(query.cursor, OpaqueKind::cursor, reader.partner);
        if (!cursor)
            return answer_fault(exchange, malformed("cursor", "is not one of this house's"));
        before = cursor->sequence;
    }
    const std::string_view identifier = exchange.arguments[0];
    const auto member =
        fault_of_member(identifier) == nullptr ? ledger_.find_member(identifier) : std::nullopt;
    if (!member)
        return answer_problem(exchange, "member_unknown", "member: nobody has this identifier");
    answer_read(
        exchange,
        entries_answer(
            ledger_,
            ids_,
            {.member = member->number, .reader = reader, .limit = *limit, .before = before}));
}

// Only the partner that made a hold sees it: for all others there is none.
void Clearing::answer_hold(Exchange& exchange)
{
    const std::string_view hold_id = exchange.arguments[0];
    const ledger::PartnerId partner = exchange.caller->partner;
    const auto hold = ledger_.find_hold(partner, hold_of(hold_id, partner));
    if (!hold) return answer_problem(exchange, "hold_unknown", "hold_id: the house knows none");
    answer_read(exchange, hold_answer(hold_id, *hold));
}

void Clearing::answer_outcome(Exchange& exchange)
{
    // Operators' own messages come from no partner.
    const bool is_own_of_operator = exchange.caller->is_operator() && exchange.query.empty();
    const auto partner = is_own_of_operator ? ledger::PartnerId{} : partner_of(exchange);
    if (!partner) return;
    const std::string_view message_id = exchange.arguments[0];
    ledger::Outcome outcome;
    if (fault_of_message_id(message_id) != nullptr ||
        !ledger_.find_outcome(*partner, message_id, outcome))
        return answer_problem(exchange, "message_unknown", "message_id: the house knows none");

    Verdict verdict = verdict_of(outcome);
    verdict.replayed = true;
    const Answers::Item item{
        .verdict = verdict,
        .message_id = message_id,
        .member = {},
        .reader = reader_of(*exchange.caller)};
    exchange.status = 200;
    if (exchange.answer_type == MediaType::protobuf) {
        v1::Result result;
        answers_.fill_item(result, item);
        result.AppendToString(&exchange.answer);
        exchange.answer_body_type = MediaType::protobuf;
        return;
    }
    answers_.append_item_json(exchange.answer, item);
    exchange.answer_body_type = MediaType::json;
}

void Clearing::answer_position(Exchange& exchange)
{
    const auto partner = partner_of(exchange);
    if (!partner) return;
    v1::Position form;
    answer_report(exchange, 200, house_.position_of(*partner), form);
}

void Clearing::answer_document(Exchange& exchange)
{
    std::optional<ledger::PartnerId> reader;
    if (!exchange.caller->is_operator()) reader = exchange.caller->partner;
    house_.answer_document(exchange, reader);
}

// Whose things a read is about: the caller's, or the partner that an operator names. None:
// answered.
std::optional<ledger::PartnerId> Clearing::partner_of(Exchange& exchange) const
{
    ReadQuery query;
    auto fault = ReadQuery::parse(exchange.query, query);
    if (!fault && !(query.limit.empty() && query.cursor.empty()))
        fault = malformed("query", "has a parameter that is not known");
    if (!fault && exchange.caller->is_operator() == query.partner.empty())
        fault = exchange.caller->is_operator()
                    ? malformed("partner", "is required of an operator")
                    : malformed("partner", "is a parameter of operators");
    if (fault) {
        answer_fault(exchange, *fault);
        return std::nullopt;
    }
    if (!exchange.caller->is_operator()) return exchange.caller->partner;
    const auto terms = ledger_.terms();
    const ledger::PartnerTerms* const found = terms->find_partner(query.partner);
    if (found == nullptr) {
        answer_fault(exchange, malformed("partner", "is not known"));
        return std::nullopt;
    }
    return found->partner;
}

} // namespace pointhouse::gateway
