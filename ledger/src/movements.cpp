#include "ledger/movements.hpp"

#include <algorithm>
#include <ranges>
#include <set>
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
bool Movements::is_settled(const Window& window) const
{
    return std::ranges::find(moving_.windows, window.month, &WindowSum::month) ==
           moving_.windows.end();
}

void Movements::for_each(
    const std::function<Taken(const Window&)>& taken,
    const std::function<void(const Movement&)>& use) const
{
    std::vector<Month> settled;
    std::set<Month> summed;
    std::set<Month> one_by_one;
    // From where on the journal has what the books do not, or what is asked for one by one.
    Sequence from{moving_.through.value() + 1};
    for (const auto& window : sources_.windows) {
        switch (taken(window)) {
        case Taken::left_out: continue;
        case Taken::one_by_one:
            one_by_one.insert(window.month);
            from = std::min(from, window.first);
            continue;
        case Taken::summed: summed.insert(window.month);
        }
        if (is_settled(window)) settled.push_back(window.month);
    }
    use_settled(settled, use);
    for (const auto& sum : moving_.windows)
        if (summed.contains(sum.month)) use_sum(sum, use);
    if (from > sources_.through) return;

    for_each_posting(
        *sources_.journal,
        sources_.history,
        [&](const PostingLines& posting) {
            const Sequence sequence = posting.record.sequence;
            if (sequence > sources_.through) return;
            const bool is_wanted = one_by_one.contains(posting.window) ||
                                   (summed.contains(posting.window) && sequence > moving_.through);
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
        {.from = from, .through = last_asked(summed, one_by_one)});
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
Sequence Movements::last_asked(
    const std::set<Month>& summed, const std::set<Month>& one_by_one) const
{
    Sequence last;
    for (const auto& window : sources_.windows) {
        const bool is_asked = one_by_one.contains(window.month) ||
                              (summed.contains(window.month) && !is_settled(window));
        if (!is_asked) continue;
        last = std::max(last, window.drained.is_none() ? sources_.through : window.drained);
    }
    return last;
}

void Movements::use_settled(
    const std::vector<Month>& months, const std::function<void(const Movement&)>& use) const
{
    if (months.empty()) return;
    const auto found = sources_.books.sums(months, *sources_.terms);
    for (const auto& window : sources_.windows)
        if (std::ranges::find(months, window.month) != months.end() &&
            found.through < window.drained)
            throw StoreFailure{"the books are being made anew; ask again when they are"};
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
    if (!sum.house.empty())
        use(
            {.window = sum.month,
             .positions = {},
             .lines = sum.house,
             .terms = *sources_.terms,
             .house_entry = sum.last_entry});
}

} // namespace pointhouse::ledger
