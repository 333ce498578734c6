#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "index_run.hpp"
#include "ledger/block.hpp"
#include "ledger_house.hpp"
#include "member.hpp"
#include "message_index.hpp"
#include "record_codec.hpp"
#include "siphash.hpp"

namespace pointhouse::ledger::test {
namespace {

Record random_record(std::mt19937_64& random, Sequence sequence, std::string& id)
{
    const auto below = [&](std::uint64_t limit) { return random() % limit; };
    id.assign(1 + below(64), 'x');
    Record record{.sequence = sequence};
    record.type = static_cast<MessageType>(1 + below(6));
    if (below(4) == 0) record.refusal = static_cast<Refusal>(1 + below(18));
    record.partner = PartnerId{static_cast<std::uint32_t>(1 + below(3))};
    record.message_id = id;
    record.member = MemberNumber{below(1'000'000)};
    record.previous = Sequence{below(sequence.value())};
    record.terms = HouseSequence{below(100)};
    record.occurred_at = time_of_micros(static_cast<std::int64_t>(below(4'000'000'000'000'000)));
    record.posted_at = time_of_micros(static_cast<std::int64_t>(below(4'000'000'000'000'000)));
    for (std::byte& byte : record.content) byte = std::byte(below(256));
    record.points = Points{static_cast<std::int64_t>(below(1'000'000'000))};
    record.tariff = TariffVersion{static_cast<std::uint32_t>(below(4))};
    record.counterparty = PartnerId{static_cast<std::uint32_t>(below(5))};
    record.amount_minor = static_cast<std::int64_t>(below(1'000'000));
    if (below(2) == 0) {
        record.original = Sequence{1 + below(sequence.value())};
        if (record.original == sequence) record.original = Sequence{};
    }
    if (!record.original.is_none())
        record.reversed_so_far = Points{static_cast<std::int64_t>(below(9))};
    record.balance.available = Points{static_cast<std::int64_t>(below(1'000'000))};
    record.balance.debt = Points{static_cast<std::int64_t>(below(1'000))};
    for (std::uint64_t left = below(5); left > 0; --left) {
        Entry entry{.kind = static_cast<EntryKind>(1 + below(static_cast<int>(last_entry_kind)))};
        entry.points = Points{static_cast<std::int64_t>(1 + below(1'000'000))};
        if (has_lot(entry.kind)) {
            entry.lot.key = {
                .origin = Sequence{1 + below(sequence.value())},
                .position = static_cast<std::uint16_t>(below(4))};
            entry.lot.activity = record.occurred_at - std::chrono::seconds{below(1'000'000)};
            entry.lot.tariff = TariffVersion{static_cast<std::uint32_t>(1 + below(4))};
            if (below(2) == 0) entry.lot.expires_on = static_cast<Day>(below(40'000));
            if (below(2) == 0) entry.lot.vat_rate = static_cast<std::int32_t>(below(10'001));
            if (below(4) == 0) entry.lot.funding = FundingClass::house;
        }
        if (entry.kind == EntryKind::creditable_moved)
            entry.lot.tariff = TariffVersion{static_cast<std::uint32_t>(1 + below(4))};
        if (has_debt(entry.kind))
            entry.debt = {
                .origin = sequence,
                .tariff = TariffVersion{static_cast<std::uint32_t>(1 + below(4))},
                .kind = DebtKind::house_bears};
        if (entry.kind == EntryKind::redeemed || entry.kind == EntryKind::refunded ||
            entry.kind == EntryKind::held || entry.kind == EntryKind::released)
            entry.counterpart = TariffVersion{static_cast<std::uint32_t>(1 + below(4))};
        record.entries.push_back(entry);
    }
    return record;
}

bool equal(const Record& left, const Record& right)
{
    return left.sequence == right.sequence && left.type == right.type &&
           left.refusal == right.refusal && left.partner == right.partner &&
           left.message_id == right.message_id && left.member == right.member &&
           left.previous == right.previous && left.terms == right.terms &&
           left.occurred_at == right.occurred_at && left.posted_at == right.posted_at &&
           left.content == right.content && left.points == right.points &&
           left.tariff == right.tariff && left.counterparty == right.counterparty &&
           left.amount_minor == right.amount_minor && left.original == right.original &&
           left.reversed_so_far == right.reversed_so_far && left.balance == right.balance &&
           left.entries == right.entries;
}

struct SampleBlock {
    std::vector<std::byte> bytes;
    std::vector<Record> records;
    std::vector<std::string> ids;
};

SampleBlock sample_block(std::uint64_t seed, std::size_t records)
{
    std::mt19937_64 random{seed};
    SampleBlock sample;
    sample.ids.resize(records);
    BlockBuilder builder;
    builder.start(
        {.shard = ShardId{1},
         .first = Sequence{1000},
         .time = *parse_time("2026-06-02T10:00:00Z"),
         .window = {.year = 2026, .month = 6}});
    for (std::size_t place = 0; place < records; ++place) {
        sample.records.push_back(random_record(random, Sequence{1000 + place}, sample.ids[place]));
        builder.append(sample.records.back());
    }
    const auto bytes = builder.finish(*standard_terms());
    sample.bytes.assign(bytes.begin(), bytes.end());
    return sample;
}

TEST(Block, ReadsBackWhatWasWritten)
{
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        const SampleBlock sample = sample_block(seed, 1 + seed % 50);

        const auto block = BlockView::parse(sample.bytes, BlockView::Check::hash);

        ASSERT_TRUE(block.has_value()) << block.error().reason;
        EXPECT_EQ(format_month(block->header().window), "2026-06");
        Record record;
        for (std::uint32_t index = 0; index < block->count(); ++index) {
            ASSERT_TRUE(block->read(index, record));
            EXPECT_TRUE(equal(record, sample.records[index])) << "record " << index;
        }
        std::vector<ControlTotal> totals;
        ASSERT_TRUE(block->read_totals(totals));
        Points in_totals;
        Points in_entries;
        for (const ControlTotal& total : totals) in_totals += total.points;
        for (const Record& each : sample.records)
            for (const Entry& entry : each.entries) in_entries += entry.points;
        EXPECT_EQ(in_totals, in_entries);
    }
}

// Written down byte by byte: what a journal holds reads as it always did. Kinds below 16 share
// their byte with the flags; later ones follow it.
TEST(Record, AnEntrysKindHasOneForm)
{
    const auto written = [](std::initializer_list<int> entry) {
        std::vector<std::byte> bytes;
        // An expiry, no flags, of now, terms 1, member 9, no record before, no points, balance 0.
        for (const int byte : {33, 0, 0, 1, 9, 0, 0, 0, 0, 0, 0, 1})
            bytes.push_back(std::byte(byte));
        for (const int byte : entry) bytes.push_back(std::byte(byte));
        return bytes;
    };
    constexpr Sequence sequence{100};
    Record record;

    // 5 points of the lot that record 99 made, position 0, of now, tariff 2.
    const auto narrow = written({9, 5, 1, 0, 0, 2});
    ASSERT_TRUE(read_record(narrow, sequence, Time{}, record));
    EXPECT_EQ(record.entries.at(0).kind, EntryKind::expired);
    EXPECT_EQ(record.entries.at(0).lot.key.origin, Sequence{99});
    std::vector<std::byte> again(record_bytes_max(record));
    ByteWriter out{again.data()};
    write_record(out, record, Time{});
    again.resize(static_cast<std::size_t>(out.at() - again.data()));
    EXPECT_EQ(again, narrow);

    // A debt of 5 points, made by record 98 under tariff 3, borne by the house.
    const auto wide = written({0, 17, 5, 2, 3, 1});
    ASSERT_TRUE(read_record(wide, sequence, Time{}, record));
    EXPECT_EQ(record.entries.at(0).kind, EntryKind::debt_moved_in);
    EXPECT_EQ(record.entries.at(0).debt.kind, DebtKind::house_bears);
    again.assign(record_bytes_max(record), std::byte{});
    out = ByteWriter{again.data()};
    write_record(out, record, Time{});
    again.resize(static_cast<std::size_t>(out.at() - again.data()));
    EXPECT_EQ(again, wide);

    EXPECT_FALSE(read_record(written({0, 9, 5, 1, 0, 0, 2}), sequence, Time{}, record));
    EXPECT_FALSE(read_record(written({0, 0, 5, 1, 0, 0, 2}), sequence, Time{}, record));
    EXPECT_FALSE(read_record(written({0, 255, 5, 2, 3, 1}), sequence, Time{}, record));
    EXPECT_FALSE(read_record(written({0}), sequence, Time{}, record));
}

TEST(Block, EveryChangedByteIsDetected)
{
    SampleBlock sample = sample_block(7, 12);
    for (std::size_t at = 0; at < sample.bytes.size(); ++at) {
        sample.bytes[at] ^= std::byte{1};
        EXPECT_FALSE(BlockView::parse(sample.bytes, BlockView::Check::hash).has_value())
            << "byte " << at;
        sample.bytes[at] ^= std::byte{1};
    }
}

// Bytes from a damaged disk must not crash the reader, whatever they are. A failure prints its
// seed.
TEST(Block, DamagedBytesNeverCrashTheReader)
{
    for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937_64 random{seed};
        SampleBlock sample = sample_block(seed % 20, 10);
        for (int changes = 0; changes < 4; ++changes)
            sample.bytes[random() % sample.bytes.size()] = std::byte(random() % 256);
        if (random() % 4 == 0) sample.bytes.resize(random() % sample.bytes.size());
        const auto block = BlockView::parse(sample.bytes, BlockView::Check::frame);
        if (!block) continue;
        Record record;
        std::vector<ControlTotal> totals;
        for (std::uint32_t index = 0; index < block->count(); ++index)
            static_cast<void>(block->read(index, record));
        static_cast<void>(block->read_totals(totals));
    }
}

TEST(SipHash, MatchesThePublishedVector)
{
    // Appendix A of the SipHash paper: key 00..0f, message 00..0e.
    std::array<std::byte, 16> key;
    std::array<std::byte, 15> text;
    for (std::size_t at = 0; at < key.size(); ++at) key[at] = std::byte(at);
    for (std::size_t at = 0; at < text.size(); ++at) text[at] = std::byte(at);

    EXPECT_EQ(siphash(key, text), 0xa129ca6149be45e5U);
}

TEST(Member, StateReadsBackWithEqualBytes)
{
    const auto terms = standard_terms();
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937_64 random{seed};
        Member member{MemberNumber{9}};
        const std::uint64_t records = 1 + random() % 60;
        for (std::uint64_t sequence = 1; sequence <= records; ++sequence) {
            Record record{.sequence = Sequence{sequence * 3}};
            record.entries.push_back(
                {.kind = EntryKind::issued,
                 .points = Points{static_cast<std::int64_t>(1 + random() % 500)},
                 .lot = {
                     .key = {.origin = record.sequence},
                     .activity =
                         time_of_micros(static_cast<std::int64_t>(random() % 2'000'000'000)),
                     .expires_on = random() % 2 == 0 ? never : static_cast<Day>(random() % 30'000),
                     .tariff = TariffVersion{static_cast<std::uint32_t>(1 + random() % 3)}}});
            member.apply(record, *terms);
        }
        std::vector<std::byte> bytes;
        member.encode(bytes);

        Member read{MemberNumber{9}};
        ASSERT_TRUE(read.decode(bytes, member.last()));

        std::vector<std::byte> again;
        read.encode(again);
        EXPECT_EQ(bytes, again);
        EXPECT_EQ(read.balance(0), member.balance(0));
        const auto lots = read.lots().all();
        EXPECT_TRUE(std::ranges::is_sorted(lots, [](const PackedLot& left, const PackedLot& right) {
            return drawn_before(left.provenance(), right.provenance());
        }));
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            Member cut{MemberNumber{9}};
            EXPECT_FALSE(cut.decode(std::span{bytes}.first(size), member.last()));
        }
    }
}

TEST(MessageIndex, FindsEveryKeyThroughSealingMergingAndReopening)
{
    const LedgerHouse house; // for its folder
    const std::filesystem::path folder = house.folder / "index-test";
    constexpr std::uint64_t keys = 350'000;
    constexpr std::size_t table_entries = 1 << 12;
    const auto key_of = [](std::uint64_t sequence) { return sequence * 0x9e3779b97f4a7c15; };
    std::vector<IndexRun> manifest;
    std::vector<Sequence> found;
    {
        MessageIndex index{folder, table_entries};
        ASSERT_TRUE(index.open({}));
        for (std::uint64_t sequence = 1; sequence <= keys; ++sequence) {
            index.insert(key_of(sequence), Sequence{sequence});
            if (sequence % 512 == 0) {
                index.seal_when_full(Sequence{sequence});
                if (auto changed = index.take_new_manifest()) {
                    manifest = *changed;
                    index.remove_unnamed_files();
                }
            }
        }
        index.seal_all(Sequence{keys});
        if (auto changed = index.take_new_manifest()) manifest = *changed;
        for (std::uint64_t sequence = 1; sequence <= keys; sequence += 97) {
            index.find(key_of(sequence), found);
            ASSERT_EQ(found, std::vector{Sequence{sequence}});
        }
    }

    MessageIndex reopened{folder, table_entries};
    ASSERT_TRUE(reopened.open(manifest));
    EXPECT_EQ(reopened.covered(), Sequence{keys});
    for (std::uint64_t sequence = 1; sequence <= keys; sequence += 7) {
        reopened.find(key_of(sequence), found);
        ASSERT_EQ(found, std::vector{Sequence{sequence}});
    }
    reopened.find(key_of(keys + 1), found);
    EXPECT_TRUE(found.empty());

    const std::filesystem::path damaged = folder / manifest.front().name;
    std::FILE* file = std::fopen(damaged.c_str(), "r+b");
    ASSERT_NE(file, nullptr);
    std::fseek(file, 5000, SEEK_SET);
    const int byte = std::fgetc(file);
    std::fseek(file, 5000, SEEK_SET);
    std::fputc(byte ^ 1, file);
    std::fclose(file);
    EXPECT_FALSE(reopened.open(manifest));
    EXPECT_EQ(reopened.covered(), Sequence{});
}

} // namespace
} // namespace pointhouse::ledger::test
