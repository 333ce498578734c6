#include "house_ledger.hpp"

#include <algorithm>
#include <cstring>

#include "byte_codec.hpp"
#include "house_ledger_lookup.hpp"
#include "ledger/invariant.hpp"

namespace pointhouse::ledger {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::chrono::seconds head_interval{1};
// A restart counts at most so many records again.
constexpr std::uint64_t records_per_funding_row = 65'536;

bool may_enrol(MessageType type)
{
    return type == MessageType::accrual || type == MessageType::enrolment;
}

// What is worth keeping beside the record, and may be erased later.
bool has_content(const Message& message)
{
    return message.purchase || !message.receipt.empty() || !message.reason.empty();
}

} // namespace

HouseLedger::HouseLedger(
    Journal& journal, Store& identities, std::shared_ptr<const Terms> terms, LedgerOptions options)
    : journal_{journal}, options_{std::move(options)}, terms_{std::move(terms)},
      identities_{identities, options_.keys.identity}, index_keys_{options_.keys.fingerprint},
      index_{options_.folder / "index"}, members_{options_.cached_members_max}
{
    context_ = {.funding = &funding_, .may_lie_ahead = options_.clock == nullptr};
    std::ranges::copy(options_.keys.content, salt_.begin());
    recover();
    is_sound_ = true;
}

HouseLedger::~HouseLedger() = default;

void HouseLedger::commit(std::span<Submission> batch)
{
    for (Submission& submission : batch) submission.outcome.disposition = Disposition::unavailable;
    if (batch.empty() || !is_ready()) return;
    const auto started = SteadyClock::now();
    const Sequence durable_before{durable_.load()};
    try {
        begin_commit();
        batch_ = batch;
        resolve_members(batch);
        if (shards_ > 1) {
            take_by_shard();
        } else {
            for (std::size_t place = 0; place < batch.size(); ++place) {
                prefetch_for(place);
                take(batch[place], place);
            }
        }
        if (!make_durable()) forget_outcomes(batch, durable_before);
    } catch (const StoreFailure&) {
        forget_outcomes(batch, durable_before);
        distrust_memory();
    }
    batch_ = {};
    const auto micros = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - started)
            .count());
    counters_.commit_micros_last = micros;
    if (micros > counters_.commit_micros_max) counters_.commit_micros_max = micros;
}

// What flush() made durable meanwhile stays decided.
void HouseLedger::forget_outcomes(std::span<Submission> batch, Sequence durable_before)
{
    const Sequence durable{durable_.load()};
    for (Submission& submission : batch) {
        Outcome& outcome = submission.outcome;
        const bool is_durable = outcome.disposition == Disposition::decided &&
                                outcome.record.sequence > durable_before &&
                                outcome.record.sequence <= durable;
        if (!is_durable) outcome.disposition = Disposition::unavailable;
    }
}

void HouseLedger::begin_transaction()
{
    builders_used_ = 0;
    block_is_open_ = false;
    commit_ = {};
    decided_.clear();
    own_records_.clear();
    limits_moved_in_.reset();
    ++transactions_;
}

void HouseLedger::begin_commit()
{
    batch_ = {};
    begin_transaction();
    if (!is_message_clock()) {
        // The machine's clock may step back; the house's does not.
        house_time_ = std::max(house_time_, options_.clock->now());
        mark_cut_offs(house_time_);
        post_slice();
    }
}

void HouseLedger::resolve_members(std::span<Submission> batch)
{
    identifiers_.clear();
    keys_.clear();
    for (const Submission& submission : batch) {
        const Message& message = submission.message;
        identifiers_.push_back(message.member);
        keys_.push_back(index_keys_.message_key(message.partner, message.message_id));
    }
    identities_.find(identifiers_, members_of_batch_);
    enrol_unknown(batch);
    meet_members();
}

void HouseLedger::meet_members()
{
    missing_.clear();
    states_of_batch_.clear();
    for (const Identity& identity : members_of_batch_) members_.prefetch(identity.member);
    for (const auto& [member, is_replaced] : members_of_batch_) {
        states_of_batch_.push_back(member.is_none() ? nullptr : members_.find(member));
        if (states_of_batch_.back() == nullptr && !member.is_none()) missing_.push_back(member);
    }
    load_missing_members();
}

