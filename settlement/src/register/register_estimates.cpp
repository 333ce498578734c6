#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "settlement/register.hpp"

// What the house expects of its points: versions that follow each other, and none is ever lost.

namespace pointhouse::settlement {

namespace json = boost::json;

namespace {

constexpr std::int32_t one_in_millionths = 1'000'000;

std::unexpected<RegisterFault> refused(std::string reason)
{
    return std::unexpected(RegisterFault{std::move(reason)});
}

/// The newest that was not taken back.
const RecordedEstimate* last_of(
    std::span<const RecordedEstimate> estimates, ledger::PartnerId issuer)
{
    const RecordedEstimate* last = nullptr;
    for (const auto& estimate : estimates)
        if (estimate.issuer == issuer && !estimate.withdrawn_at) last = &estimate;
    return last;
}

/// Numbers are given once.
std::int32_t next_version(std::span<const RecordedEstimate> estimates, ledger::PartnerId issuer)
{
    std::int32_t next = 1;
    for (const auto& estimate : estimates)
        if (estimate.issuer == issuer) next = estimate.version + 1;
    return next;
}

} // namespace

Registered<NewEntry> Register::estimate(
    const RecordedEstimate& estimate, const ledger::Terms& terms) const
{
    const auto& name = terms.partner(estimate.issuer).name;
    const std::int32_t rate = estimate.redemption_rate_millionths;
    if (rate < 1 || rate > one_in_millionths)
        return refused("an ultimate redemption rate is above 0 and at most 1");
    const auto* last = last_of(estimates_, estimate.issuer);
    if (last && estimate.as_of < last->as_of)
        return refused(fmt::format(
            "{} has an estimate of {}: what was known before does not change",
            name,
            ledger::format_day(last->as_of)));
    if (last && estimate.as_of == last->as_of && rate == last->redemption_rate_millionths)
        return refused(fmt::format(
            "version {} of {} says the same of {}",
            last->version,
            name,
            ledger::format_day(last->as_of)));
    return NewEntry{
        .kind = "breakage_estimated",
        .content = json::serialize(json::object{
            {"partner", estimate.issuer.value()},
            {"id", name},
            {"version", next_version(estimates_, estimate.issuer)},
            {"as_of", ledger::format_day(estimate.as_of)},
            {"redemption_rate_millionths", rate},
            {"known_at", ledger::format_time(estimate.known_at)}})};
}

void Register::apply_estimate(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    const auto text = [&](std::string_view key) {
        return std::string_view{content.at(key).as_string()};
    };
    estimates_.push_back(
        {.issuer = ledger::PartnerId{content.at("partner").to_number<std::uint32_t>()},
         .version = content.at("version").to_number<std::int32_t>(),
         .as_of = ledger::parse_day(text("as_of")).value(),
         .redemption_rate_millionths =
             content.at("redemption_rate_millionths").to_number<std::int32_t>(),
         .known_at = ledger::parse_time(text("known_at")).value()});
}

Registered<NewEntry> Register::withdraw_estimate(
    const RecordedEstimate& estimate, std::string_view reason, ledger::Time now) const
{
    const auto* last = last_of(estimates_, estimate.issuer);
    if (!last || last->version != estimate.version)
        return refused(
            last ? fmt::format("only the newest version is taken back: {}", last->version)
                 : "nothing is estimated of this issuer");
    if (reason.empty()) return refused("why an estimate is taken back is said: a reason");
    const auto window = ledger::parse_month(ledger::format_day(last->as_of).substr(0, 7)).value();
    if (auto admitted = closings_.admit(window); !admitted)
        return std::unexpected(admitted.error());
    return NewEntry{
        .kind = "estimate_withdrawn",
        .content = json::serialize(json::object{
            {"partner", last->issuer.value()},
            {"version", last->version},
            {"reason", reason},
            {"withdrawn_at", ledger::format_time(now)}})};
}

void Register::apply_estimate_withdrawal(
    const ledger::HouseEntry& /*entry*/, const Content& content)
{
    const ledger::PartnerId issuer{content.at("partner").to_number<std::uint32_t>()};
    const auto version = content.at("version").to_number<std::int32_t>();
    for (auto& each : estimates_) {
        if (each.issuer != issuer || each.version != version) continue;
        each.withdrawn_at =
            ledger::parse_time(std::string_view{content.at("withdrawn_at").as_string()});
        each.reason = std::string_view{content.at("reason").as_string()};
    }
}

} // namespace pointhouse::settlement
