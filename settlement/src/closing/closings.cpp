#include "settlement/closings.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "settlement/close_checklist.hpp"

namespace pointhouse::settlement {

namespace json = boost::json;
using ledger::format_month;
using ledger::Month;

namespace {

std::unexpected<RegisterFault> refused(std::string reason)
{
    return std::unexpected(RegisterFault{std::move(reason)});
}

NewEntry entry_of(std::string kind, const json::object& content)
{
    return {.kind = std::move(kind), .content = json::serialize(content)};
}

std::string points_open(Month window)
{
    return fmt::format(
        "{} still takes points: pointhouse window close comes first", format_month(window));
}

} // namespace

std::string_view name_of(CloseState state) noexcept
{
    switch (state) {
    case CloseState::open: return "open";
    case CloseState::soft: return "soft";
    case CloseState::hard: return "hard";
    }
    return "unknown";
}

void Closings::apply(const ledger::HouseEntry& entry, const json::object& content)
{
    const auto window = ledger::parse_month(std::string_view{content.at("window").as_string()});
    auto& closing = windows_[window.value()];
    closing.entry = entry.sequence;
    closing.by = entry.actor;
    if (entry.kind == "window_closed") {
        closing.cut = ledger::Sequence{content.at("cut").to_number<std::uint64_t>()};
    } else if (entry.kind == "window_soft_closed") {
        closing.state = CloseState::soft;
    } else if (entry.kind == "window_hard_closed") {
        closing.state = CloseState::hard;
    } else {
        closing.state = CloseState::open;
        closing.reason = std::string_view{content.at("reason").as_string()};
    }
}

Registered<NewEntry> Closings::close_soft(Month window) const
{
    const auto* closing = find(window);
    if (!closing) return refused(points_open(window));
    if (closing->state != CloseState::open)
        return refused(
            fmt::format("{} is {}-closed already", format_month(window), name_of(closing->state)));
    return entry_of("window_soft_closed", {{"window", format_month(window)}});
}

Registered<NewEntry> Closings::reopen(Month window, std::string_view reason) const
{
    const auto state = state_of(window);
    if (state == CloseState::hard)
        return refused(fmt::format("{} is hard-closed: that is for ever", format_month(window)));
    if (state == CloseState::open)
        return refused(fmt::format("{} is not soft-closed", format_month(window)));
    if (reason.empty()) return refused("a window is reopened for a reason: --reason");
    return entry_of("window_reopened", {{"window", format_month(window)}, {"reason", reason}});
}

Registered<NewEntry> Closings::close_hard(const CloseChecklist& checklist) const
{
    const Month window = checklist.window;
    const auto* closing = find(window);
    if (!closing) return refused(points_open(window));
    if (closing->state != CloseState::soft)
        return refused(fmt::format(
            "{} is {}: a hard close follows a soft one",
            format_month(window),
            closing->state == CloseState::hard ? "hard-closed already" : "not soft-closed"));
    if (const auto open = checklist.in_the_way(); !open.empty())
        return refused(fmt::format(
            "{} cannot be hard-closed, open are: {}; see: pointhouse close show {}",
            format_month(window),
            open,
            format_month(window)));
    return entry_of(
        "window_hard_closed",
        {{"window", format_month(window)},
         {"through", checklist.through.value()},
         {"documents_through", checklist.documents_through.value()},
         {"checks", checks_json(checklist)}});
}

Registered<void> Closings::admit(Month window, std::string_view reason) const
{
    if (auto admitted = admit(window); !admitted) return admitted;
    if (state_of(window) == CloseState::soft && reason.empty())
        return refused(fmt::format(
            "{} is soft-closed: say why it still takes an entry, --reason", format_month(window)));
    return {};
}

Registered<void> Closings::admit(Month window) const
{
    if (state_of(window) != CloseState::hard) return {};
    return refused(fmt::format(
        "{} is hard-closed and takes no entry any more; what is wrong in it is corrected in an "
        "open window",
        format_month(window)));
}

const WindowClosing* Closings::find(Month window) const
{
    const auto found = windows_.find(window);
    return found == windows_.end() ? nullptr : &found->second;
}

CloseState Closings::state_of(Month window) const
{
    const auto* closing = find(window);
    return closing ? closing->state : CloseState::open;
}

std::optional<Month> Closings::last_closed() const
{
    if (windows_.empty()) return std::nullopt;
    return windows_.rbegin()->first;
}

} // namespace pointhouse::settlement
