#include "settlement/payment_calendar.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace pointhouse::settlement {

namespace json = boost::json;
using ledger::Day;
using ledger::Month;

namespace {

// A month to bill and two to be paid; more is a mistake of typing.
constexpr std::int32_t billing_days_max = 31;
constexpr std::int32_t payment_days_max = 60;
constexpr std::int32_t objection_days_max = 365;
constexpr std::size_t holidays_max = 100; // some years of them

std::unexpected<RegisterFault> refused(std::string reason)
{
    return std::unexpected(RegisterFault{std::move(reason)});
}

Month month_of(Day day)
{
    return ledger::parse_month(ledger::format_day(day).substr(0, 7)).value();
}

Day last_day_of(Month window)
{
    return ledger::last_of_month(ledger::parse_day(ledger::format_month(window) + "-01").value());
}

std::string_view program_of(const json::object& content)
{
    return content.contains("program") ? std::string_view{content.at("program").as_string()} : "";
}

/// Keys that the house's own terms never had are left out where they say nothing.
void add_program(json::object& content, std::string_view program)
{
    if (!program.empty()) content.emplace("program", program);
}

std::string last_from(const PaymentCalendar::Versions& versions)
{
    return ledger::format_month(versions.rbegin()->first);
}

json::array days_of(std::span<const Day> days)
{
    json::array texts;
    for (const Day day : days) texts.emplace_back(ledger::format_day(day));
    return texts;
}

std::int32_t number_at(const json::object& content, std::string_view key)
{
    return content.at(key).to_number<std::int32_t>();
}

} // namespace

std::string in_words(const CalendarTerms& terms)
{
    std::string holidays;
    for (const Day day : terms.holidays)
        holidays += (holidays.empty() ? ", not on " : " ") + ledger::format_day(day);
    return fmt::format(
        "{}from {}: billed after {}, due after {}, paid {} later, {}{}{}",
        terms.program.empty() ? "" : fmt::format("of {} ", terms.program),
        ledger::format_month(terms.from),
        terms.billing_days,
        terms.payment_days,
        terms.pay_days,
        name_of(terms.roll),
        terms.objection_days == CalendarTerms{}.objection_days
            ? ""
            : fmt::format(", objections for {}", terms.objection_days),
        holidays);
}

WindowDates dates_of(const CalendarTerms& terms, Month window)
{
    const Day last = last_day_of(window);
    // Documents are made after the cut-off, and nothing is due before they are.
    const auto& holidays = terms.holidays;
    const Day billing_on = rolled(last + terms.billing_days, Roll::following, holidays);
    const Day due_on =
        std::max(rolled(last + terms.payment_days, terms.roll, holidays), billing_on);
    return {
        .last = last,
        .billing_on = billing_on,
        .due_on = due_on,
        .pay_on = rolled(due_on + terms.pay_days, terms.roll, holidays)};
}

Registered<NewEntry> PaymentCalendar::set(
    const CalendarTerms& terms, std::optional<Month> last_closed) const
{
    if (terms.billing_days < 1 || terms.billing_days > billing_days_max)
        return refused(fmt::format("billing_days is from 1 to {}", billing_days_max));
    if (terms.payment_days < 1 || terms.payment_days > payment_days_max)
        return refused(fmt::format("payment_days is from 1 to {}", payment_days_max));
    if (terms.pay_days < 0 || terms.pay_days > payment_days_max)
        return refused(fmt::format("pay_days is from 0 to {}", payment_days_max));
    if (terms.objection_days < 1 || terms.objection_days > objection_days_max)
        return refused(fmt::format("objection_days is from 1 to {}", objection_days_max));
    if (terms.holidays.size() > holidays_max)
        return refused(fmt::format("at most {} holidays", holidays_max));
    if (last_closed && terms.from <= *last_closed)
        return refused(fmt::format(
            "{} is closed: its dates do not change any more", ledger::format_month(*last_closed)));
    const auto& versions = versions_of(terms.program);
    if (!versions.empty() && terms.from <= versions.rbegin()->first)
        return refused(fmt::format(
            "the calendar{} is set from {} on; a further one begins later",
            terms.program.empty() ? "" : " of " + terms.program,
            last_from(versions)));
    json::object content{
        {"from", ledger::format_month(terms.from)},
        {"billing_days", terms.billing_days},
        {"payment_days", terms.payment_days},
        {"pay_days", terms.pay_days},
        {"objection_days", terms.objection_days},
        {"roll", name_of(terms.roll)}};
    if (!terms.holidays.empty()) content.emplace("holidays", days_of(terms.holidays));
    add_program(content, terms.program);
    return NewEntry{.kind = "calendar_set", .content = json::serialize(content)};
}

