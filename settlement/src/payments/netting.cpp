#include "settlement/netting.hpp"

#include <optional>
#include <set>
#include <utility>

#include "ledger/invariant.hpp"

namespace pointhouse::settlement {

using ledger::Minor;
using ledger::PartnerId;
using ledger::Wide;

namespace {

std::optional<Minor> narrowed(Wide amount)
{
    if (amount < INT64_MIN || amount > INT64_MAX) return std::nullopt;
    return Minor{static_cast<std::int64_t>(amount)};
}

/// What each debtor owes each creditor in all.
using OwedByPair = std::map<std::pair<PartnerId, PartnerId>, Wide>;

std::expected<OwedByPair, NettingFault> owed_by_pair(std::span<const Obligation> obligations)
{
    OwedByPair owed;
    for (const Obligation& obligation : obligations) {
        if (obligation.amount < Minor{0}) return std::unexpected(NettingFault::amount_negative);
        if (obligation.debtor == obligation.creditor) continue;
        owed[{obligation.debtor, obligation.creditor}] += obligation.amount.count;
    }
    return owed;
}

std::expected<PaymentPlan, NettingFault> plan_of(const OwedByPair& owed)
{
    PaymentPlan plan;
    Wide moved = 0;
    for (const auto& [pair, total] : owed) {
        if (total == 0) continue;
        const std::optional<Minor> amount = narrowed(total);
        if (!amount) return std::unexpected(NettingFault::amount_overflow);
        plan.payments.push_back({.payer = pair.first, .payee = pair.second, .amount = *amount});
        moved += total;
    }
    const std::optional<Minor> sum = narrowed(moved);
    if (!sum) return std::unexpected(NettingFault::amount_overflow);
    plan.moved = *sum;
    return plan;
}

/// What all payers pay, the house among them.
std::expected<Minor, NettingFault> paid_in_all(const NetPositions& nets)
{
    Wide paid = 0;
    Wide total = 0;
    for (const auto& [party, net] : nets) {
        if (net < Minor{0}) paid -= net.count;
        total += net.count;
    }
    ledger::invariant(total == 0, "net positions sum to zero");
    const std::optional<Minor> sum = narrowed(paid);
    if (!sum) return std::unexpected(NettingFault::amount_overflow);
    return *sum;
}

} // namespace

std::expected<NetPositions, NettingFault> net_positions(std::span<const Obligation> obligations)
{
    // 128 bits: the sum of as many of the largest obligations as memory holds cannot overflow.
    std::map<PartnerId, Wide> totals;
    for (const Obligation& owed : obligations) {
        if (owed.amount < Minor{0}) return std::unexpected(NettingFault::amount_negative);
        totals[owed.debtor] -= owed.amount.count;
        totals[owed.creditor] += owed.amount.count;
    }

    NetPositions positions;
    Wide grand_total = 0;
    for (const auto& [party, total] : totals) {
        const std::optional<Minor> position = narrowed(total);
        if (!position) return std::unexpected(NettingFault::amount_overflow);
        positions.emplace(party, *position);
        grand_total += total;
    }
    ledger::invariant(grand_total == 0, "net positions sum to zero");
    return positions;
}

std::expected<PaymentPlan, NettingFault> gross_payments(std::span<const Obligation> obligations)
{
    const auto owed = owed_by_pair(obligations);
    if (!owed) return std::unexpected(owed.error());
    return plan_of(*owed);
}

std::expected<PaymentPlan, NettingFault> bilateral_payments(std::span<const Obligation> obligations)
{
    auto owed = owed_by_pair(obligations);
    if (!owed) return std::unexpected(owed.error());
    for (auto& [pair, total] : *owed) {
        const auto opposite = owed->find({pair.second, pair.first});
        if (opposite == owed->end()) continue;
        const Wide common = std::min(total, opposite->second);
        total -= common;
        opposite->second -= common;
    }
    return plan_of(*owed);
}

std::expected<PaymentPlan, NettingFault> payments_through_house(const NetPositions& nets)
{
    const auto moved = paid_in_all(nets);
    if (!moved) return std::unexpected(moved.error());
    PaymentPlan plan{.moved = *moved};
    for (const auto& [party, net] : nets) {
        if (party == the_house || net == Minor{0}) continue;
        if (net == Minor{INT64_MIN}) return std::unexpected(NettingFault::amount_overflow);
        plan.payments.push_back(
            net < Minor{0}
                ? Payment{.payer = party, .payee = the_house, .amount = Minor{-net.count}}
                : Payment{.payer = the_house, .payee = party, .amount = net});
    }
    return plan;
}

std::expected<PaymentPlan, NettingFault> direct_payments(const NetPositions& nets)
{
    const auto moved = paid_in_all(nets);
    if (!moved) return std::unexpected(moved.error());

    // The largest comes first: its amount stands below zero in the key.
    using Party = std::pair<std::int64_t, PartnerId>;
    std::set<Party> payers;
    std::set<Party> receivers;
    for (const auto& [party, net] : nets) {
        if (net < Minor{0}) payers.emplace(net.count, party);
        if (net > Minor{0}) receivers.emplace(-net.count, party);
    }

    PaymentPlan plan{.moved = *moved};
    while (!payers.empty()) {
        const Party payer = payers.extract(payers.begin()).value();
        const Party receiver = receivers.extract(receivers.begin()).value();
        const std::int64_t amount = -std::max(payer.first, receiver.first);
        plan.payments.push_back(
            {.payer = payer.second, .payee = receiver.second, .amount = Minor{amount}});
        if (payer.first + amount != 0) payers.emplace(payer.first + amount, payer.second);
        if (receiver.first + amount != 0)
            receivers.emplace(receiver.first + amount, receiver.second);
    }
    return plan;
}

} // namespace pointhouse::settlement