// What a decision touches lies anywhere in memory: it is asked for a few messages ahead.
void HouseLedger::prefetch_for(std::size_t place)
{
    constexpr std::size_t ahead = 12;
    if (place + ahead < batch_.size()) {
        const std::vector<Entry>& entries = batch_[place + ahead].outcome.record.entries;
        __builtin_prefetch(entries.data(), 1); // of an earlier batch; the first is two lines long
        __builtin_prefetch(reinterpret_cast<const std::byte*>(entries.data()) + 64, 1);
    }
    const auto state_at = [this](std::size_t at) {
        return at < states_of_batch_.size() ? states_of_batch_[at] : nullptr;
    };
    if (const Member* later = state_at(place + 3 * ahead)) later->prefetch();
    if (place + 2 * ahead < keys_.size()) index_.prefetch(keys_[place + 2 * ahead]);
    if (const Member* soon = state_at(place + ahead)) soon->prefetch_lots();
}

Member* HouseLedger::member_of_batch(std::size_t place)
{
    Member*& state = states_of_batch_[place];
    if (state == nullptr && !members_of_batch_[place].member.is_none())
        state = members_.find(members_of_batch_[place].member);
    return state;
}

// The member itself, or the one that it was merged into.
Member* HouseLedger::survivor_of(Member* member)
{
    while (member != nullptr && !member->merged_into().is_none())
        member = load_member(member->merged_into());
    return member;
}

HouseLedger::NamedMembers HouseLedger::named_by(const Message& message, std::size_t place)
{
    if (message.member.empty()) return {};
    const auto number = [](const Member* survivor, MemberNumber named) {
        return survivor != nullptr ? survivor->number() : named;
    };
    NamedMembers named{
        .member = number(survivor_of(member_of_batch(place)), members_of_batch_[place].member)};
    if (!message.to_member.empty())
        named.other =
            number(find_survivor(message.to_member), identities_.find(message.to_member).member);
    return named;
}

void HouseLedger::enrol_unknown(std::span<Submission> batch)
{
    std::vector<std::string_view> unknown;
    for (std::size_t place = 0; place < batch.size(); ++place)
        if (members_of_batch_[place].member.is_none() && may_enrol(batch[place].message.type))
            unknown.push_back(identifiers_[place]);
    if (unknown.empty()) return;
    identities_.enrol(unknown);
    identities_.find(identifiers_, members_of_batch_);
}

void HouseLedger::load_missing_members()
{
    std::ranges::sort(missing_);
    missing_.erase(std::ranges::unique(missing_).begin(), missing_.end());
    journal_.read_members(missing_, [this](const MemberRow& row) {
        Member& member = members_.insert(row.member);
        invariant(member.decode(row.state, row.through), "a stored member state reads back");
        // It is about to change; and what is never written back would never leave the cache.
        members_.mark_dirty(member);
    });
}

void HouseLedger::take(Submission& submission, std::size_t place)
{
    const Digest content = content_digest(submission.message, named_by(submission.message, place));
    if (!was_decided(submission, place, content)) book(submission, place, content);
}

bool HouseLedger::was_decided(Submission& submission, std::size_t place, const Digest& content)
{
    const Message& message = submission.message;
    Outcome& outcome = submission.outcome;
    index_.find(keys_[place], candidates_);
    for (const Sequence candidate : candidates_) {
        if (!read_record(candidate, outcome)) continue;
        const Record& record = outcome.record;
        if (record.partner != message.partner || record.message_id != message.message_id) continue;
        const bool is_same =
            record.type == message.type &&
            (record.content == content ||
             was_said_before_merge(record, message, members_of_batch_[place].member));
        outcome.disposition = is_same ? Disposition::replayed : Disposition::refused;
        outcome.refusal = Refusal::message_id_reused;
        if (is_same) ++counters_.replayed;
        return true;
    }
    return false;
}

