#include "settlement/dunning.hpp"

#include <algorithm>

namespace pointhouse::settlement {

using ledger::Day;
using ledger::Minor;
using ledger::Wide;

namespace {

Minor interest_of(Minor amount, std::int32_t basis_points, std::int32_t days)
{
    const Wide parts = Wide{amount.count} * basis_points * days;
    constexpr std::int64_t year = std::int64_t{10'000} * 365;
    return Minor{static_cast<std::int64_t>((parts + year / 2) / year)};
}

} // namespace

std::vector<Reminder> reminders(
    std::span<const Dunned> receivables, const DunningRules& rules, Day today)
{
    std::vector<Reminder> due;
    for (const Dunned& dunned : receivables) {
        const Receivable& receivable = dunned.receivable;
        const Minor amount = receivable.open - receivable.disputed;
        const auto next = static_cast<std::size_t>(std::max(dunned.level, 0));
        if (amount <= Minor{0} || next >= rules.levels.size()) continue;
        const DunningLevel& level = rules.levels[next];
        const Day days_late = today - receivable.due_on;
        const bool is_early = next > 0 && today < dunned.reminded_on + rules.days_between;
        if (days_late <= 0 || days_late < level.days_late || is_early) continue;
        due.push_back({
            .document = receivable.document,
            .partner = receivable.partner,
            .level = static_cast<std::int32_t>(next) + 1,
            .days_late = days_late,
            .amount = amount,
            .fee = receivable.currency ? Minor{} : level.fee,
            .interest = interest_of(amount, level.interest_basis_points, days_late),
            .pay_by = today + rules.days_to_pay,
            .currency = receivable.currency,
        });
    }
    return due;
}

} // namespace pointhouse::settlement
