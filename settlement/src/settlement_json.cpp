#include <fmt/format.h>

#include <boost/json.hpp>

#include "json_parts.hpp"
#include "settlement/document_json.hpp"
#include "settlement/rendering.hpp"

namespace pointhouse::settlement {
namespace {

namespace json = boost::json;

json::object window_object(const Window& window)
{
    return {
        {"id", format_month(window.month)},
        {"state", name_of(window.state)},
        {"from", ledger::format_time(window.from)},
        {"to", ledger::format_time(window.to)},
    };
}

const std::string& id_of(const Settlement& settlement, ledger::PartnerId partner)
{
    return settlement.partners.at(partner.value() - 1).id;
}

json::object partner_object(const Settlement& settlement, const PartnerFigures& figures)
{
    json::object row{
        {"partner", id_of(settlement, figures.partner)},
        {"opening", figures.opening},
        {"issued", figures.issued},
        {"redeemed_here", figures.redeemed_here},
        {"own_redeemed_anywhere", figures.own_redeemed_anywhere},
        {"refunded", figures.refunded},
        {"donated", figures.donated},
        {"clawed_back", figures.clawed_back},
        {"recovered_given", figures.recovered_given},
        {"recovered_received", figures.recovered_received},
        {"expired", figures.expired},
        {"closing", figures.closing},
        {"debt", figures.debt},
        {"net_minor", settlement.net_of(figures.partner).count},
        {"currency", settlement.currency.code},
    };
    const auto& program = settlement.partners.at(figures.partner.value() - 1).program;
    if (!program.empty()) row.emplace("program", program);
    return row;
}

json::array programs_array(const Settlement& settlement)
{
    json::array rows;
    for (const auto& [program, position] : settlement.positions_by_program())
        rows.push_back(json::object{
            {"program", program.empty() ? "none" : program},
            {"partners", position.partners},
            {"paid_in_minor", position.paid_in.count},
            {"paid_out_minor", position.paid_out.count},
            {"house_minor", position.house().count}});
    return rows;
}

json::object line_object(const StatementLine& line)
{
    // Points at several prices are no quantity: the details have them.
    json::value points;
    json::value price;
    if (line.price) {
        points = line.points;
        price = line.price->count();
    }
    json::object object{
        {"flow", name_of(line.charge)},
        {"tariff", line.tariff.value()},
        {"points", points},
        {"price_micro", price},
        {"exact_micro", line.exact.count()},
        {"net_minor", line.net.count},
        {"vat_category", line.vat.category},
        {"vat_rate_basis_points", line.vat.basis_points},
        {"details", details_json(line.details)},
    };
    if (line.vat.is_gross) object.emplace("gross_minor", line.gross.count);
    add_tax_point(object, line.vat);
    add_earlier(object, line.earlier);
    return object;
}

json::object statement_object(const Settlement& settlement, const Statement& statement)
{
    json::array lines;
    for (const StatementLine& line : statement.lines) lines.push_back(line_object(line));
    json::object object{
        {"number", statement.number},
        {"type", name_of(statement.type)},
        {"notice", pro_forma_notice},
        {"window", format_month(settlement.window.month)},
        {"payer", statement.payer.id},
        {"payee", statement.payee.id},
        {"currency", settlement.currency.code},
        {"net_minor", statement.net.count},
        {"vat_minor", statement.tax.count},
        {"total_minor", statement.total.count},
        {"rounding_micro", statement.rounding.count()},
        {"vat", vat_json(statement.vat)},
        {"lines", std::move(lines)},
    };
    if (const auto rounding = statement.payable_rounding(); rounding != ledger::Minor{})
        object.emplace("payable_rounding_minor", rounding.count);
    return object;
}

json::object trial_balance_object(const Settlement& settlement)
{
    const TrialBalance& balance = settlement.figures.trial_balance;
    const json::object points{
        {"debits", balance.points_debits}, {"credits", balance.points_credits}};
    const json::object money{
        {"debits", balance.money_debits.count()}, {"credits", balance.money_credits.count()}};
    return {{"points", points}, {"money_micro", json::object{{settlement.currency.code, money}}}};
}

} // namespace

std::string settlement_json(const Settlement& settlement, std::span<const Document> issued)
{
    json::array partners;
    for (const PartnerFigures& figures : settlement.figures.partners)
        partners.push_back(partner_object(settlement, figures));
    json::array flows;
    for (const PointsFlow& flow : settlement.figures.flows) {
        flows.push_back(json::object{
            {"issuer", id_of(settlement, flow.issuer)},
            {"redeemer", id_of(settlement, flow.redeemer)},
            {"points", flow.points},
        });
    }
    json::array documents;
    for (const Document& document : issued)
        documents.push_back(json::parse(document_json(document)));
    if (issued.empty()) {
        for (const Statement& statement : settlement.statements)
            documents.push_back(statement_object(settlement, statement));
    }
    json::object shown{
        {"window", window_object(settlement.window)},
        {"partners", std::move(partners)},
        {"flows", std::move(flows)},
        {"documents", std::move(documents)},
        {"trial_balance", trial_balance_object(settlement)},
    };
    if (auto programs = programs_array(settlement); !programs.empty())
        shown.emplace("programs", std::move(programs));
    return json::serialize(shown);
}

std::string partner_json(const Settlement& settlement, ledger::PartnerId partner)
{
    const auto& rows = settlement.figures.partners;
    const auto row = std::ranges::find(rows, partner, &PartnerFigures::partner);
    ledger::invariant(row != rows.end(), "a settlement has a row for each of its partners");
    json::object position{{"window", ledger::format_month(settlement.window.month)}};
    for (auto& member : partner_object(settlement, *row)) position.insert(std::move(member));
    return json::serialize(position);
}

} // namespace pointhouse::settlement
