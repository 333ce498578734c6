#include "settlement/net_statement.hpp"

#include <algorithm>
#include <map>

#include "ledger/invariant.hpp"

namespace pointhouse::settlement {

using ledger::Minor;

namespace {

std::vector<Obligation> obligations_of(std::span<const SettledDocument> documents)
{
    std::vector<Obligation> obligations;
    for (const SettledDocument& document : documents) {
        const bool receives = document.effect > Minor{0};
        obligations.push_back({
            .debtor = receives ? the_house : document.partner,
            .creditor = receives ? document.partner : the_house,
            .amount = receives ? document.effect : -document.effect,
        });
    }
    return obligations;
}

PartyStatement of_house(std::span<const SettledDocument> documents, Minor net)
{
    PartyStatement house{.party = the_house, .id = "house", .net = net};
    for (SettledDocument document : documents) {
        document.effect = -document.effect;
        house.documents.push_back(std::move(document));
    }
    return house;
}

} // namespace

std::expected<NetStatement, NettingFault> net_statement(
    const NetKey& key,
    const ledger::Currency& currency,
    std::span<const SettledDocument> documents,
    std::span<const Party> partners)
{
    auto nets = net_positions(obligations_of(documents));
    if (!nets) return std::unexpected(nets.error());

    NetStatement statement{.window = key.window, .program = key.program, .currency = currency};
    std::map<ledger::PartnerId, PartyStatement> parties;
    for (const SettledDocument& document : documents) {
        ledger::invariant(!document.partner.is_none(), "one side of a document is a partner");
        parties[document.partner].documents.push_back(document);
    }
    for (auto& [partner, party] : parties) {
        party.party = partner;
        party.id = partners[partner.value() - 1].id;
        party.net = nets->at(partner);
        (party.net < Minor{0} ? statement.paid_in : statement.paid_out) +=
            party.net < Minor{0} ? -party.net : party.net;
        statement.parties.push_back(std::move(party));
    }
    std::ranges::sort(statement.parties, {}, &PartyStatement::id);
    const Minor house_net = (*nets)[the_house];
    statement.house_share = -house_net;
    statement.parties.push_back(of_house(documents, house_net));
    ledger::invariant(
        statement.clearing() == Minor{0}, "the clearing account holds nothing after settlement");
    return statement;
}

} // namespace pointhouse::settlement
