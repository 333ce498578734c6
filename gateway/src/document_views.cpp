#include "document_views.hpp"

#include <array>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "ledger/invariant.hpp"
#include "pointhouse/v1/settlement.pb.h"
#include "problems.hpp"
#include "reports.hpp"
#include "settlement/document_json.hpp"
#include "settlement/document_pdf.hpp"
#include "settlement/ubl.hpp"

namespace pointhouse::gateway {

namespace json = boost::json;

namespace {

bool may_read(const settlement::Document& document, std::optional<ledger::PartnerId> reader)
{
    return !reader || document.partner == *reader;
}

/// A payment statement is no invoice: it has no XML.
constexpr std::array forms_of_payment_statement{
    MediaType::json, MediaType::protobuf, MediaType::pdf};

} // namespace

void DocumentViews::answer(Exchange& exchange, std::optional<ledger::PartnerId> reader) const
{
    if (exchange.route == RouteId::documents) return list(exchange, reader);
    if (exchange.route == RouteId::document) return show(exchange, reader);
    ledger::invariant(
        exchange.route == RouteId::statement, "only routes about documents come here");
    show_nets(exchange, reader);
}

void DocumentViews::list(Exchange& exchange, std::optional<ledger::PartnerId> reader) const
{
    const auto& documents = house_.documents();
    json::array rows;
    for (const auto* issued : documents.documents()) {
        const auto& document = issued->document;
        if (!may_read(document, reader)) continue;
        rows.push_back(json::object{
            {"number", document.number},
            {"type", settlement::name_of(document.kind)},
            {"window", ledger::format_month(document.window)},
            {"issued_on", ledger::format_day(document.issued_on)},
            {"due_on", ledger::format_day(document.due_on)},
            {"seller", document.seller.id},
            {"buyer", document.buyer.id},
            {"currency", document.currency.code},
            {"total_minor", document.total.count},
            {"credited_minor", issued->credited.count},
            {"state", settlement::name_of(documents.standing_of(*issued))},
            {"answer", issued->answer()},
            {"object_by",
             document.object_by() ? json::value(ledger::format_day(*document.object_by()))
                                  : json::value{}}});
    }
    v1::DocumentList form;
    answer_report(
        exchange, 200, json::serialize(json::object{{"documents", std::move(rows)}}), form);
}

void DocumentViews::show(Exchange& exchange, std::optional<ledger::PartnerId> reader) const
{
    const auto* issued = house_.documents().find(exchange.arguments[0]);
    if (issued == nullptr || !may_read(issued->document, reader))
        return answer_problem(exchange, "document_unknown", "number: the house knows none");
    const auto& document = issued->document;
    const bool is_statement = document.kind == settlement::DocumentKind::payment_statement;
    if (is_statement && exchange.answer_type == MediaType::xml)
        exchange.answer_type =
            exchange.accepted.choose(forms_of_payment_statement, MediaType::json);
    if (exchange.answer_type == MediaType::none)
        return answer_problem(exchange, "not_acceptable", "number: a payment statement has no XML");
    if (exchange.answer_type != MediaType::pdf && exchange.answer_type != MediaType::xml) {
        v1::Document form;
        return answer_report(exchange, 200, settlement::document_json(document), form);
    }
    exchange.status = 200;
    exchange.answer_body_type = exchange.answer_type;
    exchange.answer = exchange.answer_type == MediaType::pdf ? settlement::document_pdf(document)
                                                             : settlement::ubl_xml(document);
}

void DocumentViews::show_nets(Exchange& exchange, std::optional<ledger::PartnerId> reader) const
{
    const auto window = ledger::parse_month(exchange.arguments[0]);
    const auto* net = window ? house_.documents().net_of(*window) : nullptr;
    if (net == nullptr && !(window && house_.knows_window(*window)))
        return answer_problem(exchange, "window_unknown", "window: the house has no such window");
    if (net == nullptr)
        return answer_problem(exchange, "document_unknown", "window: it is not netted yet");
    const auto terms = house_.registry().terms();
    json::array partners;
    for (const auto& [partner, payment] : net->payments) {
        if (reader && partner != *reader) continue;
        json::array documents;
        for (const auto* issued : house_.documents().documents_of(*window, partner, payment)) {
            const auto& document = issued->document;
            documents.push_back(json::object{
                {"number", document.number},
                {"type", settlement::name_of(document.kind)},
                {"total_minor", document.total.count},
                {"effect_minor", -issued->netted.at(*window).count}});
        }
        // In the currency of the documents; of nets that are converted that of the payment beside.
        const auto& foreign = payment.foreign;
        const bool is_theirs = foreign && foreign->is_of_documents;
        json::object row{
            {"partner", terms->partner(partner).name},
            {"documents", std::move(documents)},
            {"net_minor", (is_theirs ? foreign->net : payment.net).count},
            {"settled_minor", (is_theirs ? foreign->settled : payment.settled).count},
            {"currency", (is_theirs ? foreign->rate.to : terms->currency).code},
            {"reference", payment.reference}};
        if (foreign && !is_theirs) {
            row.emplace(
                "paid_in",
                json::object{
                    {"currency", foreign->rate.to.code},
                    {"net_minor", foreign->net.count},
                    {"rate", foreign->rate.id}});
        }
        partners.push_back(std::move(row));
    }
    v1::NetStatement form;
    answer_report(
        exchange,
        200,
        json::serialize(json::object{
            {"window", ledger::format_month(*window)}, {"partners", std::move(partners)}}),
        form);
}

} // namespace pointhouse::gateway
