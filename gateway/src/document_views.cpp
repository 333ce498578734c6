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
    if (exchange.answer_type == MediaType::xml) {
        exchange.answer = settlement::ubl_xml(document);
        return;
    }
    const auto logo = house_.registry().logo_at(issued->entry);
    exchange.answer = settlement::document_pdf(document, logo.png());
}

namespace {

/// A partner's payment of a net.
json::object net_row(
    House& house,
    const settlement::NetKey& key,
    ledger::PartnerId partner,
    const settlement::NetPayment& payment)
{
    const auto terms = house.registry().terms();
    json::array documents;
    for (const auto* issued : house.documents().documents_of(key, partner, payment)) {
        const auto& document = issued->document;
        documents.push_back(json::object{
            {"number", document.number},
            {"type", settlement::name_of(document.kind)},
            {"total_minor", document.total.count},
            {"effect_minor", -issued->netted.at(key.window).count}});
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
    if (!key.program.empty()) row.emplace("program", key.program);
    if (foreign && !is_theirs)
        row.emplace(
            "paid_in",
            json::object{
                {"currency", foreign->rate.to.code},
                {"net_minor", foreign->net.count},
                {"rate", foreign->rate.id}});
    return row;
}

/// The nets of a window that a reader is told of: of its program, or that paid it.
std::vector<settlement::NetKey> nets_for(
    House& house, ledger::Month window, std::optional<ledger::PartnerId> reader)
{
    auto nets = house.documents().nets_of(window);
    if (!reader) return nets;
    const auto& own = house.registry().contracts().at(reader->value() - 1).settlement.program;
    std::erase_if(nets, [&](const settlement::NetKey& key) {
        return key.program != own && !house.documents().net_of(key)->payments.contains(*reader);
    });
    return nets;
}

} // namespace

void DocumentViews::show_nets(Exchange& exchange, std::optional<ledger::PartnerId> reader) const
{
    const auto window = ledger::parse_month(exchange.arguments[0]);
    std::vector<settlement::NetKey> nets;
    if (window) nets = nets_for(house_, *window, reader);
    if (nets.empty() && !(window && house_.knows_window(*window)))
        return answer_problem(exchange, "window_unknown", "window: the house has no such window");
    if (nets.empty())
        return answer_problem(exchange, "document_unknown", "window: it is not netted yet");
    json::array partners;
    for (const auto& key : nets)
        for (const auto& [partner, payment] : house_.documents().net_of(key)->payments)
            if (!reader || partner == *reader)
                partners.push_back(net_row(house_, key, partner, payment));
    v1::NetStatement form;
    answer_report(
        exchange,
        200,
        json::serialize(json::object{
            {"window", ledger::format_month(*window)}, {"partners", std::move(partners)}}),
        form);
}

} // namespace pointhouse::gateway
