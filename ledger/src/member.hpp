#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <memory_resource>
#include <span>
#include <utility>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/lot.hpp"
#include "ledger/posting.hpp"
#include "ledger/terms.hpp"

namespace pointhouse::ledger {

class ByteReader;
class ByteWriter;

/// A lot as members hold it in memory: 32 bytes, because a house keeps tens of millions of them.
class PackedLot {
public:
    PackedLot() = default;
    explicit PackedLot(const Lot& lot)
        : origin_{lot.provenance.key.origin.value()}, activity_{micros_of(lot.provenance.activity)},
          remaining_{static_cast<std::uint32_t>(lot.remaining.count())},
          tariff_{lot.provenance.tariff.value()}, expires_on_{lot.provenance.expires_on},
          vat_rate_{static_cast<std::int16_t>(lot.provenance.vat_rate)},
          position_{static_cast<std::uint8_t>(lot.provenance.key.position)},
          funding_{lot.provenance.funding}
    {
        invariant(lot.remaining <= points_per_message_max, "a lot is bounded");
        invariant(lot.provenance.key.position <= 255, "a funding list is bounded");
    }

    [[nodiscard]] Provenance provenance() const
    {
        return {
            .key = {.origin = Sequence{origin_}, .position = position_},
            .activity = time_of_micros(activity_),
            .expires_on = expires_on_,
            .tariff = TariffVersion{tariff_},
            .vat_rate = vat_rate_,
            .funding = funding_};
    }
    [[nodiscard]] Lot lot() const { return {.provenance = provenance(), .remaining = remaining()}; }
    [[nodiscard]] Points remaining() const { return Points{remaining_}; }
    [[nodiscard]] Day expires_on() const { return expires_on_; }
    [[nodiscard]] TariffVersion tariff() const { return TariffVersion{tariff_}; }
    [[nodiscard]] LotKey key() const
    {
        return {.origin = Sequence{origin_}, .position = position_};
    }
    [[nodiscard]] std::int64_t activity_micros() const { return activity_; }
    void set_remaining(Points remaining)
    {
        invariant(remaining <= points_per_message_max, "a lot is bounded");
        remaining_ = static_cast<std::uint32_t>(remaining.count());
    }

private:
    std::uint64_t origin_ = 0;
    std::int64_t activity_ = 0;
    std::uint32_t remaining_ = 0;
    std::uint32_t tariff_ = 0;
    Day expires_on_ = never;
    std::int16_t vat_rate_ = vat_rate_unknown;
    std::uint8_t position_ = 0;
    FundingClass funding_ = FundingClass::partner;
};
static_assert(sizeof(PackedLot) == 32);

/// A member's open lots in draw order. Redemptions eat from the front, accruals mostly append:
/// taking the first lot away moves nothing.
class LotList {
public:
    explicit LotList(std::pmr::memory_resource* memory) : lots_{memory} {}

    [[nodiscard]] std::size_t size() const { return lots_.size() - first_; }
    [[nodiscard]] bool empty() const { return size() == 0; }
    [[nodiscard]] const PackedLot& operator[](std::size_t place) const
    {
        return lots_[first_ + place];
    }
    [[nodiscard]] std::span<const PackedLot> all() const
    {
        return std::span{lots_}.subspan(first_);
    }
    /// The place of a lot's points with this last day, or size(). A refund with grace and a
    /// reinstatement make part of a lot last longer than the rest.
    [[nodiscard]] std::size_t find(const Provenance& lot) const;
    /// Puts points into a lot, which is made where the member does not hold it.
    void add(const Provenance& provenance, Points points);
    /// Takes points out of the lot at `place` and drops it when it is exhausted.
    void take(std::size_t place, Points points);
    void append(const Lot& lot) { lots_.emplace_back(lot); }
    /// Brings both ends towards the processor: where points are drawn and where they are added.
    void prefetch() const
    {
        __builtin_prefetch(lots_.data() + first_);
        __builtin_prefetch(lots_.data() + lots_.size());
    }
    /// Brings all of them.
    void prefetch_all() const
    {
        for (std::size_t place = first_; place < lots_.size(); place += 2)
            __builtin_prefetch(lots_.data() + place);
    }
    void reserve(std::size_t lots) { lots_.reserve(lots); }

private:
    void drop_taken();

