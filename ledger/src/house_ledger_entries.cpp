#include "house_ledger.hpp"
#include "ledger/invariant.hpp"

// What the house's own record moves: booked in the journal, so that it lies in exactly one window.

namespace pointhouse::ledger {

HouseSequence HouseLedger::booked_house_entry()
{
    require_ready();
    return funding_.booked();
}

void HouseLedger::book_house_entry(
    HouseSequence entry, Time at, std::span<const OpeningMember> members)
{
    require_ready();
    const bool is_booked = entry == funding_.booked(); // and not all that came with it, perhaps
    invariant(
        (is_booked || entry > funding_.booked()) && entry <= terms_->as_of,
        "entries of the house's record are booked in order, once they are published");
    identifiers_.clear();
    for (const OpeningMember& member : members) identifiers_.push_back(member.identifier);
    if (!identifiers_.empty()) identities_.enrol(identifiers_);
    std::vector<Identity> numbers;
    identities_.find(identifiers_, numbers);

    try {
        begin_commit();
        if (is_message_clock()) follow_clock(std::max(house_time_, at));
        std::map<MemberNumber, int> booked;
        if (is_booked)
            booked = openings_booked();
        else
            append_house_entry(entry);
        flush(); // the openings rest on it
        for (std::uint16_t shard = 1; shard <= shards_; ++shard) {
            for (std::size_t place = 0; place < members.size(); ++place) {
                const MemberNumber number = numbers[place].member;
                if (shard_of(number) != ShardId{shard}) continue;
                if (int& before = booked[number]; before > 0)
                    --before;
                else
                    append_opening(members[place], number);
            }
        }
        if (!make_durable())
            throw StoreFailure{"an entry of the house's record could not be made durable"};
    } catch (const StoreFailure&) {
        distrust_memory();
        throw;
    }
}

void HouseLedger::append_house_entry(HouseSequence entry)
{
    const Record step{
        .sequence = next_sequence(),
        .type = MessageType::house_entry,
        .terms = entry,
        .occurred_at = house_time_,
        .posted_at = house_time_};
    append(step, windows_.size() - 1);
    funding_.apply(step, *terms_);
}

// By member, how many records of an opening it has.
std::map<MemberNumber, int> HouseLedger::openings_booked()
{
    std::map<MemberNumber, int> booked;
    Record record;
    journal_.for_each_block(Sequence{1}, [&](const JournalCommit::Block& row) {
        const auto block = BlockView::parse(row.bytes, BlockView::Check::hash);
        if (!block) throw StoreFailure{"a block does not read back: " + block.error().reason};
        for (std::uint32_t index = 0; index < block->count(); ++index)
            if (block->read(index, record) && record.type == MessageType::opening)
                ++booked[record.member];
        return true;
    });
    return booked;
}

void HouseLedger::append_opening(const OpeningMember& opening, MemberNumber number)
{
    Member* member = survivor_of(load_member(number));
    if (member == nullptr) member = &members_.insert(number);
    Record& record = own_records_.emplace_back();
    record.sequence = next_sequence();
    record.type = MessageType::opening;
    context_.move_to(house_time_, *terms_);
    for (const OpeningLot& lot : opening.lots) {
        const LotKey key{
            .origin = record.sequence,
            .position = static_cast<std::uint16_t>(record.entries.size())};
        Entry entry{.kind = EntryKind::opened, .points = lot.points};
        entry.lot = {
            .key = key,
            .activity = lot.activity,
            .expires_on = lot.expires_on,
            .tariff = lot.tariff};
        if (lot.available_at && *lot.available_at > house_time_) {
            entry.state = LotState::pending;
            entry.until = *lot.available_at;
        }
        record.points += lot.points;
        record.entries.push_back(entry);
    }
    append_own(record, *member, windows_.size() - 1);
}

} // namespace pointhouse::ledger
