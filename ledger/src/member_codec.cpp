#include <algorithm>
#include <tuple>

#include "byte_codec.hpp"
#include "member.hpp"

namespace pointhouse::ledger {
namespace {

constexpr std::uint8_t state_version = 1;
constexpr std::size_t varint_bytes_max = 10;

namespace state_flag {
constexpr unsigned micros = 1; // activity times in microseconds, else in seconds
constexpr unsigned timed = 2;  // pending lots and holds follow
constexpr unsigned status = 4; // the member's status follows
constexpr unsigned merge = 16; // the newest merge into this member follows
constexpr unsigned active = 8; // the day of its last activity follows
} // namespace state_flag

// What many lots of a member have in common: written once.
struct SharedTerms {
    TariffVersion tariff;
    std::int32_t vat_rate;
    FundingClass funding;
    friend bool operator==(const SharedTerms&, const SharedTerms&) = default;
};

SharedTerms shared_terms_of(const Provenance& lot)
{
    return {.tariff = lot.tariff, .vat_rate = lot.vat_rate, .funding = lot.funding};
}

struct Dictionary {
    std::vector<SharedTerms> entries; // in the order in which the lots name them
    std::vector<std::size_t> places;  // of each lot

    std::size_t place_of(const SharedTerms& terms)
    {
        const auto found = std::ranges::find(entries, terms);
        if (found != entries.end()) return static_cast<std::size_t>(found - entries.begin());
        entries.push_back(terms);
        return entries.size() - 1;
    }
};

// Activity times are whole seconds nearly always; one other makes all of the member's micros.
std::int64_t activity_unit(std::span<const PackedLot> lots)
{
    constexpr std::int64_t micros_per_second = 1'000'000;
    const bool whole = std::ranges::all_of(
        lots, [](const PackedLot& lot) { return lot.activity_micros() % micros_per_second == 0; });
    return whole ? micros_per_second : 1;
}

// A lot that is not among the active ones: there are few, so they are written in full.
void write_lot(ByteWriter& out, const Lot& lot, Sequence last)
{
    const Provenance& provenance = lot.provenance;
    out.varint(last.value() - provenance.key.origin.value());
    out.varint(provenance.key.position);
    out.zigzag(micros_of(provenance.activity));
    out.zigzag(provenance.expires_on);
    out.varint(provenance.tariff.value());
    out.zigzag(provenance.vat_rate);
    out.u8(static_cast<std::uint8_t>(provenance.funding));
    out.varint(static_cast<std::uint64_t>(lot.remaining.count()));
}

bool read_lot(ByteReader& in, Lot& lot, Sequence last)
{
    const std::uint64_t back = in.varint();
    const std::uint64_t position = in.varint();
    Provenance& provenance = lot.provenance;
    provenance.activity = time_of_micros(in.zigzag());
    const std::int64_t expires_on = in.zigzag();
    provenance.tariff = TariffVersion{static_cast<std::uint32_t>(in.varint())};
    provenance.vat_rate = static_cast<std::int32_t>(in.zigzag());
    const std::uint8_t funding = in.u8();
    const std::uint64_t remaining = in.varint();
    const bool is_lot =
        in.ok() && back <= last.value() && position <= 255 && expires_on >= 0 &&
        expires_on <= never && funding <= static_cast<std::uint8_t>(FundingClass::bought) &&
        remaining >= 1 && remaining <= static_cast<std::uint64_t>(points_per_message_max.count());
    if (!is_lot) return false;
    provenance.key = {
        .origin = Sequence{last.value() - back}, .position = static_cast<std::uint16_t>(position)};
    provenance.expires_on = static_cast<Day>(expires_on);
    provenance.funding = static_cast<FundingClass>(funding);
    lot.remaining = Points{static_cast<std::int64_t>(remaining)};
    return true;
}

bool read_points(ByteReader& in, Points& points)
{
    const std::uint64_t count = in.varint();
    if (!in.ok() || count > static_cast<std::uint64_t>(INT64_MAX)) return false;
    points = Points{static_cast<std::int64_t>(count)};
    return true;
}

} // namespace

void Member::encode(std::vector<std::byte>& out) const
{
    // Keeps its capacity: this runs for every member written.
    static thread_local Dictionary dictionary;
    dictionary.entries.clear();
    dictionary.places.clear();
    for (const PackedLot& lot : lots_.all())
        dictionary.places.push_back(dictionary.place_of(shared_terms_of(lot.provenance())));

    const std::size_t used = out.size();
    std::size_t rare_lots = pending().size();
    for (const Hold& hold : holds()) rare_lots += 1 + hold.lots.size();
    const std::size_t numbers = 14 + dictionary.entries.size() * 3 + lots_.size() * 6 +
                                debts().size() * 5 + creditable_.size() * 2 + rare_lots * 10;
    out.resize(used + numbers * varint_bytes_max);
    ByteWriter writer{out.data() + used};
    const std::int64_t unit = activity_unit(lots_.all());
    writer.u8(state_version);
    writer.u8(static_cast<std::uint8_t>(
        (unit == 1 ? state_flag::micros : 0U) | (rare_lots > 0 ? state_flag::timed : 0U) |
        (status() != MemberStatus::open ? state_flag::status : 0U) |
        (active_on_ != 0 ? state_flag::active : 0U) |
        (newest_merge().is_none() ? 0U : state_flag::merge)));
    writer.varint(dictionary.entries.size());
    for (const SharedTerms& terms : dictionary.entries) {
        writer.varint(terms.tariff.value());
        writer.zigzag(terms.vat_rate);
        writer.u8(static_cast<std::uint8_t>(terms.funding));
    }
    writer.varint(lots_.size());
    std::int64_t activity = 0;
    std::int64_t expires_on = never;
    auto place = dictionary.places.begin();
    for (const PackedLot& packed : lots_.all()) {
        const Provenance lot = packed.provenance();
        writer.varint(*place++);
        writer.varint(last_.value() - lot.key.origin.value());
        writer.varint(lot.key.position);
        writer.zigzag(packed.activity_micros() / unit - activity);
        writer.zigzag(std::int64_t{lot.expires_on} - expires_on);
        writer.varint(static_cast<std::uint64_t>(packed.remaining().count()));
        activity = packed.activity_micros() / unit;
        expires_on = lot.expires_on;
    }
    writer.varint(debts().size());
    for (const Debt& debt : debts()) {
        writer.varint(last_.value() - debt.key.origin.value());
        writer.varint(debt.key.tariff.value());
        writer.u8(static_cast<std::uint8_t>(debt.key.kind));
        writer.varint(debt.counterpart.value());
        writer.varint(static_cast<std::uint64_t>(debt.points.count()));
    }
    writer.varint(creditable_.size());
    for (const Creditable& creditable : creditable_) {
        writer.varint(creditable.issuer.value());
        writer.varint(static_cast<std::uint64_t>(creditable.points.count()));
    }
    if (rare_lots > 0) encode_timed(writer);
    if (status() != MemberStatus::open) writer.u8(static_cast<std::uint8_t>(status()));
    if (status() == MemberStatus::merged) writer.varint(merged_into().value());
    if (!newest_merge().is_none()) writer.varint(last_.value() - newest_merge().value());
    if (active_on_ != 0) writer.zigzag(active_on_);
    out.resize(static_cast<std::size_t>(writer.at() - out.data()));
}

void Member::encode_timed(ByteWriter& out) const
{
    out.varint(pending().size());
    for (const PendingLot& one : pending()) {
        out.zigzag(micros_of(one.until));
        write_lot(out, one.lot, last_);
    }
    out.varint(holds().size());
    for (const Hold& hold : holds()) {
        out.varint(last_.value() - hold.origin.value());
        out.varint(hold.redeemer.value());
        out.zigzag(micros_of(hold.until));
        out.varint(hold.lots.size());
        for (const Lot& lot : hold.lots) write_lot(out, lot, last_);
    }
}

bool Member::decode_timed(ByteReader& in)
{
    RareState& rare = rare_.made();
    for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
        PendingLot& one = rare.pending.emplace_back();
        one.until = time_of_micros(in.zigzag());
        if (!read_lot(in, one.lot, last_)) return false;
    }
    for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
        Hold& hold = rare.holds.emplace_back();
        const std::uint64_t back = in.varint();
        if (back > last_.value()) return false;
        hold.origin = Sequence{last_.value() - back};
        hold.redeemer = TariffVersion{static_cast<std::uint32_t>(in.varint())};
        hold.until = time_of_micros(in.zigzag());
        for (std::uint64_t lots = in.varint(); lots > 0 && in.ok(); --lots)
            if (!read_lot(in, hold.lots.emplace_back(), last_)) return false;
    }
    return !rare.empty();
}

