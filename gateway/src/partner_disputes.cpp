#include "partner_disputes.hpp"

#include <array>
#include <charconv>
#include <expected>
#include <span>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "parameters.hpp"
#include "pointhouse/v1/settlement.pb.h"
#include "problems.hpp"
#include "reports.hpp"
#include "settlement/dispute_json.hpp"

namespace pointhouse::gateway {

namespace json = boost::json;

using settlement::Dispute;
using settlement::DisputeStage;

namespace {

constexpr std::array opening_parameters{
    Parameter{"message_id", ParameterForm::message_id, true, {}},
    Parameter{"document", ParameterForm::text, true, {}},
    Parameter{"line", ParameterForm::integer, true, {}},
    Parameter{"billed", ParameterForm::text, false, {}},
    Parameter{"net_minor", ParameterForm::integer, true, {}},
    Parameter{"reason", ParameterForm::text, true, {}},
    Parameter{"evidence", ParameterForm::text, true, {}}};
constexpr std::array answering_parameters{
    Parameter{"message_id", ParameterForm::message_id, true, {}},
    Parameter{"answer", ParameterForm::text, true, {}},
    Parameter{"reason", ParameterForm::text, false, {}}};
constexpr std::array escalating_parameters{
    Parameter{"message_id", ParameterForm::message_id, true, {}},
    Parameter{"words", ParameterForm::text, true, {}}};
constexpr std::array replying_parameters{Parameter{"words", ParameterForm::text, true, {}}};

/// Pre: it was read as one.
std::int64_t integer_at(const ParameterValues& values, std::string_view name)
{
    const auto& text = values.find(name)->second;
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

std::string_view text_at(const ParameterValues& values, std::string_view name)
{
    return values.find(name)->second;
}

void answer_dispute(Exchange& exchange, int status, const json::object& dispute)
{
    v1::Dispute form;
    answer_report(exchange, status, json::serialize(dispute), form);
}

/// What a message was answered with when it was taken: on that day nothing was urgent yet.
void answer_first(Exchange& exchange, int status, const Dispute& then)
{
    const auto today = then.act_by - settlement::days_of_warning - 1;
    answer_dispute(exchange, status, settlement::dispute_json(then, today));
}

/// `form`: of the same in Protobuf. None: it was answered.
std::optional<ParameterValues> read(
    Exchange& exchange, std::span<const Parameter> parameters, google::protobuf::Message&& form)
{
    auto values = exchange.body_type == MediaType::protobuf
                      ? read_protobuf_parameters(exchange.body, parameters, form)
                      : read_json_parameters(exchange.body, parameters);
    if (values) return std::move(*values);
    answer_problem(exchange, values.error().code, values.error().detail);
    return std::nullopt;
}

void refuse_reuse(Exchange& exchange, std::string_view message_id)
{
    answer_problem(
        exchange,
        "message_id_reused",
        "message_id: another message about a document has it",
        message_id);
}

bool is_same(const Dispute& one, const Dispute& other)
{
    return one.document == other.document && one.line == other.line && one.billed == other.billed &&
           one.net == other.net && one.reason == other.reason && one.evidence == other.evidence;
}

} // namespace

void PartnerDisputes::answer(Exchange& exchange, std::optional<ledger::PartnerId> partner) const
{
    if (exchange.route == RouteId::disputes) return list(exchange, partner);
    if (exchange.route == RouteId::dispute) return show(exchange, partner);
    if (exchange.route == RouteId::dispute_answer) {
        if (!partner) return reply(exchange);
        return answer_problem(exchange, "forbidden", "The house answers what a partner contests");
    }
    if (!partner) {
        return answer_problem(
            exchange,
            "forbidden",
            exchange.route == RouteId::document_answer
                ? "Partners answer; operators use /v1/operator/settle/answer"
                : "Partners dispute; operators use /v1/operator/dispute");
    }
    if (exchange.route == RouteId::document_answer) return take_answer(exchange, *partner);
    if (exchange.route == RouteId::dispute_open) return open(exchange, *partner);
    escalate(exchange, *partner);
}

ledger::Day PartnerDisputes::today() const
{
    return house_.registry().terms()->calendar->day_of(house_.ledger().house_time());
}

const Dispute* PartnerDisputes::find(
    std::string_view id, std::optional<ledger::PartnerId> partner) const
{
    const auto& disputes = house_.documents().disputes();
    const auto found = disputes.find(id);
    if (found == disputes.end()) return nullptr;
    const auto& document = house_.documents().find(found->second.document)->document;
    return !partner || document.partner == *partner ? &found->second : nullptr;
}

void PartnerDisputes::list(Exchange& exchange, std::optional<ledger::PartnerId> partner) const
{
    json::array rows;
    const auto now = today();
    for (const auto& [id, dispute] : house_.documents().disputes())
        if (find(id, partner)) rows.push_back(settlement::dispute_json(dispute, now));
    v1::Disputes form;
    answer_report(
        exchange, 200, json::serialize(json::object{{"disputes", std::move(rows)}}), form);
}

void PartnerDisputes::show(Exchange& exchange, std::optional<ledger::PartnerId> partner) const
{
    const auto* dispute = find(exchange.arguments[0], partner);
    if (!dispute)
        return answer_problem(exchange, "dispute_unknown", "dispute: the house knows none");
    answer_dispute(exchange, 200, settlement::dispute_json(*dispute, today()));
}

void PartnerDisputes::open(Exchange& exchange, ledger::PartnerId partner) const
{
    const auto values = read(exchange, opening_parameters, v1::DisputeOpening{});
    if (!values) return;
    const auto message_id = text_at(*values, "message_id");
    const auto told = values->find("billed");
    const auto billed = told == values->end() ? std::optional{settlement::Billed::too_much}
                                              : settlement::find_billed(told->second);
    if (!billed)
        return answer_problem(exchange, "malformed", "billed: too_much or too_little", message_id);
    const auto line = integer_at(*values, "line");
    const Dispute sent{
        .document = std::string{text_at(*values, "document")},
        .line = line < 1 ? 0 : static_cast<std::size_t>(line),
        .billed = *billed,
        .net = ledger::Minor{integer_at(*values, "net_minor")},
        .reason = std::string{text_at(*values, "reason")},
        .evidence = std::string{text_at(*values, "evidence")},
        .message_id = std::string{message_id}};
    if (const auto* taken = house_.documents().find_dispute_message(partner, message_id)) {
        if (taken->is_escalation || !is_same(taken->dispute, sent))
            return refuse_reuse(exchange, message_id);
        exchange.replayed = true;
        return answer_first(exchange, 201, taken->dispute);
    }
    if (house_.documents().find_answer_message(partner, message_id))
        return refuse_reuse(exchange, message_id);
    const auto* issued = house_.documents().find(sent.document);
    if (!issued || issued->document.partner != partner)
        return answer_problem(
            exchange, "document_unknown", "document: the house knows none", message_id);
    const auto entry = house_.documents().open_dispute(sent, today());
    if (!entry)
        return answer_problem(exchange, "dispute_refused", entry.error().reason, message_id);
    record(exchange, *entry);
    answer_first(
        exchange, 201, house_.documents().find_dispute_message(partner, message_id)->dispute);
}

void PartnerDisputes::take_answer(Exchange& exchange, ledger::PartnerId partner) const
{
    const auto values = read(exchange, answering_parameters, v1::DocumentAnswer{});
    if (!values) return;
    const auto message_id = text_at(*values, "message_id");
    const auto state = settlement::find_document_state(text_at(*values, "answer"));
    if (!state)
        return answer_problem(
            exchange, "malformed", "answer: accepted, queried or rejected", message_id);
    const auto reason = values->find("reason");
    const settlement::DocumentAnswer sent{
        .number = std::string{exchange.arguments[0]},
        .state = *state,
        .reason = reason == values->end() ? std::string{} : std::string{reason->second},
        .message_id = std::string{message_id}};
    const auto& documents = house_.documents();
    const auto* taken = documents.find_answer_message(partner, message_id);
    if (documents.find_dispute_message(partner, message_id) || (taken && *taken != sent))
        return refuse_reuse(exchange, message_id);
    const auto* issued = documents.find(sent.number);
    if (!issued || issued->document.partner != partner)
        return answer_problem(
            exchange, "document_unknown", "number: the house knows none", message_id);
    exchange.replayed = taken != nullptr;
    if (!taken) {
        const auto entry = documents.take_answer(sent, today());
        if (!entry)
            return answer_problem(exchange, "settlement_refused", entry.error().reason, message_id);
        record(exchange, *entry);
    }
    v1::AnsweredDocument form;
    answer_report(
        exchange,
        200,
        json::serialize(json::object{
            {"number", sent.number},
            {"answer", settlement::name_of(sent.state)},
            {"reason", sent.reason}}),
        form);
}

void PartnerDisputes::escalate(Exchange& exchange, ledger::PartnerId partner) const
{
    const auto values = read(exchange, escalating_parameters, v1::DisputeEscalation{});
    if (!values) return;
    const auto message_id = text_at(*values, "message_id");
    const auto words = text_at(*values, "words");
    if (const auto* taken = house_.documents().find_dispute_message(partner, message_id)) {
        const auto& then = taken->dispute;
        if (!taken->is_escalation || then.id != exchange.arguments[0] || then.words != words)
            return refuse_reuse(exchange, message_id);
        exchange.replayed = true;
        return answer_first(exchange, 200, then);
    }
    if (house_.documents().find_answer_message(partner, message_id))
        return refuse_reuse(exchange, message_id);
    const auto* dispute = find(exchange.arguments[0], partner);
    if (!dispute)
        return answer_problem(
            exchange, "dispute_unknown", "dispute: the house knows none", message_id);
    const auto entry = house_.documents().escalate_dispute(dispute->id, words, today(), message_id);
    if (!entry)
        return answer_problem(exchange, "dispute_not_open", entry.error().reason, message_id);
    record(exchange, *entry);
    answer_first(
        exchange, 200, house_.documents().find_dispute_message(partner, message_id)->dispute);
}

void PartnerDisputes::reply(Exchange& exchange) const
{
    const auto values = read(exchange, replying_parameters, v1::DisputeWords{});
    if (!values) return;
    const auto* dispute = find(exchange.arguments[0], std::nullopt);
    if (!dispute)
        return answer_problem(exchange, "dispute_unknown", "dispute: the house knows none");
    const auto entry =
        house_.documents().answer_dispute(dispute->id, text_at(*values, "words"), today());
    if (!entry) return answer_problem(exchange, "dispute_not_open", entry.error().reason);
    record(exchange, *entry);
    show(exchange, std::nullopt);
}

/// In the name of who sent it: a partner's name is told from an operator's.
void PartnerDisputes::record(const Exchange& exchange, const settlement::NewEntry& entry) const
{
    const auto& caller = *exchange.caller;
    house_.act_as(caller.is_operator() ? caller.name : "partner:" + caller.name);
    house_.record(entry);
    house_.act_as({});
}

} // namespace pointhouse::gateway
