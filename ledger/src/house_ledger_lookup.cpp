#include "house_ledger_lookup.hpp"

#include <ranges>

#include "ledger/invariant.hpp"
#include "member_chains.hpp"

namespace pointhouse::ledger {

Digest HouseLedger::content_digest(const Message& message, NamedMembers members)
{
    digested_.clear();
    const auto add = [this](std::span<const std::byte> bytes) {
        digested_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    const auto add_number = [&add](MemberNumber member) {
        const std::uint64_t number = member.value();
        add(std::as_bytes(std::span{&number, 1}));
    };
    add(salt_);
    add_number(members.member);
    if (!message.to_member.empty()) add_number(members.other);
    for (const std::string_view identifier : {message.identifier, message.replaces})
        if (!identifier.empty()) add(identities_.hmac_of(identifier));
    canonical_at_ = digested_.size();
    append_canonical(message, digested_);
    return sha256_.of(std::as_bytes(std::span{digested_})); // in one piece: it is short
}

// Duplicates and histories come in runs: the last block read is kept, checked once.
const BlockView& HouseLedger::block_with(Sequence sequence)
{
    if (last_read_) {
        const BlockHeader& header = last_read_->header();
        if (sequence >= header.first && sequence.value() - header.first.value() < header.count)
            return *last_read_;
        last_read_.reset();
    }
    auto block = BlockView::parse(journal_.block_with(sequence), BlockView::Check::hash);
    if (!block) throw StoreFailure{"the block of a record: " + block.error().reason};
    return last_read_.emplace(*block);
}

bool HouseLedger::read_record(Sequence sequence, Outcome& outcome)
{
    const std::uint64_t durable = durable_;
    if (sequence.value() > durable) {
        // Decided in the commit that is being built.
        const std::uint64_t place = sequence.value() - durable - 1;
        if (place >= decided_.size() || decided_[place] == nullptr) return false;
        outcome.record = *decided_[place];
        outcome.keep_message_id(decided_[place]->message_id);
        return true;
    }
    const BlockView& block = block_with(sequence);
    const auto index = static_cast<std::uint32_t>(sequence.value() - block.header().first.value());
    if (!block.read(index, outcome.record)) throw StoreFailure{"a record does not read back"};
    outcome.keep_message_id(outcome.record.message_id);
    return true;
}

bool HouseLedger::find_message(PartnerId partner, std::string_view message_id, Outcome& outcome)
{
    std::vector<Sequence> candidates;
    index_.find(index_keys_.message_key(partner, message_id), candidates);
    for (const Sequence candidate : candidates) {
        if (!read_record(candidate, outcome)) continue;
        if (outcome.record.partner == partner && outcome.record.message_id == message_id)
            return true;
    }
    return false;
}

bool HouseLedger::load_original(const Message& message, LoadedOriginal& loaded)
{
    const bool is_of_hold =
        message.type == MessageType::capture || message.type == MessageType::hold_release;
    const bool is_found = is_of_hold
                              ? load_hold(message.partner, message.hold, loaded.outcome)
                              : find_message(message.partner, message.reverses, loaded.outcome);
    if (!is_found) return false;
    loaded.reversed.posting = &loaded.outcome.record;
    if (message.type != MessageType::reversal) return true;
    std::vector<Sequence> candidates;
    index_.find(index_keys_.reversal_key(loaded.outcome.record.sequence), candidates);
    Outcome reversal;
    for (const Sequence candidate : candidates) {
        if (!read_record(candidate, reversal)) continue;
        if (reversal.record.type != MessageType::reversal ||
            reversal.record.original != loaded.outcome.record.sequence)
            continue;
        loaded.reversed.newest_reversal = reversal.record.sequence;
        loaded.reversed.reversed = reversal.record.reversed_so_far;
        loaded.reversed.returned_minor = reversal.record.amount_minor;
        break;
    }
    return true;
}

bool HouseLedger::load_hold(PartnerId partner, Sequence hold, Outcome& outcome)
{
    if (hold.is_none() || hold > written_ || !read_record(hold, outcome)) return false;
    const Record& record = outcome.record;
    return record.type == MessageType::hold && record.partner == partner && !record.refusal;
}

MemberPast HouseLedger::past_of(const Member* member)
{
    return [this, member](const std::function<bool(const Record&)>& visit) {
        Outcome outcome;
        MemberChains chains{member->last()};
        while (!chains.next().is_none() && read_record(chains.next(), outcome) &&
               visit(outcome.record))
            chains.pass(outcome.record);
    };
}

std::optional<HoldView> HouseLedger::find_hold(PartnerId partner, Sequence hold)
{
    require_readable();
    Outcome made;
    if (!load_hold(partner, hold, made)) return std::nullopt;
    HoldView view{.points = made.record.points, .expires_at = made.record.entries.front().until};
    if (house_time() >= view.expires_at) view.state = HoldState::ended;
    std::vector<Sequence> candidates;
    index_.find(index_keys_.reversal_key(hold), candidates);
    Outcome ending;
    for (const Sequence candidate : candidates) {
        if (!read_record(candidate, ending)) continue;
        const Record& record = ending.record;
        if (record.original != hold || record.refusal) continue;
        if (record.type == MessageType::hold_end) view.state = HoldState::ended;
        if (record.type == MessageType::hold_release) view.state = HoldState::released;
        if (record.type != MessageType::capture) continue;
        view.state = HoldState::captured;
        view.captured = record.points;
    }
    // Who closes a member ends its holds, with no record of their own.
    const Member* member = survivor_of(load_member(made.record.member));
    if (view.state == HoldState::open && (member == nullptr || member->find_hold(hold) == nullptr))
        view.state = HoldState::ended;
    return view;
}

Member* HouseLedger::load_member(MemberNumber number)
{
    if (Member* cached = members_.find(number)) return cached;
    Member* loaded = nullptr;
    journal_.read_members(std::span{&number, 1}, [&](const MemberRow& row) {
        loaded = &members_.insert(row.member);
        invariant(loaded->decode(row.state, row.through), "a stored member state reads back");
        members_.mark_dirty(*loaded);
    });
    return loaded;
}

// Of somebody about whom nothing is booked, too.
Member& HouseLedger::member_with(MemberNumber number)
{
    Member* member = load_member(number);
    return member != nullptr ? *member : members_.insert(number);
}

// None: the identifier is unknown, or nothing was booked about its member yet.
Member* HouseLedger::find_survivor(std::string_view identifier)
{
    const MemberNumber number = identities_.find(identifier).member;
    return number.is_none() ? nullptr : survivor_of(load_member(number));
}

bool HouseLedger::stands_for(MemberNumber named, MemberNumber number)
{
    while (named != number) {
        const Member* member = named.is_none() ? nullptr : load_member(named);
        if (member == nullptr || member->merged_into().is_none()) return false;
        named = member->merged_into();
    }
    return true;
}

std::optional<MemberView> HouseLedger::find_member(std::string_view identifier)
{
    require_readable();
    const Member* member = find_enrolled(identifier);
    if (member == nullptr) return std::nullopt;
    const MemberNumber number = member->number();
    if (options_.clock != nullptr) house_time_ = std::max(house_time_, options_.clock->now());
    context_.move_to(house_time_, *terms_);
    viewed_lots_.clear();
    std::optional<Member> later;
    if (has_due(*member, house_time_)) member = &later.emplace(brought_up_to(*member, house_time_));
    context_.move_to(house_time_, *terms_);
    const LotList& lots = member->lots();
    for (std::size_t place = 0; place < lots.size(); ++place)
        viewed_lots_.push_back(lots[place].lot());
    return MemberView{
        .number = number,
        .balance = member->balance(context_.today),
        .lots = viewed_lots_,
        .lapses_on = member->lapses_on(*terms_)};
}

void HouseLedger::quote(const Message& message, Outcome& outcome)
{
    require_readable();
    const Time clock = is_message_clock() ? message.occurred_at : options_.clock->now();
    const Time now = std::max(house_time_, clock);
    const FundingCounters funding = funding_as_of(now);
    LoadedOriginal original;
    const bool has_original = message.member.empty() && load_original(message, original);
    const Member* stored = has_original ? survivor_of(load_member(original.outcome.record.member))
                                        : find_enrolled(message.member);
    std::optional<Member> member;
    std::vector<Record> due; // what would be posted first belongs to the member's past
    if (stored != nullptr) member = brought_up_to(*stored, now, &due);
    std::optional<Member> receiver;
    if (const Member* found = find_enrolled(message.to_member))
        receiver = found == stored ? member : brought_up_to(*found, now);

    Parties parties;
    if (member) parties.number = member->number();
    parties.is_replaced = identities_.find(message.member).is_replaced;
    if (!message.identifier.empty()) look_up_identifiers(message, parties);
    DecisionContext context{.funding = &funding, .may_lie_ahead = context_.may_lie_ahead};
    context.move_to(now, *terms_);
    const Question question{
        .message = &message,
        .member = member ? &*member : nullptr,
        .receiver = receiver ? &*receiver : nullptr,
        .original = has_original ? &original.reversed : nullptr,
        .past =
            [&](const std::function<bool(const Record&)>& visit) {
                for (const Record& posting : std::views::reverse(due))
                    if (!visit(posting)) return;
                past_of(stored)(visit);
            },
        .identifier_of = parties.identifier_of,
        .replaces_own = parties.replaces_own};
    Record& record = outcome.record;
    record = Record{.sequence = next_sequence()};
    // What would be posted before the message has taken sequences of its own.
    if (member) record.sequence = std::max(record.sequence, Sequence{member->last().value() + 1});
    const auto refusal = parties.is_replaced ? std::optional{Refusal::member_unknown}
                                             : decide_within_bounds(question, context, record);
    if (refusal && !is_frozen(*refusal)) {
        outcome.disposition = Disposition::refused;
        outcome.refusal = *refusal;
        return;
    }
    outcome.disposition = Disposition::decided;
    record.type = message.type;
    record.refusal = refusal;
    record.partner = message.partner;
    record.message_id = message.message_id;
    record.terms = terms_->as_of;
    record.occurred_at = message.occurred_at;
    record.posted_at = context.now;
    Member after = member ? *member : Member{MemberNumber{1}};
    record.member = member ? member->number() : MemberNumber{};
    if (!refusal) after.apply(record, *terms_);
    record.balance = after.balance(context.today);
}

const Member* HouseLedger::find_enrolled(std::string_view identifier)
{
    if (identifier.empty() || identities_.find(identifier).is_replaced) return nullptr;
    const Member* member = find_survivor(identifier);
    return member != nullptr && member->is_enrolled() ? member : nullptr;
}

bool HouseLedger::find_outcome(PartnerId partner, std::string_view message_id, Outcome& outcome)
{
    require_readable();
    if (message_id.size() > 64 || !find_message(partner, message_id, outcome)) return false;
    outcome.disposition = Disposition::replayed;
    return true;
}

void HouseLedger::for_each_record_of(
    MemberNumber member,
    std::optional<Sequence> before,
    const std::function<bool(const Record&)>& record)
{
    require_readable();
    const Member* known = load_member(member);
    if (known == nullptr) return;
    Outcome outcome;
    Sequence from = known->last();
    // A page begins where the last one ended, unless another chain may have joined in between.
    if (before && *before > known->newest_merge()) {
        if (before->value() > durable_ || !read_record(*before, outcome)) return;
        if (outcome.record.member != member) return;
        from = *before;
    }
    MemberChains chains{from};
    while (!chains.next().is_none() && read_record(chains.next(), outcome)) {
        const bool is_below = !before || chains.next() < *before;
        if (is_below && !record(outcome.record)) return;
        chains.pass(outcome.record);
    }
}

Time HouseLedger::house_time() const
{
    return options_.clock == nullptr ? house_time_ : std::max(house_time_, options_.clock->now());
}

std::unique_ptr<JournalReader> HouseLedger::open_reader()
{
    return journal_.open_reader();
}

} // namespace pointhouse::ledger
