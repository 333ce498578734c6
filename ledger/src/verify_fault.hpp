#pragma once

#include <fmt/format.h>
#include <string>
#include <utility>

#include "ledger/posting.hpp"

namespace pointhouse::ledger {

/// Stops a verification at the first thing that is wrong. Never leaves `verify_journal`.
struct Fault {
    std::string reason;
};

[[noreturn]] inline void fail(std::string reason)
{
    throw Fault{std::move(reason)};
}

template <class... Arguments>
void require(bool holds, fmt::format_string<Arguments...> reason, Arguments&&... arguments)
{
    if (!holds) [[unlikely]]
        fail(fmt::format(reason, std::forward<Arguments>(arguments)...));
}

/// A record as a fault names it; put into words only when there is one.
struct Named {
    const Record& record;
};

} // namespace pointhouse::ledger

template <>
struct fmt::formatter<pointhouse::ledger::Named> {
    static constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
    static auto format(const pointhouse::ledger::Named& named, fmt::format_context& context)
    {
        const auto& record = named.record;
        return fmt::format_to(
            context.out(),
            "record {} (message {} of partner {})",
            record.sequence.value(),
            record.message_id,
            record.partner.value());
    }
};
