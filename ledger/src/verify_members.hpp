#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "ledger/journal.hpp"
#include "ledger/posting.hpp"
#include "member.hpp"
#include "sha256.hpp"

namespace pointhouse::ledger {

/// The state of every member, recomputed record by record, and held against the stored rows.
class RecomputedMembers {
public:
    /// A row as the journal stores it; all of them before the first record.
    void expect(const MemberRow& row);
    /// The member as its records so far have left it.
    [[nodiscard]] Member& member(MemberNumber number);
    /// Before a record is applied to its member.
    void note_first(const Record& record);
    /// After it was: the row that claims to end with it has to be the same.
    void compare_after(const Record& record);
    /// After the last record: every row was compared, and none is missing up to the watermark.
    void finish(Sequence watermark) const;

private:
    struct StoredRow {
        Sequence through;
        Digest hash{};
        bool is_compared = false;
    };
    boost::unordered_flat_map<std::uint64_t, StoredRow> rows_;
    boost::unordered_flat_map<std::uint64_t, std::unique_ptr<Member>> members_;
    boost::unordered_flat_map<std::uint64_t, Sequence> first_records_;
    std::vector<std::byte> bytes_;
    Sha256 sha256_;
};

} // namespace pointhouse::ledger
