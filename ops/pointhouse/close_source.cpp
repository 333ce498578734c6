#include "close_source.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "ledger/journal_export.hpp"

namespace pointhouse::ops {

settlement::BroughtAlong brought_along(const partners::Registry& registry)
{
    settlement::BroughtAlong found;
    if (!registry.opening()) return found;
    for (const auto& line : registry.money_of(registry.opening()->entry)) {
        if (line.account == ledger::Account::receivable)
            found.receivable += ledger::Micro{line.amount};
        if (line.account == ledger::Account::payable) found.payable += ledger::Micro{line.amount};
    }
    return found;
}

CloseSource::CloseSource(gateway::House& house, ledger::Month window)
    : history_{house.registry()}, window_{window}
{
    auto& points = house.ledger();
    house.tend();
    if (std::ranges::find(points.windows(), window, &ledger::Window::month) ==
        points.windows().end())
        throw gateway::HouseFailure{
            fmt::format("the house has no window {}", ledger::format_month(window))};
    documents_ = house.documents();
    journal_ = house.open_reader();
    through_ = points.head();
    brought_along_ = brought_along(house.registry());
    currency_ = house.registry().terms()->currency;
}

settlement::CloseChecklist CloseSource::checklist() const
{
    settlement::CloseFigures figures{.through = through_};
    ledger::for_each_posting(*journal_, history_, [&](const ledger::PostingLines& posting) {
        if (posting.record.sequence <= figures.through) figures.add(posting);
    });
    return settlement::close_checklist(documents_, window_, figures, brought_along_, currency_);
}

} // namespace pointhouse::ops
