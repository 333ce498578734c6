#include "shard.hpp"

#include <algorithm>
#include <cstring>

#include "byte_codec.hpp"
#include "ledger/invariant.hpp"
#include "shard_lookup.hpp"

namespace pointhouse::ledger {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::chrono::seconds head_interval{1};

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

Shard::Shard(
    Journal& journal, Store& identities, std::shared_ptr<const Terms> terms, LedgerOptions options)
    : journal_{journal}, options_{std::move(options)}, terms_{std::move(terms)},
      identities_{identities, options_.keys.identity}, index_keys_{options_.keys.fingerprint},
      index_{options_.folder / "index"}, members_{options_.cached_members_max}
{
    context_.may_lie_ahead = options_.clock == nullptr;
    std::ranges::copy(options_.keys.content, salt_.begin());
    recover();
    is_sound_ = true;
}

Shard::~Shard() = default;

void Shard::commit(std::span<Submission> batch)
{
    for (Submission& submission : batch) submission.outcome.disposition = Disposition::unavailable;
    if (batch.empty() || !is_ready()) return;
    const auto started = SteadyClock::now();
    try {
        begin_commit();
        batch_ = batch;
        resolve_members(batch);
        for (std::size_t place = 0; place < batch.size(); ++place) {
            prefetch_for(place);
            take(batch[place], place);
        }
        if (!make_durable())
            for (Submission& submission : batch)
                submission.outcome.disposition = Disposition::unavailable;
    } catch (const StoreFailure&) {
        // Nothing was committed, but memory may be ahead of the journal.
        for (Submission& submission : batch)
            submission.outcome.disposition = Disposition::unavailable;
        is_sound_ = false;
        retry_at_ = SteadyClock::now() + options_.retry_after;
        ++counters_.commit_failures;
    }
    const auto micros = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - started)
            .count());
    counters_.commit_micros_last = micros;
    if (micros > counters_.commit_micros_max) counters_.commit_micros_max = micros;
}

void Shard::begin_commit()
{
    builders_used_ = 0;
    block_is_open_ = false;
    commit_ = {};
    batch_ = {};
    submissions_.clear();
    if (options_.clock != nullptr) {
        // The machine's clock may step back; the house's does not.
        house_time_ = std::max(house_time_, options_.clock->now());
        pass_cut_offs(house_time_);
    }
}

void Shard::resolve_members(std::span<Submission> batch)
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

    missing_.clear();
    states_of_batch_.clear();
    for (const MemberNumber member : members_of_batch_) members_.prefetch(member);
    for (const MemberNumber member : members_of_batch_) {
        states_of_batch_.push_back(member.is_none() ? nullptr : members_.find(member));
        if (states_of_batch_.back() == nullptr && !member.is_none()) missing_.push_back(member);
    }
    load_missing_members();
}

// What a decision touches lies anywhere in memory: it is asked for a few messages ahead.
void Shard::prefetch_for(std::size_t place)
{
    constexpr std::size_t ahead = 12;
    if (place + 3 * ahead < states_of_batch_.size()) {
        const auto* const state =
            reinterpret_cast<const char*>(states_of_batch_[place + 3 * ahead]);
        __builtin_prefetch(state);
        __builtin_prefetch(state + 64); // its second cache line
    }
    if (place + 2 * ahead < states_of_batch_.size()) index_.prefetch(keys_[place + 2 * ahead]);
    if (place + ahead < states_of_batch_.size())
        if (const Member* member = states_of_batch_[place + ahead]) member->prefetch();
}

Member* Shard::member_of_batch(std::size_t place)
{
    Member*& state = states_of_batch_[place];
    if (state == nullptr && !members_of_batch_[place].is_none())
        state = members_.find(members_of_batch_[place]);
    return state;
}

void Shard::enrol_unknown(std::span<Submission> batch)
{
    std::vector<std::string_view> unknown;
    for (std::size_t place = 0; place < batch.size(); ++place)
        if (members_of_batch_[place].is_none() && may_enrol(batch[place].message.type))
            unknown.push_back(identifiers_[place]);
    if (unknown.empty()) return;
    identities_.enrol(unknown);
    identities_.find(identifiers_, members_of_batch_);
}

void Shard::load_missing_members()
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