// The digest of a message has the numbers of its time: a member may have been merged since.
bool HouseLedger::was_said_before_merge(
    const Record& record, const Message& message, MemberNumber named)
{
    if (message.member.empty()) return false;
    NamedMembers then{.member = record.member.is_none() ? named : record.member};
    if (!stands_for(named, then.member)) return false;
    if (!message.to_member.empty()) {
        then.other = record.other_member;
        if (!stands_for(identities_.find(message.to_member).member, then.other)) return false;
    }
    return content_digest(message, then) == record.content;
}

void HouseLedger::find_parties(const Message& message, std::size_t place, Parties& parties)
{
    if (message.member.empty()) {
        parties.has_original = load_original(message, parties.original);
        if (!parties.has_original) return;
        parties.number = parties.original.outcome.record.member;
        parties.member = survivor_of(load_member(parties.number));
        if (parties.member != nullptr) parties.number = parties.member->number();
        return;
    }
    // The batch's own members are in memory where they exist at all.
    parties.is_replaced = members_of_batch_[place].is_replaced;
    parties.member = survivor_of(member_of_batch(place));
    parties.number =
        parties.member != nullptr ? parties.member->number() : members_of_batch_[place].member;
    if (!message.identifier.empty()) look_up_identifiers(message, parties);
    if (message.to_member.empty() || identities_.find(message.to_member).is_replaced) return;
    parties.receiver = find_survivor(message.to_member);
}

void HouseLedger::look_up_identifiers(const Message& message, Parties& parties)
{
    const Identity holder = identities_.find(message.identifier);
    const Member* other = Parties::known(find_survivor(message.identifier));
    const bool is_own = other != nullptr && other->number() == parties.number;
    if (other != nullptr && !is_own) parties.identifier_of = other->number();
    if (!message.replaces.empty()) {
        const Member* replaced = Parties::known(find_survivor(message.replaces));
        parties.replaces_own = replaced != nullptr && replaced->number() == parties.number;
    }
    // A card that this message replaced already, before the house went down.
    const bool is_done = is_own && !holder.is_replaced && message.replaces == message.member;
    if (is_done) parties.is_replaced = false;
}

// The identity first, then the record: what is sent again after a crash between the two finds the
// identifier in its place and changes nothing.
void HouseLedger::bind_identifier(const Message& message, MemberNumber member)
{
    identities_.bind(
        {.identifier = message.identifier,
         .member = member,
         .kind = message.identifier_kind,
         .replaces = message.replaces});
    // Later messages of this commit may name it.
    const std::vector<Identity> before = members_of_batch_;
    identities_.find(identifiers_, members_of_batch_);
    for (std::size_t place = 0; place < before.size(); ++place)
        if (members_of_batch_[place] != before[place])
            states_of_batch_[place] = load_member(members_of_batch_[place].member);
}

// Posts what is due before the message. True: something was, or the window is another.
bool HouseLedger::bring_up_to(Time now, const Parties& parties)
{
    const Sequence before = written_;
    if (is_message_clock()) {
        const bool is_behind =
            windows_.empty() || now >= next_cut_off_ || due_.is_due(Due::at(now));
        if (is_behind) follow_clock(now);
    } else {
        for (Member* member : {parties.member, parties.receiver})
            if (member != nullptr && has_due(*member, now)) post_due_of(*member, Due::at(now));
    }
    return written_ != before;
}

