#include "ledger/movements.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include "ledger/journal_export.hpp"

namespace pointhouse::ledger {

Movements::Movements(Sources sources) : sources_{std::move(sources)}
{
    const Sequence projected = sources_.books.projected();
    std::vector<Month> months;
    for (const auto& window : sources_.windows)
        if (window.drained.is_none() || window.drained > projected) months.push_back(window.month);
    moving_ = sources_.books.sums(months, *sources_.terms);
}

// What a drained window booked does not change any more, whatever the books take meanwhile.
bool Movements::is_settled(Month window) const
{
    return std::ranges::find(moving_.windows, window, &WindowSum::month) == moving_.windows.end();
}

Movements::Asked Movements::asked(const std::function<Taken(const Window&)>& taken) const
{
    Asked asked;
    for (const auto& window : sources_.windows) {
        switch (taken(window)) {
        case Taken::left_out: break;
        case Taken::summed: asked.summed.insert(window.month); break;
        case Taken::one_by_one:
            if (asked.one_by_one.empty()) asked.one_by_one_from = window.first;
            asked.one_by_one.insert(window.month);
        }
    }
    return asked;
}

void Movements::for_each(
    const std::function<Taken(const Window&)>& taken,
    const std::function<void(const Movement&)>& use) const
{
    const auto wanted = asked(taken);
    auto settled = wanted.summed;
    std::erase_if(settled, [&](Month month) { return !is_settled(month); });
    use_settled(settled, use);
    for (const auto& sum : moving_.windows)
        if (wanted.summed.contains(sum.month)) use_sum(sum, use);
    use_journal(wanted, moving_.through, use);
}

void Movements::for_each_spent(
    const std::function<Taken(const Window&)>& taken,
    const std::function<void(const SpentPoints&)>& use,
    const std::function<void(const Movement&)>& use_posting) const
{
    const auto wanted = asked(taken);
    const std::vector<Month> summed{wanted.summed.begin(), wanted.summed.end()};
    const auto through = sources_.books.for_each_spent(summed, sources_.through, use);
    require_whole(wanted.summed, through);
    use_journal(wanted, through, use_posting);
}

/// From where on the journal has what the books do not, or what is asked for one by one.
void Movements::use_journal(
    const Asked& asked,
    Sequence summed_through,
    const std::function<void(const Movement&)>& use) const
{
    Sequence from{summed_through.value() + 1};
    if (!asked.one_by_one.empty()) from = std::min(from, asked.one_by_one_from);
    if (from > sources_.through) return;

    for_each_posting(
        *sources_.journal,
        sources_.history,
        [&](const PostingLines& posting) {
            const Sequence sequence = posting.record.sequence;
            if (sequence > sources_.through) return;
            const bool is_wanted =
                asked.one_by_one.contains(posting.window) ||
                (sequence > summed_through && asked.summed.contains(posting.window));
            if (!is_wanted) return;
            const bool is_of_house = posting.record.type == MessageType::house_entry;
            use(
                {.window = posting.window,
                 .positions = posting.positions,
                 .lines = posting.lines,
                 .terms = posting.terms,
                 .house_entry = is_of_house ? posting.record.terms : HouseSequence{},
                 .record = &posting.record});
        },
        {.from = from, .through = last_asked(asked)});
}

std::optional<Time> Movements::last_posted_at(Sequence sequence) const
{
    std::optional<Time> time;
    Sequence last;
    for (const auto& window : sources_.windows | std::views::reverse) {
        if (window.first > sequence) continue;
        if (!window.drained.is_none() && window.drained < last) break;
        for_each(
            [&](const Window& each) {
                return each.month == window.month ? Taken::one_by_one : Taken::left_out;
            },
            [&](const Movement& movement) {
                const Record& record = *movement.record;
                if (record.sequence < last || record.sequence > sequence) return;
                last = record.sequence;
                time = record.posted_at;
            });
    }
    return time;
}

// Nothing of a window comes after its drained marker, and the journal need not be read on.
Sequence Movements::last_asked(const Asked& asked) const
{
    Sequence last;
    for (const auto& window : sources_.windows) {
        const bool is_asked = asked.one_by_one.contains(window.month) ||
                              (asked.summed.contains(window.month) && !is_settled(window.month));
        if (!is_asked) continue;
        last = std::max(last, window.drained.is_none() ? sources_.through : window.drained);
    }
    return last;
}

// What is settled the books had whole, when they were asked first.
void Movements::require_whole(const std::set<Month>& months, Sequence through) const
{
    for (const auto& window : sources_.windows)
        if (months.contains(window.month) && is_settled(window.month) && through < window.drained)
            throw StoreFailure{"the books are being made anew; ask again when they are"};
}

void Movements::use_settled(
    const std::set<Month>& months, const std::function<void(const Movement&)>& use) const
{
    if (months.empty()) return;
    const auto found =
        sources_.books.sums(std::vector<Month>{months.begin(), months.end()}, *sources_.terms);
    require_whole(months, found.through);
    for (const auto& sum : found.windows) use_sum(sum, use);
}

void Movements::use_sum(const WindowSum& sum, const std::function<void(const Movement&)>& use) const
{
    std::vector<AccountLine> lines;
    for (const auto& position : sum.positions) {
        const auto of_position = lines_of(position, *sources_.terms);
        lines.insert(lines.end(), of_position.begin(), of_position.end());
    }
    if (!sum.positions.empty())
        use(
            {.window = sum.month,
             .positions = sum.positions,
             .lines = lines,
             .terms = *sources_.terms});
    if (!sum.house.empty()) {
        use(
            {.window = sum.month,
             .positions = {},
             .lines = sum.house,
             .terms = *sources_.terms,
             .house_entry = sum.last_entry});
    }
}

} // namespace pointhouse::ledger
