#include "ledger/sharded_journal.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <fmt/format.h>
#include <mutex>
#include <semaphore>
#include <thread>

#include "block_merge.hpp"
#include "head_file.hpp"
#include "ledger/block.hpp"
#include "ledger/invariant.hpp"
#include "ledger/terms.hpp"

namespace pointhouse::ledger {
namespace {

/// What the journal and its readers share.
struct Durable {
    std::atomic<std::uint64_t> head{0}; // the last record that all shards have all up to
    std::mutex commits;                 // held during a commit: between two, all shards agree
};

JournalState merged(const std::vector<JournalState>& shards)
{
    JournalState state = shards.front();
    for (const JournalState& shard : shards) {
        state.shard_hashes.push_back(shard.head_hash);
        state.watermark = std::min(state.watermark, shard.watermark);
        state.last_member = std::max(state.last_member, shard.last_member);
        if (shard.head <= state.head) continue;
        state.head = shard.head;
        state.head_hash = shard.head_hash;
    }
    return state;
}

template <class Journals>
auto pointers_to(const Journals& journals)
{
    std::vector<typename Journals::value_type::pointer> pointers;
    for (const auto& journal : journals) pointers.push_back(journal.get());
    return pointers;
}

class ShardedReader final : public JournalReader {
public:
    ShardedReader(
        std::vector<std::unique_ptr<JournalReader>> shards, std::shared_ptr<Durable> durable)
        : shards_{std::move(shards)}, durable_{std::move(durable)}
    {}

    Sequence head() override { return snapshot_ ? *snapshot_ : Sequence{durable_->head.load()}; }

    std::span<const std::byte> block_with(Sequence sequence) override
    {
        for (const auto& shard : shards_)
            if (const auto bytes = shard->block_with(sequence); !bytes.empty()) return bytes;
        return {};
    }

    // What is appended meanwhile in one shard may lie behind what another does not have yet.
    void for_each_block(Sequence from, const std::function<bool(const BlockRow&)>& block) override
    {
        const Sequence last = head();
        const auto shards = pointers_to(shards_);
        BlockMerge<JournalReader> merge{shards, from};
        while (const BlockRow* next = merge.next())
            if (next->first > last || !block(*next)) return;
    }

    void for_each_member(const std::function<void(const MemberRow&)>& row) override
    {
        for (const auto& shard : shards_) shard->for_each_member(row);
    }

    void begin_snapshot() override
    {
        const std::scoped_lock between_commits{durable_->commits};
        for (const auto& shard : shards_) shard->begin_snapshot();
        snapshot_ = Sequence{durable_->head.load()};
    }

    void end_snapshot() override
    {
        snapshot_.reset();
        for (const auto& shard : shards_) shard->end_snapshot();
    }

    JournalState state() override
    {
        std::unique_lock between_commits{durable_->commits, std::defer_lock};
        if (!snapshot_) between_commits.lock();
        std::vector<JournalState> states;
        for (const auto& shard : shards_) states.push_back(shard->state());
        return merged(states);
    }

    std::string integrity_fault() override
    {
        for (std::size_t place = 0; place < shards_.size(); ++place) {
            const std::string fault = shards_[place]->integrity_fault();
            if (!fault.empty()) return fmt::format("shard {}: {}", place + 1, fault);
        }
        return {};
    }

private:
    std::vector<std::unique_ptr<JournalReader>> shards_;
    std::shared_ptr<Durable> durable_;
    std::optional<Sequence> snapshot_;
};

/// The journal of one shard, and the thread that commits to it.
class Shard {
public:
    explicit Shard(std::unique_ptr<Journal> opened) : journal{std::move(opened)} {}
    ~Shard()
    {
        is_over_ = true;
        begun_.release();
    }
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    void begin_commit() { begun_.release(); }
    [[nodiscard]] CommitResult result()
    {
        done_.acquire();
        if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
        return result_;
    }
    [[nodiscard]] bool has_part() const
    {
        return !part.blocks.empty() || !part.members.empty() || !part.windows.empty() ||
               part.watermark || part.index_runs;
    }

    std::unique_ptr<Journal> journal;
    JournalCommit part; // of the commit at hand

private:
    void write()
    {
        while (true) {
            begun_.acquire();
            if (is_over_) return;
            try {
                result_ = journal->commit(part);
            } catch (...) {
                failure_ = std::current_exception();
            }
            done_.release();
        }
    }

