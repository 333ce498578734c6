#pragma once

#include <algorithm>
#include <vector>

#include "ledger/posting.hpp"

namespace pointhouse::ledger {

/// The way through the records of a member and of all that were merged into it, newest first. The
/// caller reads the records: this knows which is next.
class MemberChains {
public:
    /// `last`: the member's newest record; none: there is nothing to walk.
    explicit MemberChains(Sequence last) { add(last); }

    /// The next record; none: that was all.
    [[nodiscard]] Sequence next() const { return ends_.empty() ? Sequence{} : ends_.back(); }

    /// `record`, which was the next, has been read.
    void pass(const Record& record)
    {
        ends_.pop_back();
        add(record.previous);
        // Here another member's chain ends, with the record by which it was merged.
        if (record.type == MessageType::merge_in) add(record.original);
    }

private:
    void add(Sequence end)
    {
        if (!end.is_none()) ends_.insert(std::ranges::upper_bound(ends_, end), end);
    }

    std::vector<Sequence> ends_; // ascending
};

} // namespace pointhouse::ledger