void HouseLedger::book(Submission& submission, std::size_t place, const Digest& content)
{
    const Message& message = submission.message;
    Outcome& outcome = submission.outcome;
    const std::uint64_t transaction = transactions_;
    Parties parties;
    find_parties(message, place, parties);
    const Question question{
        .message = &message,
        .member = Parties::known(parties.member),
        .receiver = Parties::known(parties.receiver),
        .original = parties.has_original ? &parties.original.reversed : nullptr,
        .past = past_of(parties.member),
        .identifier_of = parties.identifier_of,
        .replaces_own = parties.replaces_own};
    Record& record = outcome.record;
    if (parties.is_replaced) {
        outcome.disposition = Disposition::refused;
        outcome.refusal = Refusal::member_unknown;
        return;
    }

    // On the message clock a message moves the time before it is judged.
    const Time now = is_message_clock() ? std::max(house_time_, message.occurred_at) : house_time_;
    const auto decide_now = [&] {
        auto entries = std::move(record.entries); // keeps its capacity
        entries.clear();
        record = Record{.sequence = next_sequence()};
        record.entries = std::move(entries);
        context_.move_to(now, *terms_);
        return decide_within_bounds(question, context_, record);
    };
    auto refusal = decide_now();
    if (refusal && !is_frozen(*refusal)) {
        outcome.disposition = Disposition::refused;
        outcome.refusal = *refusal;
        return;
    }
    if (bring_up_to(now, parties)) {
        // A window's end was flushed: who was looked up may have left the memory.
        if (transactions_ != transaction) return book(submission, place, content);
        refusal = decide_now();
    }

    house_time_ = now;
    outcome.disposition = Disposition::decided;
    record.type = message.type;
    record.refusal = refusal;
    record.partner = message.partner;
    record.message_id = message.message_id;
    record.terms = terms_->as_of;
    record.occurred_at = message.occurred_at;
    record.posted_at = now;
    record.content = content;
    if (!refusal && !message.identifier.empty()) bind_identifier(message, parties.number);
    Member* member = parties.member;
    if (!refusal && member == nullptr) member = &members_.insert(parties.number);
    std::size_t lots_before = 0;
    if (question.member != nullptr || !refusal) {
        lots_before = member->lots().size();
        record.member = parties.number;
        record.previous = member->last();
        apply(*member, record);
        record.balance = member->balance(context_.today);
    }
    append(record, windows_.size() - 1);
    decided_.back() = &record;
    index_.insert(keys_[place], record.sequence);
    if (!record.original.is_none())
        index_.insert(index_keys_.reversal_key(record.original), record.sequence);
    if (has_content(message)) keep_content();
    if (!refusal) fold_lots_of(*member, lots_before, windows_.size() - 1);
    if (!refusal && has_receipt(message.type)) deliver(record, parties.receiver);
}

// The canonical form is that of the message whose digest was taken last.
void HouseLedger::keep_content()
{
    const std::string_view canonical = std::string_view{digested_}.substr(canonical_at_);
    std::string& contents = contents_[builders_used_ - 1];
    std::array<std::byte, 20> numbers;
    ByteWriter out{numbers.data()};
    out.varint(builders_[builders_used_ - 1].count() - 1);
    out.varint(canonical.size());
    contents.append(
        reinterpret_cast<const char*>(numbers.data()),
        static_cast<std::size_t>(out.at() - numbers.data()));
    contents.append(canonical);
}

void HouseLedger::book_receipt(const Record& sent, Member& receiver)
{
    Record& record = own_records_.emplace_back();
    record.sequence = next_sequence();
    receive(sent, receiver, context_, record);
    append_own(record, receiver, windows_.size() - 1);
}

// No block straddles a cut-off.
BlockBuilder& HouseLedger::open_block(std::size_t window, ShardId shard)
{
    const Month month = windows_[window].month;
    if (block_is_open_) {
        BlockBuilder& open = builders_[builders_used_ - 1];
        if (open.header().window == month && open.header().shard == shard &&
            open.count() < records_per_block_max)
            return open;
        finish_block();
    }
    if (builders_used_ == builders_.size()) {
        builders_.emplace_back();
        contents_.emplace_back();
    }
    contents_[builders_used_].clear();
    BlockBuilder& builder = builders_[builders_used_++];
    builder.start(
        {.shard = shard,
         .first = next_sequence(),
         .time = house_time_,
         .window = month,
         .previous = shard_hashes_[shard.value() - std::size_t{1}]});
    block_is_open_ = true;
    return builder;
}

void HouseLedger::finish_block()
{
    if (!block_is_open_) return;
    BlockBuilder& builder = builders_[builders_used_ - 1];
    const auto bytes = builder.finish(*terms_);
    const BlockHeader& header = builder.header();
    last_hash_ = shard_hashes_[header.shard.value() - std::size_t{1}] = header.hash;
    commit_.blocks.push_back(
        {.first = header.first,
         .count = header.count,
         .bytes = bytes,
         .contents = std::as_bytes(std::span{contents_[builders_used_ - 1]}),
         .shard = header.shard});
    block_is_open_ = false;
}

void HouseLedger::append(const Record& record, std::size_t window)
{
    BlockBuilder& builder = open_block(window, shard_of(record.member));
    builder.append(record);
    written_ = record.sequence;
    decided_.push_back(nullptr);
}

