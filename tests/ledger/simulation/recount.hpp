#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ledger/block.hpp"
#include "ledger/journal.hpp"
#include "ledger/posting.hpp"
#include "ledger/terms.hpp"

namespace pointhouse::ledger::test {

/// One member, counted the slow way.
struct CountedMember {
    struct CountedLot {
        Provenance provenance;
        std::int64_t active = 0;
        std::int64_t pending = 0;
        Time matures;
        std::map<Sequence, std::int64_t> held; // by hold
    };
    struct CountedDebt {
        DebtKey key;
        TariffVersion counterpart;
        std::int64_t points = 0;
    };
    struct CountedHold {
        Time ends;
    };
    std::map<LotKey, CountedLot> lots;
    std::vector<CountedDebt> debts; // oldest first
    std::map<Sequence, CountedHold> holds;
    MessageType status = MessageType::unblock; // block, close
    Sequence last;

    [[nodiscard]] Balance balance(Day today) const;
    /// The lot that is drawn from next; none: nothing is available.
    [[nodiscard]] const CountedLot* first_drawn(Day today) const;
    /// Whether the clock should have brought something about by then.
    [[nodiscard]] bool is_behind(Time now, Day today) const;
};

/// Counts everything again from the blocks alone, naively and from the words of the design, and
/// names the first thing that is not as it must be: invariants I1 to I4 and the rules of the draw
/// order, of time and of windows. Independent of how the ledger keeps members, lots and money.
class Recount {
public:
    explicit Recount(const Calendar& calendar) : calendar_{calendar} {}

    /// Counts one more block, decided under `terms` or older ones. Returns the first fault; empty:
    /// none.
    std::string add(const JournalReader::BlockRow& row, const Terms& terms);

    [[nodiscard]] Sequence last() const { return last_; }
    [[nodiscard]] const CountedMember* find_member(MemberNumber number) const;
    [[nodiscard]] const std::map<MemberNumber, CountedMember>& members() const { return members_; }
    /// The record of a message; null: none is in the journal.
    [[nodiscard]] const Record* find(PartnerId partner, const std::string& message_id) const;
    /// What the member had available when a message about it was refused.
    [[nodiscard]] std::int64_t available_at(Sequence refused) const
    {
        return refused_with_.at(refused);
    }
    [[nodiscard]] std::size_t messages() const { return places_.size(); }
    [[nodiscard]] const std::map<MessageType, std::uint64_t>& seen() const { return seen_; }
    [[nodiscard]] Time house_time() const { return house_time_; }
    [[nodiscard]] bool is_anything_in_transit() const { return !awaited_.empty(); }

private:
    using Money = std::array<std::int64_t, 5>; // issuer, counterparty, liability, fee, margin

    void count(const Record& record, Month window);
    void count_entries(const Record& record);
    void count_entry(const Entry& entry, CountedMember& member, const Record& record);
    void count_recovery(const Entry& entry, CountedMember& member, std::int64_t& active);
    void count_folded_out(const Entry& entry, std::int64_t& active, const Record& record);
    void count_folded_in(const Entry& entry, std::int64_t& active, const Record& record);
    static void drop_empty(const Entry& entry, CountedMember& member);
    void check_refusal(const Record& record, const CountedMember& before);
    void check_window(const Record& record, Month window);
    void check_drawn(const Entry& entry, const CountedMember& member, const Record& record);
    void check_refunded(const Entry& entry, const Record& record);
    void check_totals(const BlockView& block);
    void check_books();
    void take(std::int64_t& from, const Entry& entry, const char* what);
    void add_money(const Entry& entry);
    void move_points(TariffVersion tariff, std::int64_t points);
    [[nodiscard]] const Tariff& tariff(TariffVersion version) const;
    void expect(bool holds, const std::string& promise);

    const Calendar& calendar_;
    const Terms* terms_ = nullptr;
    std::string fault_;
    Sequence last_;
    Sequence at_; // the record that is being counted
    std::map<ShardId, Digest> last_hashes_;
    Time house_time_{};
    std::map<MemberNumber, CountedMember> members_;
    std::map<Sequence, std::pair<Record, std::string>> records_; // with their message ids
    std::map<std::pair<PartnerId, std::string>, Sequence> places_;
    std::map<Sequence, std::vector<std::pair<LotKey, std::int64_t>>> drawn_; // not yet refunded
    std::map<Sequence, std::int64_t> reversed_;
    std::map<Sequence, std::int64_t> refused_with_;
    std::map<PartnerId, std::int64_t> outstanding_; // by issuer, from the flows, less debt
    std::map<PromotionId, std::int64_t> granted_;
    std::map<TariffVersion, std::int64_t> in_transit_; // points
    std::map<Sequence, MemberNumber> awaited_;         // by what was sent, who receives it
    std::vector<Entry> folding_;                       // not yet in their fold
    std::int64_t liability_ = 0;
    Money block_money_{};
    std::map<EntryKind, std::int64_t> block_points_;
    std::set<Month> cut_;
    std::set<Month> drained_;
    std::map<MessageType, std::uint64_t> seen_;
};

} // namespace pointhouse::ledger::test
