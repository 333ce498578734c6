#include <array>
#include <charconv>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <system_error>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "house_bookings.hpp"
#include "partners/opening.hpp"

// What an operator sent and another has to approve: its file, and its booking.

namespace pointhouse::gateway {

namespace fs = std::filesystem;
namespace json = boost::json;
using ledger::Message;
using ledger::MessageType;

namespace {

constexpr std::array types{
    MessageType::adjustment,
    MessageType::reinstatement,
    MessageType::block,
    MessageType::unblock,
    MessageType::close,
    MessageType::merge};

std::string text_of(const Message& message)
{
    json::object text{
        {"type", ledger::name_of(message.type)},
        {"message_id", message.message_id},
        {"member", message.member},
        {"occurred_at_micros", ledger::micros_of(message.occurred_at)},
        {"points", message.points.value_or(ledger::Points{}).count()},
        {"funder", message.funder},
        {"reason", message.reason}};
    if (!message.to_member.empty()) text.emplace("into", message.to_member);
    if (message.expires_on) text.emplace("expires_on", ledger::format_day(*message.expires_on));
    return json::serialize(text);
}

/// The views point into `text`.
Message message_of(const json::object& text)
{
    const auto view = [&](std::string_view key) -> std::string_view {
        return text.at(key).as_string();
    };
    Message message;
    for (const MessageType type : types)
        if (ledger::name_of(type) == view("type")) message.type = type;
    message.message_id = view("message_id");
    message.member = view("member");
    message.occurred_at = ledger::time_of_micros(text.at("occurred_at_micros").as_int64());
    if (const std::int64_t points = text.at("points").as_int64(); points > 0)
        message.points = ledger::Points{points};
    message.funder = view("funder");
    message.reason = view("reason");
    if (text.contains("into")) message.to_member = view("into");
    if (text.contains("expires_on")) message.expires_on = ledger::parse_day(view("expires_on"));
    return message;
}

std::string summary_of(const Message& message)
{
    if (!message.points) return fmt::format("{} {}", name_of(message.type), message.message_id);
    const auto funder =
        message.funder.empty() ? std::string{} : fmt::format(", funded by {}", message.funder);
    return fmt::format(
        "{} {} of {} points{}",
        ledger::name_of(message.type),
        message.message_id,
        message.points.value_or(ledger::Points{}).count(),
        funder);
}

std::optional<ledger::HouseSequence> id_of(const fs::path& file)
{
    const std::string name = file.stem().string();
    std::uint64_t id = 0;
    const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (error != std::errc{} || stop != name.data() + name.size()) return std::nullopt;
    return ledger::HouseSequence{id};
}

/// What stands against it, in words; none: it is booked.
std::optional<std::string> fault_of(const ledger::Outcome& outcome)
{
    switch (outcome.disposition) {
    case ledger::Disposition::unavailable: return "it is not booked yet, and will be";
    case ledger::Disposition::refused:
        return fmt::format("it was refused: {}", ledger::code_of(outcome.refusal));
    case ledger::Disposition::decided:
    case ledger::Disposition::replayed: break;
    }
    if (!outcome.record.refusal) return std::nullopt;
    return fmt::format("it was refused: {}", ledger::code_of(*outcome.record.refusal));
}

std::optional<std::string> book(
    const fs::path& file, const partners::MessageProposal& approved, ledger::Ledger& points)
{
    std::ifstream stream{file, std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{stream}, {}};
    if (partners::digest_of(text) != approved.digest)
        return fmt::format("{} is not the message that was approved", file.string());
    const auto content = json::parse(text).as_object();
    ledger::Submission submission{.message = message_of(content), .outcome = {}};
    points.commit({&submission, 1});
    auto fault = fault_of(submission.outcome);
    // It names a member: nothing is left of it but what the ledger keeps.
    std::error_code ignored;
    if (submission.outcome.disposition != ledger::Disposition::unavailable)
        fs::remove(file, ignored);
    return fault;
}

} // namespace

std::optional<ledger::HouseSequence> propose_message(
    House& house, const Message& message, std::string_view operator_name)
{
    const std::string text = text_of(message);
    auto act = house.act();
    act.actor = operator_name;
    const auto proposed = house.registry().propose_message(
        {.kind = std::string{ledger::name_of(message.type)},
         .message_id = std::string{message.message_id},
         .summary = summary_of(message),
         .digest = partners::digest_of(text)},
        act);
    if (!proposed) return std::nullopt;
    keep_proposal(house.folder(), *proposed, text);
    return *proposed;
}

std::optional<std::string> book_approved_messages(
    const partners::Registry& registry, ledger::Ledger& points, const HouseFolder& folder)
{
    const auto& approved = registry.approved_messages();
    if (approved.empty() || !fs::exists(folder.proposals())) return std::nullopt;
    std::optional<std::string> fault;
    for (const auto& entry : fs::directory_iterator{folder.proposals()}) {
        const auto id = id_of(entry.path());
        const auto found = id ? approved.find(*id) : approved.end();
        if (found == approved.end()) continue;
        if (auto refused = book(entry.path(), found->second, points)) fault = std::move(refused);
    }
    return fault;
}

} // namespace pointhouse::gateway
