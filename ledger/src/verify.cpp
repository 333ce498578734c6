#include <algorithm>
#include <fmt/format.h>

#include "byte_codec.hpp"
#include "decision.hpp"
#include "due_queue.hpp"
#include "fold.hpp"
#include "funding.hpp"
#include "head_file.hpp"
#include "identities.hpp"
#include "ledger/block.hpp"
#include "ledger/ledger.hpp"
#include "member.hpp"
#include "sha256.hpp"
#include "verify_blocks.hpp"
#include "verify_decision.hpp"
#include "verify_fault.hpp"
#include "verify_index.hpp"
#include "verify_members.hpp"

namespace pointhouse::ledger {
namespace {

/// One walk along the journal, in which each part of the house is held against what it says.
class Verifier {
public:
    Verifier(JournalReader& journal, const TermsHistory& terms, const VerifyOptions& options)
        : journal_{journal}, history_{terms}, options_{options}
    {}

    /// The highest number that a record names.
    [[nodiscard]] MemberNumber last_member() const { return last_member_; }

    /// `head`: of the head file, read before the snapshot began; a house that serves writes it on.
    void run(const std::optional<Head>& head, Verification& found)
    {
        const std::string integrity = journal_.integrity_fault();
        require(integrity.empty(), "the journal's database: {}", integrity);
        state_ = journal_.state();
        check_head(head);
        index_.open(options_.folder, state_.index_runs, state_.head);
        journal_.for_each_member([this](const MemberRow& row) {
            if (row.member == house_row)
                stored_funding_ = {
                    .through = row.through, .bytes = {row.state.begin(), row.state.end()}};
            else
                members_.expect(row);
        });
        journal_.for_each_block(Sequence{1}, [&](const JournalReader::BlockRow& row) {
            check_block(row, found);
            return true;
        });
        require(
            last_ == state_.head,
            "the journal ends at record {}, not {}",
            last_.value(),
            state_.head.value());
        members_.finish(state_.watermark);
        require(
            stored_funding_.through <= last_,
            "the house's counters claim to contain record {}, which there is not",
            stored_funding_.through.value());
        check_windows();
        index_.finish();
        found.last = last_;
        found.head = last_hash_;
    }

private:
    void check_head(const std::optional<Head>& head)
    {
        require(head.has_value() || state_.head.is_none(), "the head file is missing");
        if (head)
            require(
                head->last <= state_.head,
                "the journal ends at record {}, but it once reached {}: its tail is missing",
                state_.head.value(),
                head->last.value());
        require(state_.watermark <= state_.head, "the watermark lies beyond the journal");
    }

    void check_block(const JournalReader::BlockRow& row, Verification& found)
    {
        const std::uint64_t first = row.first.value();
        const auto block = BlockView::parse(row.bytes, BlockView::Check::hash);
        if (!block) fail(fmt::format("block {}: {}", first, block.error().reason));
        const BlockHeader& header = block->header();
        require(
            header.first == row.first && header.count == row.count && row.count > 0,
            "block {}: its row and its bytes disagree",
            first);
        require(first == last_.value() + 1, "block {}: records are missing before it", first);
        const std::size_t shards = std::max<std::size_t>(state_.shard_hashes.size(), 1);
        shard_hashes_.resize(shards);
        require(
            header.shard.value() >= 1 && header.shard.value() <= shards,
            "block {}: there is no shard {}",
            first,
            header.shard.value());
        Digest& last_of_shard = shard_hashes_[header.shard.value() - std::size_t{1}];
        require(
            header.previous == last_of_shard,
            "block {}: it does not follow the block before it",
            first);
        last_hash_ = last_of_shard = header.hash;
        blocks_.keep(row);
        ++found.blocks;

        ControlTotals totals;
        Record record;
        ByteReader contents{row.contents};
        std::uint64_t next_content = contents.at_end() ? UINT64_MAX : contents.varint();
        for (std::uint32_t index = 0; index < header.count; ++index) {
            require(block->read(index, record), "record {}: it does not read back", first + index);
            require(
                record.type == MessageType::unwritten ||
                    shard_of(record.member, shards) == header.shard,
                "record {}: its member does not live in shard {}",
                first + index,
                header.shard.value());
            check_record(record, header, found);
            for (const Entry& entry : record.entries) totals.add(entry, record.counterparty);
            if (next_content != index) continue;
            check_content(record, contents);
            next_content = contents.at_end() ? UINT64_MAX : contents.varint();
        }
        require(
            contents.ok() && next_content == UINT64_MAX,
            "block {}: its contents do not read back",
            first);
        std::vector<ControlTotal> stored;
        require(block->read_totals(stored), "block {}: its control totals do not read back", first);
        require(
            stored == totals.priced(*terms_of(record)),
            "block {}: its control totals are not the sum of its entries",
            first);
        tell_progress();
    }

