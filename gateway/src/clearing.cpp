#include "clearing.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "ledger/invariant.hpp"
#include "log.hpp"
#include "openapi.hpp"
#include "problems.hpp"

namespace pointhouse::gateway {
namespace {

using ledger::MessageType;

constexpr std::string_view blanks = " \t\r";

// A parameter that nobody reads is refused: with `?points=5` a capture would take everything.
constexpr std::array reading_query{
    RouteId::member_entries,
    RouteId::message,
    RouteId::position,
    RouteId::reconciliation,
    RouteId::reconciliation_compare,
    RouteId::operator_request};

} // namespace

Clearing::Clearing(
    boost::asio::any_io_executor executor,
    ledger::Ledger& ledger,
    const OpaqueKey& key,
    HousePorts house)
    : ledger_{ledger}, house_{std::move(house)}, ids_{key}, answers_{ids_},
      queue_{std::move(executor), ledger, [this](Turn& turn) { answer_turn(turn); }}
{}

void Clearing::begin(Exchange& exchange)
{
    exchange.answer.clear();
    Progress progress = Progress::answered;
    Turn& turn = queue_.filling();
    const std::size_t messages_before = turn.message_count;
    try {
        progress = start(exchange);
    } catch (const std::exception& failure) {
        turn.message_count = messages_before; // what was half decoded must not be committed
        answer_internal(exchange, failure);
    }
    if (progress == Progress::answered) exchange.finish();
}

Clearing::Progress Clearing::start(Exchange& exchange)
{
    if (!exchange.query.empty() &&
        std::ranges::find(reading_query, exchange.route) == reading_query.end()) {
        answer_fault(exchange, malformed("query", "takes no parameter"));
        return Progress::answered;
    }
    switch (exchange.route) {
    case RouteId::accruals: return start_message(exchange, MessageType::accrual);
    case RouteId::redemptions: return start_message(exchange, MessageType::redemption);
    case RouteId::reversals: return start_message(exchange, MessageType::reversal);
    case RouteId::clawbacks: return start_message(exchange, MessageType::clawback);
    case RouteId::donations: return start_message(exchange, MessageType::donation);
    case RouteId::transfers: return start_message(exchange, MessageType::transfer);
    case RouteId::holds: return start_message(exchange, MessageType::hold);
    case RouteId::hold_capture: return start_message(exchange, MessageType::capture);
    case RouteId::hold_release: return start_message(exchange, MessageType::hold_release);
    case RouteId::accrual_release: return start_message(exchange, MessageType::accrual_release);
    case RouteId::member_block: return start_message(exchange, MessageType::block);
    case RouteId::member_unblock: return start_message(exchange, MessageType::unblock);
    case RouteId::member_close: return start_message(exchange, MessageType::close);
    case RouteId::member_merge: return start_message(exchange, MessageType::merge);
    case RouteId::member_identifiers: return start_message(exchange, MessageType::identification);
    case RouteId::member_reinstate: return start_message(exchange, MessageType::reinstatement);
    case RouteId::adjustments: return start_message(exchange, MessageType::adjustment);
    case RouteId::members: return start_message(exchange, MessageType::enrolment);
    case RouteId::batches: return start_batch(exchange);
    case RouteId::quotes:
    case RouteId::member_lookup: return start_question(exchange);
    case RouteId::member:
    case RouteId::member_entries:
    case RouteId::hold:
    case RouteId::message:
    case RouteId::position:
    case RouteId::documents:
    case RouteId::document:
    case RouteId::statement: return start_read(exchange);
    case RouteId::document_answer:
    case RouteId::disputes:
    case RouteId::dispute:
    case RouteId::dispute_open:
    case RouteId::dispute_answer:
    case RouteId::dispute_escalate: return start_dispute(exchange);
    case RouteId::reconciliation:
    case RouteId::reconciliation_compare: return start_records(exchange);
    case RouteId::operator_request: return start_operator_request(exchange);
    case RouteId::echo: return answer_echo(exchange);
    case RouteId::openapi: break;
    }
    exchange.status = 200;
    exchange.answer = house_.openapi.empty() ? openapi_document() : house_.openapi;
    exchange.answer_body_type = MediaType::json;
    return Progress::answered;
}

Clearing::Progress Clearing::start_message(Exchange& exchange, MessageType type)
{
    if (exchange.caller->is_operator() != ledger::is_of_operator(type)) {
        answer_problem(
            exchange,
            "forbidden",
            exchange.caller->is_operator() ? "Operators do not send the messages of partners"
                                           : "Only operators may do this");
        return Progress::answered;
    }
    if (!queue_.has_room(1)) {
        answer_overloaded(exchange);
        return Progress::answered;
    }
    Turn& turn = queue_.filling();
    ledger::Message& message = turn.add_message(exchange.caller->partner).message;
    message.type = type;
    const auto fault = exchange.body_type == MediaType::protobuf
                           ? protobuf_.read(exchange.body, message, turn.scratch)
                           : json_.read(exchange.body, message, turn.scratch);
    if (fault) {
        answer_fault(exchange, *fault, message.message_id);
        turn.drop_last_message();
        return Progress::answered;
    }
    name_by_path(exchange, message);
    if (needs_approval(message)) {
        turn.questions.push_back({.message = message, .outcome = {}});
        turn.drop_last_message();
        queue_.wait({&exchange, turn.questions.size() - 1, 0}); // of no message: of a proposal
        return Progress::waiting;
    }
    queue_.wait({&exchange, turn.message_count - 1, 1});
    return Progress::waiting;
}

// A reinstatement takes two people, an adjustment beyond what the house's terms leave to one, and
// what else they name.
bool Clearing::needs_approval(const ledger::Message& message) const
{
    if (!house_.propose) return false;
    if (message.type == MessageType::reinstatement) return true;
    const auto terms = ledger_.terms();
    const auto& above = terms->house.approval_above;
    if (message.type == MessageType::adjustment) return above && message.points > *above;
    const auto& named = terms->house.approval_of;
    return std::ranges::find(named, message.type) != named.end();
}

// An id that cannot be one is answered as one that nobody has.
void Clearing::name_by_path(const Exchange& exchange, ledger::Message& message)
{
    const std::string_view named = exchange.arguments[0];
    if (message.type == MessageType::accrual_release) {
        message.reverses = fault_of_message_id(named) == nullptr ? named : std::string_view{};
    } else if (fields_of_path(message.type) == set_of(Field::member)) {
        message.member = fault_of_member(named) == nullptr ? named : std::string_view{};
    } else if (fields_of_path(message.type) != 0) {
        message.hold = hold_of(named, message.partner);
    }
}

ledger::Sequence Clearing::hold_of(std::string_view hold_id, ledger::PartnerId partner)
{
    const auto subject = ids_.decode(hold_id, OpaqueKind::hold, partner);
    return subject ? subject->sequence : ledger::Sequence{};
}

void Clearing::name_by_body(std::string_view hold_id, ledger::Message& message)
{
    if (!hold_id.empty()) message.hold = hold_of(hold_id, message.partner);
}

std::optional<Fault> Clearing::split_batch(Exchange& exchange)
{
    pieces_.clear();
    if (exchange.body_type == MediaType::protobuf) {
        if (auto fault = ProtobufReader::split_batch(exchange.body, pieces_)) return fault;
    } else {
        std::string_view rest = exchange.body;
        while (!rest.empty()) {
            const std::string_view line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(line.size() + 1, rest.size()));
            if (line.find_first_not_of(blanks) == std::string_view::npos) continue;
            pieces_.push_back(line);
            if (pieces_.size() > batch_messages_max) break;
        }
    }
    if (pieces_.empty()) return malformed("body", "has no messages");
    if (pieces_.size() > batch_messages_max)
        return Fault{.code = "too_large", .detail = "body: has more than 10,000 messages"};
    return std::nullopt;
}

