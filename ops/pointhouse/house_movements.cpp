#include "house_movements.hpp"

namespace pointhouse::ops {

ledger::Movements movements_of(gateway::House& house)
{
    const auto& points = house.ledger();
    return ledger::Movements{
        {.books = house.books(),
         .journal = house.open_reader(),
         .history = house.registry(),
         .terms = house.registry().terms(),
         .windows = points.windows(),
         .through = points.head()}};
}

} // namespace pointhouse::ops