    void check_record(const Record& record, const BlockHeader& header, Verification& found)
    {
        last_ = record.sequence;
        check_fold(record);
        if (is_house_step(record.type)) {
            follow_windows(record, header.window);
            check_house_entry(record);
            funding_.apply(record, *terms_of(record));
            compare_funding();
            return;
        }
        if (windows_.empty())
            windows_.push_back({.month = header.window, .first = record.sequence});
        check_window(record, header.window);
        const std::shared_ptr<const Terms> terms = terms_of(record);
        index_.check(record);
        if (record.type == MessageType::opening) {
            check_opening(record);
        } else if (is_house_posting(record.type)) {
            post_again(record, *terms);
        } else {
            ++found.messages;
            if (!record.refusal) ++found.postings;
            require_nothing_due(record, *terms);
            if (options_.from_scratch && !record.refusal) second_.require_same(record, *terms);
            second_.note(record);
        }
        funding_.apply(record, *terms);
        compare_funding();
        if (record.member.is_none()) return;

        last_member_ = std::max(last_member_, record.member);
        Member& member = members_.member(record.member);
        members_.note_first(record);
        require(
            member.merged_into().is_none(),
            "{}: its member {} had been merged into another",
            Named{record},
            record.member.value());
        require(
            record.previous == member.last(),
            "{}: it names {} as the member's record before it, which was {}",
            Named{record},
            record.previous.value(),
            member.last().value());
        const Day expiry_before = member.next_last_day(*terms);
        const Time end_before = member.first_end();
        const std::size_t lots_before = member.lots().size();
        member.apply(record, *terms);
        note_lots(record, lots_before, member.lots().size());
        if (member.next_last_day(*terms) < expiry_before || member.first_end() < end_before)
            due_.remind(next_due(member, *terms), record.member);
        context_.move_to(record.posted_at, *terms);
        require(
            member.balance(context_.today) == record.balance,
            "{}: its balance is not what the member's records come to",
            Named{record});
        members_.compare_after(record);
    }

    void check_house_entry(const Record& record) const
    {
        if (record.type != MessageType::house_entry) return;
        require(
            record.terms > funding_.booked(),
            "record {}: entry {} of the house's record was booked before",
            record.sequence.value(),
            record.terms.value());
    }

    // A record lies in the open window; what was due before a cut may follow it until the drain.
    void check_window(const Record& record, Month month)
    {
        const std::size_t open = windows_.size() - 1;
        std::size_t window = open;
        if (is_house_posting(record.type))
            while (window > 0 && windows_[window].month != month &&
                   windows_[window - 1].drained.is_none())
                --window;
        require(
            windows_[window].month == month,
            "record {}: it does not lie in the open window",
            record.sequence.value());
    }

    // An opening follows the entry of the house's record that approved it.
    void check_opening(const Record& record) const
    {
        require(
            !funding_.booked().is_none() &&
                std::ranges::all_of(
                    record.entries,
                    [](const Entry& entry) { return entry.kind == EntryKind::opened; }),
            "record {}: an opening that nobody approved",
            record.sequence.value());
    }

