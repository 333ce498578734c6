#include "fold.hpp"

#include <tuple>
#include <vector>

#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

namespace pointhouse::ledger {
namespace {

// A lot's position is stored in a byte.
constexpr std::size_t folds_per_record = 256;

/// What lots have in common that fold: all but when exactly, and by which message.
using Kind = std::tuple<std::uint32_t, std::int32_t, Day, int, std::int32_t, std::uint8_t>;

/// The months of activities that come in the order of time, mostly.
class Months {
public:
    explicit Months(const Calendar& calendar) : calendar_{calendar} {}

    Month of(Time time)
    {
        if (time < begins_ || time >= ends_) {
            month_ = calendar_.month_of(time);
            begins_ = calendar_.start_of(month_);
            ends_ = calendar_.start_of(month_.next());
        }
        return month_;
    }

private:
    const Calendar& calendar_;
    Month month_{};
    Time begins_ = Time::max();
    Time ends_ = Time::min();
};

/// Lots that become one.
struct Fold {
    std::vector<PackedLot> lots;
    Points points;
};

/// The oldest lots by kind, in the order of the first of each, as far as they have to fold.
std::vector<Fold> folds_of(const Member& member, const LotLimits& limits, const Terms& terms)
{
    std::vector<Fold> folds;
    boost::unordered_flat_map<Kind, std::size_t, boost::hash<Kind>> places;
    Months months{*terms.calendar};
    std::size_t left = member.lots().size();
    std::size_t made = 0;
    for (const PackedLot& lot : member.lots().all()) {
        if (left <= limits.folded_to) break;
        const Provenance from = lot.provenance();
        const Month month = months.of(from.activity);
        const Kind kind{
            from.tariff.value(),
            from.vat_rate,
            from.expires_on,
            month.year,
            month.month,
            static_cast<std::uint8_t>(from.funding)};
        const auto [place, is_first] = places.try_emplace(kind, folds.size());
        // No lot holds more than one message may carry.
        if (is_first || folds[place->second].points + lot.remaining() > points_per_message_max) {
            place->second = folds.size();
            folds.push_back({.lots = {lot}, .points = lot.remaining()});
            continue;
        }
        Fold& fold = folds[place->second];
        if (fold.lots.size() == 1 && made++ == folds_per_record) break;
        fold.lots.push_back(lot);
        fold.points += lot.remaining();
        --left;
    }
    std::erase_if(folds, [](const Fold& fold) { return fold.lots.size() == 1; });
    return folds;
}

} // namespace

bool fold_lots(const Member& member, const LotLimits& limits, const Terms& terms, Record& posting)
{
    posting.type = MessageType::fold;
    std::uint16_t position = 0;
    for (const Fold& fold : folds_of(member, limits, terms)) {
        for (const PackedLot& lot : fold.lots)
            posting.entries.push_back(
                {.kind = EntryKind::folded_out,
                 .points = lot.remaining(),
                 .lot = lot.provenance()});
        Entry into{
            .kind = EntryKind::folded_in,
            .points = fold.points,
            .lot = fold.lots.front().provenance()};
        into.lot.key = {.origin = posting.sequence, .position = position++};
        posting.entries.push_back(into);
        posting.points += fold.points;
    }
    return position > 0;
}

} // namespace pointhouse::ledger
