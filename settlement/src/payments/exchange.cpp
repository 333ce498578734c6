#include "settlement/exchange.hpp"

#include <vector>

#include "ledger/invariant.hpp"
#include "settlement/apportionment.hpp"

namespace pointhouse::settlement {

using ledger::Minor;
using ledger::PartnerId;
using ledger::Wide;

namespace {

std::int64_t minor_per_unit(const ledger::Currency& currency)
{
    return 1'000'000 / ledger::micro_per_minor(currency);
}

} // namespace

ExchangeRate inverse_of(const ExchangeRate& rate)
{
    return {
        .id = rate.id,
        .from = rate.to,
        .to = rate.from,
        .numerator = rate.denominator,
        .denominator = rate.numerator};
}

std::expected<Minor, ExchangeFault> convert(Minor amount, const ExchangeRate& rate)
{
    if (rate.numerator <= 0 || rate.denominator <= 0)
        return std::unexpected(ExchangeFault::rate_not_positive);
    // At most 1,000 minor units make a unit, so both products fit: 63 + 63 bits before the scale,
    // which is taken out of the fraction where it can be.
    Wide scale_to = minor_per_unit(rate.to);
    Wide scale_from = minor_per_unit(rate.from);
    while (scale_to % 10 == 0 && scale_from % 10 == 0) {
        scale_to /= 10;
        scale_from /= 10;
    }
    Wide product = 0;
    if (__builtin_mul_overflow(Wide{amount.count} * rate.numerator, scale_to, &product))
        return std::unexpected(ExchangeFault::amount_overflow);
    const Wide divisor = rate.denominator * scale_from;
    const Wide magnitude = product < 0 ? -product : product;
    const Wide whole = magnitude / divisor;
    const Wide rounded = whole + (magnitude % divisor >= divisor - magnitude % divisor ? 1 : 0);
    // In millionths it is booked: those have to fit 64 bits, with one more for a sum.
    constexpr Wide converted_max = Wide{1} << 62U;
    if (rounded > converted_max / ledger::micro_per_minor(rate.to))
        return std::unexpected(ExchangeFault::amount_overflow);
    return Minor{static_cast<std::int64_t>(product < 0 ? -rounded : rounded)};
}

std::expected<ConvertedPositions, ExchangeFault> convert(
    const NetPositions& nets, const ExchangeRate& rate)
{
    ConvertedPositions converted{.currency = rate.to, .rate_id = rate.id};
    std::vector<PartnerId> receivers;
    std::vector<std::int64_t> weights;
    Wide paid = 0;
    Wide rounded_alone = 0;
    Wide total = 0;
    for (const auto& [party, net] : nets) {
        const auto alone = convert(net, rate);
        if (!alone) return std::unexpected(alone.error());
        converted.nets.emplace(party, *alone);
        rounded_alone += alone->count;
        total += net.count;
        if (net < Minor{0}) paid -= alone->count;
        if (net > Minor{0}) {
            receivers.push_back(party);
            weights.push_back(net.count);
        }
    }
    ledger::invariant(total == 0, "net positions sum to zero");
    if (paid > INT64_MAX || rounded_alone < INT64_MIN || rounded_alone > INT64_MAX)
        return std::unexpected(ExchangeFault::amount_overflow);

    const auto shares = largest_remainder(Minor{static_cast<std::int64_t>(paid)}, weights);
    ledger::invariant(shares.has_value(), "who pays has somebody that receives");
    for (std::size_t index = 0; index < receivers.size(); ++index)
        converted.nets[receivers[index]] = (*shares)[index];
    converted.exchange_result = Minor{static_cast<std::int64_t>(rounded_alone)};
    return converted;
}

} // namespace pointhouse::settlement
