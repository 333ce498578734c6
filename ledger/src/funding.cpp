#include "funding.hpp"

#include <algorithm>
#include <string>

#include "byte_codec.hpp"
#include "ledger/invariant.hpp"
#include "sha256.hpp"

namespace pointhouse::ledger {
namespace {

using Refused = std::optional<Refusal>;
constexpr Refused funded = std::nullopt;
constexpr std::uint8_t counters_version = 2; // 1: without the turnover
constexpr std::size_t varint_bytes_max = 10;

void add(std::int64_t& total, std::int64_t amount)
{
    if (__builtin_add_overflow(total, amount, &total))
        invariant(false, "sums of points fit 64 bits");
}

template <class Kind, class Value>
Value& slot(std::vector<Value>& values, Id<Kind, std::uint32_t> id)
{
    if (values.size() < id.value()) values.resize(id.value());
    return values[id.value() - 1];
}

template <class Kind, class Value>
Value value_at(const std::vector<Value>& values, Id<Kind, std::uint32_t> id)
{
    return !id.is_none() && id.value() <= values.size() ? values[id.value() - 1] : Value{};
}

/// Allots parts to funders one after another, and counts what this message itself has taken.
class Allotment {
public:
    Allotment(const FundingRequest& request, const Terms& terms, const FundingCounters& counters)
        : request_{request}, terms_{terms}, counters_{counters}
    {}

    Refused allot(PartnerId funder, Points points)
    {
        const Tariff* dated = terms_.find_tariff(funder, request_.activity);
        if (dated == nullptr) return Refusal::funding_not_agreed;
        if (points.is_zero()) return funded;
        const PartnerTerms& partner = terms_.partner(funder);
        if (partner.billing == Billing::prepaid) return draw_blocks(partner, *dated, points);
        if (partner.credit_limit && !is_within_limit(partner, *dated, points))
            return Refusal::issuer_unfunded;
        return add_part(dated->version, *dated, points);
    }

    [[nodiscard]] FundingParts take() { return std::move(parts_); }

private:
    Refused add_part(TariffVersion tariff, const Tariff& dated, Points points)
    {
        if (parts_.size() == funding_parts_max) return Refusal::issuer_unfunded;
        parts_.push_back(
            {.funder = dated.partner, .tariff = tariff, .dated = &dated, .points = points});
        return funded;
    }

    // The oldest block with points left is the one that is drawn on.
    Refused draw_blocks(const PartnerTerms& partner, const Tariff& dated, Points points)
    {
        for (const std::uint32_t place : partner.blocks) {
            const Tariff& block = terms_.tariffs[place];
            const Points left = counters_.left_in(block);
            if (left.is_zero()) continue;
            if (left < points && partner.on_short == OnShort::refuse) break;
            const Points drawn = std::min(left, points);
            if (const Refused refused = add_part(block.version, dated, drawn)) return refused;
            points -= drawn;
            if (points.is_zero()) return funded;
        }
        return Refusal::issuer_unfunded;
    }

    // Exact: both sides in ten-thousandths of a micro-unit, 128 bits wide.
    [[nodiscard]] bool is_within_limit(
        const PartnerTerms& partner, const Tariff& tariff, Points points) const
    {
        constexpr std::int32_t whole = 10'000;
        const Unbilled unbilled = counters_.unbilled(partner.partner);
        const IssuerVat vat = partner.vat_at(request_.now);
        const ClaimMoves& moved = partner.moved;
        const Micro price =
            unbilled.price + moved.unbilled_price + tariff.prefunded_price() * points.count();
        const Micro fee = unbilled.fee + moved.unbilled_fee + tariff.service_fee * points.count();
        const Wide owed = Wide{price.count()} * (whole + vat.price) +
                          Wide{fee.count()} * (whole + vat.fee) +
                          Wide{moved.receivable.count()} * whole;
        return owed <= Wide{partner.credit_limit->count()} * whole;
    }

