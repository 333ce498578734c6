#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "settlement/register.hpp"

// What currencies were worth, as it was recorded day by day.

namespace pointhouse::settlement {

namespace json = boost::json;

namespace {

std::unexpected<RegisterFault> refused(std::string reason)
{
    return std::unexpected(RegisterFault{std::move(reason)});
}

std::string id_of(std::string_view from, std::string_view to, ledger::Day day)
{
    return fmt::format("{}-{}-{}", from, to, ledger::format_day(day));
}

constexpr std::int64_t rate_unit = 1'000'000; // rates have six places, as prices

} // namespace

Registered<NewEntry> Register::set_rate(const DailyRate& daily) const
{
    const auto& [day, rate] = daily;
    if (rate.from == rate.to) return refused("a rate is between two currencies");
    if (rate.numerator <= 0 || rate.denominator != rate_unit)
        return refused("a rate is above zero, with at most six places");
    if (rate.numerator > rate_millionths_max)
        return refused(fmt::format(
            "a rate is at most {}: record it the other way round",
            ledger::format_micro(ledger::Micro{rate_millionths_max})));
    const auto id = id_of(rate.from.code, rate.to.code, day);
    // The other way round would be a second rate for the same day, and seldom the same one.
    for (const auto& known : {id, id_of(rate.to.code, rate.from.code, day)})
        if (rates_.contains(known)) return refused(fmt::format("{} is recorded already", known));
    return NewEntry{
        .kind = "fx_rate_set",
        .content = json::serialize(json::object{
            {"id", id},
            {"day", ledger::format_day(day)},
            {"from", rate.from.code},
            {"to", rate.to.code},
            {"rate", ledger::format_micro(ledger::Micro{rate.numerator})}})};
}

void Register::apply_rate(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    const auto text = [&](std::string_view key) {
        return std::string{std::string_view{content.at(key).as_string()}};
    };
    rates_.emplace(
        text("id"),
        DailyRate{
            .day = ledger::parse_day(text("day")).value(),
            .rate = {
                .id = text("id"),
                .from = ledger::find_currency(text("from")).value(),
                .to = ledger::find_currency(text("to")).value(),
                .numerator = ledger::parse_micro(text("rate")).value().count(),
                .denominator = rate_unit}});
}

void Register::note_rates(const json::value& content)
{
    if (const auto* array = content.if_array())
        for (const auto& each : *array) note_rates(each);
    const auto* object = content.if_object();
    if (!object) return;
    for (const auto& [name, each] : *object) {
        if (name == "rate_id" && each.is_string()) {
            used_rates_.emplace(std::string_view{each.as_string()});
        } else if (name == "rate_ids") {
            for (const auto& id : each.as_array())
                used_rates_.emplace(std::string_view{id.as_string()});
        } else {
            note_rates(each);
        }
    }
}

Registered<NewEntry> Register::withdraw_rate(std::string_view id, std::string_view reason) const
{
    if (!rates_.contains(id)) return refused(fmt::format("no rate {} is recorded", id));
    if (reason.empty()) return refused("why a rate is taken back is said: a reason");
    if (used_rates_.contains(id))
        return refused(fmt::format("{} was used: what was issued or booked at it stands", id));
    for (const auto& [window, drafts] : drafts_) {
        for (const auto& document : drafts.documents) {
            if ((document.booked && document.booked->rate_id == id) ||
                (document.accounting && document.accounting->rate_id == id))
                return refused(fmt::format(
                    "the drafts of {} are at {}: {}",
                    ledger::format_month(window),
                    id,
                    drafts.is_approved ? "they are approved and keep it" : "turn them down first"));
        }
    }
    return NewEntry{
        .kind = "fx_rate_withdrawn",
        .content = json::serialize(json::object{{"id", id}, {"reason", reason}})};
}

void Register::apply_rate_withdrawal(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    const auto node = rates_.extract(std::string{std::string_view{content.at("id").as_string()}});
    withdrawn_rates_.emplace_back(
        node.mapped(), std::string{std::string_view{content.at("reason").as_string()}});
}

std::optional<ExchangeRate> Register::stored_rate(std::string_view id, std::string_view to) const
{
    const auto found = rates_.find(id);
    if (found == rates_.end()) return std::nullopt;
    const ExchangeRate& rate = found->second.rate;
    if (rate.to.code == to) return rate;
    if (rate.from.code == to) return inverse_of(rate);
    return std::nullopt;
}

std::optional<ExchangeRate> Register::find_rate(
    std::string_view from, std::string_view to, ledger::Day day) const
{
    const DailyRate* newest = nullptr;
    for (const auto& [id, daily] : rates_) {
        const auto& rate = daily.rate;
        const bool fits = (rate.from.code == from && rate.to.code == to) ||
                          (rate.from.code == to && rate.to.code == from);
        if (fits && daily.day <= day && (!newest || daily.day > newest->day)) newest = &daily;
    }
    return newest ? stored_rate(newest->rate.id, to) : std::nullopt;
}

} // namespace pointhouse::settlement
