#include "close_source.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "house_movements.hpp"

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

CloseSource::CloseSource(gateway::House& house, ledger::Month window) : window_{window}
{
    auto& points = house.ledger();
    house.tend();
    if (std::ranges::find(points.windows(), window, &ledger::Window::month) ==
        points.windows().end())
        throw gateway::HouseFailure{
            fmt::format("the house has no window {}", ledger::format_month(window))};
    documents_ = house.documents();
    movements_.emplace(movements_of(house));
    brought_along_ = brought_along(house.registry());
    currency_ = house.registry().terms()->currency;
}

settlement::CloseChecklist CloseSource::checklist() const
{
    settlement::CloseFigures figures{.through = movements_->through()};
    movements_->for_each(
        [](const ledger::Window&) { return ledger::Taken::summed; },
        [&](const ledger::Movement& movement) { figures.add(movement); });
    return settlement::close_checklist(documents_, window_, figures, brought_along_, currency_);
}

} // namespace pointhouse::ops
