#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "settlement/dunning.hpp"
#include "settlement/register.hpp"

// Who was reminded of what, each level once.

namespace pointhouse::settlement {

namespace json = boost::json;

Registered<NewEntry> Register::remind(const Reminder& reminder, ledger::Day today) const
{
    if (!find(reminder.document))
        return std::unexpected(
            RegisterFault{fmt::format("there is no document {}", reminder.document)});
    const auto before = reminded_.find(reminder.document);
    const std::int32_t level = before == reminded_.end() ? 0 : before->second.level;
    if (reminder.level != level + 1)
        return std::unexpected(RegisterFault{fmt::format(
            "{} was reminded {} times: the next is no {}",
            reminder.document,
            level,
            reminder.level)});
    json::object content{
        {"number", reminder.document},
        {"level", reminder.level},
        {"on", ledger::format_day(today)},
        {"days_late", reminder.days_late},
        {"amount_minor", reminder.amount.count},
        {"fee_minor", reminder.fee.count},
        {"interest_minor", reminder.interest.count},
        {"pay_by", ledger::format_day(reminder.pay_by)}};
    if (reminder.currency) content.emplace("currency", reminder.currency->code);
    return NewEntry{.kind = "document_reminded", .content = json::serialize(content)};
}

void Register::apply_reminder(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    const auto on = ledger::parse_day(std::string_view{content.at("on").as_string()});
    reminded_.insert_or_assign(
        std::string{std::string_view{content.at("number").as_string()}},
        Reminded{.level = content.at("level").to_number<std::int32_t>(), .on = on.value()});
}

} // namespace pointhouse::settlement
