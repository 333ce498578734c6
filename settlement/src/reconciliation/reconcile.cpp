#include <algorithm>
#include <tuple>

#include <boost/unordered/unordered_flat_map.hpp>

#include "ledger/invariant.hpp"
#include "settlement/reconciliation.hpp"

namespace pointhouse::settlement {
namespace {

using Rows = std::span<const ReconciliationRow>;
using Details = std::vector<const ReconciliationRow*>;

/// A message as either side has it; the partner's first detail of several.
struct Sides {
    Sides(const ReconciliationRow* booked, const ReconciliationRow* stated)
        : house{booked}, partner{stated}
    {}

    const ReconciliationRow* house;
    const ReconciliationRow* partner;
};

/// The differences of one detail to the house's row, by the class that they are reported in.
struct Differences {
    std::vector<std::string_view> amount{};
    bool member = false;
    std::vector<std::string_view> time{};

    [[nodiscard]] std::size_t count() const
    {
        return amount.size() + time.size() + (member ? 1 : 0);
    }
};

class Comparison {
public:
    Comparison(const ReconciliationPeriod& period, const ledger::Calendar& calendar)
        : period_{period}, calendar_{calendar}
    {}

    [[nodiscard]] Differences between(
        const ReconciliationRow& house, const ReconciliationRow& partner) const
    {
        Differences found;
        if (house.type != partner.type) found.amount.emplace_back("type");
        if (house.points != partner.points) found.amount.emplace_back("points");
        if (house.amount_minor != partner.amount_minor) found.amount.emplace_back("amount_minor");
        found.member = !partner.member.empty() && house.number != partner.number;
        if (!same_period(house.booked_on, partner.booked_on)) found.time.emplace_back("booked_on");
        const bool is_same_instant = house.occurred_at == partner.occurred_at;
        if (!is_same_instant &&
            calendar_.day_of(house.occurred_at) != calendar_.day_of(partner.occurred_at))
            found.time.emplace_back("occurred_at");
        return found;
    }

private:
    /// A file of a window is compared by window, one of a day by day.
    [[nodiscard]] bool same_period(ledger::Day house, ledger::Day partner) const
    {
        if (house == partner) return true;
        if (period_.day) return false;
        return ledger::last_of_month(house) == ledger::last_of_month(partner);
    }

    const ReconciliationPeriod& period_;
    const ledger::Calendar& calendar_;
};

void count_in(SideTotals& totals, const ReconciliationRow& row)
{
    ++totals.count;
    totals.points += row.points;
    totals.amount_minor += row.amount_minor;
}

void report_differences(
    const ReconciliationRow& house,
    const ReconciliationRow& partner,
    const Differences& found,
    std::vector<Break>& breaks)
{
    const auto report = [&](BreakClass kind, std::vector<std::string_view> fields) {
        breaks.push_back(
            {.kind = kind,
             .message_id = house.message_id,
             .house = house,
             .partner = partner,
             .fields = std::move(fields)});
    };
    if (!found.amount.empty()) report(BreakClass::changed_amount, found.amount);
    if (found.member) report(BreakClass::wrong_member, {"member"});
    if (!found.time.empty()) report(BreakClass::late, found.time);
}

/// All details of one message id: the one that differs least is it, the others are duplicates.
void report_details(
    const ReconciliationRow* house,
    std::span<const ReconciliationRow* const> details,
    const Comparison& comparison,
    std::vector<Break>& breaks)
{
    const ReconciliationRow* chosen = details.front();
    if (house != nullptr) {
        chosen = *std::ranges::min_element(details, {}, [&](const ReconciliationRow* detail) {
            return comparison.between(*house, *detail).count();
        });
        report_differences(*house, *chosen, comparison.between(*house, *chosen), breaks);
    } else {
        breaks.push_back(
            {.kind = BreakClass::extra,
             .message_id = chosen->message_id,
             .house = std::nullopt,
             .partner = *chosen,
             .fields = {}});
    }
    for (const auto* const detail : details) {
        if (detail == chosen) continue;
        breaks.push_back(
            {.kind = BreakClass::duplicate,
             .message_id = detail->message_id,
             .house = house == nullptr ? std::nullopt : std::optional{*house},
             .partner = *detail,
             .fields = {}});
    }
}

} // namespace

std::string_view name_of(BreakClass kind) noexcept
{
    switch (kind) {
    case BreakClass::missing: return "missing";
    case BreakClass::extra: return "extra";
    case BreakClass::changed_amount: return "changed_amount";
    case BreakClass::wrong_member: return "wrong_member";
    case BreakClass::duplicate: return "duplicate";
    case BreakClass::late: return "late";
    }
    return "unknown";
}

Reconciliation reconcile(
    const ReconciliationPeriod& period, Rows house, Rows partner, const ledger::Calendar& calendar)
{
    Reconciliation result{.period = period, .house = {}, .partner = {}, .breaks = {}};
    boost::unordered_flat_map<std::string_view, Sides> messages;
    boost::unordered_flat_map<std::string_view, Details> repeated;
    messages.reserve(std::max(house.size(), partner.size()));
    for (const auto& row : partner) {
        count_in(result.partner, row);
        const auto [found, is_new] = messages.try_emplace(row.message_id, nullptr, &row);
        if (is_new) continue;
        auto& details = repeated[row.message_id];
        if (details.empty()) details.push_back(found->second.partner);
        details.push_back(&row);
    }

    for (const auto& row : house) {
        const auto [found, is_new] = messages.try_emplace(row.message_id, &row, nullptr);
        ledger::invariant(
            is_new || found->second.house == nullptr, "a partner's message id is booked once");
        found->second.house = &row;
        if (!period.contains(row.booked_on)) continue;
        count_in(result.house, row);
        if (found->second.partner != nullptr) continue;
        result.breaks.push_back(
            {.kind = BreakClass::missing,
             .message_id = row.message_id,
             .house = row,
             .partner = std::nullopt,
             .fields = {}});
    }

    const Comparison comparison{period, calendar};
    for (const auto& [id, sides] : messages) {
        if (sides.partner == nullptr) continue;
        const auto more = repeated.find(id);
        const auto details = more == repeated.end()
                                 ? std::span{&sides.partner, 1}
                                 : std::span<const ReconciliationRow* const>{more->second};
        report_details(sides.house, details, comparison, result.breaks);
    }
    std::ranges::sort(result.breaks, {}, [](const Break& found) {
        return std::tuple<BreakClass, std::string_view, std::size_t>{
            found.kind, found.message_id, found.partner ? found.partner->line : 0};
    });
    return result;
}

} // namespace pointhouse::settlement