// NOLINTNEXTLINE(readability-function-size): one pass over the row, in the order of its fields
bool Member::decode(std::span<const std::byte> bytes, Sequence through)
{
    ByteReader in{bytes};
    if (in.u8() != state_version) return false;
    const std::uint8_t flags = in.u8();
    constexpr unsigned known_flags = state_flag::micros | state_flag::timed | state_flag::status |
                                     state_flag::active | state_flag::merge;
    if ((flags & ~known_flags) != 0) return false;
    const std::int64_t unit = (flags & state_flag::micros) != 0 ? 1 : 1'000'000;
    last_ = through;

    std::vector<SharedTerms> dictionary;
    for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
        const TariffVersion tariff{static_cast<std::uint32_t>(in.varint())};
        const auto vat_rate = static_cast<std::int32_t>(in.zigzag());
        const std::uint8_t funding = in.u8();
        if (funding > static_cast<std::uint8_t>(FundingClass::bought)) return false;
        dictionary.push_back(
            {.tariff = tariff,
             .vat_rate = vat_rate,
             .funding = static_cast<FundingClass>(funding)});
    }
    const std::uint64_t lots = in.varint();
    if (!in.ok() || lots > bytes.size()) return false;
    lots_.reserve(lots);
    std::int64_t activity = 0;
    std::int64_t expires_on = never;
    for (std::uint64_t left = lots; left > 0; --left) {
        const std::uint64_t place = in.varint();
        const std::uint64_t back = in.varint();
        const std::uint64_t position = in.varint();
        activity += in.zigzag();
        expires_on += in.zigzag();
        const std::uint64_t remaining = in.varint();
        const bool is_lot = in.ok() && place < dictionary.size() && back <= through.value() &&
                            position <= 255 && expires_on >= 0 && expires_on <= never &&
                            remaining >= 1 &&
                            remaining <= static_cast<std::uint64_t>(points_per_message_max.count());
        if (!is_lot) return false;
        const SharedTerms& terms = dictionary[place];
        const Lot lot{
            .provenance =
                {.key =
                     {.origin = Sequence{through.value() - back},
                      .position = static_cast<std::uint16_t>(position)},
                 .activity = time_of_micros(activity * unit),
                 .expires_on = static_cast<Day>(expires_on),
                 .tariff = terms.tariff,
                 .vat_rate = terms.vat_rate,
                 .funding = terms.funding},
            .remaining = Points{static_cast<std::int64_t>(remaining)}};
        lots_.append(lot);
        open_ += lot.remaining;
    }
    for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
        Debt debt;
        const std::uint64_t back = in.varint();
        debt.key.tariff = TariffVersion{static_cast<std::uint32_t>(in.varint())};
        const std::uint8_t kind = in.u8();
        debt.counterpart = TariffVersion{static_cast<std::uint32_t>(in.varint())};
        if (back > through.value() || kind > static_cast<std::uint8_t>(DebtKind::excess))
            return false;
        debt.key.origin = Sequence{through.value() - back};
        debt.key.kind = static_cast<DebtKind>(kind);
        if (!read_points(in, debt.points)) return false;
        rare_.made().debts.push_back(debt);
    }
    for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
        Creditable creditable;
        creditable.issuer = PartnerId{static_cast<std::uint32_t>(in.varint())};
        if (!read_points(in, creditable.points)) return false;
        creditable_.push_back(creditable);
    }
    if ((flags & state_flag::timed) != 0 && !decode_timed(in)) return false;
    if ((flags & state_flag::status) != 0) {
        const std::uint8_t status = in.u8();
        if (status == 0 || status > static_cast<std::uint8_t>(last_member_status)) return false;
        set_status(static_cast<MemberStatus>(status));
        if (this->status() == MemberStatus::merged) {
            rare_.made().merged_into = MemberNumber{in.varint()};
            if (merged_into().is_none()) return false;
        }
    }
    if ((flags & state_flag::merge) != 0) {
        const std::uint64_t back = in.varint();
        if (back >= through.value()) return false;
        rare_.made().merge_in = Sequence{through.value() - back};
    }
    if ((flags & state_flag::active) != 0) {
        const std::int64_t day = in.zigzag();
        if (day == 0 || day < INT32_MIN || day >= never) return false;
        active_on_ = static_cast<Day>(day);
    }
    return in.ok() && in.at_end();
}

} // namespace pointhouse::ledger
