#include "report_source.hpp"

#include <algorithm>

namespace pointhouse::ops {

using ledger::Movement;
using ledger::Taken;

namespace {

constexpr std::chrono::microseconds instant{1};

/// Whether some of a month is at or before a time, and some after it.
bool is_cut_by(ledger::Time time, ledger::Month month, const ledger::Calendar& calendar)
{
    return calendar.start_of(month) <= time && time < calendar.start_of(month.next()) - instant;
}

} // namespace

Taken Interval::take(const ledger::Window& of, const ledger::Calendar& calendar) const
{
    if (window) return *window < of.month ? Taken::left_out : Taken::summed;
    if (sequence && of.first.value() > *sequence) return Taken::left_out;
    const bool is_cut_by_record =
        sequence && (of.drained.is_none() || of.drained.value() > *sequence);
    if (is_cut_by_record) return Taken::one_by_one;
    if (to && calendar.start_of(of.month) > *to) return Taken::left_out;
    // What is before the beginning ends an instant earlier.
    const bool is_cut_by_time = (to && is_cut_by(*to, of.month, calendar)) ||
                                (from && is_cut_by(*from - instant, of.month, calendar));
    return is_cut_by_time ? Taken::one_by_one : Taken::summed;
}

bool Interval::is_after(const Movement& movement) const
{
    if (window || movement.record == nullptr) return false;
    if (sequence && movement.record->sequence.value() > *sequence) return true;
    return to && movement.record->posted_at > *to;
}

bool Interval::is_before(const Movement& movement, ledger::Time time) const
{
    return window ? movement.window < *window : from && time < *from;
}

bool Interval::is_before(ledger::Month month, const ledger::Calendar& calendar) const
{
    return window ? month < *window : from && calendar.start_of(month) < *from;
}

settlement::ReportOf ReportSource::as_printed() const
{
    const auto day = terms->calendar->day_of(sequence_end());
    return {
        .house = house,
        .number = interval.window ? settlement::month_in_words(*interval.window)
                                  : "As of " + settlement::day_in_words(day),
        .created = ledger::format_time(sequence_end())};
}

ledger::Time ReportSource::sequence_end() const
{
    return interval.sequence ? last_posting() : end();
}

ledger::Time ReportSource::last_posting() const
{
    const auto last = movements.last_posted_at(ledger::Sequence{interval.sequence.value()});
    return last.value_or(ledger::Time{});
}

ledger::Time ReportSource::end() const
{
    if (interval.window) return terms->calendar->start_of(interval.window->next()) - instant;
    return interval.to.value_or(now);
}

ledger::Time ReportSource::time_of(const Movement& movement) const
{
    return movement.record == nullptr ? terms->calendar->start_of(movement.window)
                                      : movement.record->posted_at;
}

void ReportSource::for_each(
    const std::function<void(const Movement&, bool is_before)>& use,
    std::span<const ledger::Time> instants) const
{
    const auto& calendar = *terms->calendar;
    movements.for_each(
        [&](const ledger::Window& window) {
            const auto taken = interval.take(window, calendar);
            const bool is_cut = std::ranges::any_of(
                instants, [&](auto time) { return is_cut_by(time, window.month, calendar); });
            return is_cut && taken == Taken::summed ? Taken::one_by_one : taken;
        },
        [&](const Movement& movement) {
            if (!interval.is_after(movement))
                use(movement, interval.is_before(movement, time_of(movement)));
        });
}

void ReportSource::for_each_spent(
    const std::function<void(const ledger::SpentPoints&, const ledger::Terms&)>& use) const
{
    const auto& calendar = *terms->calendar;
    movements.for_each_spent(
        [&](const ledger::Window& window) {
            const auto taken = interval.take(window, calendar);
            const bool is_before =
                taken == Taken::summed && interval.is_before(window.month, calendar);
            return is_before ? Taken::left_out : taken;
        },
        [&](const ledger::SpentPoints& spent) { use(spent, *terms); },
        [&](const Movement& movement) {
            const bool is_inside =
                !interval.is_after(movement) && !interval.is_before(movement, time_of(movement));
            if (!is_inside) return;
            const auto& record = *movement.record;
            for (const auto& entry : record.entries)
                if (const auto spent = spent_by(record, entry, movement.terms))
                    use(*spent, movement.terms);
        });
}

} // namespace pointhouse::ops