Clearing::Progress Clearing::start_batch(Exchange& exchange)
{
    if (exchange.caller->is_operator()) {
        answer_problem(exchange, "forbidden", "Operators read; messages are sent by partners");
        return Progress::answered;
    }
    if (const auto fault = split_batch(exchange)) {
        answer_fault(exchange, *fault);
        return Progress::answered;
    }
    if (!queue_.has_room(pieces_.size())) {
        answer_overloaded(exchange);
        return Progress::answered;
    }
    const std::size_t first = queue_.filling().items.size();
    for (const std::string_view piece : pieces_) read_item(exchange, piece);
    queue_.wait({&exchange, first, pieces_.size()});
    return Progress::waiting;
}

// Items stand alone: one that is malformed is a result of its own.
void Clearing::read_item(Exchange& exchange, std::string_view text)
{
    Turn& turn = queue_.filling();
    ledger::Message& message = turn.add_message(exchange.caller->partner).message;
    auto fault = exchange.body_type == MediaType::protobuf
                     ? protobuf_.read_typed(text, message, turn.scratch)
                     : json_.read_typed(text, message, turn.scratch);
    Turn::Item& item = turn.items.emplace_back();
    item.message = turn.message_count - 1;
    item.message_id = message.message_id;
    name_by_body(
        exchange.body_type == MediaType::protobuf ? protobuf_.hold_id() : json_.hold_id(), message);
    if (!fault) return;
    item.fault = std::move(*fault);
    turn.drop_last_message();
}

