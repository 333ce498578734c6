#include <algorithm>
#include <deque>

#include "house_ledger_lookup.hpp"
#include "ledger/invariant.hpp"

// What is otherwise where the journal has several shards: a commit is not one transaction then, and
// no record may rest on one of another shard that could be lost.

namespace pointhouse::ledger {

// One shard's transaction is whole or not there at all, and needs none of this.
void HouseLedger::flush()
{
    if (shards_ == 1 || (commit_.blocks.empty() && !block_is_open_ && commit_.windows.empty()))
        return;
    if (!make_durable()) throw StoreFailure{"a part of a commit could not be made durable"};
    begin_transaction();
    if (!batch_.empty()) meet_members(); // some may have left the memory
}

// The messages of a batch in the order of their shards, so that each has one block of them; a
// message that may rest on others of the batch begins a part of its own.
void HouseLedger::take_by_shard()
{
    for (std::size_t next = 0; next < batch_.size();) {
        next = plan_from(next);
        for (const auto [shard, place] : planned_) {
            const Message& message = batch_[place].message;
            const bool rests_on_limits =
                limits_moved_in_ && *limits_moved_in_ != shard && may_rest_on_limits(message);
            if (rests_on_limits || !message.to_member.empty()) flush();
            take(batch_[place], place);
        }
    }
}

// Plans the messages from `place` on that need nothing of one another but within their shards;
// returns the place of the first that is not among them.
std::size_t HouseLedger::plan_from(std::size_t place)
{
    planned_.clear();
    planned_keys_.clear();
    for (; place < batch_.size(); ++place) {
        const Message& message = batch_[place].message;
        const bool is_alone = !message.to_member.empty() || !message.identifier.empty();
        const bool may_repeat = !planned_keys_.insert(keys_[place]).second;
        const std::optional<ShardId> shard = shard_of_message(place);
        if (!planned_.empty() && (is_alone || may_repeat || !shard)) break;
        planned_.push_back({.shard = shard.value_or(first_shard), .place = place});
        if (!is_alone) continue;
        ++place;
        break;
    }
    std::ranges::sort(planned_);
    return place;
}

// None: it is about a message that the house does not know yet, if ever.
std::optional<ShardId> HouseLedger::shard_of_message(std::size_t place)
{
    const Message& message = batch_[place].message;
    const auto lives_in = [this](const Member* member, MemberNumber named) {
        return shard_of(member == nullptr ? named : member->number());
    };
    if (!message.member.empty())
        return lives_in(survivor_of(member_of_batch(place)), members_of_batch_[place].member);
    LoadedOriginal loaded;
    if (!load_original(message, loaded)) return std::nullopt;
    const MemberNumber named = loaded.outcome.record.member;
    return lives_in(named.is_none() ? nullptr : survivor_of(load_member(named)), named);
}

// A block or a credit limit is the whole house's. Which block is the next, and whether there is
// credit again, may rest on another shard's records once those are durable, and not before.
void HouseLedger::note_limits(const Record& record)
{
    for (const Entry& entry : record.entries) {
        const bool gives_back =
            entry.kind == EntryKind::clawed_back || entry.kind == EntryKind::refunded ||
            entry.kind == EntryKind::debt_incurred || entry.kind == EntryKind::recovered;
        if (!gives_back && entry.kind != EntryKind::issued) continue;
        for (const TariffVersion version : {entry.lot.tariff, entry.debt.tariff}) {
            if (version.is_none()) continue;
            const Tariff& tariff = terms_->tariff(version);
            const bool gives_credit =
                gives_back && terms_->partner(tariff.partner).credit_limit.has_value();
            if (!tariff.is_block() && !gives_credit) continue;
            const ShardId shard = shard_of(record.member);
            const bool is_elsewhere = limits_moved_in_ && *limits_moved_in_ != shard;
            limits_moved_in_ = is_elsewhere ? ShardId{} : shard;
        }
    }
}

bool HouseLedger::may_rest_on_limits(const Message& message) const
{
    if (message.type != MessageType::accrual && message.type != MessageType::adjustment)
        return false;
    if (!message.promotion.empty() || !message.funder.empty()) return true;
    const PartnerTerms& partner = terms_->partner(message.partner);
    return partner.billing == Billing::prepaid || partner.credit_limit;
}

// Between shards what was sent is durable before it arrives: until then it is in transit.
void HouseLedger::deliver(const Record& sent, Member* receiver)
{
    if (shard_of(sent.member) != shard_of(sent.other_member)) {
        flush();
        receiver = &member_with(sent.other_member);
    }
    book_receipt(sent, *receiver);
}

// What a process left half done between transactions of several shards is done before anything else
// is decided: what is on its way between two shards arrives, and a window that was cut is drained.
void HouseLedger::finish_commit()
{
    const auto is_cut = [](const Window& window) {
        return !window.cut.is_none() && window.drained.is_none();
    };
    const bool has_to_drain = is_message_clock() && std::ranges::any_of(windows_, is_cut);
    if (funding_.in_transit().empty() && !has_to_drain) return;
    is_readable_ = false; // memory runs ahead of the journal
    begin_commit();
    context_.move_to(house_time_, *terms_);
    const std::vector<Sequence> in_transit = funding_.in_transit();
    std::deque<Outcome> sent; // the receipts are of it
    for (const Sequence sequence : in_transit) {
        invariant(read_record(sequence, sent.emplace_back()), "what was sent is in the journal");
        const Record& record = sent.back().record;
        book_receipt(record, member_with(record.other_member));
    }
    if (has_to_drain) {
        follow_clock(house_time_);
        drain_windows();
    }
    if (!make_durable()) throw StoreFailure{"what was half done could not be made durable"};
    is_readable_ = true;
}

} // namespace pointhouse::ledger
