#include "settlement/settlement.hpp"

#include <utility>

#include "ledger/invariant.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Minor;
using ledger::PartnerId;

// A statement below zero is owed the other way round.
Obligation obligation_of(const Statement& statement)
{
    Obligation owed{
        .debtor = statement.partner_pays() ? statement.partner : the_house,
        .creditor = statement.partner_pays() ? the_house : statement.partner,
        .amount = statement.total,
    };
    if (owed.amount < Minor{0}) {
        std::swap(owed.debtor, owed.creditor);
        owed.amount.count = -owed.amount.count;
    }
    return owed;
}

} // namespace

Minor Settlement::net_of(PartnerId partner) const
{
    const auto found = nets.find(partner);
    return found == nets.end() ? Minor{} : found->second;
}

std::map<std::string, ProgramPosition> Settlement::positions_by_program() const
{
    std::map<std::string, ProgramPosition> positions;
    for (const PartnerFigures& row : figures.partners) {
        auto& position = positions[partners.at(row.partner.value() - 1).program];
        const Minor net = net_of(row.partner);
        ++position.partners;
        (net.count < 0 ? position.paid_in : position.paid_out) += net.count < 0 ? -net : net;
    }
    if (positions.size() == 1 && positions.contains("")) positions.clear();
    return positions;
}

Settlement settle(const SettlementInput& input)
{
    Settlement settlement{
        .window = input.window,
        .currency = input.terms.currency,
        .house = input.contracts.house,
        .partners = input.contracts.partners,
        .figures = window_figures(input.positions, input.terms),
        .statements = statements(
            input.window,
            input.positions.window,
            input.terms,
            input.contracts,
            input.positions.earlier),
    };
    std::vector<Obligation> obligations;
    for (const Statement& statement : settlement.statements)
        obligations.push_back(obligation_of(statement));
    auto nets = net_positions(obligations);
    ledger::invariant(nets.has_value(), "the totals of a window's statements net within 64 bits");
    settlement.nets = std::move(*nets);
    return settlement;
}

} // namespace pointhouse::settlement