    // What the clock brings about follows from the member alone.
    void post_again(const Record& record, const Terms& terms)
    {
        const Member& member = members_.member(record.member);
        Record again{.sequence = record.sequence};
        context_.move_to(record.posted_at, terms);
        if (is_receipt(record.type)) {
            Record sent;
            blocks_.read(record.original, sent, record);
            receive(sent, member, context_, again);
        } else if (record.type == MessageType::fold) {
            require(
                record.member == has_to_fold_,
                "record {}: member {} has no lots that have to fold",
                record.sequence.value(),
                record.member.value());
            static_cast<void>(fold_lots(member, options_.lot_limits, terms, again));
        } else {
            const Due due = next_due(member, terms);
            require(
                !due.is_never() && due.posted_at() == record.posted_at,
                "record {}: nothing is due for member {} then",
                record.sequence.value(),
                record.member.value());
            post_due(member, due, context_, again);
        }
        const bool is_same = again.type == record.type && again.points == record.points &&
                             again.original == record.original &&
                             again.other_member == record.other_member &&
                             again.entries == record.entries;
        require(
            is_same, "record {}: posted again, it comes out differently", record.sequence.value());
    }

    // A house of a version that did not fold has none: what is missing is a fault after the first.
    void check_fold(const Record& record)
    {
        if (record.type == MessageType::fold) folds_ = true;
        if (has_to_fold_.is_none() || !folds_) return;
        if (record.type == MessageType::fold && record.member == has_to_fold_) return;
        Record fold;
        require(
            !fold_lots(members_.member(has_to_fold_), options_.lot_limits, *terms_of(record), fold),
            "record {}: the lots of member {} have to fold before it",
            record.sequence.value(),
            has_to_fold_.value());
        has_to_fold_ = {};
    }

    void note_lots(const Record& record, std::size_t before, std::size_t after)
    {
        const LotLimits& limits = options_.lot_limits;
        const bool is_left = record.type == MessageType::fold && after > limits.folded_to;
        const bool has_to = is_left || has_to_fold(before, after, limits);
        has_to_fold_ = has_to ? record.member : MemberNumber{};
    }

    // What was due for the member was posted before its message was decided.
    void require_nothing_due(const Record& record, const Terms& terms)
    {
        if (record.member.is_none()) return;
        const Due due = next_due(members_.member(record.member), terms);
        require(
            due > Due::at(record.posted_at),
            "{}: something was due for its member before it",
            Named{record});
    }

    void require_drained(Time cut_off, const Record& drained)
    {
        const Due limit = Due::before(cut_off);
        while (due_.is_due(limit)) {
            const DueQueue::Reminder reminder = due_.take();
            const Due due = next_due(members_.member(reminder.member), *terms_of(drained));
            require(
                due > limit,
                "record {}: member {} has something due before the cut",
                drained.sequence.value(),
                reminder.member.value());
            due_.remind(due, reminder.member);
        }
    }

    void compare_funding()
    {
        if (stored_funding_.through != last_) return;
        if (FundingCounters::is_of_before(stored_funding_.bytes)) return;
        std::vector<std::byte> bytes;
        funding_.encode(last_, bytes);
        require(
            bytes == stored_funding_.bytes,
            "record {}: the house's counters of blocks, credit and promotions are not what the "
            "records come to",
            last_.value());
    }

    void check_content(const Record& record, ByteReader& contents)
    {
        const auto canonical = contents.bytes(static_cast<std::size_t>(contents.varint()));
        require(contents.ok(), "{}: its content does not read back", Named{record});
        // The digest of a message about nobody known was taken with a number that no record keeps.
        if (record.member.is_none()) return;
        std::array<std::byte, 64> salt{};
        std::ranges::copy(options_.keys.content, salt.begin());
        const std::uint64_t number = names_member(record.type) ? record.member.value() : 0;
        sha256_.update(salt);
        sha256_.update(std::as_bytes(std::span{&number, 1}));
        const std::uint64_t other = record.other_member.value();
        if (record.type == MessageType::merge) sha256_.update(std::as_bytes(std::span{&other, 1}));
        sha256_.update(canonical);
        require(
            sha256_.finish() == record.content,
            "{}: its content is not the one that was decided",
            Named{record});
    }

