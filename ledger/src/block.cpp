#include "ledger/block.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "byte_codec.hpp"
#include "record_codec.hpp"
#include "sha256.hpp"

namespace pointhouse::ledger {
namespace {

constexpr std::array<char, 4> magic{'P', 'H', 'B', 'K'};
constexpr std::size_t header_bytes = 64;
constexpr std::size_t hash_bytes = 32;
// Behind the offset table: where the totals start, and where the table does.
constexpr std::size_t footer_bytes = 8 + hash_bytes;
constexpr std::size_t total_bytes_max = 12UL * 10;
constexpr unsigned state_shift = 6; // of a total's first byte: the kind below, the state above

auto key_of(const ControlTotal& total)
{
    return std::tuple{
        total.kind,
        total.state,
        total.tariff,
        total.counterpart,
        total.debt_tariff,
        total.charity,
        total.debt,
        total.vat_rate};
}

// The money of a total is that of one entry with all its points.
Entry entry_of(const ControlTotal& total)
{
    Entry entry{.kind = total.kind, .points = total.points, .state = total.state};
    entry.lot.tariff = total.tariff;
    entry.counterpart = total.counterpart;
    if (has_debt(total.kind)) {
        entry.debt.kind = total.debt;
        entry.debt.tariff = total.kind == EntryKind::recovered ? total.debt_tariff : total.tariff;
    }
    return entry;
}

void write_total(ByteWriter& out, const ControlTotal& total)
{
    out.u8(static_cast<std::uint8_t>(
        static_cast<unsigned>(total.kind) | static_cast<unsigned>(total.state) << state_shift));
    out.varint(total.tariff.value());
    out.varint(total.counterpart.value());
    out.varint(total.debt_tariff.value());
    out.varint(total.charity.value());
    out.u8(static_cast<std::uint8_t>(total.debt));
    out.zigzag(total.vat_rate);
    out.varint(static_cast<std::uint64_t>(total.points.count()));
    out.zigzag(total.money.issuer.count());
    out.zigzag(total.money.counterparty.count());
    out.zigzag(total.money.liability.count());
    out.zigzag(total.money.fee.count());
    out.zigzag(total.money.margin.count());
}

ControlTotal read_total(ByteReader& in)
{
    ControlTotal total;
    const std::uint8_t kind = in.u8();
    total.kind = static_cast<EntryKind>(kind & ((1U << state_shift) - 1));
    total.state = static_cast<LotState>(kind >> state_shift);
    total.tariff = TariffVersion{static_cast<std::uint32_t>(in.varint())};
    total.counterpart = TariffVersion{static_cast<std::uint32_t>(in.varint())};
    total.debt_tariff = TariffVersion{static_cast<std::uint32_t>(in.varint())};
    total.charity = PartnerId{static_cast<std::uint32_t>(in.varint())};
    total.debt = static_cast<DebtKind>(in.u8());
    total.vat_rate = static_cast<std::int32_t>(in.zigzag());
    const std::uint64_t points = in.varint();
    if (points > static_cast<std::uint64_t>(INT64_MAX)) return in.fail(), total;
    total.points = Points{static_cast<std::int64_t>(points)};
    total.money.issuer = Micro{in.zigzag()};
    total.money.counterparty = Micro{in.zigzag()};
    total.money.liability = Micro{in.zigzag()};
    total.money.fee = Micro{in.zigzag()};
    total.money.margin = Micro{in.zigzag()};
    return total;
}

std::uint32_t read_u32(std::span<const std::byte> bytes, std::size_t at)
{
    std::uint32_t value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

} // namespace

void ControlTotals::add(const Entry& entry, PartnerId charity)
{
    ControlTotal total{
        .kind = entry.kind,
        .tariff = entry.lot.tariff.is_none() ? entry.debt.tariff : entry.lot.tariff,
        .counterpart = entry.counterpart,
        .charity = charity,
        .state = entry.state,
        .vat_rate = entry.lot.vat_rate};
    if (has_debt(entry.kind)) {
        total.debt = entry.debt.kind;
        if (entry.kind == EntryKind::recovered) total.debt_tariff = entry.debt.tariff;
    }
    const Key key{
        (std::uint64_t{total.tariff.value()} << 32) | total.counterpart.value(),
        (std::uint64_t{total.debt_tariff.value()} << 32) | total.charity.value(),
        (static_cast<std::uint64_t>(total.state) << 48) |
            (static_cast<std::uint64_t>(total.kind) << 40) |
            (static_cast<std::uint64_t>(total.debt) << 32) |
            static_cast<std::uint32_t>(total.vat_rate)};
    const auto [place, is_new] =
        places_.try_emplace(key, static_cast<std::uint32_t>(totals_.size()));
    if (is_new) totals_.push_back(total);
    totals_[place->second].points += entry.points;
}

std::vector<ControlTotal> ControlTotals::priced(const Terms& terms) const
{
    std::vector<ControlTotal> totals = totals_;
    std::ranges::sort(totals, {}, key_of);
    for (ControlTotal& total : totals) total.money = money_effect(entry_of(total), terms);
    return totals;
}

void BlockBuilder::start(const BlockHeader& header)
{
    header_ = header;
    header_.count = 0;
    offsets_.clear();
    totals_.clear();
    used_ = header_bytes;
    if (bytes_.size() < header_bytes) bytes_.resize(std::size_t{64} * 1024);
}

void BlockBuilder::append(const Record& record)
{
    invariant(offsets_.size() < records_per_block_max, "a block is bounded");
    invariant(
        record.sequence.value() == header_.first.value() + offsets_.size(),
        "sequences have no gaps");
    const std::size_t needed = used_ + record_bytes_max(record);
    if (bytes_.size() < needed) bytes_.resize(std::max(needed, bytes_.size() * 2));

    offsets_.push_back(static_cast<std::uint32_t>(used_));
    ByteWriter out{bytes_.data() + used_};
    write_record(out, record, header_.time);
    used_ = static_cast<std::size_t>(out.at() - bytes_.data());
    for (const Entry& entry : record.entries) totals_.add(entry, record.counterparty);
}

std::span<const std::byte> BlockBuilder::finish(const Terms& terms)
{
    const std::vector<ControlTotal> totals = totals_.priced(terms);
    const std::size_t needed = used_ + 10 + totals.size() * total_bytes_max +
                               offsets_.size() * sizeof(std::uint32_t) + footer_bytes;
    if (bytes_.size() < needed) bytes_.resize(needed);

    header_.count = static_cast<std::uint32_t>(offsets_.size());
    ByteWriter head{bytes_.data()};
    head.bytes(std::as_bytes(std::span{magic}));
    head.u8(block_version);
    head.u8(0);
    head.fixed(header_.shard.value());
    head.fixed(header_.first.value());
    head.fixed(header_.count);
    head.fixed(static_cast<std::uint32_t>(header_.window.year * 12 + header_.window.month - 1));
    head.fixed(micros_of(header_.time));
    head.bytes(header_.previous);

    const auto totals_at = static_cast<std::uint32_t>(used_);
    ByteWriter out{bytes_.data() + used_};
    out.varint(totals.size());
    for (const ControlTotal& total : totals) write_total(out, total);
    const auto offsets_at = static_cast<std::uint32_t>(out.at() - bytes_.data());
    out.bytes(std::as_bytes(std::span{offsets_}));
    out.fixed(totals_at);
    out.fixed(offsets_at);

    const std::span written{bytes_.data(), static_cast<std::size_t>(out.at() - bytes_.data())};
    static thread_local Sha256 sha256;
    header_.hash = sha256.of(written);
    out.bytes(header_.hash);
    used_ = written.size() + hash_bytes;
    return {bytes_.data(), used_};
}

Result<BlockView, BlockFault> BlockView::parse(std::span<const std::byte> bytes, Check check)
{
    const auto fault = [](const char* reason) { return std::unexpected(BlockFault{reason}); };
    if (bytes.size() < header_bytes + footer_bytes) return fault("shorter than a block can be");
    if (std::memcmp(bytes.data(), magic.data(), magic.size()) != 0) return fault("no block magic");

    BlockView view;
    BlockHeader& header = view.header_;
    ByteReader in{bytes.subspan(magic.size())};
    if (in.u8() != block_version || in.u8() != 0) return fault("unknown block version");
    header.shard = ShardId{in.fixed<std::uint16_t>()};
    header.first = Sequence{in.fixed<std::uint64_t>()};
    header.count = in.fixed<std::uint32_t>();
    const auto months = static_cast<std::int32_t>(in.fixed<std::uint32_t>() & 0xfffff);
    header.window = Month{.year = months / 12, .month = months % 12 + 1};
    header.time = time_of_micros(in.fixed<std::int64_t>());
    std::ranges::copy(in.bytes(hash_bytes), header.previous.begin());
    std::ranges::copy(bytes.last(hash_bytes), header.hash.begin());

    const std::size_t end = bytes.size() - footer_bytes;
    const std::size_t totals_at = read_u32(bytes, end);
    const std::size_t offsets_at = read_u32(bytes, end + sizeof(std::uint32_t));
    const bool is_framed = header.count <= records_per_block_max && totals_at >= header_bytes &&
                           totals_at <= offsets_at && offsets_at <= end &&
                           end - offsets_at == std::size_t{header.count} * sizeof(std::uint32_t);
    if (!is_framed) return fault("its lengths do not fit together");

    view.bytes_ = bytes.first(totals_at);
    view.totals_ = bytes.subspan(totals_at, offsets_at - totals_at);
    view.offsets_ = bytes.subspan(offsets_at, end - offsets_at);
    if (check == Check::hash) {
        static thread_local Sha256 sha256;
        if (sha256.of(bytes.first(bytes.size() - hash_bytes)) != header.hash)
            return fault("its hash does not match its bytes");
    }
    return view;
}

bool BlockView::read(std::uint32_t index, Record& out) const
{
    if (index >= header_.count) return false;
    const std::size_t from = read_u32(offsets_, std::size_t{index} * sizeof(std::uint32_t));
    const std::size_t to =
        index + 1 == header_.count
            ? bytes_.size()
            : read_u32(offsets_, (std::size_t{index} + 1) * sizeof(std::uint32_t));
    if (from < header_bytes || from > to || to > bytes_.size()) return false;
    return read_record(bytes_.subspan(from, to - from), sequence_of(index), header_.time, out);
}

bool BlockView::read_totals(std::vector<ControlTotal>& out) const
{
    ByteReader in{totals_};
    out.clear();
    for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left)
        out.push_back(read_total(in));
    return in.ok() && in.at_end();
}

} // namespace pointhouse::ledger
