#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>

#include "decision.hpp"
#include "due_queue.hpp"
#include "funding.hpp"
#include "head_file.hpp"
#include "identities.hpp"
#include "ledger/block.hpp"
#include "ledger/ledger.hpp"
#include "member_cache.hpp"
#include "message_index.hpp"
#include "sha256.hpp"

namespace pointhouse::ledger {

/// The ledger of a house: one thread that decides, over a journal of one shard or of several.
///
/// The commit loop: resolve identities → look up message ids → read the members that are missing →
/// decide and apply each message in order → encode → one durable transaction of block and a slice
/// of member rows → answer. A commit that is not known to be durable answers `unavailable`, and the
/// next one begins by reopening the journal and replaying its tail: what is true is what is there.
class HouseLedger final : public Ledger {
public:
    HouseLedger(
        Journal& journal,
        Store& identities,
        std::shared_ptr<const Terms> terms,
        LedgerOptions options);
    ~HouseLedger() override;

    void commit(std::span<Submission> batch) override;
    void quote(const Message& message, Outcome& outcome) override;
    std::optional<MemberView> find_member(std::string_view identifier) override;
    bool find_outcome(PartnerId partner, std::string_view message_id, Outcome& outcome) override;
    std::optional<HoldView> find_hold(PartnerId partner, Sequence hold) override;
    void for_each_record_of(
        MemberNumber member,
        std::optional<Sequence> before,
        const std::function<bool(const Record&)>& record) override;
    [[nodiscard]] Time house_time() const override;
    bool advance_clock(Time to) override;
    void mark_windows() override;
    [[nodiscard]] const std::vector<Window>& windows() const override { return windows_; }
    void book_house_entry(
        HouseSequence entry, Time at, std::span<const OpeningMember> members) override;
    [[nodiscard]] HouseSequence booked_house_entry() override;
    void publish(std::shared_ptr<const Terms> terms) override;
    [[nodiscard]] std::shared_ptr<const Terms> terms() const override { return terms_; }
    [[nodiscard]] Sequence head() const override { return Sequence{durable_.load()}; }
    [[nodiscard]] std::unique_ptr<JournalReader> open_reader() override;
    [[nodiscard]] LedgerCounters counters() const override;
    void settle_down() override;

private:
    struct LoadedOriginal;
    struct Parties;
    /// The members that a message names, those into which they were merged.
    struct NamedMembers {
        MemberNumber member{};
        MemberNumber other{}; // transfer, merge
    };

    // Opening and recovering (house_ledger_recovery.cpp).
    void recover();
    void check_head(const JournalState& state);
    void check_identities(const JournalState& state);
    void replay_tail(const JournalState& state);
    void load_members_of_tail(Sequence watermark);
    void load_funding();
    void write_back_everything();
    void encode_funding();
    void store_funding();
    void write_head_now();
    [[nodiscard]] bool is_ready();
    void look_again();
    void require_ready();
    void require_readable();

    // One commit (house_ledger.cpp). It is one transaction in each shard of the journal; where
    // there are several, what rests on another shard's records waits for them: flush().
    void begin_commit();
    void begin_transaction();
    void forget_outcomes(std::span<Submission> batch, Sequence durable_before);
    void resolve_members(std::span<Submission> batch);
    void meet_members();
    void enrol_unknown(std::span<Submission> batch);
    void load_missing_members();
    void prefetch_for(std::size_t place);
    [[nodiscard]] Member* member_of_batch(std::size_t place);
    [[nodiscard]] Member* survivor_of(Member* member);
    [[nodiscard]] NamedMembers named_by(const Message& message, std::size_t place);
    void take(Submission& submission, std::size_t place);
    [[nodiscard]] ShardId shard_of(MemberNumber member) const
    {
        return ledger::shard_of(member, shards_);
    }
    [[nodiscard]] bool was_decided(
        Submission& submission, std::size_t place, const Digest& content);
    [[nodiscard]] bool was_said_before_merge(
        const Record& record, const Message& message, MemberNumber named);
    void book(Submission& submission, std::size_t place, const Digest& content);
    void find_parties(const Message& message, std::size_t place, Parties& parties);
    [[nodiscard]] bool bring_up_to(Time now, const Parties& parties);
    void look_up_identifiers(const Message& message, Parties& parties);
    void bind_identifier(const Message& message, MemberNumber member);
    void keep_content();
    void book_receipt(const Record& sent, Member& receiver);
    [[nodiscard]] bool make_durable();
    void now_durable();
    void distrust_memory();

    // Several shards (house_ledger_shards.cpp).
    void flush();
    void take_by_shard();
    [[nodiscard]] std::size_t plan_from(std::size_t place);
    [[nodiscard]] std::optional<ShardId> shard_of_message(std::size_t place);
    void note_limits(const Record& record);
    [[nodiscard]] bool may_rest_on_limits(const Message& message) const;
    void deliver(const Record& sent, Member* receiver);
    void finish_commit();

    // Blocks and house steps.
    [[nodiscard]] BlockBuilder& open_block(std::size_t window, ShardId shard);
    void finish_block();
    void append(const Record& record, std::size_t window);
    void append_house_step(MessageType type, Time at);
    void append_house_entry(HouseSequence entry);
    void append_opening(const OpeningMember& opening, MemberNumber number);
    [[nodiscard]] std::map<MemberNumber, int> openings_booked();
    void open_window(Month month);

