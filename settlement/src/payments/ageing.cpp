#include "settlement/ageing.hpp"

#include <map>

#include "ledger/invariant.hpp"

namespace pointhouse::settlement {

using ledger::Day;
using ledger::Minor;

namespace {

void add(AgedAmounts& amounts, const Receivable& receivable, Age age)
{
    amounts.by_age[static_cast<std::size_t>(age)] += receivable.open - receivable.disputed;
    amounts.disputed += receivable.disputed;
    amounts.total += receivable.open;
}

bool adds_up(const AgedAmounts& amounts)
{
    Minor sum = amounts.disputed;
    for (const Minor amount : amounts.by_age) sum += amount;
    return sum == amounts.total;
}

} // namespace

std::string_view name_of(Age age) noexcept
{
    switch (age) {
    case Age::not_due: return "not_due";
    case Age::days_1_to_30: return "days_1_to_30";
    case Age::days_31_to_60: return "days_31_to_60";
    case Age::days_61_to_90: return "days_61_to_90";
    case Age::over_90_days: return "over_90_days";
    }
    return "";
}

Age age_of(Day due_on, Day today)
{
    const std::int64_t late = std::int64_t{today} - due_on;
    if (late <= 0) return Age::not_due;
    if (late <= 30) return Age::days_1_to_30;
    if (late <= 60) return Age::days_31_to_60;
    if (late <= 90) return Age::days_61_to_90;
    return Age::over_90_days;
}

AgedReceivables aged_receivables(std::span<const Receivable> receivables, Day today)
{
    AgedReceivables aged{.day = today};
    std::map<ledger::PartnerId, AgedAmounts> partners;
    for (const Receivable& receivable : receivables) {
        const Age age = age_of(receivable.due_on, today);
        add(partners[receivable.partner], receivable, age);
        add(aged.total, receivable, age);
    }
    for (const auto& [partner, amounts] : partners) {
        ledger::invariant(adds_up(amounts), "ages and disputes add up");
        if (amounts != AgedAmounts{})
            aged.partners.push_back({.partner = partner, .amounts = amounts});
    }
    return aged;
}

} // namespace pointhouse::settlement
