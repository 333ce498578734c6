#include "answers.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <utility>

#include <boost/json/serialize.hpp>

#include "settlement/exchange.hpp"

namespace pointhouse::ops {

gateway::CommandResult done(std::string text)
{
    return {.exit_code = 0, .output = std::move(text)};
}

gateway::CommandResult report(
    const Invocation& invocation, const boost::json::value& json, std::string text)
{
    if (invocation.json) return done(boost::json::serialize(json) + "\n");
    return done(std::move(text));
}

gateway::CommandResult refused(std::string_view reason)
{
    return {.exit_code = 1, .complaint = fmt::format("pointhouse: {}\n", reason)};
}

void require_sandbox(gateway::House& house, std::string_view what)
{
    if (!house.registry().founding().production) return;
    throw CommandFailure{
        fmt::format("a production house {} only when a second operator approves it", what)};
}

ledger::Minor read_amount(const std::string& typed, const ledger::Currency& currency)
{
    const bool is_negative = typed.starts_with('-');
    const auto micro = ledger::parse_micro(is_negative ? typed.substr(1) : typed);
    const auto scale = ledger::micro_per_minor(currency);
    if (!micro || micro->count() % scale != 0)
        throw CommandFailure{fmt::format("{} is no amount of {}", typed, currency.code)};
    if (micro->count() > settlement::movement_amount_max)
        throw CommandFailure{fmt::format("{} {} is too much", typed, currency.code)};
    const ledger::Minor amount{micro->count() / scale};
    return is_negative ? -amount : amount;
}

std::string read_text(const std::filesystem::path& file, std::size_t bytes_max)
{
    std::ifstream stream{file, std::ios::binary};
    std::string text;
    std::array<char, 65'536> piece; // NOLINT: filled as far as it is used
    do {
        stream.read(piece.data(), piece.size());
        text.append(piece.data(), static_cast<std::size_t>(stream.gcount()));
    } while (stream && text.size() < bytes_max);
    if (!stream.is_open() || stream.bad())
        throw CommandFailure{fmt::format("cannot read {}", file.string())};
    text.resize(std::min(text.size(), bytes_max));
    return text;
}

ledger::Month read_window(const std::string& typed)
{
    const auto month = ledger::parse_month(typed);
    if (!month) throw CommandFailure{"a window is a month, written 2026-06"};
    return *month;
}

const ledger::PartnerTerms& require_partner(gateway::House& house, std::string_view id)
{
    const auto* const contract = house.registry().find_contract(id);
    if (contract == nullptr) throw CommandFailure{fmt::format("the house knows no partner {}", id)};
    return contract->terms;
}

} // namespace pointhouse::ops
