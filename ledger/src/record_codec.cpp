#include "record_codec.hpp"

#include "ledger/invariant.hpp"

namespace pointhouse::ledger {
namespace {

namespace record_flag {
constexpr std::uint8_t refused = 1;
constexpr std::uint8_t own_time = 2; // posted at another time than the block's
constexpr std::uint8_t tariff = 4;
constexpr std::uint8_t counterparty = 8;
constexpr std::uint8_t amount = 16;
constexpr std::uint8_t reversal = 32;
constexpr std::uint8_t other_member = 64;
constexpr std::uint8_t promotion = 128;
} // namespace record_flag

// The upper half of an entry's first byte; the lower half is its kind, or 0: the kind is the next
// byte.
constexpr std::uint8_t kind_mask = 15;
namespace entry_flag {
constexpr std::uint8_t expires = 16;
constexpr std::uint8_t vat_rate = 32;
constexpr std::uint8_t funding = 64;
constexpr std::uint8_t state = 128;
} // namespace entry_flag

bool has_counterpart(const Entry& entry)
{
    switch (entry.kind) {
    case EntryKind::redeemed:
    case EntryKind::refunded: return true;
    case EntryKind::debt_incurred:
    case EntryKind::debt_moved_out:
    case EntryKind::debt_moved_in:
    case EntryKind::recovered: return entry.debt.kind == DebtKind::redeemer_bears;
    case EntryKind::held:
    case EntryKind::released: return true;
    case EntryKind::moved_out:
    case EntryKind::moved_in: return entry.state == LotState::held;
    case EntryKind::issued:
    case EntryKind::donated:
    case EntryKind::clawed_back:
    case EntryKind::matured:
    case EntryKind::expired:
    case EntryKind::expiry_undone:
    case EntryKind::opened:
    case EntryKind::creditable_moved:
    case EntryKind::reinstated:
    case EntryKind::reinstated_by_house:
    case EntryKind::folded_out:
    case EntryKind::folded_in: return false;
    }
    return false;
}

void write_entry(ByteWriter& out, const Entry& entry, const Record& record)
{
    const Provenance& lot = entry.lot;
    const auto kind = static_cast<std::uint8_t>(entry.kind);
    const bool is_wide = kind > kind_mask;
    std::uint8_t first = is_wide ? std::uint8_t{0} : kind;
    if (lot.expires_on != never) first |= entry_flag::expires;
    if (lot.vat_rate != vat_rate_unknown) first |= entry_flag::vat_rate;
    if (lot.funding != FundingClass::partner) first |= entry_flag::funding;
    if (entry.state != LotState::active) first |= entry_flag::state;
    out.u8(first);
    if (is_wide) out.u8(kind);
    out.varint(static_cast<std::uint64_t>(entry.points.count()));
    if (has_lot(entry.kind)) {
        out.varint(record.sequence.value() - lot.key.origin.value());
        out.varint(lot.key.position);
        out.zigzag(micros_of(record.occurred_at) - micros_of(lot.activity));
        out.varint(lot.tariff.value());
        if (lot.expires_on != never) out.zigzag(lot.expires_on);
        if (lot.vat_rate != vat_rate_unknown) out.zigzag(lot.vat_rate);
        if (lot.funding != FundingClass::partner) out.u8(static_cast<std::uint8_t>(lot.funding));
    }
    if (entry.kind == EntryKind::creditable_moved) out.varint(lot.tariff.value());
    if (entry.state != LotState::active) {
        out.u8(static_cast<std::uint8_t>(entry.state));
        out.zigzag(micros_of(entry.until) - micros_of(record.occurred_at));
        if (entry.state == LotState::held) out.varint(record.sequence.value() - entry.hold.value());
    }
    if (has_debt(entry.kind)) {
        out.varint(record.sequence.value() - entry.debt.origin.value());
        out.varint(entry.debt.tariff.value());
        out.u8(static_cast<std::uint8_t>(entry.debt.kind));
    }
    if (has_counterpart(entry)) out.varint(entry.counterpart.value());
}

Points read_points(ByteReader& in)
{
    const std::uint64_t count = in.varint();
    if (count > static_cast<std::uint64_t>(INT64_MAX)) return in.fail(), Points{};
    return Points{static_cast<std::int64_t>(count)};
}

template <class Narrow>
Narrow read_narrow(ByteReader& in)
{
    const std::uint64_t value = in.varint();
    if (value > static_cast<std::uint64_t>(std::numeric_limits<Narrow>::max()))
        return in.fail(), Narrow{0};
    return static_cast<Narrow>(value);
}

std::int32_t read_int32(ByteReader& in)
{
    const std::int64_t value = in.zigzag();
    if (value < INT32_MIN || value > INT32_MAX) return in.fail(), 0;
    return static_cast<std::int32_t>(value);
}

// `delta` counts back from the record that is being read.
Sequence read_earlier(ByteReader& in, const Record& record)
{
    const std::uint64_t delta = in.varint();
    if (delta > record.sequence.value()) return in.fail(), Sequence{};
    return Sequence{record.sequence.value() - delta};
}

void read_lot(ByteReader& in, std::uint8_t first, const Record& record, Provenance& lot)
{
    lot.key.origin = read_earlier(in, record);
    lot.key.position = read_narrow<std::uint16_t>(in);
    lot.activity = time_of_micros(micros_of(record.occurred_at) - in.zigzag());
    lot.tariff = TariffVersion{read_narrow<std::uint32_t>(in)};
    if ((first & entry_flag::expires) != 0) lot.expires_on = read_int32(in);
    if ((first & entry_flag::vat_rate) != 0) lot.vat_rate = read_int32(in);
    if ((first & entry_flag::funding) != 0) {
        const std::uint8_t funding = in.u8();
        if (funding > static_cast<std::uint8_t>(FundingClass::bought)) in.fail();
        lot.funding = static_cast<FundingClass>(funding);
    }
}

void read_state(ByteReader& in, const Record& record, Entry& entry)
{
    const std::uint8_t state = in.u8();
    if (state == 0 || state > static_cast<std::uint8_t>(last_lot_state)) in.fail();
    entry.state = static_cast<LotState>(state);
    entry.until = time_of_micros(micros_of(record.occurred_at) + in.zigzag());
    if (entry.state == LotState::held) entry.hold = read_earlier(in, record);
}

Entry read_entry(ByteReader& in, const Record& record)
{
    Entry entry;
    const std::uint8_t first = in.u8();
    const std::uint8_t low = first & kind_mask;
    const std::uint8_t kind = low == 0 ? in.u8() : low;
    entry.kind = static_cast<EntryKind>(kind);
    const bool has_one_form = low != 0 || kind > kind_mask;
    if (!has_one_form || name_of(entry.kind) == "unknown") in.fail();
    entry.points = read_points(in);
    if (has_lot(entry.kind)) read_lot(in, first, record, entry.lot);
    if (entry.kind == EntryKind::creditable_moved)
        entry.lot.tariff = TariffVersion{read_narrow<std::uint32_t>(in)};
    if ((first & entry_flag::state) != 0) read_state(in, record, entry);
    if (has_debt(entry.kind)) {
        entry.debt.origin = read_earlier(in, record);
        entry.debt.tariff = TariffVersion{read_narrow<std::uint32_t>(in)};
        const std::uint8_t debt = in.u8();
        if (debt > static_cast<std::uint8_t>(DebtKind::excess)) in.fail();
        entry.debt.kind = static_cast<DebtKind>(debt);
    }
    if (has_counterpart(entry)) entry.counterpart = TariffVersion{read_narrow<std::uint32_t>(in)};
    return entry;
}

std::uint8_t flags_of(const Record& record, Time block_time)
{
    std::uint8_t flags = 0;
    if (record.refusal) flags |= record_flag::refused;
    if (record.posted_at != block_time) flags |= record_flag::own_time;
    if (!record.tariff.is_none()) flags |= record_flag::tariff;
    if (!record.counterparty.is_none()) flags |= record_flag::counterparty;
    if (record.amount_minor != 0) flags |= record_flag::amount;
    if (!record.original.is_none()) flags |= record_flag::reversal;
    if (!record.other_member.is_none()) flags |= record_flag::other_member;
    if (!record.promotion.is_none()) flags |= record_flag::promotion;
    return flags;
}

void write_body(ByteWriter& out, const Record& record)
{
    if (!is_house_posting(record.type)) {
        out.varint(record.partner.value());
        out.u8(static_cast<std::uint8_t>(record.message_id.size()));
        out.bytes(std::as_bytes(std::span{record.message_id}));
    }
    out.varint(record.member.value());
    out.varint(record.previous.is_none() ? 0 : record.sequence.value() - record.previous.value());
    if (!is_house_posting(record.type)) out.bytes(record.content);
    out.varint(static_cast<std::uint64_t>(record.points.count()));
    out.varint(static_cast<std::uint64_t>(record.balance.available.count()));
    out.varint(static_cast<std::uint64_t>(record.balance.pending.count()));
    out.varint(static_cast<std::uint64_t>(record.balance.held.count()));
    out.varint(static_cast<std::uint64_t>(record.balance.debt.count()));
}

void read_body(ByteReader& in, Record& record)
{
    if (!is_house_posting(record.type)) {
        record.partner = PartnerId{read_narrow<std::uint32_t>(in)};
        record.message_id = in.text(in.u8());
    }
    record.member = MemberNumber{in.varint()};
    const Sequence previous = read_earlier(in, record);
    record.previous = previous == record.sequence ? Sequence{} : previous;
    if (!is_house_posting(record.type)) {
        const auto digest = in.bytes(record.content.size());
        if (in.ok()) std::memcpy(record.content.data(), digest.data(), digest.size());
    }
    record.points = read_points(in);
    record.balance.available = read_points(in);
    record.balance.pending = read_points(in);
    record.balance.held = read_points(in);
    record.balance.debt = read_points(in);
}

} // namespace

std::size_t record_bytes_max(const Record& record)
{
    constexpr std::size_t fields = 26;
    constexpr std::size_t fields_of_entry = 14;
    constexpr std::size_t varint_bytes_max = 10;
    return fields * varint_bytes_max + record.message_id.size() + record.content.size() +
           record.entries.size() * fields_of_entry * varint_bytes_max;
}

void write_record(ByteWriter& out, const Record& record, Time block_time)
{
    invariant(record.message_id.size() <= 64, "a message id has at most 64 characters");
    const std::uint8_t flags = flags_of(record, block_time);
    out.u8(static_cast<std::uint8_t>(record.type));
    out.u8(flags);
    if (record.refusal) out.u8(static_cast<std::uint8_t>(*record.refusal));
    if ((flags & record_flag::own_time) != 0)
        out.zigzag(micros_of(record.posted_at) - micros_of(block_time));
    out.zigzag(micros_of(block_time) - micros_of(record.occurred_at));
    out.varint(record.terms.value());
    if (is_house_step(record.type)) return;

    write_body(out, record);
    if ((flags & record_flag::tariff) != 0) out.varint(record.tariff.value());
    if ((flags & record_flag::counterparty) != 0) out.varint(record.counterparty.value());
    if ((flags & record_flag::amount) != 0) out.zigzag(record.amount_minor);
    if ((flags & record_flag::reversal) != 0) {
        out.varint(record.sequence.value() - record.original.value());
        out.varint(
            record.reversal_before.is_none()
                ? 0
                : record.sequence.value() - record.reversal_before.value());
        out.varint(static_cast<std::uint64_t>(record.reversed_so_far.count()));
    }
    if ((flags & record_flag::other_member) != 0) out.varint(record.other_member.value());
    if ((flags & record_flag::promotion) != 0) out.varint(record.promotion.value());
    out.varint(record.entries.size());
    for (const Entry& entry : record.entries) write_entry(out, entry, record);
}

bool read_record(
    std::span<const std::byte> bytes, Sequence sequence, Time block_time, Record& record)
{
    ByteReader in{bytes};
    auto entries = std::move(record.entries); // keep its capacity
    entries.clear();
    record = Record{};
    record.entries = std::move(entries);
    record.sequence = sequence;
    record.type = static_cast<MessageType>(in.u8());
    const std::uint8_t flags = in.u8();
    if (name_of(record.type) == "unknown") in.fail();
    if ((flags & record_flag::refused) != 0) {
        const std::uint8_t refusal = in.u8();
        if (refusal == 0 || refusal > static_cast<std::uint8_t>(last_refusal)) in.fail();
        record.refusal = static_cast<Refusal>(refusal);
    }
    record.posted_at = block_time;
    if ((flags & record_flag::own_time) != 0)
        record.posted_at = time_of_micros(micros_of(block_time) + in.zigzag());
    record.occurred_at = time_of_micros(micros_of(block_time) - in.zigzag());
    record.terms = HouseSequence{in.varint()};
    if (is_house_step(record.type)) return in.ok() && in.at_end();

    read_body(in, record);
    if ((flags & record_flag::tariff) != 0)
        record.tariff = TariffVersion{read_narrow<std::uint32_t>(in)};
    if ((flags & record_flag::counterparty) != 0)
        record.counterparty = PartnerId{read_narrow<std::uint32_t>(in)};
    if ((flags & record_flag::amount) != 0) record.amount_minor = in.zigzag();
    if ((flags & record_flag::reversal) != 0) {
        record.original = read_earlier(in, record);
        const Sequence before = read_earlier(in, record);
        record.reversal_before = before == record.sequence ? Sequence{} : before;
        record.reversed_so_far = read_points(in);
    }
    if ((flags & record_flag::other_member) != 0) record.other_member = MemberNumber{in.varint()};
    if ((flags & record_flag::promotion) != 0)
        record.promotion = PromotionId{read_narrow<std::uint32_t>(in)};
    for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left)
        record.entries.push_back(read_entry(in, record));
    return in.ok() && in.at_end();
}

} // namespace pointhouse::ledger
