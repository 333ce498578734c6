#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "house_ledger.hpp"
#include "ledger/invariant.hpp"

namespace pointhouse::ledger {
namespace {

// Calls `visit` for every record from `from` on.
template <class Visit>
void for_each_record(Journal& journal, Sequence from, Visit visit)
{
    Record record;
    journal.for_each_block(from, [&](const JournalCommit::Block& row) {
        const auto block = BlockView::parse(row.bytes, BlockView::Check::hash);
        if (!block)
            throw StoreFailure{
                fmt::format("block {}: {}", row.first.value(), block.error().reason)};
        for (std::uint32_t index = 0; index < block->count(); ++index) {
            if (block->sequence_of(index) < from) continue;
            if (!block->read(index, record))
                throw StoreFailure{
                    fmt::format("record {} does not read back", row.first.value() + index)};
            visit(std::as_const(record));
        }
        return true;
    });
}

[[noreturn]] void throw_unavailable()
{
    throw StoreFailure{"the journal is not available", false, true};
}

} // namespace

bool HouseLedger::is_ready()
{
    if (is_sound_ && journal_.may_answer()) return true;
    if (is_sound_) is_sound_ = is_readable_ = false;
    if (std::chrono::steady_clock::now() >= retry_at_) look_again();
    return is_sound_;
}

void HouseLedger::look_again()
{
    is_sound_ = is_readable_ = is_unseen_ = false;
    try {
        journal_.reopen();
        recover();
        is_sound_ = true;
    } catch (const StoreFailure&) {
        retry_at_ = std::chrono::steady_clock::now() + options_.retry_after;
    }
}

// Where nothing can be written, a full disk, what is there can still be read.
void HouseLedger::require_readable()
{
    if (is_ready()) return;
    if (is_unseen_) look_again();
    if (!is_readable_ || !journal_.may_answer()) throw_unavailable();
}

void HouseLedger::require_ready()
{
    if (!is_ready()) throw_unavailable();
}

void HouseLedger::recover()
{
    last_read_.reset();
    const JournalState state = journal_.state();
    check_head(state);
    members_.clear();
    windows_ = state.windows;
    context_ = DecisionContext{.funding = &funding_, .may_lie_ahead = context_.may_lie_ahead};
    written_ = state.head;
    durable_ = state.head.value();
    last_hash_ = state.head_hash;
    shard_hashes_ = shards_ > 1 ? state.shard_hashes : std::vector{state.head_hash};
    decided_.clear();
    own_records_.clear();
    if (!state.head.is_none()) {
        Outcome last;
        invariant(read_record(state.head, last), "the head of the journal is a record");
        // A step may be about an earlier time than that of its block.
        house_time_ = std::max(last.record.posted_at, block_with(state.head).header().time);
    }
    if (!windows_.empty()) {
        const Month open = windows_.back().month;
        next_cut_off_ = terms_->calendar->start_of(open.next());
        // Of several shards the window is durable before its first record.
        house_time_ = std::max(house_time_, terms_->calendar->start_of(open));
    }
    load_funding();
    replay_tail(state);
    check_identities(state);
    is_readable_ = true;
    write_back_everything();
    find_due_members();
    finish_commit();
    write_head_now();
}

void HouseLedger::check_head(const JournalState& state)
{
    std::filesystem::create_directories(options_.folder);
    const std::optional<Head> head = read_head(options_.folder);
    const auto refuse = [](const std::string& reason) {
        throw StoreFailure{"the journal cannot be trusted: " + reason};
    };
    if (!head) {
        if (!state.head.is_none()) refuse("its head file is missing");
        return;
    }
    if (head->last > state.head)
        refuse(fmt::format(
            "it ends at record {}, but it once reached {}",
            state.head.value(),
            head->last.value()));
    if (head->house > terms_->as_of) refuse("the house's record is shorter than it once was");
    if (!head->last.is_none()) {
        const auto block =
            BlockView::parse(journal_.block_with(head->last), BlockView::Check::hash);
        if (!block) refuse("the block at its head file's mark: " + block.error().reason);
        if (block->header().hash != head->hash) refuse("its history is not the one it once had");
    }
    if (state.watermark > state.head) refuse("member states are newer than it");
    for (const IndexRun& run : state.index_runs)
        if (run.last > state.head) refuse("the message index is newer than it");
    for (const Window& window : state.windows)
        if (window.cut > state.head) refuse("a window's end lies beyond it");
}

// A number is given durably before the journal knows it, and never again: else a stranger would
// get the points of a member whose identity was lost.
void HouseLedger::check_identities(const JournalState& state)
{
    MemberNumber last = state.last_member;
    members_.for_each([&](const Member& member) { last = std::max(last, member.number()); });
    if (last > identities_.last())
        throw StoreFailure{fmt::format(
            "the identities cannot be trusted: they end at member {}, and the journal knows member "
            "{}",
            identities_.last().value(),
            last.value())};
}

void HouseLedger::replay_tail(const JournalState& state)
{
    // A run that is missing or damaged costs a look at the whole journal, nothing else.
    const bool has_index = index_.open(state.index_runs);
    const Sequence covered = has_index ? index_.covered() : Sequence{};
    const Sequence from{std::min({covered, state.watermark, funding_row_}).value() + 1};
    if (from > state.head) return;
    load_members_of_tail(state.watermark);
    for_each_record(journal_, from, [&](const Record& record) {
        if (record.sequence > funding_row_) funding_.apply(record, *terms_);
        if (is_house_step(record.type)) return;
        if (record.sequence > covered) {
            if (!is_house_posting(record.type))
                index_.insert(
                    index_keys_.message_key(record.partner, record.message_id), record.sequence);
            if (!record.original.is_none())
                index_.insert(index_keys_.reversal_key(record.original), record.sequence);
            index_.seal_when_full(record.sequence);
        }
        if (record.sequence <= state.watermark || record.member.is_none()) return;
        Member* member = members_.find(record.member);
        if (member == nullptr) member = &members_.insert(record.member);
        if (record.sequence <= member->last()) return;
        member->apply(record, *terms_);
        members_.mark_dirty(*member);
    });
}

void HouseLedger::load_members_of_tail(Sequence watermark)
{
    missing_.clear();
    for_each_record(journal_, Sequence{watermark.value() + 1}, [&](const Record& record) {
        if (!record.member.is_none()) missing_.push_back(record.member);
    });
    std::ranges::sort(missing_);
    missing_.erase(std::ranges::unique(missing_).begin(), missing_.end());
    journal_.read_members(missing_, [this](const MemberRow& row) {
        if (!members_.insert(row.member).decode(row.state, row.through))
            throw StoreFailure{
                fmt::format("the state of member {} does not read back", row.member.value())};
    });
}

void HouseLedger::load_funding()
{
    funding_ = {};
    funding_row_ = funding_encoded_ = {};
    journal_.read_members(std::span{&house_row, 1}, [this](const MemberRow& row) {
        if (FundingCounters::is_of_before(row.state)) return;
        if (row.through > written_ || !funding_.decode(row.state, row.through))
            throw StoreFailure{"the house's own counters do not read back"};
        funding_row_ = row.through;
    });
}

// Else the tail would grow with every crash. In slices: the rows of a million members at once would
// be hundreds of megabytes.
void HouseLedger::write_back_everything()
{
    constexpr std::size_t members_per_commit = 8'192;
    members_.start_turn_of_everything(written_);
    do {
        commit_ = {};
        const auto rows = members_.next_of_turn(members_per_commit);
        commit_.members.assign(rows.begin(), rows.end());
        commit_.watermark = members_.watermark();
        if (commit_.watermark) {
            encode_funding();
            store_funding();
            commit_.index_runs = index_.take_new_manifest();
        }
        if (journal_.commit(commit_) != CommitResult::durable)
            throw StoreFailure{"what was replayed could not be written back"};
        members_.slice_is_durable();
    } while (!commit_.watermark);
    if (commit_.index_runs) index_.remove_unnamed_files();
}

// The counters as of the last durable record: of a commit's own records not all may become durable.
void HouseLedger::encode_funding()
{
    if (written_.is_none()) return;
    funding_bytes_.clear();
    funding_.encode(written_, funding_bytes_);
    funding_encoded_ = written_;
}

void HouseLedger::store_funding()
{
    if (funding_encoded_.is_none()) return;
    commit_.members.push_back(
        {.member = house_row, .through = funding_encoded_, .state = funding_bytes_});
    funding_row_ = std::exchange(funding_encoded_, Sequence{}); // who fails reads it back
}

void HouseLedger::write_head_now()
{
    write_head(
        options_.folder,
        {.last = Sequence{durable_.load()}, .hash = last_hash_, .house = terms_->as_of});
}

void HouseLedger::settle_down()
{
    if (!is_ready()) return;
    index_.seal_all(written_);
    write_back_everything();
    write_head_now();
}

} // namespace pointhouse::ledger