    void follow_windows(const Record& record, Month month)
    {
        if (windows_.empty()) windows_.push_back({.month = month, .first = record.sequence});
        require(
            month == windows_.back().month,
            "record {}: it does not lie in the open window",
            record.sequence.value());
        if (record.type == MessageType::cut) {
            windows_.back().cut = record.sequence;
            windows_.push_back(
                {.month = month.next(), .first = Sequence{record.sequence.value() + 1}});
        } else if (record.type == MessageType::drained) {
            const auto cut = std::ranges::find(windows_, Sequence{}, &Window::drained);
            require(
                cut != windows_.end() && !cut->cut.is_none(),
                "record {}: nothing was cut",
                record.sequence.value());
            require_drained(record.posted_at, record);
            cut->drained = record.sequence;
        }
    }

    void check_windows() const
    {
        // A window that was opened and holds nothing yet leaves no trace in the journal.
        std::vector<Window> stored = state_.windows;
        if (stored.size() == windows_.size() + 1 &&
            stored.back().first.value() == last_.value() + 1)
            stored.pop_back();
        require(stored == windows_, "the stored windows are not those that the journal marks");
    }

    std::shared_ptr<const Terms> terms_of(const Record& record)
    {
        if (!terms_ || terms_->as_of != record.terms) terms_ = history_.terms_at(record.terms);
        require(terms_ != nullptr, "record {}: its terms are unknown", record.sequence.value());
        return terms_;
    }

    void tell_progress()
    {
        if (!options_.progress || state_.head.is_none()) return;
        const int thousandths = static_cast<int>(last_.value() * 1000 / state_.head.value());
        if (thousandths == told_) return;
        told_ = thousandths;
        options_.progress(thousandths);
    }

    JournalReader& journal_;
    const TermsHistory& history_;
    const VerifyOptions& options_;
    JournalState state_;
    BlocksBehind blocks_{journal_};
    IndexedMessages index_{options_.keys};
    RecomputedMembers members_;
    std::vector<Window> windows_;
    std::shared_ptr<const Terms> terms_;
    DueQueue due_;
    FundingCounters funding_;
    struct StoredFunding {
        Sequence through;
        std::vector<std::byte> bytes;
    };
    StoredFunding stored_funding_;
    MemberNumber has_to_fold_; // with the next record, where any of its lots are alike
    bool folds_ = false;       // the journal has come to a fold
    SecondDecision second_{members_, funding_, blocks_};
    DecisionContext context_{.funding = &funding_};
    Sha256 sha256_;
    Sequence last_;
    MemberNumber last_member_;
    Digest last_hash_{};
    std::vector<Digest> shard_hashes_;
    int told_ = -1;
};

} // namespace

Verification verify_journal(
    JournalReader& journal,
    Store& identities,
    const TermsHistory& terms,
    const VerifyOptions& options)
{
    Verification found;
    try {
        const std::optional<Head> head = read_head(options.folder);
        journal.begin_snapshot();
        Verifier verifier{journal, terms, options};
        verifier.run(head, found);
        if (const MemberNumber last = Identities::last_in(identities);
            last < verifier.last_member())
            found.fault = fmt::format(
                "identities: they end at member {}, and the journal knows member {}",
                last.value(),
                verifier.last_member().value());
        if (auto fault = Identities::first_fault(identities, options.keys.identity))
            found.fault = std::move(*fault);
    } catch (const Fault& fault) {
        found.fault = fault.reason;
    } catch (const StoreFailure& failure) {
        if (failure.out_of_reach) throw;
        found.fault = failure.what();
    }
    journal.end_snapshot();
    return found;
}

} // namespace pointhouse::ledger
