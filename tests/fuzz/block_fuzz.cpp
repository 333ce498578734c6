#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ledger/block.hpp"

using namespace pointhouse;

// Any bytes as a block of the journal: read whole or refused, never beyond their end.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto bytes = std::as_bytes(std::span{data, size});
    const auto block = ledger::BlockView::parse(bytes, ledger::BlockView::Check::frame);
    if (!block) return 0;

    ledger::Record record;
    for (std::uint32_t index = 0; index < block->count(); ++index)
        if (!block->read(index, record)) break;
    std::vector<ledger::ControlTotal> totals;
    (void)block->read_totals(totals);
    return 0;
}