// A quote or a look-up: decoded at once, asked after the turn's commit.
Clearing::Progress Clearing::start_question(Exchange& exchange)
{
    const bool is_quote = exchange.route == RouteId::quotes;
    if (is_quote && exchange.caller->is_operator()) {
        answer_problem(exchange, "forbidden", "Operators read; quotes are asked by partners");
        return Progress::answered;
    }
    if (!queue_.has_room(1)) {
        answer_overloaded(exchange);
        return Progress::answered;
    }
    Turn& turn = queue_.filling();
    ledger::Message& message = turn.questions.emplace_back().message;
    message.partner = exchange.caller->partner;
    const bool is_protobuf = exchange.body_type == MediaType::protobuf;
    const auto fault =
        is_quote ? (is_protobuf ? protobuf_.read_typed(exchange.body, message, turn.scratch)
                                : json_.read_typed(exchange.body, message, turn.scratch))
                 : (is_protobuf ? protobuf_.read_member(exchange.body, message, turn.scratch)
                                : json_.read_member(exchange.body, message, turn.scratch));
    if (fault) {
        answer_fault(exchange, *fault, message.message_id);
        turn.questions.pop_back();
        return Progress::answered;
    }
    name_by_body(is_protobuf ? protobuf_.hold_id() : json_.hold_id(), message);
    queue_.wait({&exchange, turn.questions.size() - 1, 1});
    return Progress::waiting;
}

Clearing::Progress Clearing::start_read(Exchange& exchange)
{
    if (!queue_.has_room(0)) {
        answer_overloaded(exchange);
        return Progress::answered;
    }
    queue_.wait({&exchange, 0, 0});
    return Progress::waiting;
}

// What settlement records is no message: it does not wait for the turn's commit.
Clearing::Progress Clearing::start_dispute(Exchange& exchange)
{
    std::optional<ledger::PartnerId> partner;
    if (!exchange.caller->is_operator()) partner = exchange.caller->partner;
    house_.answer_dispute(exchange, partner);
    return Progress::answered;
}

Clearing::Progress Clearing::start_records(Exchange& exchange)
{
    const auto partner = partner_of(exchange);
    const bool is_answered = !partner || house_.begin_records(exchange, *partner);
    return is_answered ? Progress::answered : Progress::waiting;
}

Clearing::Progress Clearing::start_operator_request(Exchange& exchange)
{
    if (!exchange.caller->is_operator()) {
        answer_problem(exchange, "forbidden", "Only operators may do this");
        return Progress::answered;
    }
    return house_.begin_operator_request(exchange) ? Progress::answered : Progress::waiting;
}

} // namespace pointhouse::gateway
