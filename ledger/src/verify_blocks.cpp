#include "verify_blocks.hpp"

#include <cstdint>
#include <iterator>

#include "ledger/block.hpp"
#include "verify_fault.hpp"

namespace pointhouse::ledger {

void BlocksBehind::keep(const JournalReader::BlockRow& row)
{
    constexpr std::size_t kept_bytes_max = std::size_t{64} << 20U;
    kept_bytes_ += row.bytes.size();
    kept_[row.first].assign(row.bytes.begin(), row.bytes.end());
    while (kept_bytes_ > kept_bytes_max && kept_.size() > 1) {
        kept_bytes_ -= kept_.begin()->second.size();
        kept_.erase(kept_.begin());
    }
}

std::span<const std::byte> BlocksBehind::bytes_with(Sequence sequence)
{
    const auto after = kept_.upper_bound(sequence);
    if (after == kept_.begin()) return journal_.block_with(sequence);
    return std::prev(after)->second;
}

void BlocksBehind::read(Sequence sequence, Record& out, const Record& named_by)
{
    const auto block = BlockView::parse(bytes_with(sequence), BlockView::Check::frame);
    const bool is_read =
        block &&
        block->read(
            static_cast<std::uint32_t>(sequence.value() - block->header().first.value()), out);
    require(is_read, "{}: what it is about does not read back", Named{named_by});
    out.message_id = {};
}

} // namespace pointhouse::ledger
