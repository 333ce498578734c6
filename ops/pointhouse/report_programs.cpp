#include "report_programs.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

#include "ledger/house_record.hpp"
#include "partners/program_history.hpp"

namespace pointhouse::ops {

namespace {

/// Where a report ends in the house's record: with `last`, or, where it ends within a window, with
/// what was recorded until `at` and is not of a window before anyway.
struct RecordEnd {
    std::optional<ledger::HouseSequence> last;    // none: not known to end
    std::optional<ledger::HouseSequence> settled; // the close of the window before
    std::optional<ledger::Time> at;

    [[nodiscard]] bool has(ledger::HouseSequence entry, ledger::Time recorded_at) const
    {
        if (last && entry > *last) return false;
        return !at || recorded_at <= *at || (settled && entry <= *settled);
    }
};

RecordEnd record_end_of(gateway::House& house, const ReportSource& source)
{
    const auto& interval = source.interval;
    const bool is_of_now =
        interval.to ? *interval.to >= source.now
                    : !interval.sequence || *interval.sequence >= house.ledger().head().value();
    if (!interval.window && is_of_now) return {};
    const auto& calendar = *source.terms->calendar;
    const auto end = source.sequence_end();
    const auto month = interval.window.value_or(calendar.month_of(end));
    const auto& windows = house.ledger().windows();
    const auto window = std::ranges::find(windows, month, &ledger::Window::month);
    const auto last_instant = calendar.start_of(month.next()) - std::chrono::microseconds{1};
    const bool has_all_records = interval.sequence && window != windows.end() &&
                                 !window->drained.is_none() &&
                                 window->drained.value() <= *interval.sequence;
    const bool is_whole =
        interval.window || has_all_records || (interval.to && *interval.to >= last_instant);
    RecordEnd found{.last = house.closing_of(month), .settled = {}, .at = {}};
    if (is_whole) return found;
    found.at = end;
    const auto before = std::ranges::find_if(
        windows, [&](const ledger::Window& each) { return each.month.next() == month; });
    if (before != windows.end()) found.settled = house.closing_of(before->month);
    return found;
}

} // namespace

std::vector<std::string> programs_at_end(gateway::House& house, const ReportSource& source)
{
    const auto end = record_end_of(house, source);
    const ledger::HouseRecord record{house.record_store()};
    std::vector<std::string> programs(source.terms->partners.size());
    for (const auto& change : partners::program_changes(record.entries()))
        // No partner was anywhere before its contract.
        if (change.is_first || end.has(change.entry, change.at))
            programs.at(change.partner.value() - 1) = change.program;
    return programs;
}

} // namespace pointhouse::ops