    std::pmr::vector<PackedLot> lots_;
    std::uint32_t first_ = 0;
};

/// Points that a member owes, because a clawback found them spent.
struct Debt {
    DebtKey key;
    TariffVersion counterpart; // redeemer_bears: whose reimbursement is returned
    Points points;
    friend bool operator==(const Debt&, const Debt&) = default;
};

/// Points that cannot be spent before their time.
struct PendingLot {
    Lot lot;
    Time until;
    friend bool operator==(const PendingLot&, const PendingLot&) = default;
};

/// Points that a partner set aside, as one unit over several lots.
struct Hold {
    Sequence origin;        // the record that made it
    TariffVersion redeemer; // whose hold it is
    Time until;
    std::vector<Lot> lots; // in draw order
    [[nodiscard]] Points points() const;
    friend bool operator==(const Hold&, const Hold&) = default;
};

/// What an issuer issued to a member and has not had credited: the most that further unnamed
/// clawbacks can be credited.
struct Creditable {
    PartnerId issuer;
    Points points;
    friend bool operator==(const Creditable&, const Creditable&) = default;
};

/// Whether a member may transact. The numbers are stored: append, never renumber.
/// A merged one is an alias of another and has nothing of its own.
enum class MemberStatus : std::uint8_t { open = 0, blocked = 1, closed = 2, merged = 3 };
inline constexpr MemberStatus last_member_status = MemberStatus::merged;

/// What few members have: behind one pointer, so that all others stay small.
struct RareState {
    std::vector<Debt> debts;         // oldest first
    std::vector<PendingLot> pending; // those that mature soonest first
    std::vector<Hold> holds;         // oldest first
    MemberStatus status = MemberStatus::open;
    MemberNumber merged_into; // status merged: whose alias this is
    Sequence merge_in;        // the newest record by which another became an alias of this one
    [[nodiscard]] bool empty() const
    {
        return debts.empty() && pending.empty() && holds.empty() && status == MemberStatus::open &&
               merge_in.is_none();
    }
};

/// A pointer that copies what it points to.
class RarePointer {
public:
    RarePointer() = default;
    RarePointer(const RarePointer& other)
        : state_{other.state_ ? std::make_unique<RareState>(*other.state_) : nullptr}
    {}
    RarePointer& operator=(const RarePointer& other) { return *this = RarePointer{other}; }
    RarePointer(RarePointer&&) noexcept = default;
    RarePointer& operator=(RarePointer&&) noexcept = default;
    ~RarePointer() = default;

    [[nodiscard]] const RareState* get() const { return state_.get(); }
    RareState& made()
    {
        if (!state_) state_ = std::make_unique<RareState>();
        return *state_;
    }
    void drop_empty()
    {
        if (state_ && state_->empty()) state_.reset();
    }

private:
    std::unique_ptr<RareState> state_;
};

/// The state of one member: all records of its chain, applied. It changes by apply() alone.
class Member {
public:
    /// `memory` holds its lots and outlives it; a copy has the default resource.
    explicit Member(
        MemberNumber number, std::pmr::memory_resource* memory = std::pmr::get_default_resource())
        : number_{number}, lots_{memory}, creditable_{memory}
    {}