void PaymentCalendar::apply(const json::object& content)
{
    const auto from = ledger::parse_month(std::string_view{content.at("from").as_string()});
    CalendarTerms terms{
        .from = from.value(),
        .billing_days = number_at(content, "billing_days"),
        .payment_days = number_at(content, "payment_days"),
        .pay_days = number_at(content, "pay_days"),
        .roll = find_roll(std::string_view{content.at("roll").as_string()}).value()};
    // Terms of before there was such a period have the usual one.
    if (content.contains("objection_days"))
        terms.objection_days = number_at(content, "objection_days");
    if (content.contains("holidays"))
        for (const auto& day : content.at("holidays").as_array())
            terms.holidays.push_back(ledger::parse_day(std::string_view{day.as_string()}).value());
    terms.program = program_of(content);
    versions_[terms.program].emplace(terms.from, terms);
}

Registered<NewEntry> PaymentCalendar::withdraw(
    Month from,
    std::string_view reason,
    std::optional<Month> last_closed,
    std::string_view program) const
{
    if (!versions_of(program).contains(from))
        return refused(fmt::format(
            "no terms{} begin with {}",
            program.empty() ? "" : fmt::format(" of {}", program),
            ledger::format_month(from)));
    if (reason.empty()) return refused("why terms are taken back is said: a reason");
    if (last_closed && from <= *last_closed)
        return refused(fmt::format(
            "{} is closed: its dates do not change any more", ledger::format_month(*last_closed)));
    json::object content{{"from", ledger::format_month(from)}, {"reason", reason}};
    add_program(content, program);
    return NewEntry{.kind = "calendar_withdrawn", .content = json::serialize(content)};
}

void PaymentCalendar::apply_withdrawal(const json::object& content)
{
    const auto from = ledger::parse_month(std::string_view{content.at("from").as_string()});
    const auto own = versions_.find(program_of(content));
    const auto node = own->second.extract(from.value());
    if (own->second.empty()) versions_.erase(own);
    withdrawn_.emplace_back(
        node.mapped(), std::string{std::string_view{content.at("reason").as_string()}});
}

const PaymentCalendar::Versions& PaymentCalendar::versions_of(std::string_view program) const
{
    static const Versions none{};
    const auto found = versions_.find(program);
    return found == versions_.end() ? none : found->second;
}

const CalendarTerms& PaymentCalendar::terms_of(Month window, std::string_view program) const
{
    static const CalendarTerms usual{};
    const auto& versions = versions_of(program);
    const auto next = versions.upper_bound(window);
    if (next != versions.begin()) return std::prev(next)->second;
    return program.empty() ? usual : terms_of(window);
}

WindowDates PaymentCalendar::dates_of(Month window, std::string_view program) const
{
    return settlement::dates_of(terms_of(window, program), window);
}

Day PaymentCalendar::due_on(Day issued_on, std::string_view program) const
{
    const auto& terms = terms_of(month_of(issued_on), program);
    return rolled(issued_on + terms.payment_days, terms.roll, terms.holidays);
}

} // namespace pointhouse::settlement
