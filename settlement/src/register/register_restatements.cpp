#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "settlement/register.hpp"
#include "settlement/restatement.hpp"

// What a closed window has come to since: versions that follow each other, and none is ever lost.

namespace pointhouse::settlement {

Registered<std::optional<NewEntry>> Register::restate(const Restatement& now) const
{
    if (!closings_.find(now.window))
        return std::unexpected(RegisterFault{fmt::format(
            "{} is not closed; only closed windows are restated",
            ledger::format_month(now.window))});
    const auto before = restatement_before(now);
    if (before.documents_through > now.documents_through)
        return std::unexpected(RegisterFault{fmt::format(
            "version {} of {} knows more; try again",
            before.version,
            ledger::format_month(now.window))});
    if (is_same(before, now)) return std::nullopt;
    auto next = now;
    next.version = before.version + 1;
    return NewEntry{
        .kind = "window_restated", .content = boost::json::serialize(restatement_json(next))};
}

Restatement Register::restatement_before(const Restatement& now) const
{
    const auto& versions = restatements_of(now.window);
    return versions.empty() ? as_closed(now) : versions.back();
}

const std::vector<Restatement>& Register::restatements_of(ledger::Month window) const
{
    static const std::vector<Restatement> none;
    const auto found = restatements_.find(window);
    return found == restatements_.end() ? none : *found->second;
}

void Register::apply_restatement(const ledger::HouseEntry& entry, const Content& content)
{
    auto restatement = restatement_from(content);
    restatement.made_by = entry.actor;
    auto versions = restatements_of(restatement.window);
    const auto window = restatement.window;
    versions.push_back(std::move(restatement));
    restatements_[window] = std::make_shared<const std::vector<Restatement>>(std::move(versions));
}

} // namespace pointhouse::settlement
