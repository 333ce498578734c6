#include "ledger/invariant.hpp"
#include "shard.hpp"

// What the house's own record moves: booked in the journal, so that it lies in exactly one window.

namespace pointhouse::ledger {

HouseSequence Shard::booked_house_entry()
{
    require_ready();
    return funding_.booked();
}

void Shard::book_house_entry(HouseSequence entry, Time at, std::span<const OpeningMember> members)
{
    require_ready();
    invariant(
        entry > funding_.booked() && entry <= terms_->as_of,
        "entries of the house's record are booked in order, once they are published");
    identifiers_.clear();
    for (const OpeningMember& member : members) identifiers_.push_back(member.identifier);
    if (!identifiers_.empty()) identities_.enrol(identifiers_);
    std::vector<MemberNumber> numbers;
    identities_.find(identifiers_, numbers);

    try {
        write_house_entry(entry, at, members, numbers);
    } catch (const StoreFailure&) {
        is_sound_ = false; // memory may be ahead of the journal
        throw;
    }
    if (!make_durable())
        throw StoreFailure{"an entry of the house's record could not be made durable"};
}

void Shard::write_house_entry(
    HouseSequence entry,
    Time at,
    std::span<const OpeningMember> members,
    std::span<const MemberNumber> numbers)
{
    begin_commit();
    if (options_.clock == nullptr) pass_cut_offs(std::max(house_time_, at));
    Record step{
        .sequence = next_sequence(),
        .type = MessageType::house_entry,
        .terms = entry,
        .occurred_at = house_time_,
        .posted_at = house_time_};
    append(step);
    funding_.apply(step, *terms_);
    for (std::size_t place = 0; place < members.size(); ++place)
        append_opening(members[place], numbers[place]);
}

void Shard::append_opening(const OpeningMember& opening, MemberNumber number)
{
    Member* member = load_member(number);
    if (member == nullptr) member = &members_.insert(std::make_unique<Member>(number));
    Record record{
        .sequence = next_sequence(),
        .type = MessageType::opening,
        .member = number,
        .previous = member->last(),
        .terms = terms_->as_of,
        .occurred_at = house_time_,
        .posted_at = house_time_};
    for (const OpeningLot& lot : opening.lots) {
        const LotKey key{
            .origin = record.sequence,
            .position = static_cast<std::uint16_t>(record.entries.size())};
        record.points += lot.points;
        record.entries.push_back(
            {.kind = EntryKind::opened,
             .points = lot.points,
             .lot = {
                 .key = key,
                 .activity = lot.activity,
                 .expires_on = lot.expires_on,
                 .tariff = lot.tariff}});
    }
    member->apply(record, *terms_);
    members_.mark_dirty(*member);
    context_.move_to(house_time_, *terms_);
    record.balance = member->balance(context_.today);
    append(record);
}

} // namespace pointhouse::ledger