    std::binary_semaphore begun_{0};
    std::binary_semaphore done_{0};
    std::atomic<bool> is_over_ = false;
    CommitResult result_ = CommitResult::unknown;
    std::exception_ptr failure_;
    std::jthread thread_{[this] { write(); }}; // the last: it uses all others
};

class ShardedJournal final : public Journal {
public:
    ShardedJournal(
        std::vector<std::unique_ptr<Journal>> shards, const std::filesystem::path& ledger_folder)
    {
        invariant(!shards.empty() && shards.size() <= shards_max, "a journal has a few shards");
        for (auto& journal : shards) {
            journals_.push_back(journal.get());
            shards_.push_back(std::make_unique<Shard>(std::move(journal)));
        }
        const std::optional<Head> head = read_head(ledger_folder);
        close_gaps(head ? head->last : Sequence{});
    }

    [[nodiscard]] std::size_t shards() const override { return shards_.size(); }

    JournalState state() override { return merged(states()); }

    void read_members(
        std::span<const MemberNumber> members,
        const std::function<void(const MemberRow&)>& row) override
    {
        for (auto& wanted : wanted_) wanted.clear();
        wanted_.resize(shards_.size());
        for (const MemberNumber member : members) wanted_[place_of(member)].push_back(member);
        for (std::size_t place = 0; place < shards_.size(); ++place)
            if (!wanted_[place].empty()) journals_[place]->read_members(wanted_[place], row);
    }

    std::span<const std::byte> block_with(Sequence sequence) override
    {
        for (Journal* journal : journals_)
            if (const auto bytes = journal->block_with(sequence); !bytes.empty()) return bytes;
        return {};
    }

    void for_each_block(
        Sequence from, const std::function<bool(const JournalCommit::Block&)>& block) override
    {
        BlockMerge<Journal> merge{journals_, from};
        while (const JournalCommit::Block* next = merge.next())
            if (!block(*next)) return;
    }

    CommitResult commit(const JournalCommit& commit) override
    {
        split(commit);
        const std::scoped_lock between_commits{durable_->commits};
        for (const auto& shard : shards_)
            if (shard->has_part()) shard->begin_commit();
        bool is_durable = true;
        bool is_written = false; // in one of them, perhaps
        std::exception_ptr failure;
        for (const auto& shard : shards_) {
            if (!shard->has_part()) continue;
            try {
                const CommitResult result = shard->result();
                is_durable = is_durable && result == CommitResult::durable;
                is_written = is_written || result != CommitResult::not_written;
            } catch (...) {
                failure = std::current_exception();
            }
        }
        if (failure) std::rethrow_exception(failure);
        if (!is_durable) return is_written ? CommitResult::unknown : CommitResult::not_written;
        if (!commit.blocks.empty()) {
            const JournalCommit::Block& last = commit.blocks.back();
            durable_->head = last.first.value() + last.count - 1;
        }
        return CommitResult::durable;
    }

    void reopen() override
    {
        for (Journal* journal : journals_) journal->reopen();
        const Sequence before{durable_->head.load()};
        if (state().head < before)
            throw StoreFailure{
                fmt::format("the journal cannot be trusted: it once reached {}", before.value())};
        close_gaps(before);
    }

    bool may_answer() override { return std::ranges::all_of(journals_, &Journal::may_answer); }

    std::unique_ptr<JournalReader> open_reader() override
    {
        std::vector<std::unique_ptr<JournalReader>> readers;
        for (Journal* journal : journals_) readers.push_back(journal->open_reader());
        return std::make_unique<ShardedReader>(std::move(readers), durable_);
    }

private:
    /// Sequences that no shard has, and what stands behind them.
    struct Gap {
        Sequence first;
        Sequence next; // the first record behind it
        Time time{};
        HouseSequence terms;
    };

    [[nodiscard]] std::size_t place_of(MemberNumber member) const
    {
        return shard_of(member, shards_.size()).value() - std::size_t{1};
    }

    [[nodiscard]] std::vector<JournalState> states()
    {
        std::vector<JournalState> states;
        for (Journal* journal : journals_) states.push_back(journal->state());
        return states;
    }

    void split(const JournalCommit& commit)
    {
        for (const auto& shard : shards_) {
            shard->part.blocks.clear();
            shard->part.members.clear();
            shard->part.windows.clear();
            shard->part.index_runs.reset();
            shard->part.watermark = commit.watermark;
        }
        for (const JournalCommit::Block& block : commit.blocks)
            shards_.at(block.shard.value() - std::size_t{1})->part.blocks.push_back(block);
        for (const MemberRow& row : commit.members)
            shards_[place_of(row.member)]->part.members.push_back(row);
        shards_.front()->part.windows = commit.windows;
        shards_.front()->part.index_runs = commit.index_runs;
    }

