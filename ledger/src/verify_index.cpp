#include "verify_index.hpp"

#include <algorithm>

#include "verify_fault.hpp"

namespace pointhouse::ledger {

void IndexedMessages::open(
    const std::filesystem::path& folder, const std::vector<IndexRun>& runs, Sequence head)
{
    for (const IndexRun& run : runs) {
        runs_.push_back(IndexRunFile::open(folder / "index", run));
        require(
            runs_.back() != nullptr, "index run {}: missing, or its bytes were changed", run.name);
        require(
            run.first.value() == covered_.value() + 1 && run.last <= head,
            "index run {}: it does not follow the run before it",
            run.name);
        covered_ = run.last;
        entries_ += run.entries;
    }
}

void IndexedMessages::check(const Record& record)
{
    if (record.sequence > covered_) return;
    if (!is_house_posting(record.type))
        require_found(keys_.message_key(record.partner, record.message_id), record);
    if (!record.original.is_none()) require_found(keys_.reversal_key(record.original), record);
}

void IndexedMessages::require_found(std::uint64_t key, const Record& record)
{
    ++found_;
    const auto run = std::ranges::find_if(
        runs_, [&](const auto& candidate) { return record.sequence <= candidate->run().last; });
    candidates_.clear();
    (*run)->find(key, candidates_);
    require(
        std::ranges::find(candidates_, record.sequence) != candidates_.end(),
        "{}: the message index does not find it",
        Named{record});
}

void IndexedMessages::finish() const
{
    require(
        entries_ == found_,
        "the message index holds {} entries, the journal makes {}",
        entries_,
        found_);
}

} // namespace pointhouse::ledger
