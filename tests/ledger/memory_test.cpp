#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "hash_table.hpp"
#include "huge_pages.hpp"
#include "ledger_house.hpp"
#include "member_cache.hpp"

namespace pointhouse::ledger::test {
namespace {

struct Entry {
    std::uint64_t key = 0;
    std::uint64_t value = 0; // none: empty
    [[nodiscard]] std::uint64_t hash() const { return key; }
    [[nodiscard]] bool is_empty() const { return value == 0; }
};

TEST(HugePages, GivesBlocksThatDoNotTouchEachOther)
{
    const auto seed = std::random_device{}();
    SCOPED_TRACE(seed);
    std::mt19937_64 random{seed};
    struct Block {
        void* at;
        std::size_t bytes;
        unsigned char filled;
    };
    std::vector<Block> blocks;
    HugePages pages;
    const auto give_back = [&](std::size_t place) {
        const Block block = blocks[place];
        const auto* const bytes = static_cast<const unsigned char*>(block.at);
        EXPECT_TRUE(std::all_of(
            bytes, bytes + block.bytes, [&](unsigned char byte) { return byte == block.filled; }));
        pages.deallocate(block.at, block.bytes);
        blocks[place] = blocks.back();
        blocks.pop_back();
    };
    for (int step = 0; step < 6'000; ++step) {
        // Few at some times and many at others: what was taken apart must come together again.
        if (!blocks.empty() && random() % 8 < (step / 500 % 2 == 0 ? 3U : 5U)) {
            give_back(random() % blocks.size());
            continue;
        }
        // All sizes up to some pages, small ones most often.
        const std::size_t bytes =
            1 + random() % (std::size_t{1} << (1 + random() % (step % 100 == 0 ? 23 : 17)));
        void* const at = pages.allocate(bytes);
        const auto filled = static_cast<unsigned char>(random());
        std::memset(at, filled, bytes);
        blocks.push_back({.at = at, .bytes = bytes, .filled = filled});
    }
    while (!blocks.empty()) give_back(0);
}

TEST(HugePages, UsesABlockAgain)
{
    HugePages pages;
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{33}, std::size_t{3'000}}) {
        void* const first = pages.allocate(bytes);
        void* const second = pages.allocate(bytes);
        EXPECT_NE(first, second);
        pages.deallocate(first, bytes);
        EXPECT_EQ(pages.allocate(bytes), first);
    }
}

TEST(HugePages, JoinsFreeNeighboursInWhateverOrderTheyCome)
{
    const auto seed = std::random_device{}();
    SCOPED_TRACE(seed);
    std::mt19937_64 random{seed};
    HugePages pages;
    std::vector<std::pair<void*, std::size_t>> blocks;
    std::size_t sum = 0;
    for (int count = 0; count < 4'000; ++count) {
        const std::size_t bytes = 32 * (1 + random() % 15);
        blocks.emplace_back(pages.allocate(bytes), bytes);
        sum += bytes;
    }
    void* const begin = blocks.front().first;
    void* const after = pages.allocate(1); // what is free does not end at what was never used
    ASSERT_EQ(static_cast<std::byte*>(begin) + sum, after);
    std::ranges::shuffle(blocks, random);
    for (const auto& [at, bytes] : blocks) pages.deallocate(at, bytes);
    const std::size_t half = sum / 64 * 32;
    EXPECT_EQ(pages.allocate(half), begin);
    EXPECT_EQ(pages.allocate(sum - half), static_cast<std::byte*>(begin) + half);
}

TEST(HashTable, FindsWhatWasPutIntoIt)
{
    const auto seed = std::random_device{}();
    SCOPED_TRACE(seed);
    std::mt19937_64 random{seed};
    HashTable<Entry> table;
    std::multimap<std::uint64_t, std::uint64_t> model;
    for (std::uint64_t value = 1; value <= 50'000; ++value) {
        // Some keys twice, and some that fall into one segment and one slot.
        const std::uint64_t key = random() % 8 == 0 ? random() % 1'000 << 32 : random();
        table.insert({.key = key, .value = value});
        model.emplace(key, value);
    }
    EXPECT_EQ(table.size(), model.size());
    for (auto at = model.begin(); at != model.end(); at = model.upper_bound(at->first)) {
        std::multiset<std::uint64_t> found;
        std::multiset<std::uint64_t> expected;
        table.for_each(at->first, [&](const Entry& entry) { found.insert(entry.value); });
        const auto [from, to] = model.equal_range(at->first);
        for (auto each = from; each != to; ++each) expected.insert(each->second);
        ASSERT_EQ(found, expected);
    }
    table.for_each(1, [](const Entry&) { ADD_FAILURE() << "nobody put it there"; });

    std::multimap<std::uint64_t, std::uint64_t> walked;
    std::uint64_t highest = 0;
    table.for_each_segment([&](const std::vector<Entry>& segment) {
        for (const Entry& entry : segment) {
            EXPECT_GE(entry.key >> 58, highest);
            highest = entry.key >> 58;
            walked.emplace(entry.key, entry.value);
        }
    });
    EXPECT_EQ(walked.size(), model.size());
}

/// What the sweep promises, against a cache that keeps everything: no change is lost, a watermark
/// is never beyond what the rows contain, and what left the memory is in its row.
TEST(MemberCache, SweepLosesNoChangeAndLetsNobodyGoUnwritten)
{
    const auto seed = std::random_device{}();
    SCOPED_TRACE(seed);
    std::mt19937_64 random{seed};
    const auto terms = standard_terms();
    MemberCache cache{200};
    std::map<std::uint64_t, Sequence> newest; // of each member, as booked
    std::map<std::uint64_t, std::pair<Sequence, std::vector<std::byte>>> rows;
    std::uint64_t sequence = 0;
    const auto take = [&](std::span<const MemberRow> slice) {
        std::uint64_t before = 0;
        for (const MemberRow& row : slice) {
            EXPECT_GT(row.member.value(), before); // in order of the numbers
            before = row.member.value();
            rows[before] = {row.through, {row.state.begin(), row.state.end()}};
        }
    };
    const auto state_of = [&](MemberNumber number) -> Member& {
        if (Member* cached = cache.find(number)) return *cached;
        Member& member = cache.insert(number);
        const auto row = rows.find(number.value());
        if (row != rows.end()) {
            EXPECT_TRUE(member.decode(row->second.second, row->second.first));
            cache.mark_dirty(member);
        }
        return member;
    };

    for (int commit = 0; commit < 2'000; ++commit) {
        const Sequence durable{sequence};
        for (std::uint64_t message = random() % 20; message > 0; --message) {
            // Numbers over several pages of the directory, in no order.
            const MemberNumber number{1 + random() % 16 * 1'500 + random() % 40};
            Member& member = state_of(number);
            ASSERT_EQ(member.last(), newest[number.value()]) << "member " << number.value();
            Record record{.sequence = Sequence{++sequence}, .member = number};
            record.entries.push_back(
                {.kind = EntryKind::issued,
                 .points = Points{1},
                 .lot = {
                     .key = {.origin = record.sequence, .position = 0},
                     .tariff = TariffVersion{1}}});
            member.apply(record, *terms);
            cache.mark_dirty(member);
            newest[number.value()] = record.sequence;
        }
        if (commit % 500 == 499) {
            cache.start_turn_of_everything(durable);
            do {
                take(cache.next_of_turn(7));
                cache.slice_is_durable();
            } while (!cache.watermark());
        } else {
            take(cache.next_slice(sequence - durable.value(), durable));
        }
        if (const auto watermark = cache.watermark()) {
            EXPECT_LE(*watermark, durable);
            for (const auto& [number, last] : newest)
                if (last <= *watermark) ASSERT_EQ(rows.at(number).first, last) << number;
        }
        if (commit % 500 == 499) {
            for (const auto& [number, last] : newest) ASSERT_EQ(rows.at(number).first, last);
            EXPECT_EQ(cache.dirty(), 0);
        }
        cache.slice_is_durable();
        EXPECT_LE(cache.size(), 200 + cache.dirty());
    }
    EXPECT_LT(cache.size(), newest.size()); // somebody left
}

} // namespace
} // namespace pointhouse::ledger::test