    [[nodiscard]] MemberNumber number() const { return number_; }
    /// The newest record that the state contains; none: nothing was ever booked about this member.
    [[nodiscard]] Sequence last() const { return last_; }
    [[nodiscard]] bool is_enrolled() const { return !last_.is_none(); }
    [[nodiscard]] const LotList& lots() const { return lots_; }
    /// Brings the member itself towards the processor, which the next two need.
    void prefetch() const
    {
        __builtin_prefetch(this);
        __builtin_prefetch(&creditable_); // on its second cache line
    }
    /// Brings what a message changes.
    void prefetch_lots() const
    {
        lots_.prefetch();
        __builtin_prefetch(creditable_.data());
    }
    /// Brings all that encode() reads.
    void prefetch_all() const
    {
        lots_.prefetch_all();
        __builtin_prefetch(creditable_.data());
    }
    [[nodiscard]] std::span<const Debt> debts() const;
    [[nodiscard]] std::span<const PendingLot> pending() const;
    [[nodiscard]] std::span<const Hold> holds() const;
    [[nodiscard]] MemberStatus status() const
    {
        return rare_.get() == nullptr ? MemberStatus::open : rare_.get()->status;
    }
    /// The member that this one is an alias of; none: of nobody.
    [[nodiscard]] MemberNumber merged_into() const
    {
        return rare_.get() == nullptr ? MemberNumber{} : rare_.get()->merged_into;
    }
    /// The newest record by which another was merged into this one; none: nobody was.
    [[nodiscard]] Sequence newest_merge() const
    {
        return rare_.get() == nullptr ? Sequence{} : rare_.get()->merge_in;
    }
    /// Null: it is not open.
    [[nodiscard]] const Hold* find_hold(Sequence origin) const;
    [[nodiscard]] const PendingLot* find_pending(LotKey key) const;
    /// The last day of the active lot that ends first; `never` when none ends.
    [[nodiscard]] Day first_expiry() const { return lots_.empty() ? never : lots_[0].expires_on(); }
    /// The day of the last activity, where the house's terms had it kept; 0: not known.
    [[nodiscard]] Day active_on() const { return active_on_; }
    /// The last day before the member's points expire for want of activity; `never`: without such a
    /// term.
    [[nodiscard]] Day lapses_on(const Terms& terms) const;
    /// The last day of the active points that end first, for whatever reason; `never` when none do.
    [[nodiscard]] Day next_last_day(const Terms& terms) const;
    /// When the first pending lot matures or the first hold ends; Time::max() when none does.
    [[nodiscard]] Time first_end() const;
    [[nodiscard]] Points creditable(PartnerId issuer) const;
    [[nodiscard]] std::span<const Creditable> creditable() const { return creditable_; }
    /// The balance on a day: expired lots, posted or not, are not available.
    [[nodiscard]] Balance balance(Day today) const;

    /// Applies a record's effects as recorded; never decides. `record.sequence` must be above
    /// last().
    void apply(const Record& record, const Terms& terms);
    /// One effect of a record that is still being decided.
    void apply_entry(const Entry& entry, const Terms& terms);

    /// The stored form (ledger/JOURNAL.md): canonical, equal states have equal bytes. Appends.
    void encode(std::vector<std::byte>& out) const;
    /// False when the bytes are not a state.
    [[nodiscard]] bool decode(std::span<const std::byte> bytes, Sequence through);

private:
    void set_status(MemberStatus status);
    void note_activity(const Record& record, const Terms& terms);
    void put_active(const Entry& entry);
    void put_pending(const Entry& entry);
    void take_pending(const Entry& entry);
    void put_held(const Entry& entry);
    void take_held(const Entry& entry);
    void put(const Entry& entry);
    void take(const Entry& entry);
    void encode_timed(ByteWriter& out) const;
    [[nodiscard]] bool decode_timed(ByteReader& in);
    void take_from_lot(const Entry& entry);
    void owe(const Entry& entry);
    void repay(const Entry& entry);
    Points& creditable_of(PartnerId issuer);

    MemberNumber number_;
    Sequence last_;
    Points open_; // the sum of all lots
    LotList lots_;
    RarePointer rare_;
    std::pmr::vector<Creditable> creditable_; // by issuer

    Day active_on_ = 0;

public:
    bool is_dirty = false; // waits for its write-back; the member cache's business
};

} // namespace pointhouse::ledger