    // What the house posts by its clock (house_ledger_timed.cpp).
    void apply(Member& member, const Record& record);
    void remind_of(const Member& member);
    void find_due_members();
    void remind_of_rows();
    void remind_anew();
    [[nodiscard]] bool has_due(const Member& member, Time now);
    void post_due_of(Member& member, Due limit);
    void append_own(Record& record, Member& member, std::size_t window);
    void fold_lots_of(Member& member, std::size_t lots_before, std::size_t window);
    void take_reminder(Due limit);
    [[nodiscard]] std::size_t window_of(Due due) const;
    void follow_clock(Time now);
    void mark_cut_offs(Time now);
    void post_slice();
    void cut_window();
    void drain_windows();
    [[nodiscard]] Member brought_up_to(
        const Member& member, Time now, std::vector<Record>* postings = nullptr) const;
    [[nodiscard]] FundingCounters funding_as_of(Time now);
    [[nodiscard]] bool is_message_clock() const { return options_.clock == nullptr; }

    // Looking things up (house_ledger_lookup.cpp).
    [[nodiscard]] Digest content_digest(const Message& message, NamedMembers members);
    [[nodiscard]] bool stands_for(MemberNumber named, MemberNumber number);
    [[nodiscard]] Member* find_survivor(std::string_view identifier);
    [[nodiscard]] const BlockView& block_with(Sequence sequence);
    [[nodiscard]] bool read_record(Sequence sequence, Outcome& outcome);
    [[nodiscard]] bool find_message(
        PartnerId partner, std::string_view message_id, Outcome& outcome);
    [[nodiscard]] bool load_original(const Message& message, LoadedOriginal& loaded);
    [[nodiscard]] bool load_hold(PartnerId partner, Sequence hold, Outcome& outcome);
    [[nodiscard]] MemberPast past_of(const Member* member);
    [[nodiscard]] Member* load_member(MemberNumber number);
    [[nodiscard]] Member& member_with(MemberNumber number);
    [[nodiscard]] const Member* find_enrolled(std::string_view identifier);
    [[nodiscard]] Sequence next_sequence() const { return Sequence{written_.value() + 1}; }

    Journal& journal_;
    const std::size_t shards_ = journal_.shards();
    LedgerOptions options_;
    std::shared_ptr<const Terms> terms_;
    Identities identities_;
    IndexKeys index_keys_;
    MessageIndex index_;
    MemberCache members_;
    DueQueue due_;
    FundingCounters funding_;
    Sequence funding_row_;     // the last record that the stored counters contain
    Sequence funding_encoded_; // of counters that the next commit stores; none: it does not
    std::vector<Window> windows_;
    DecisionContext context_;
    Time house_time_{};
    Time next_cut_off_{};
    Sequence written_; // the last record of the commit that is being built
    std::atomic<std::uint64_t> durable_{0};
    Digest last_hash_{};                 // of the last block written
    std::vector<Digest> shard_hashes_;   // of the last block written in each shard
    std::atomic<bool> is_sound_ = false; // memory holds what the journal holds
    bool is_readable_ = false;           // it does, though nothing could be written back yet
    bool is_unseen_ = false;             // a commit failed, and the journal was not looked at since
    std::chrono::steady_clock::time_point retry_at_{}; // not before, after a failed commit

    // The commit that is being built; reused from one to the next.
    std::deque<BlockBuilder> builders_;
    std::deque<std::string> contents_; // by builder
    std::size_t builders_used_ = 0;
    bool block_is_open_ = false;
    JournalCommit commit_;
    std::span<Submission> batch_;
    std::vector<const Record*> decided_;        // by record of this commit; null: a house step
    std::deque<Record> own_records_;            // those of them that the house posted
    std::vector<std::string_view> identifiers_; // by submission
    std::vector<Identity> members_of_batch_;    // by submission; none: unknown
    std::vector<Member*> states_of_batch_;      // by submission; null: not in memory yet
    std::uint64_t transactions_ = 0;            // that were begun
    struct Placed {
        ShardId shard;
        std::size_t place = 0;
        friend auto operator<=>(const Placed&, const Placed&) = default;
    };
    std::vector<Placed> planned_; // submissions that may be taken in the order of their shards
    boost::unordered_flat_set<std::uint64_t> planned_keys_;
    /// Where this transaction used up or gave back what is limited; 0: in several shards.
    std::optional<ShardId> limits_moved_in_;
    std::vector<std::uint64_t> keys_; // by submission, in the message index
    std::vector<MemberNumber> missing_;
    std::vector<std::byte> funding_bytes_;
    std::string digested_;             // of the message at hand, ending with its canonical form
    std::size_t canonical_at_ = 0;     // where that begins
    std::array<std::byte, 64> salt_{}; // one SHA-256 block, so that its state is short to reach
    Sha256 sha256_;
    std::optional<BlockView> last_read_; // of the memory that the journal lent out last
    std::vector<Sequence> candidates_;
    std::vector<Lot> viewed_lots_;
    std::chrono::steady_clock::time_point head_written_at_{};

    struct Counters {
        std::atomic<std::uint64_t> commits{0};
        std::atomic<std::uint64_t> commit_failures{0};
        std::atomic<std::uint64_t> replayed{0};
        std::atomic<std::uint64_t> members_cached{0};
        std::atomic<std::uint64_t> members_dirty{0};
        std::atomic<std::uint64_t> commit_micros_last{0};
        std::atomic<std::uint64_t> commit_micros_max{0};
    };
    Counters counters_;
};

} // namespace pointhouse::ledger