    // All before the watermark was durable in every shard when that was written; but a shard that
    // lost its tail since shows by what is missing where it ends.
    static Sequence looked_at_from(
        const JournalState& state, const std::vector<JournalState>& shards)
    {
        constexpr std::uint64_t records_looked_at = 1'000'000;
        std::uint64_t ends = state.head.value();
        for (const JournalState& shard : shards)
            if (!shard.head.is_none()) ends = std::min(ends, shard.head.value());
        if (state.head.value() > records_looked_at)
            ends = std::max(ends, state.head.value() - records_looked_at);
        return Sequence{std::min(ends, state.watermark.value()) + 1};
    }

    void close_gaps(Sequence durable)
    {
        std::vector<JournalState> found = states();
        check_shards(found);
        JournalState state = merged(found);
        for (const Gap& gap : gaps_from(looked_at_from(state, found))) {
            if (gap.first <= durable)
                throw StoreFailure{fmt::format(
                    "the journal cannot be trusted: records {} to {} are missing, and it once "
                    "reached {}",
                    gap.first.value(),
                    gap.next.value() - 1,
                    durable.value())};
            fill(gap, state.windows, found);
        }
        durable_->head = state.head.value();
    }

    void check_shards(const std::vector<JournalState>& states)
    {
        for (std::size_t place = 0; place < states.size(); ++place) {
            if (states[place].head.is_none()) continue;
            const auto block = BlockView::parse(
                journals_[place]->block_with(states[place].head), BlockView::Check::frame);
            if (!block || block->header().shard.value() != place + 1)
                throw StoreFailure{
                    fmt::format("what is stored as shard {} is not its journal", place + 1)};
        }
    }

    [[nodiscard]] std::vector<Gap> gaps_from(Sequence from)
    {
        std::vector<Gap> gaps;
        Sequence expected = from;
        Record record;
        for_each_block(from, [&](const JournalCommit::Block& row) {
            if (row.first > expected) {
                const auto block = BlockView::parse(row.bytes, BlockView::Check::hash);
                if (!block || !block->read(0, record))
                    throw StoreFailure{
                        fmt::format("block {} does not read back", row.first.value())};
                gaps.push_back(
                    {.first = expected,
                     .next = row.first,
                     .time = block->header().time,
                     .terms = record.terms});
            }
            expected = Sequence{row.first.value() + row.count};
            return true;
        });
        return gaps;
    }

    // The same steps whenever it is done, so that who read them before a second failure is right.
    void fill(const Gap& gap, const std::vector<Window>& windows, std::vector<JournalState>& states)
    {
        // The shard that did not write ends before the gap; so may one that had nothing to write.
        const auto shard = std::ranges::find_if(
            states, [&](const JournalState& state) { return state.head < gap.first; });
        const auto after =
            std::ranges::find_if(windows, [&](const Window& one) { return one.first > gap.first; });
        if (shard == states.end() || after == windows.begin())
            throw StoreFailure{fmt::format(
                "the journal cannot be trusted: records {} to {} are missing",
                gap.first.value(),
                gap.next.value() - 1)};
        const auto place = static_cast<std::size_t>(shard - states.begin());
        BlockBuilder builder;
        const Terms none;
        for (Sequence next = gap.first; next < gap.next;) {
            builder.start(
                {.shard = ShardId{static_cast<std::uint16_t>(place + 1)},
                 .first = next,
                 .time = gap.time,
                 .window = std::prev(after)->month,
                 .previous = shard->head_hash});
            for (; next < gap.next && builder.count() < records_per_block_max;
                 next = Sequence{next.value() + 1})
                builder.append(
                    {.sequence = next,
                     .type = MessageType::unwritten,
                     .terms = gap.terms,
                     .occurred_at = gap.time,
                     .posted_at = gap.time});
            JournalCommit commit;
            const auto bytes = builder.finish(none);
            commit.blocks.push_back(
                {.first = builder.header().first,
                 .count = builder.header().count,
                 .bytes = bytes,
                 .shard = builder.header().shard});
            if (journals_[place]->commit(commit) != CommitResult::durable)
                throw StoreFailure{
                    fmt::format("shard {} cannot be written, so that it is whole", place + 1)};
            shard->head = Sequence{next.value() - 1};
            shard->head_hash = builder.header().hash;
        }
    }

    std::shared_ptr<Durable> durable_ = std::make_shared<Durable>();
    std::vector<std::unique_ptr<Shard>> shards_;
    std::vector<Journal*> journals_; // of them
    std::vector<std::vector<MemberNumber>> wanted_;
};

} // namespace

std::unique_ptr<Journal> open_sharded_journal(
    std::vector<std::unique_ptr<Journal>> shards, const std::filesystem::path& ledger_folder)
{
    return std::make_unique<ShardedJournal>(std::move(shards), ledger_folder);
}

} // namespace pointhouse::ledger
