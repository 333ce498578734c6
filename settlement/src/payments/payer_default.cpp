#include "settlement/payer_default.hpp"

#include <algorithm>
#include <vector>

#include "ledger/invariant.hpp"
#include "settlement/apportionment.hpp"

namespace pointhouse::settlement {

using ledger::Minor;
using ledger::PartnerId;
using ledger::Wide;

namespace {

/// Lets partners that receive bear `loss`, as far as their positions go, and returns what is left.
Minor shared_by_receivers(Minor loss, const std::set<PartnerId>& exempt, DefaultCover& cover)
{
    std::vector<PartnerId> receivers;
    std::vector<std::int64_t> positions;
    Wide received = 0;
    for (const auto& [party, net] : cover.nets) {
        if (party == the_house || net <= Minor{0}) continue;
        receivers.push_back(party);
        positions.push_back(net.count);
        received += net.count;
    }
    if (receivers.empty()) return loss;

    const Minor shared{static_cast<std::int64_t>(std::min<Wide>(loss.count, received))};
    const auto shares = largest_remainder(shared, positions);
    ledger::invariant(shares.has_value(), "receivers' positions are above zero");
    for (std::size_t index = 0; index < receivers.size(); ++index) {
        const Minor share = (*shares)[index];
        if (share == Minor{0} || exempt.contains(receivers[index])) continue;
        loss.count -= share.count;
        cover.loss_shares.emplace(receivers[index], share);
        cover.nets[receivers[index]].count -= share.count;
    }
    return loss;
}

} // namespace

std::expected<DefaultCover, DefaultFault> cover_default(
    const NetPositions& nets, const DefaultTerms& terms)
{
    const auto position = nets.find(terms.payer);
    if (terms.payer == the_house || position == nets.end() || position->second >= Minor{0})
        return std::unexpected(DefaultFault::not_a_payer);
    if (terms.paid_in < Minor{0} || terms.collateral < Minor{0})
        return std::unexpected(DefaultFault::amount_negative);
    // Below zero the other way round: a position can be the least number there is.
    const Wide missing = -Wide{position->second.count} - terms.paid_in.count;
    if (missing <= 0) return std::unexpected(DefaultFault::paid_in_full);
    ledger::invariant(missing <= INT64_MAX, "a payer owes no more than others can receive");

    DefaultCover cover{.shortfall = Minor{static_cast<std::int64_t>(missing)}, .nets = nets};
    cover.collateral_drawn = std::min(cover.shortfall, terms.collateral);
    cover.receivable = Minor{cover.shortfall.count - cover.collateral_drawn.count};
    cover.house_bears = terms.mutualised
                            ? shared_by_receivers(cover.receivable, terms.exempt, cover)
                            : cover.receivable;
    cover.nets[terms.payer].count += cover.receivable.count;
    if (cover.house_bears != Minor{0}) cover.nets[the_house].count -= cover.house_bears.count;
    return cover;
}

std::expected<NetPositions, NettingFault> unwind(
    std::span<const Obligation> obligations, PartnerId defaulter)
{
    std::vector<Obligation> others;
    for (const Obligation& owed : obligations)
        if (owed.debtor != defaulter && owed.creditor != defaulter) others.push_back(owed);
    return net_positions(others);
}

std::vector<LimitBreach> over_net_debit_limit(
    const NetPositions& nets, const std::map<PartnerId, Minor>& limits)
{
    std::vector<LimitBreach> breaches;
    for (const auto& [party, limit] : limits) {
        const auto position = nets.find(party);
        if (position == nets.end() || position->second >= Minor{0}) continue;
        const Wide debit = -Wide{position->second.count};
        if (debit <= limit.count) continue;
        breaches.push_back({
            .party = party,
            .net_debit = Minor{static_cast<std::int64_t>(std::min<Wide>(debit, INT64_MAX))},
            .limit = limit,
        });
    }
    return breaches;
}

std::map<PartnerId, Minor> pay_ins_missing(
    const NetPositions& nets, const std::map<PartnerId, Minor>& paid_in)
{
    std::map<PartnerId, Minor> missing;
    for (const auto& [party, net] : nets) {
        if (party == the_house || net >= Minor{0}) continue;
        const auto paid = paid_in.find(party);
        const Wide short_by = -Wide{net.count} - (paid == paid_in.end() ? 0 : paid->second.count);
        if (short_by > 0)
            missing.emplace(
                party, Minor{static_cast<std::int64_t>(std::min<Wide>(short_by, INT64_MAX))});
    }
    return missing;
}

} // namespace pointhouse::settlement
