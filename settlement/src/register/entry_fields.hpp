#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "ledger/ids.hpp"
#include "ledger/money.hpp"
#include "ledger/time.hpp"
#include "settlement/window_net.hpp"

namespace pointhouse::settlement {

// What entries of the house's record say, by key. Each throws where the entry does not have it.

[[nodiscard]] inline std::string text_at(const boost::json::object& content, std::string_view key)
{
    return std::string{std::string_view{content.at(key).as_string()}};
}

[[nodiscard]] inline ledger::Month window_at(const boost::json::object& content)
{
    return ledger::parse_month(text_at(content, "window")).value();
}

[[nodiscard]] inline ledger::PartnerId partner_at(const boost::json::object& content)
{
    return ledger::PartnerId{content.at("partner").to_number<std::uint32_t>()};
}

[[nodiscard]] inline ledger::Minor minor_at(
    const boost::json::object& content, std::string_view key)
{
    return ledger::Minor{content.at(key).to_number<std::int64_t>()};
}

/// An entry without a program is of a net without one.
[[nodiscard]] inline NetKey net_at(const boost::json::object& content)
{
    NetKey key{window_at(content)};
    if (content.contains("program")) key.program = text_at(content, "program");
    return key;
}

/// The other way round, beside the `window` that the entry has already.
inline void add_program(boost::json::object& content, const NetKey& key)
{
    if (!key.program.empty()) content.emplace("program", key.program);
}

} // namespace pointhouse::settlement