    const FundingRequest& request_;
    const Terms& terms_;
    const FundingCounters& counters_;
    FundingParts parts_;
};

// At the whole price of the point and what its redemption costs: what is not prefunded moves later.
Wide turnover_of(const Entry& entry, const Terms& terms)
{
    const bool is_issued = entry.kind == EntryKind::issued || entry.kind == EntryKind::opened ||
                           entry.kind == EntryKind::reinstated ||
                           entry.kind == EntryKind::reinstated_by_house;
    const bool is_spent = entry.kind == EntryKind::redeemed || entry.kind == EntryKind::donated ||
                          entry.kind == EntryKind::recovered;
    if (!is_issued && !is_spent) return 0;
    const Tariff& tariff = terms.tariff(entry.lot.tariff);
    Wide price = Wide{tariff.issue_price.count()} + tariff.service_fee.count();
    if (is_spent && !entry.counterpart.is_none())
        price += terms.tariff(entry.counterpart).reimbursement.count();
    return price * entry.points.count();
}

// The first eight bytes, big-endian, of SHA-256 over the three texts, each but the last followed by
// a zero byte.
std::uint64_t draw_of(std::string_view promotion, std::string_view partner, std::string_view id)
{
    std::string text;
    text.append(promotion).push_back('\0');
    text.append(partner).push_back('\0');
    text.append(id);
    Sha256 sha256;
    const Digest digest = sha256.of(std::as_bytes(std::span{text}));
    std::uint64_t number = 0;
    for (std::size_t place = 0; place < sizeof number; ++place)
        number = (number << 8) | std::to_integer<std::uint64_t>(digest[place]);
    return number;
}

Refused check_promotion(
    const Promotion* promotion,
    const FundingRequest& request,
    const Terms& terms,
    const FundingCounters& counters)
{
    if (promotion == nullptr) return Refusal::funding_not_agreed;
    const Day day = terms.calendar->day_of(request.activity);
    if (day < promotion->from || day > promotion->to) return Refusal::funding_not_agreed;
    // Nobody spends other partners' money alone.
    if (std::ranges::find(promotion->funders, request.partner, &Funder::partner) ==
        promotion->funders.end())
        return Refusal::funding_not_agreed;
    // Who left funds nothing any more, and the others did not agree to more.
    const auto has_left = [&](const Funder& funder) {
        return terms.partner(funder.partner).has_left(request.activity);
    };
    if (std::ranges::any_of(promotion->funders, has_left)) return Refusal::funding_not_agreed;
    const bool is_capped = !promotion->cap.is_zero();
    if (is_capped && counters.granted(promotion->id) + request.points > promotion->cap)
        return Refusal::limit_exceeded;
    return funded;
}

} // namespace

Points FundingCounters::left_in(const Tariff& block) const
{
    return Points{block.block.count() - value_at(drawn_, block.version)};
}

Unbilled FundingCounters::unbilled(PartnerId issuer) const
{
    return value_at(unbilled_, issuer);
}

Points FundingCounters::granted(PromotionId promotion) const
{
    return Points{value_at(granted_, promotion)};
}

void FundingCounters::apply(const Record& record, const Terms& terms)
{
    if (record.type == MessageType::house_entry) booked_ = record.terms;
    if (!record.refusal && has_receipt(record.type)) in_transit_.push_back(record.sequence);
    if (is_receipt(record.type)) std::erase(in_transit_, record.original);
    for (const Entry& entry : record.entries) {
        apply_entry(entry, terms);
        // Never refused is what the house posts by itself: a part of what was charged before.
        const auto turnover = static_cast<std::int64_t>(turnover_of(entry, terms));
        if (turnover == 0) continue;
        slot(turnover_, terms.tariff(entry.lot.tariff).partner) += turnover;
        house_turnover_ += turnover;
    }
    if (!record.promotion.is_none()) add(slot(granted_, record.promotion), record.points.count());
}

bool FundingCounters::has_room_for(const Record& record, const Terms& terms) const
{
    Wide house = house_turnover_;
    for (const Entry& entry : record.entries) {
        const Wide turnover = turnover_of(entry, terms);
        if (turnover == 0) continue;
        house += turnover;
        // With all of the record's: it may have several lots of an issuer.
        const PartnerId issuer = terms.tariff(entry.lot.tariff).partner;
        const Wide own = value_at(turnover_, issuer) + (house - house_turnover_);
        if (own > issuer_turnover_max.count() || house > turnover_max.count()) return false;
    }
    return true;
}

void FundingCounters::apply_entry(const Entry& entry, const Terms& terms)
{
    const std::int64_t points = entry.points.count();
    // What was not prefunded falls due when a point is spent.
    const auto pay_rest = [&](std::int64_t spent) {
        const Tariff& tariff = terms.tariff(entry.lot.tariff);
        const Share share = tariff.prefund_share;
        if (share.numerator != share.denominator)
            charge(tariff, (tariff.issue_price - tariff.prefunded_price()) * spent, Micro{});
    };
    switch (entry.kind) {
    case EntryKind::issued: return issue(terms.tariff(entry.lot.tariff), points);
    case EntryKind::clawed_back: return issue(terms.tariff(entry.lot.tariff), -points);
    case EntryKind::redeemed:
    case EntryKind::donated: return pay_rest(points);
    case EntryKind::refunded: return pay_rest(-points);
    case EntryKind::debt_incurred:
        // Credited at once, unless the issuer itself waits for the recovery.
        if (entry.debt.kind == DebtKind::house_bears || entry.debt.kind == DebtKind::redeemer_bears)
            credit_debt(entry, terms);
        return;
    case EntryKind::recovered:
        pay_rest(points);
        if (entry.debt.kind == DebtKind::issuer_bears) credit_debt(entry, terms);
        return;
    case EntryKind::opened: // paid for elsewhere, before
    case EntryKind::matured:
    case EntryKind::expired:
    case EntryKind::expiry_undone:
    case EntryKind::reinstated:
    case EntryKind::reinstated_by_house:
    case EntryKind::held:
    case EntryKind::released:
    case EntryKind::moved_out:
    case EntryKind::moved_in:
    case EntryKind::debt_moved_out:
    case EntryKind::debt_moved_in:
    case EntryKind::creditable_moved:
    case EntryKind::folded_out:
    case EntryKind::folded_in: return;
    }
    invariant(false, "every kind of entry has its funding");
}

void FundingCounters::issue(const Tariff& tariff, std::int64_t points)
{
    if (tariff.is_block()) return draw(tariff, points);
    charge(tariff, tariff.prefunded_price() * points, tariff.service_fee * points);
}

void FundingCounters::credit_debt(const Entry& entry, const Terms& terms)
{
    const Tariff& tariff = terms.tariff(entry.debt.tariff);
    const std::int64_t points = entry.points.count();
    if (tariff.is_block()) return draw(tariff, -points);
    charge(tariff, -(tariff.issue_price * points), -(tariff.service_fee * points));
}

void FundingCounters::draw(const Tariff& tariff, std::int64_t points)
{
    std::int64_t& drawn = slot(drawn_, tariff.version);
    add(drawn, points);
    invariant(drawn <= tariff.block.count(), "a block gives what it has and no more");
}

void FundingCounters::charge(const Tariff& tariff, Micro price, Micro fee)
{
    Unbilled& unbilled = slot(unbilled_, tariff.partner);
    unbilled.price += price;
    unbilled.fee += fee;
}

void FundingCounters::encode(Sequence through, std::vector<std::byte>& out) const
{
    const std::size_t used = out.size();
    const std::size_t numbers = 6 + turnover_.size() + drawn_.size() + unbilled_.size() * 2 +
                                granted_.size() + in_transit_.size();
    out.resize(used + 1 + numbers * varint_bytes_max);
    ByteWriter writer{out.data() + used};
    writer.u8(counters_version);
    writer.varint(through.value());
    writer.varint(booked_.value());
    writer.varint(turnover_.size());
    for (const std::int64_t micros : turnover_) writer.zigzag(micros);
    writer.varint(drawn_.size());
    for (const std::int64_t points : drawn_) writer.zigzag(points);
    writer.varint(unbilled_.size());
    for (const Unbilled& unbilled : unbilled_) {
        writer.zigzag(unbilled.price.count());
        writer.zigzag(unbilled.fee.count());
    }
    writer.varint(granted_.size());
    for (const std::int64_t points : granted_) writer.zigzag(points);
    for (const Sequence sent : in_transit_) writer.varint(sent.value());
    out.resize(static_cast<std::size_t>(writer.at() - out.data()));
}

bool FundingCounters::decode(std::span<const std::byte> bytes, Sequence through)
{
    *this = {};
    ByteReader in{bytes};
    if (in.u8() != counters_version || in.varint() != through.value()) return false;
    booked_ = HouseSequence{in.varint()};
    const auto read_all = [&in](std::vector<std::int64_t>& values) {
        for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left)
            values.push_back(in.zigzag());
    };
    read_all(turnover_);
    for (const std::int64_t micros : turnover_) add(house_turnover_, micros);
    read_all(drawn_);
    for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
        const Micro price{in.zigzag()};
        unbilled_.push_back({.price = price, .fee = Micro{in.zigzag()}});
    }
    read_all(granted_);
    Sequence before;
    while (in.ok() && !in.at_end()) {
        const Sequence sent{in.varint()};
        if (sent <= before || sent > through) return false;
        in_transit_.push_back(before = sent);
    }
    return in.ok();
}