void Shard::take(Submission& submission, std::size_t place)
{
    const bool is_about_member = submission.message.type != MessageType::reversal;
    const Digest content = content_digest(
        submission.message, is_about_member ? members_of_batch_[place] : MemberNumber{});
    if (!was_decided(submission, place, content)) book(submission, place, content);
}

bool Shard::was_decided(Submission& submission, std::size_t place, const Digest& content)
{
    const Message& message = submission.message;
    Outcome& outcome = submission.outcome;
    index_.find(keys_[place], candidates_);
    for (const Sequence candidate : candidates_) {
        if (!read_record(candidate, outcome)) continue;
        const Record& record = outcome.record;
        if (record.partner != message.partner || record.message_id != message.message_id) continue;
        const bool is_same = record.content == content && record.type == message.type;
        outcome.disposition = is_same ? Disposition::replayed : Disposition::refused;
        outcome.refusal = Refusal::message_id_reused;
        if (is_same) ++counters_.replayed;
        return true;
    }
    return false;
}

void Shard::book(Submission& submission, std::size_t place, const Digest& content)
{
    const Message& message = submission.message;
    Outcome& outcome = submission.outcome;
    LoadedOriginal original;
    const bool has_original =
        message.type == MessageType::reversal && load_original(message, original);
    const MemberNumber number =
        has_original ? original.outcome.record.member : members_of_batch_[place];
    // The batch's own members are in memory where they exist at all.
    Member* member = has_original ? load_member(number) : member_of_batch(place);
    const Member* known = member != nullptr && member->is_enrolled() ? member : nullptr;

    // On the message clock a message moves the time before it is judged.
    const Time now =
        options_.clock == nullptr ? std::max(house_time_, message.occurred_at) : house_time_;
    Record& record = outcome.record;
    const auto decide_now = [&] {
        auto entries = std::move(record.entries); // keeps its capacity
        entries.clear();
        record = Record{.sequence = next_sequence()};
        record.entries = std::move(entries);
        context_.move_to(now, *terms_);
        return decide(
            message, known, has_original ? &original.reversed : nullptr, context_, record);
    };
    auto refusal = decide_now();
    if (refusal && !is_frozen(*refusal)) {
        outcome.disposition = Disposition::refused;
        outcome.refusal = *refusal;
        return;
    }
    if (options_.clock == nullptr && (now >= next_cut_off_ || windows_.empty())) {
        pass_cut_offs(now);
        refusal = decide_now(); // again, because new lots are named by the sequence
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
    if (!refusal && member == nullptr) member = &members_.insert(number);
    if (known != nullptr || !refusal) {
        record.member = number;
        record.previous = member->last();
        member->apply(record, *terms_);
        members_.mark_dirty(*member);
        record.balance = member->balance(context_.today);
    }
    append(record);
    submissions_.back() = &submission;
    index_.insert(keys_[place], record.sequence);
    if (!record.original.is_none())
        index_.insert(index_keys_.reversal_key(record.original), record.sequence);
    if (!has_content(message)) return;

    std::string& contents = contents_[builders_used_ - 1];
    std::array<std::byte, 20> numbers;
    ByteWriter out{numbers.data()};
    out.varint(builders_[builders_used_ - 1].count() - 1);
    out.varint(canonical_.size());
    contents.append(
        reinterpret_cast<const char*>(numbers.data()),
        static_cast<std::size_t>(out.at() - numbers.data()));
    contents.append(canonical_);
}

BlockBuilder& Shard::open_block()
{
    if (block_is_open_) return builders_[builders_used_ - 1];
    if (builders_used_ == builders_.size()) {
        builders_.emplace_back();
        contents_.emplace_back();
    }
    contents_[builders_used_].clear();
    BlockBuilder& builder = builders_[builders_used_++];
    builder.start(
        {.shard = ShardId{1},
         .first = next_sequence(),
         .time = house_time_,
         .window = windows_.back().month,
         .previous = last_hash_});
    block_is_open_ = true;
    return builder;
}

void Shard::finish_block()
{
    if (!block_is_open_) return;
    BlockBuilder& builder = builders_[builders_used_ - 1];
    const auto bytes = builder.finish(*terms_);
    last_hash_ = builder.header().hash;
    commit_.blocks.push_back(
        {.first = builder.header().first,
         .count = builder.header().count,
         .bytes = bytes,
         .contents = std::as_bytes(std::span{contents_[builders_used_ - 1]})});
    block_is_open_ = false;
}

void Shard::append(const Record& record)
{
    if (windows_.empty()) open_window(terms_->calendar->month_of(house_time_));
    BlockBuilder& builder = open_block();
    builder.append(record);
    written_ = record.sequence;
    submissions_.push_back(nullptr);
    if (builder.count() == records_per_block_max) finish_block();
}

void Shard::append_house_step(MessageType type, Time at)
{
    house_time_ = std::max(house_time_, at);
    append(
        {.sequence = next_sequence(),
         .type = type,
         .terms = terms_->as_of,
         .occurred_at = at,
         .posted_at = at});
}

void Shard::open_window(Month month)
{
    windows_.push_back({.month = month, .first = next_sequence()});
    commit_.windows.push_back(windows_.back());
    next_cut_off_ = terms_->calendar->start_of(month.next());
}

void Shard::pass_cut_offs(Time now)
{
    if (windows_.empty()) {
        house_time_ = now;
        open_window(terms_->calendar->month_of(now));
        return;
    }
    while (now >= next_cut_off_) {
        // The marker is the last record of its window; what was due before it is posted already,
        // because nothing is timed yet, so the window is drained at once.
        append_house_step(MessageType::cut, next_cut_off_);
        finish_block();
        const std::size_t closed = windows_.size() - 1;
        windows_[closed].cut = written_;
        const Time cut_off = next_cut_off_;
        open_window(windows_[closed].month.next());
        append_house_step(MessageType::drained, cut_off);
        windows_[closed].drained = written_;
        commit_.windows.push_back(windows_[closed]);
    }
}

bool Shard::make_durable()
{
    finish_block();
    const Sequence before{durable_.load()};
    if (commit_.blocks.empty() && commit_.windows.empty()) return true;
    const auto rows = members_.next_slice(written_.value() - before.value(), before);
    commit_.members.assign(rows.begin(), rows.end());
    commit_.watermark = members_.watermark();
    commit_.index_runs = index_.take_new_manifest();
    ++counters_.commits;
    if (journal_.commit(commit_) != CommitResult::durable) {
        is_sound_ = false;
        retry_at_ = SteadyClock::now() + options_.retry_after;
        ++counters_.commit_failures;
        return false;
    }
    now_durable();
    return true;
}

void Shard::now_durable()
{
    durable_ = written_.value();
    members_.slice_is_durable();
    if (commit_.index_runs) index_.remove_unnamed_files();
    index_.seal_when_full(written_);
    counters_.members_cached = members_.size();
    counters_.members_dirty = members_.dirty();
    const auto now = SteadyClock::now();
    if (now - head_written_at_ >= head_interval) {
        write_head_now();
        index_.release_entries();
        head_written_at_ = now;
    }
}

bool Shard::advance_clock(Time to)
{
    if (options_.clock != nullptr || to < house_time_) return false;
    require_ready();
    begin_commit();
    pass_cut_offs(to);
    append_house_step(MessageType::clock, to);
    if (!make_durable()) throw StoreFailure{"the clock's step could not be made durable"};
    return true;
}

void Shard::mark_windows()
{
    // Where nothing happens, too, who waits for this house must see that it lives.
    if (!is_ready() || options_.clock == nullptr) return;
    begin_commit();
    static_cast<void>(make_durable());
}

void Shard::publish(std::shared_ptr<const Terms> terms)
{
    invariant(terms->as_of >= terms_->as_of, "terms are published forward");
    terms_ = std::move(terms);
}

LedgerCounters Shard::counters() const
{
    return {
        .records = durable_,
        .commits = counters_.commits,
        .commit_failures = counters_.commit_failures,
        .replayed = counters_.replayed,
        .members_cached = counters_.members_cached,
        .members_dirty = counters_.members_dirty,
        .commit_micros_last = counters_.commit_micros_last,
        .commit_micros_max = counters_.commit_micros_max};
}

std::unique_ptr<Ledger> open_ledger(
    Journal& journal, Store& identities, std::shared_ptr<const Terms> terms, LedgerOptions options)
{
    return std::make_unique<Shard>(journal, identities, std::move(terms), std::move(options));
}

} // namespace pointhouse::ledger
