#include "default_plan.hpp"

#include <algorithm>
#include <ranges>

#include "ledger/invariant.hpp"

namespace pointhouse::settlement {

using ledger::Account;
using ledger::Minor;

namespace {

bool is_receivable(const IssuedDocument& issued)
{
    return issued.document.supply == StatementType::issuance;
}

/// What a part of what a net took of a document was booked with.
Minor claim_of(const IssuedDocument& issued, ledger::Month window, Minor part)
{
    const Minor taken = issued.netted.at(window);
    const Minor claim = issued.claimed_in(window);
    if (part == taken) return claim;
    const ledger::Wide product = ledger::Wide{claim.count} * part.count;
    return Minor{static_cast<std::int64_t>(product / taken.count)};
}

} // namespace

Minor Register::DefaultPlan::Change::foreign() const
{
    if (foreign_left) return *foreign_left;
    // All nets are paid in that currency: no more of this one's, or in proportion.
    const ForeignNet& before = *net.payment->foreign;
    if (before.net.count < 0 || left == net.payment->settled) return before.settled;
    const ledger::Wide product = ledger::Wide{before.net.count} * left.count;
    return Minor{static_cast<std::int64_t>(product / net.payment->net.count)};
}

void Register::DefaultPlan::reopen(
    const std::vector<const IssuedDocument*>& documents, ledger::Month window, Minor owed)
{
    const bool is_owed_by_partner = owed.count > 0;
    const auto take = [&](bool is_of_account) {
        for (const auto* issued : std::views::reverse(documents)) {
            const Minor taken = issued->netted.at(window);
            const bool is_there = is_receivable(*issued) == is_owed_by_partner;
            if (is_there != is_of_account || (taken.count > 0) != is_owed_by_partner) continue;
            const Minor part = is_owed_by_partner ? std::min(taken, owed) : std::max(taken, owed);
            if (part.count == 0) continue;
            reopened.push_back(
                {.issued = issued, .owed = part, .claim = claim_of(*issued, window, part)});
            owed -= part;
        }
    };
    take(true);
    take(false);
    ledger::invariant(owed.count == 0, "a net is no more than its documents");
}

void Register::DefaultPlan::book_reopened(const NamedNet& net, const Balance& balance, Minor left)
{
    Minor receivable;
    Minor payable;
    for (const auto& [issued, owed, claim] : reopened) {
        if (issued->document.partner != net.partner) continue;
        (is_receivable(*issued) ? receivable : payable) += claim;
    }
    const Minor open = net.payment->open();
    (left.count > 0 ? payable : receivable) -= left;
    if (net.payment->is_on_one_side) {
        (open.count > 0 ? payable : receivable) += open;
    } else {
        receivable -= balance.receivable;
        payable += balance.payable;
    }
    lines.push_back(
        {.account = Account::receivable, .partner = net.partner, .amount = receivable.count});
    lines.push_back({.account = Account::payable, .partner = net.partner, .amount = payable.count});
}

} // namespace pointhouse::settlement