void HouseLedger::append_house_step(MessageType type, Time at)
{
    house_time_ = std::max(house_time_, at);
    append(
        {.sequence = next_sequence(),
         .type = type,
         .terms = terms_->as_of,
         .occurred_at = at,
         .posted_at = at},
        windows_.size() - 1);
}

void HouseLedger::open_window(Month month)
{
    windows_.push_back({.month = month, .first = next_sequence()});
    commit_.windows.push_back(windows_.back());
    next_cut_off_ = terms_->calendar->start_of(month.next());
}

bool HouseLedger::make_durable()
{
    finish_block();
    const Sequence before{durable_.load()};
    if (commit_.blocks.empty() && commit_.windows.empty()) return true;
    const auto rows = members_.next_slice(written_.value() - before.value(), before);
    commit_.members.assign(rows.begin(), rows.end());
    commit_.watermark = members_.watermark();
    store_funding();
    commit_.index_runs = index_.take_new_manifest();
    ++counters_.commits;
    if (journal_.commit(commit_) != CommitResult::durable) {
        distrust_memory();
        return false;
    }
    now_durable();
    return true;
}

// What was decided is not known to be durable: memory may be ahead of the journal.
void HouseLedger::distrust_memory()
{
    if (!is_sound_) return;
    is_sound_ = is_readable_ = false;
    is_unseen_ = true;
    retry_at_ = SteadyClock::now() + options_.retry_after;
    ++counters_.commit_failures;
}

void HouseLedger::now_durable()
{
    durable_ = written_.value();
    members_.slice_is_durable();
    if (commit_.index_runs) index_.remove_unnamed_files();
    index_.seal_when_full(written_);
    if (written_.value() - funding_row_.value() >= records_per_funding_row) encode_funding();
    counters_.members_cached = members_.size();
    counters_.members_dirty = members_.dirty();
    const auto now = SteadyClock::now();
    if (now - head_written_at_ >= head_interval) {
        write_head_now();
        head_written_at_ = now;
    }
}

bool HouseLedger::advance_clock(Time to)
{
    if (options_.clock != nullptr || to < house_time_) return false;
    require_ready();
    try {
        begin_commit();
        follow_clock(to);
        append_house_step(MessageType::clock, to);
        if (!make_durable()) throw StoreFailure{"the clock's step could not be made durable"};
    } catch (const StoreFailure&) {
        distrust_memory();
        throw;
    }
    return true;
}

void HouseLedger::mark_windows()
{
    // Where nothing happens, too, who waits for this house must see that it lives.
    if (!is_ready() || options_.clock == nullptr) return;
    try {
        begin_commit();
        static_cast<void>(make_durable());
    } catch (const StoreFailure&) {
        distrust_memory(); // the next tick looks again
    }
}

void HouseLedger::publish(std::shared_ptr<const Terms> terms)
{
    invariant(terms->as_of >= terms_->as_of, "terms are published forward");
    const HouseTerms before = terms_->house;
    terms_ = std::move(terms);
    if (terms_->house.inactivity_months == 0 ||
        (terms_->house.inactivity_months == before.inactivity_months &&
         terms_->house.inactivity_from == before.inactivity_from))
        return;
    try {
        if (is_sound_) remind_anew();
    } catch (const StoreFailure&) {
        distrust_memory(); // the next commit finds who is due
    }
}

LedgerCounters HouseLedger::counters() const
{
    return {
        .records = durable_,
        .commits = counters_.commits,
        .commit_failures = counters_.commit_failures,
        .replayed = counters_.replayed,
        .members_cached = counters_.members_cached,
        .members_dirty = counters_.members_dirty,
        .commit_micros_last = counters_.commit_micros_last,
        .commit_micros_max = counters_.commit_micros_max,
        .may_commit = is_sound_};
}

std::unique_ptr<Ledger> open_ledger(
    Journal& journal, Store& identities, std::shared_ptr<const Terms> terms, LedgerOptions options)
{
    return std::make_unique<HouseLedger>(journal, identities, std::move(terms), std::move(options));
}

} // namespace pointhouse::ledger
