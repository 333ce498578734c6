#include "restatement_source.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <tuple>

#include "gateway/projector.hpp"
#include "ledger/journal_export.hpp"

namespace pointhouse::ops {

namespace {

using ledger::Month;
using ledger::PositionRow;

/// The positions of postings, summed, so that memory does not grow with the journal.
class SummedPositions {
public:
    void add(const PositionRow& row)
    {
        const Key key{
            row.kind,
            row.partner,
            row.counterparty,
            row.tariff,
            row.counterpart,
            row.bearer,
            row.debt,
            row.state};
        const auto [found, is_new] = rows_.try_emplace(key, row);
        if (is_new) return;
        auto& sum = found->second;
        sum.points = ledger::Points{sum.points.count() + row.points.count()};
        sum.money.issuer += row.money.issuer;
        sum.money.counterparty += row.money.counterparty;
        sum.money.liability += row.money.liability;
        sum.money.fee += row.money.fee;
        sum.money.margin += row.money.margin;
    }
    [[nodiscard]] std::vector<PositionRow> rows() const
    {
        std::vector<PositionRow> rows;
        rows.reserve(rows_.size());
        for (const auto& [key, row] : rows_) rows.push_back(row);
        return rows;
    }

private:
    using Key = std::tuple<
        ledger::EntryKind,
        ledger::PartnerId,
        ledger::PartnerId,
        ledger::TariffVersion,
        ledger::TariffVersion,
        ledger::TariffVersion,
        ledger::DebtKind,
        ledger::LotState>;
    std::map<Key, PositionRow> rows_;
};

/// The month in which a posting happened. What the clock brought about is of the window that it
/// names, and so is what the house's own record moves.
Month happened_in(const ledger::PostingLines& posting)
{
    if (posting.record.message_id.empty()) return posting.window;
    return posting.terms.calendar->month_of(posting.record.occurred_at);
}

} // namespace

RestatementSource::RestatementSource(gateway::House& house, Month month)
    : history_{house.registry()}, books_{house.books()}, projector_{house.projector()}
{
    auto& points = house.ledger();
    house.tend();
    const auto& windows = points.windows();
    const auto found = std::ranges::find(windows, month, &ledger::Window::month);
    if (found == windows.end())
        throw gateway::HouseFailure{
            fmt::format("the house has no window {}", ledger::format_month(month))};
    if (!house.registry().is_closed(month))
        throw gateway::HouseFailure{fmt::format(
            "{} is not closed; only closed windows are restated", ledger::format_month(month))};
    terms_ = house.registry().terms();
    contracts_ = gateway::contracts_of(house.registry(), *terms_);
    window_ = {
        .month = month,
        .from = terms_->calendar->start_of(month),
        .to = terms_->calendar->start_of(month.next()),
        .state = settlement::WindowState::closed};
    // A clock that is ahead dates a message by minutes into the next month.
    const auto first = found == windows.begin() ? found : std::prev(found);
    for (auto other = first; other != windows.end(); ++other)
        if (other != found) others_.push_back(other->month);
    through_ = points.head();
    drained_ = found->drained;
    now_ = points.house_time();
    documents_ = house.documents();
    const auto& calendar = *terms_->calendar;
    gateway::take_issue_days(contracts_, documents_, month, calendar, calendar.day_of(now_));
    journal_ = house.open_reader();
}

std::vector<settlement::LatePositions> RestatementSource::late() const
{
    std::map<Month, SummedPositions> sums;
    const auto booked =
        books_.happened_in({.from = window_.from, .to = window_.to}, others_, through_);
    for (const auto& window : booked.windows)
        for (const auto& row : window.positions) sums[window.month].add(row);
    ledger::for_each_posting(
        *journal_,
        history_,
        [&](const ledger::PostingLines& posting) {
            const auto sequence = posting.record.sequence;
            if (sequence <= booked.through || sequence > through_) return;
            if (posting.window == window_.month || happened_in(posting) != window_.month) return;
            for (const auto& row : posting.positions) sums[posting.window].add(row);
        },
        {.from = ledger::Sequence{booked.through.value() + 1}, .through = through_});
    std::vector<settlement::LatePositions> found;
    found.reserve(sums.size());
    for (const auto& [month, sum] : sums) found.push_back({.posted_in = month, .rows = sum.rows()});
    return found;
}

settlement::Restatement RestatementSource::restate(gateway::Console& console) const
{
    projector_.wait_for(drained_, console);
    const auto closed = books_.positions(window_.month);
    const auto found = late();
    auto made = settlement::restate(
        {.window = window_,
         .closed = closed,
         .late = found,
         .documents = documents_,
         .terms = *terms_,
         .contracts = contracts_});
    made.through = through_;
    made.made_at = now_;
    return made;
}

} // namespace pointhouse::ops
