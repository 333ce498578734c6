#include <fmt/format.h>
#include <set>

#include <boost/json/object.hpp>

#include "settlement/register.hpp"

// What of the register knows of closed windows and of the calendar.

namespace pointhouse::settlement {

void Register::apply_calendar(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    calendar_.apply(content);
}

Registered<NewEntry> Register::withdraw_calendar(
    ledger::Month from, std::string_view reason, std::string_view program) const
{
    const auto month_of = [](ledger::Day day) {
        return ledger::parse_month(ledger::format_day(day).substr(0, 7)).value();
    };
    for (const auto& [number, issued] : issued_) {
        const auto& document = issued.document;
        const auto issued_in = month_of(document.issued_on);
        const auto is_by_these = [&](ledger::Month window) {
            return window >= from &&
                   calendar_.terms_of(window, document.program).program == program;
        };
        if (is_by_these(document.window) || is_by_these(issued_in))
            return std::unexpected(RegisterFault{
                fmt::format("{} was issued by these terms: its due day stands", number)});
    }
    return calendar_.withdraw(from, reason, closings_.last_closed(), program);
}

void Register::apply_calendar_withdrawal(
    const ledger::HouseEntry& /*entry*/, const Content& content)
{
    calendar_.apply_withdrawal(content);
}

void Register::apply_closing(const ledger::HouseEntry& entry, const Content& content)
{
    closings_.apply(entry, content);
}

std::set<ledger::Month> Register::windows_of(const Match& match) const
{
    std::set<ledger::Month> windows;
    const auto add_item = [&](const std::string& item) {
        if (const auto net = find_net(item)) windows.insert(net->key.window);
    };
    const auto add_row = [&](BankRowNumber number) {
        if (number == 0 || number > bank_.rows.size()) return;
        const auto day = ledger::format_day(bank_.rows[number - 1].row.booked_on);
        windows.insert(ledger::parse_month(day.substr(0, 7)).value());
    };
    for (const MatchPart& part : match.parts) {
        add_item(part.item);
        add_row(part.row);
    }
    if (match.write_off) {
        add_item(match.write_off->item);
        add_row(match.write_off->row);
    }
    return windows;
}

Registered<void> Register::admit(const Match& match) const
{
    for (const auto window : windows_of(match))
        if (auto admitted = closings_.admit(window); !admitted) return admitted;
    return {};
}

} // namespace pointhouse::settlement