bool FundingCounters::is_of_before(std::span<const std::byte> bytes)
{
    return !bytes.empty() && std::to_integer<std::uint8_t>(bytes.front()) < counters_version;
}

std::vector<Points> split_by_shares(
    const Promotion& promotion, const FundingRequest& request, const Terms& terms)
{
    std::int64_t total = 0;
    for (const Funder& funder : promotion.funders) total += funder.share;
    invariant(total > 0, "a promotion has funders");

    std::vector<Points> parts;
    std::vector<std::int64_t> remainders;
    std::int64_t remaining = 0; // a whole multiple of `total`
    for (const Funder& funder : promotion.funders) {
        const std::int64_t scaled = request.points.count() * funder.share;
        parts.emplace_back(scaled / total);
        remainders.push_back(scaled % total);
        remaining += scaled % total;
    }
    if (remaining == 0) return parts;

    // The remainders lie end to end on a line; a comb whose teeth are `total` apart picks from it.
    // A remainder is shorter than that, so nobody gets more than one of the points left over.
    const std::uint64_t hash =
        draw_of(promotion.name, terms.partner(request.partner).name, request.message_id);
    auto tooth = static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(total));
    std::int64_t end = 0;
    for (std::size_t place = 0; place < parts.size(); ++place) {
        end += remainders[place];
        if (tooth >= end) continue;
        parts[place] += Points{1};
        tooth += total;
    }
    return parts;
}

Result<FundingParts> fund(
    const FundingRequest& request, const Terms& terms, const FundingCounters& counters)
{
    Allotment allotment{request, terms, counters};
    if (request.promotion.empty()) {
        if (const Refused refused = allotment.allot(request.partner, request.points))
            return std::unexpected(*refused);
        return allotment.take();
    }
    const Promotion* promotion = terms.find_promotion(request.promotion);
    if (const Refused refused = check_promotion(promotion, request, terms, counters))
        return std::unexpected(*refused);
    const std::vector<Points> parts = split_by_shares(*promotion, request, terms);
    for (std::size_t place = 0; place < parts.size(); ++place) {
        const PartnerId funder = promotion->funders[place].partner;
        if (const Refused refused = allotment.allot(funder, parts[place]))
            return std::unexpected(*refused);
    }
    return allotment.take();
}

} // namespace pointhouse::ledger
