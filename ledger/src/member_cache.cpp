#include "member_cache.hpp"

#include <algorithm>

#include "ledger/invariant.hpp"

namespace pointhouse::ledger {
namespace {

// A turn is spread over so many records, so that recovery replays at most two turns of them.
constexpr std::size_t records_per_turn = 2'000'000;

} // namespace

void MemberCache::clear()
{
    members_.clear();
    next_turn_.clear();
    turn_.clear();
    turn_place_ = 0;
    turn_start_ = Sequence{};
    watermark_.reset();
    slice_.clear();
}

Member* MemberCache::find(MemberNumber number)
{
    const auto found = members_.find(number.value());
    return found == members_.end() ? nullptr : found->second.get();
}

Member& MemberCache::insert(std::unique_ptr<Member> member)
{
    const auto [place, is_new] = members_.try_emplace(member->number().value(), std::move(member));
    invariant(is_new, "a member is taken in once");
    return *place->second;
}

void MemberCache::mark_dirty(Member& member)
{
    if (member.in_turn || member.in_next) return;
    member.in_next = true;
    next_turn_.push_back(&member);
}

void MemberCache::start_turn(Sequence durable)
{
    turn_.swap(next_turn_);
    next_turn_.clear();
    turn_place_ = 0;
    turn_start_ = durable;
    std::ranges::sort(turn_, {}, &Member::number);
    for (Member* member : turn_) {
        member->in_next = false;
        member->in_turn = true;
    }
}

void MemberCache::write(Member& member)
{
    member.in_turn = false;
    member.in_next = false;
    slice_.push_back(&member);
    member.encode(bytes_);
    ends_.push_back(bytes_.size());
}

void MemberCache::take_rows()
{
    rows_.clear();
    std::size_t begin = 0;
    for (std::size_t place = 0; place < slice_.size(); ++place) {
        const Member& member = *slice_[place];
        rows_.push_back(
            {.member = member.number(),
             .through = member.last(),
             .state = std::span{bytes_}.subspan(begin, ends_[place] - begin)});
        begin = ends_[place];
    }
}

std::span<const MemberRow> MemberCache::next_slice(std::size_t records, Sequence durable)
{
    slice_.clear();
    bytes_.clear();
    ends_.clear();
    watermark_.reset();
    // The turn starts before this commit's own changes are counted in: they belong to the next.
    if (turn_place_ == turn_.size()) start_turn(durable);
    const std::size_t share = records * turn_.size() / records_per_turn;
    const std::size_t over = members_.size() > members_max_ ? members_.size() - members_max_ : 0;
    const std::size_t wanted = std::max(share + 1, over);
    const std::size_t end = std::min(turn_.size(), turn_place_ + wanted);
    for (; turn_place_ < end; ++turn_place_) write(*turn_[turn_place_]);
    if (turn_place_ == turn_.size()) watermark_ = turn_start_;
    take_rows();
    return rows_;
}

std::span<const MemberRow> MemberCache::everything_dirty()
{
    slice_.clear();
    bytes_.clear();
    ends_.clear();
    watermark_.reset();
    std::vector<Member*> dirty(
        turn_.begin() + static_cast<std::ptrdiff_t>(turn_place_), turn_.end());
    dirty.insert(dirty.end(), next_turn_.begin(), next_turn_.end());
    std::ranges::sort(dirty, {}, &Member::number);
    for (Member* member : dirty) write(*member);
    turn_.clear();
    turn_place_ = 0;
    next_turn_.clear();
    take_rows();
    return rows_;
}

void MemberCache::slice_is_durable()
{
    // What was just written was touched longest ago, roughly: first in, first out.
    for (Member* member : slice_) {
        if (members_.size() <= members_max_) break;
        if (!member->in_turn && !member->in_next) members_.erase(member->number().value());
    }
    slice_.clear();
}

} // namespace pointhouse::ledger
