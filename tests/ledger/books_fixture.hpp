#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include "ledger/block.hpp"
#include "ledger/journal.hpp"
#include "ledger/store.hpp"
#include "ledger/terms.hpp"
#include "ledger/time.hpp"

namespace pointhouse::ledger::test {

/// A folder of its own that goes with the test.
class TemporaryFolder {
public:
    TemporaryFolder()
    {
        std::string name = (std::filesystem::temp_directory_path() / "books-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary folder"};
        path_ = name;
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const
    {
        return path_ / name;
    }

private:
    std::filesystem::path path_;
};

/// Four partners, EUR, Europe/Amsterdam: GRO (1) and BOE (2) issue and redeem, TNK (3) issues with
/// half the price prefunded, home-decor (4) is a charity. Tariffs 1 to 3 are of the partners 1 to
/// 3; tariff 4 is BOE's second.
class Coalition final : public TermsHistory {
public:
    Coalition() : terms_{std::make_shared<Terms>()}
    {
        terms_->as_of = HouseSequence{9};
        terms_->currency = {.code = "EUR", .minor_digits = 2};
        terms_->face_value = Micro{10'000};
        terms_->calendar = std::make_shared<Calendar>("Europe/Amsterdam");
        add_partner("GRO", {.issuer = true, .redeemer = true, .charity = false});
        add_partner("BOE", {.issuer = true, .redeemer = true, .charity = false});
        add_partner("TNK", {.issuer = true, .redeemer = false, .charity = false});
        add_partner("home-decor", {.issuer = false, .redeemer = false, .charity = true});
        add_tariff(1, 10'000, {.numerator = 1, .denominator = 1});
        add_tariff(2, 12'000, {.numerator = 1, .denominator = 1});
        add_tariff(3, 10'000, {.numerator = 1, .denominator = 2});
        add_tariff(2, 13'000, {.numerator = 0, .denominator = 1});
    }

    [[nodiscard]] std::shared_ptr<const Terms> terms_at(HouseSequence) const override
    {
        return terms_;
    }
    [[nodiscard]] const Terms& terms() const { return *terms_; }

private:
    void add_partner(std::string name, Roles roles)
    {
        const auto id = static_cast<std::uint32_t>(terms_->partners.size() + 1);
        terms_->partners.push_back(
            {.partner = PartnerId{id}, .name = std::move(name), .roles = roles});
    }
    void add_tariff(std::uint32_t partner, std::int64_t price, Share prefund)
    {
        const auto version = static_cast<std::uint32_t>(terms_->tariffs.size() + 1);
        terms_->tariffs.push_back(
            {.version = TariffVersion{version},
             .partner = PartnerId{partner},
             .issue_price = Micro{price},
             .service_fee = Micro{1'000},
             .reimbursement = Micro{9'500},
             .prefund_share = prefund});
    }
    std::shared_ptr<Terms> terms_;
};

/// A journal of real blocks, in memory. It is its own reader.
class MemoryJournal final : public JournalReader {
public:
    explicit MemoryJournal(const Terms& terms) : terms_{terms} {}

    /// Appends one block; the records get their sequences.
    void append(Month window, Time time, std::vector<Record> records)
    {
        builder_.start(
            {.shard = ShardId{1},
             .first = Sequence{head_ + 1},
             .time = time,
             .window = window,
             .previous = previous_});
        for (auto& record : records) {
            record.sequence = Sequence{++head_};
            builder_.append(record);
        }
        const auto bytes = builder_.finish(terms_);
        previous_ = builder_.header().hash;
        blocks_.push_back({head_ - records.size() + 1, {bytes.begin(), bytes.end()}});
    }
    void drop_last() { head_ = blocks_.back().first - 1, blocks_.pop_back(); }

    [[nodiscard]] Sequence head() override { return Sequence{head_}; }
    std::span<const std::byte> block_with(Sequence) override { return {}; }
    void for_each_block(Sequence from, const std::function<bool(const BlockRow&)>& block) override
    {
        for (const auto& stored : blocks_) {
            const auto count = BlockView::parse(stored.bytes, BlockView::Check::frame)->count();
            if (stored.first + count <= from.value()) continue;
            // A copy: what a reader gives is gone after the call.
            const std::vector<std::byte> copy = stored.bytes;
            if (!block({Sequence{stored.first}, count, copy, {}})) return;
        }
    }
    void for_each_member(const std::function<void(const MemberRow&)>&) override {}
    void begin_snapshot() override { ++snapshots_; }
    void end_snapshot() override { --snapshots_; }
    [[nodiscard]] int snapshots() const { return snapshots_; }
    [[nodiscard]] JournalState state() override { return {}; }
    [[nodiscard]] std::string integrity_fault() override { return {}; }

private:
    struct Block {
        std::uint64_t first;
        std::vector<std::byte> bytes;
    };
    const Terms& terms_;
    BlockBuilder builder_;
    std::vector<Block> blocks_;
    std::uint64_t head_ = 0;
    Digest previous_{};
    int snapshots_ = 0;
};

/// Records of every type and entries of every kind, drawn from a seed. Message ids live as long as
/// the generator.
class RandomRecords {
public:
    explicit RandomRecords(std::uint64_t seed) : random_{seed} {}

    std::vector<Record> block(Time time)
    {
        std::vector<Record> records(1 + below(20));
        for (auto& record : records) record = next(time);
        return records;
    }

    [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

private:
    Record next(Time time)
    {
        ids_.push_back(fmt::format("m-{}.{}", ids_.size(), below(1'000'000)));
        Record record{
            .type = static_cast<MessageType>(1 + below(6)),
            .partner = PartnerId{static_cast<std::uint32_t>(1 + below(3))},
            .message_id = ids_.back(),
            .member = MemberNumber{1 + below(50)},
            .terms = HouseSequence{9},
            .occurred_at = time - std::chrono::seconds{below(100'000)},
            .posted_at = time};
        record.points = some_points();
        record.tariff = TariffVersion{record.partner.value()};
        record.amount_minor = static_cast<std::int64_t>(below(10'000));
        if (record.type == MessageType::reversal) {
            record.original = earlier();
            record.reversed_so_far = some_points();
        }
        record.balance = {
            .available = some_points(),
            .pending = some_points(),
            .held = some_points(),
            .debt = {}};
        if (below(2) == 0) record.counterparty = PartnerId{4};
        if (below(8) == 0) {
            record.refusal = static_cast<Refusal>(1 + below(static_cast<int>(last_refusal)));
            return record;
        }
        const std::uint64_t entries = below(5);
        for (std::uint64_t number = 0; number < entries; ++number)
            record.entries.push_back(entry(record, time));
        return record;
    }

    Entry entry(const Record& record, Time time)
    {
        Entry entry{
            .kind = static_cast<EntryKind>(1 + below(static_cast<int>(last_entry_kind))),
            .points = some_points()};
        if (has_debt(entry.kind))
            entry.debt = {
                .origin = earlier(),
                .tariff = some_tariff(),
                .kind = static_cast<DebtKind>(below(4))};
        if (entry.kind == EntryKind::creditable_moved) entry.lot.tariff = some_tariff();
        if (has_lot(entry.kind))
            entry.lot = {
                .key = {earlier(), static_cast<std::uint16_t>(below(3))},
                .activity = time - std::chrono::hours{below(1'000)},
                .expires_on = below(2) == 0 ? never : static_cast<Day>(20'000 + below(1'000)),
                .tariff = some_tariff(),
                .vat_rate = below(2) == 0 ? vat_rate_unknown : 2'100};
        const bool to_charity = !record.counterparty.is_none();
        if (entry.kind == EntryKind::donated && !to_charity) entry.kind = EntryKind::redeemed;
        const bool redeemer_bears =
            !entry.debt.tariff.is_none() && entry.debt.kind == DebtKind::redeemer_bears;
        const bool is_paid =
            entry.kind == EntryKind::redeemed || (entry.kind == EntryKind::refunded && !to_charity);
        if (is_paid || redeemer_bears) entry.counterpart = some_tariff();
        return entry;
    }

    Sequence earlier() { return Sequence{1 + below(ids_.size())}; }
    Points some_points() { return Points{static_cast<std::int64_t>(1 + below(1'000))}; }
    TariffVersion some_tariff() { return TariffVersion{static_cast<std::uint32_t>(1 + below(4))}; }

    std::mt19937_64 random_;
    std::deque<std::string> ids_;
};

/// A month of blocks with its cut and, in the next month's first block, its drained marker.
class RandomMonths {
public:
    explicit RandomMonths(std::uint64_t seed) : records_{seed} {}

    void append(MemoryJournal& journal, int months, int blocks_each)
    {
        for (int done = 0; done < months; ++done) {
            for (int block = 0; block < blocks_each; ++block) {
                time_ += std::chrono::minutes{1 + records_.below(60)};
                journal.append(month_, time_, records_.block(time_));
            }
            journal.append(month_, time_, {marker(MessageType::cut)});
            month_ = month_.next();
            journal.append(month_, time_, {marker(MessageType::drained)});
        }
    }
    [[nodiscard]] Month month() const { return month_; }
    [[nodiscard]] RandomRecords& records() { return records_; }

private:
    [[nodiscard]] Record marker(MessageType type) const
    {
        return {.type = type, .occurred_at = time_, .posted_at = time_};
    }

    RandomRecords records_;
    Month month_{.year = 2026, .month = 1};
    Time time_ = *parse_time("2026-01-01T10:00:00Z");
};

} // namespace pointhouse::ledger::test
