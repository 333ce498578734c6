#include "member_cache.hpp"

#include <algorithm>
#include <new>

#include "ledger/invariant.hpp"

namespace pointhouse::ledger {
namespace {

// A turn is spread over so many records, so that recovery replays at most two turns of them.
constexpr std::size_t records_per_turn = 2'000'000;
// So many members are brought towards the processor before they are encoded.
constexpr std::size_t prefetched = 12;

} // namespace

void MemberCache::clear()
{
    for (Page* page : in_order_) {
        for (Member* member : page->members)
            if (member != nullptr) std::destroy_at(member);
        std::destroy_at(page);
    }
    pages_.clear();
    in_order_.clear();
    memory_.release();
    size_ = turn_page_ = turn_word_ = turn_size_ = turn_left_ = next_turn_ = 0;
    turn_start_ = Sequence{};
    watermark_.reset();
    slice_.clear();
}

MemberCache::Page* MemberCache::page_of(MemberNumber number) const
{
    const auto found = pages_.find(number.value() / page_members);
    return found == pages_.end() ? nullptr : found->second;
}

MemberCache::Place MemberCache::place_of(const Member& member) const
{
    const std::size_t index = member.number().value() % page_members;
    return {
        .page = page_of(member.number()),
        .word = index / 64,
        .index = index,
        .bit = std::uint64_t{1} << (index % 64)};
}

Member* MemberCache::find(MemberNumber number)
{
    const Page* page = page_of(number);
    return page == nullptr ? nullptr : page->members[number.value() % page_members];
}

void MemberCache::prefetch(MemberNumber number) const
{
    const Page* page = page_of(number);
    if (page == nullptr) return;
    __builtin_prefetch(static_cast<const void*>(&page->members[number.value() % page_members]));
}

Member& MemberCache::insert(MemberNumber number)
{
    Page* page = page_of(number);
    if (page == nullptr) {
        page = ::new (memory_.allocate(sizeof(Page))) Page{.number = number.value() / page_members};
        pages_.emplace(page->number, page);
        in_order_.insert(
            std::ranges::lower_bound(in_order_, page->number, {}, &Page::number), page);
        // A page before the place where the turn stands pushes that place along.
        if (turn_left_ > 0 && turn_page_ < in_order_.size() &&
            page->number < in_order_[turn_page_]->number)
            ++turn_page_;
    }
    Member*& member = page->members[number.value() % page_members];
    invariant(member == nullptr, "a member is taken in once");
    member = ::new (memory_.allocate(sizeof(Member))) Member{number, &memory_};
    ++size_;
    return *member;
}

void MemberCache::mark_dirty(Member& member)
{
    if (member.is_dirty) return;
    member.is_dirty = true;
    const Place at = place_of(member);
    at.page->in_next[at.word] |= at.bit;
    ++next_turn_;
}

void MemberCache::start_turn(Sequence durable)
{
    for (Page* page : in_order_) page->in_turn.swap(page->in_next);
    turn_size_ = turn_left_ = next_turn_;
    next_turn_ = 0;
    turn_page_ = turn_word_ = 0;
    turn_start_ = durable;
}

void MemberCache::take_from_turn(std::size_t wanted)
{
    while (wanted > 0 && turn_left_ > 0) {
        Page& page = *in_order_[turn_page_];
        std::uint64_t& word = page.in_turn[turn_word_];
        for (; word != 0 && wanted > 0; word &= word - 1, --wanted, --turn_left_) {
            const auto bit = static_cast<std::size_t>(std::countr_zero(word));
            slice_.push_back(page.members[turn_word_ * 64 + bit]);
            slice_.back()->prefetch();
        }
        if (word != 0) return;
        if (++turn_word_ == page_words) turn_word_ = 0, ++turn_page_;
    }
}

void MemberCache::begin_slice()
{
    slice_.clear();
    bytes_.clear();
    ends_.clear();
    watermark_.reset();
}

void MemberCache::take_rows()
{
    for (std::size_t place = 0; place < slice_.size(); ++place) {
        if (place + prefetched < slice_.size()) slice_[place + prefetched]->prefetch_all();
        slice_[place]->is_dirty = false;
        slice_[place]->encode(bytes_);
        ends_.push_back(bytes_.size());
    }
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
    begin_slice();
    // The turn starts before this commit's own changes are counted in: they belong to the next.
    if (turn_left_ == 0) start_turn(durable);
    const std::size_t share = records * turn_size_ / records_per_turn;
    const std::size_t over = size_ > members_max_ ? size_ - members_max_ : 0;
    take_from_turn(std::max(share + 1, over));
    if (turn_left_ == 0) watermark_ = turn_start_;
    take_rows();
    return rows_;
}

void MemberCache::start_turn_of_everything(Sequence durable)
{
    for (Page* page : in_order_) {
        for (std::size_t word = 0; word < page_words; ++word) {
            page->in_turn[word] |= page->in_next[word];
            page->in_next[word] = 0;
        }
    }
    turn_left_ += next_turn_;
    turn_size_ = turn_left_;
    next_turn_ = 0;
    turn_page_ = turn_word_ = 0;
    turn_start_ = durable;
}

std::span<const MemberRow> MemberCache::next_of_turn(std::size_t members)
{
    begin_slice();
    take_from_turn(members);
    if (turn_left_ == 0) watermark_ = turn_start_;
    take_rows();
    return rows_;
}

void MemberCache::slice_is_durable()
{
    // What was just written was touched longest ago, roughly: first in, first out.
    for (Member* member : slice_) {
        if (size_ <= members_max_) break;
        if (member->is_dirty) continue;
        const Place at = place_of(*member);
        at.page->members[at.index] = nullptr;
        std::destroy_at(member);
        memory_.deallocate(member, sizeof(Member));
        --size_;
    }
    slice_.clear();
}

} // namespace pointhouse::ledger
