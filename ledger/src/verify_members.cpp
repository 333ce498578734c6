#include "verify_members.hpp"

#include "verify_fault.hpp"

namespace pointhouse::ledger {

void RecomputedMembers::expect(const MemberRow& row)
{
    rows_.emplace(
        row.member.value(), StoredRow{.through = row.through, .hash = sha256_.of(row.state)});
}

Member& RecomputedMembers::member(MemberNumber number)
{
    auto& member = members_[number.value()];
    if (!member) member = std::make_unique<Member>(number);
    return *member;
}

void RecomputedMembers::note_first(const Record& record)
{
    first_records_.try_emplace(record.member.value(), record.sequence);
}

void RecomputedMembers::compare_after(const Record& record)
{
    const auto row = rows_.find(record.member.value());
    if (row == rows_.end() || row->second.through != record.sequence) return;
    bytes_.clear();
    members_.at(record.member.value())->encode(bytes_);
    require(
        sha256_.of(bytes_) == row->second.hash,
        "member {}: its stored state is not what its records come to",
        record.member.value());
    row->second.is_compared = true;
}

void RecomputedMembers::finish(Sequence watermark) const
{
    for (const auto& [number, row] : rows_)
        require(
            row.is_compared,
            "member {}: its row claims to contain record {}, which is not one of its records",
            number,
            row.through.value());
    for (const auto& [number, member] : members_) {
        if (member->last().is_none()) continue;
        const auto row = rows_.find(number);
        const bool has_row = row != rows_.end();
        require(
            has_row || first_records_.at(number) > watermark,
            "member {}: its row is missing",
            number);
        if (has_row && member->last() <= watermark)
            require(
                row->second.through == member->last(),
                "member {}: its row is older than the watermark",
                number);
    }
}

} // namespace pointhouse::ledger
