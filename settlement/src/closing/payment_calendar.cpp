#include "settlement/payment_calendar.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

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

std::int32_t number_at(const json::object& content, std::string_view key)
{
    return content.at(key).to_number<std::int32_t>();
}

} // namespace

std::string in_words(const CalendarTerms& terms)
{
    return fmt::format(
        "from {}: billed after {}, due after {}, paid {} later, {}{}",
        ledger::format_month(terms.from),
        terms.billing_days,
        terms.payment_days,
        terms.pay_days,
        name_of(terms.roll),
        terms.objection_days == CalendarTerms{}.objection_days
            ? ""
            : fmt::format(", objections for {}", terms.objection_days));
}

WindowDates dates_of(const CalendarTerms& terms, Month window)
{
    const Day last = last_day_of(window);
    // Documents are made after the cut-off, and nothing is due before they are.
    const Day billing_on = rolled(last + terms.billing_days, Roll::following);
    const Day due_on = std::max(rolled(last + terms.payment_days, terms.roll), billing_on);
    return {
        .last = last,
        .billing_on = billing_on,
        .due_on = due_on,
        .pay_on = rolled(due_on + terms.pay_days, terms.roll)};
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
    if (last_closed && terms.from <= *last_closed)
        return refused(fmt::format(
            "{} is closed: its dates do not change any more", ledger::format_month(*last_closed)));
    if (!versions_.empty() && terms.from <= versions_.rbegin()->first)
        return refused(fmt::format(
            "the calendar is set from {} on; a further one begins later",
            ledger::format_month(versions_.rbegin()->first)));
    return NewEntry{
        .kind = "calendar_set",
        .content = json::serialize(json::object{
            {"from", ledger::format_month(terms.from)},
            {"billing_days", terms.billing_days},
            {"payment_days", terms.payment_days},
            {"pay_days", terms.pay_days},
            {"objection_days", terms.objection_days},
            {"roll", name_of(terms.roll)}})};
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
    versions_.emplace(terms.from, terms);
}

Registered<NewEntry> PaymentCalendar::withdraw(
    Month from, std::string_view reason, std::optional<Month> last_closed) const
{
    if (!versions_.contains(from))
        return refused(fmt::format("no terms begin with {}", ledger::format_month(from)));
    if (reason.empty()) return refused("why terms are taken back is said: a reason");
    if (last_closed && from <= *last_closed)
        return refused(fmt::format(
            "{} is closed: its dates do not change any more", ledger::format_month(*last_closed)));
    return NewEntry{
        .kind = "calendar_withdrawn",
        .content = json::serialize(
            json::object{{"from", ledger::format_month(from)}, {"reason", reason}})};
}

void PaymentCalendar::apply_withdrawal(const json::object& content)
{
    const auto from = ledger::parse_month(std::string_view{content.at("from").as_string()});
    const auto node = versions_.extract(from.value());
    withdrawn_.emplace_back(
        node.mapped(), std::string{std::string_view{content.at("reason").as_string()}});
}

const CalendarTerms& PaymentCalendar::terms_of(Month window) const
{
    static const CalendarTerms usual{};
    const auto next = versions_.upper_bound(window);
    return next == versions_.begin() ? usual : std::prev(next)->second;
}

WindowDates PaymentCalendar::dates_of(Month window) const
{
    return settlement::dates_of(terms_of(window), window);
}

Day PaymentCalendar::due_on(Day issued_on) const
{
    const auto& terms = terms_of(month_of(issued_on));
    return rolled(issued_on + terms.payment_days, terms.roll);
}

} // namespace pointhouse::settlement
