#include "simulation/recount.hpp"

#include <algorithm>
#include <fmt/format.h>

// What is unknown here is a fault when it comes, not when this is compiled.
#pragma GCC diagnostic ignored "-Wswitch-enum"

namespace pointhouse::ledger::test {
namespace {

using CountedLot = CountedMember::CountedLot;

constexpr auto ahead_max = std::chrono::minutes{5};

bool draws(MessageType type)
{
    return type == MessageType::redemption || type == MessageType::donation ||
           type == MessageType::hold || type == MessageType::transfer;
}

} // namespace

Balance CountedMember::balance(Day today) const
{
    std::int64_t available = 0;
    std::int64_t pending = 0;
    std::int64_t held = 0;
    std::int64_t debt = 0;
    for (const auto& [key, lot] : lots) {
        if (lot.provenance.expires_on >= today) available += lot.active;
        pending += lot.pending;
        for (const auto& [hold, points] : lot.held) held += points;
    }
    for (const CountedDebt& each : debts) debt += each.points;
    return {
        .available = Points{available},
        .pending = Points{pending},
        .held = Points{held},
        .debt = Points{debt}};
}

const CountedLot* CountedMember::first_drawn(Day today) const
{
    const auto order = [](const CountedLot* lot) {
        const Provenance& from = lot->provenance;
        return std::tuple{from.expires_on, from.activity, from.key.origin, from.key.position};
    };
    const CountedLot* first = nullptr;
    for (const auto& [key, lot] : lots) {
        if (lot.active == 0 || lot.provenance.expires_on < today) continue;
        if (first == nullptr || order(&lot) < order(first)) first = &lot;
    }
    return first;
}

bool CountedMember::is_behind(Time now, Day today) const
{
    const auto is_overdue = [&](const auto& each) {
        const CountedLot& lot = each.second;
        return (lot.active > 0 && lot.provenance.expires_on < today) ||
               (lot.pending > 0 && lot.matures <= now);
    };
    const auto is_over = [&](const auto& each) { return each.second.ends <= now; };
    return std::ranges::any_of(lots, is_overdue) || std::ranges::any_of(holds, is_over);
}

std::string Recount::add(const JournalReader::BlockRow& row, const Terms& terms)
{
    terms_ = &terms;
    block_money_ = {};
    block_points_.clear();
    const auto block = BlockView::parse(row.bytes, BlockView::Check::hash);
    if (!block) return block.error().reason;
    expect(block->header().first.value() == last_.value() + 1, "sequences have no gap");
    Digest& last_hash = last_hashes_[block->header().shard];
    expect(block->header().previous == last_hash, "the blocks of a shard chain");
    expect(block->header().count == row.count, "the row's count is the block's");
    last_hash = block->header().hash;
    Record record;
    for (std::uint32_t index = 0; index < block->count() && fault_.empty(); ++index) {
        expect(block->read(index, record), "a record reads back");
        count(record, block->header().window);
        last_ = record.sequence;
    }
    check_totals(*block);
    check_books();
    return fault_;
}

const CountedMember* Recount::find_member(MemberNumber number) const
{
    const auto found = members_.find(number);
    return found == members_.end() ? nullptr : &found->second;
}

const Record* Recount::find(PartnerId partner, const std::string& message_id) const
{
    const auto found = places_.find({partner, message_id});
    return found == places_.end() ? nullptr : &records_.at(found->second).first;
}

void Recount::expect(bool holds, const std::string& promise)
{
    if (!holds && fault_.empty())
        fault_ = fmt::format("record {}: not so: {}", at_.value(), promise);
}

const Tariff& Recount::tariff(TariffVersion version) const
{
    return terms_->tariffs.at(version.value() - 1);
}

void Recount::count(const Record& record, Month window)
{
    at_ = record.sequence;
    ++seen_[record.type];
    check_window(record, window);
    if (is_house_step(record.type)) return;

    const bool is_message = !is_house_posting(record.type);
    if (is_message) {
        for (const auto& [sent, receiver] : awaited_)
            expect(receiver != record.member, "what is on its way to a member arrives first");
        const std::string id{record.message_id};
        auto& [kept, kept_id] = records_[record.sequence];
        kept = record;
        kept_id = id;
        kept.message_id = kept_id;
        expect(
            places_.emplace(std::pair{record.partner, id}, record.sequence).second,
            "a message is booked once: " + id);
        expect(record.posted_at >= house_time_, "the house's time does not go back");
        house_time_ = record.posted_at;
    }
    if (record.member.is_none()) {
        expect(record.refusal.has_value() && record.entries.empty(), "points are a member's");
        return;
    }

    if (!record.refusal && has_receipt(record.type))
        awaited_.emplace(record.sequence, record.other_member);
    if (is_receipt(record.type))
        expect(awaited_.erase(record.original) == 1, "what was sent arrives once");
    CountedMember& member = members_[record.member];
    expect(record.previous == member.last, "a member's records form a chain");
    const Day today = calendar_.day_of(record.posted_at);
    if (is_message)
        expect(!member.is_behind(record.posted_at, today), "what was due came before the message");
    if (record.refusal)
        check_refusal(record, member);
    else
        count_entries(record);
    member.last = record.sequence;
    const Balance balance = member.balance(today);
    expect(record.balance == balance, "the balance is what its lots come to");
    expect(
        balance.debt.is_zero() || balance.available.is_zero(), "with a debt nothing is available");
}

void Recount::count_entries(const Record& record)
{
    CountedMember& member = members_[record.member];
    if (record.type == MessageType::block || record.type == MessageType::unblock ||
        record.type == MessageType::close)
        member.status = record.type;
    std::int64_t taken_back = 0;
    std::int64_t drawn = 0;
    for (const Entry& entry : record.entries) {
        if (!fault_.empty()) return;
        count_entry(entry, member, record);
        block_points_[entry.kind] += entry.points.count();
        add_money(entry);
        if (entry.kind == EntryKind::clawed_back || entry.kind == EntryKind::debt_incurred ||
            entry.kind == EntryKind::refunded)
            taken_back += entry.points.count();
        if (entry.kind == EntryKind::redeemed || entry.kind == EntryKind::donated ||
            entry.kind == EntryKind::held || entry.kind == EntryKind::moved_out)
            drawn += entry.points.count();
    }
    if (draws(record.type)) expect(drawn == record.points.count(), "what is spent is drawn");
    if (record.type == MessageType::reversal) {
        expect(taken_back == record.points.count(), "what is reversed goes back");
        const Record& original = records_.at(record.original).first;
        const auto may_forfeit = [this](const Entry& entry) {
            return entry.kind == EntryKind::issued &&
                   !terms_->partner(tariff(entry.lot.tariff).partner).excess_clawbacks_allowed;
        };
        std::int64_t& reversed = reversed_[record.original];
        const std::int64_t forfeited =
            record.reversed_so_far.count() - reversed - record.points.count();
        expect(
            forfeited == 0 || (forfeited > 0 && std::ranges::any_of(original.entries, may_forfeit)),
            "reversals add up");
        reversed = record.reversed_so_far.count();
        expect(reversed <= original.points.count(), "no more is reversed than there was");
    }
    if (record.type == MessageType::clawback)
        expect(taken_back == record.points.count(), "what is clawed back is taken or owed");
    if (!record.promotion.is_none()) {
        std::int64_t& granted = granted_[record.promotion];
        granted += record.points.count();
        const Points cap = terms_->promotions.at(record.promotion.value() - 1).cap;
        expect(cap.is_zero() || granted <= cap.count(), "a promotion keeps to its cap");
    }
}

void Recount::check_refusal(const Record& record, const CountedMember& before)
{
    const Day today = calendar_.day_of(record.posted_at);
    expect(record.entries.empty(), "a refusal books nothing");
    const auto is_one = [&](MessageType status) {
        return before.status == status ||
               (!record.other_member.is_none() && members_[record.other_member].status == status);
    };
    switch (*record.refusal) {
    case Refusal::member_blocked:
        expect(is_one(MessageType::block), "only who is blocked is refused so");
        break;
    case Refusal::member_closed:
        expect(is_one(MessageType::close), "only who is closed is refused so");
        break;
    case Refusal::occurred_in_future:
        expect(
            record.occurred_at > record.posted_at + ahead_max, "only what lies ahead is refused");
        break;
    case Refusal::hold_not_open:
        expect(!before.holds.contains(record.original), "only a hold that is over is so");
        break;
    default: break;
    }
    refused_with_[record.sequence] = before.balance(today).available.count();
}

void Recount::check_window(const Record& record, Month window)
{
    const std::string name = format_month(window);
    if (record.type == MessageType::cut) {
        expect(cut_.insert(window).second, "a window is cut once: " + name);
        return;
    }
    if (record.type == MessageType::drained) {
        // It stands in whatever window is open then; it is about the one that ended before.
        const Month drained = calendar_.month_of(record.posted_at - std::chrono::microseconds{1});
        expect(cut_.contains(drained), "a window is drained after it was cut");
        expect(drained_.insert(drained).second, "a window is drained once");
        return;
    }
    if (is_house_step(record.type)) return;
    expect(
        calendar_.month_of(record.posted_at) == window,
        "a record lies in the window of its time: " + name);
    expect(!drained_.contains(window), "a drained window takes nothing: " + name);
    const bool is_by_clock = record.type == MessageType::maturity ||
                             record.type == MessageType::expiry ||
                             record.type == MessageType::hold_end ||
                             record.type == MessageType::fold; // of what the clock brought
    if (!is_by_clock) expect(!cut_.contains(window), "a closed window takes nothing: " + name);
}

} // namespace pointhouse::ledger::test
