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

/// What stands against it; none: it is booked.
std::optional<NotBooked> fault_of(const ledger::Outcome& outcome)
{
    const auto refused = [](ledger::Refusal refusal) {
        const auto code = ledger::code_of(refusal);
        return NotBooked{.code = code, .reason = fmt::format("it was refused: {}", code)};
    };
    switch (outcome.disposition) {
    case ledger::Disposition::unavailable:
        return NotBooked{.code = "overloaded", .reason = "it is not booked yet, and will be"};
    case ledger::Disposition::refused: return refused(outcome.refusal);
    case ledger::Disposition::decided:
    case ledger::Disposition::replayed: break;
    }
    if (!outcome.record.refusal) return std::nullopt;
    return refused(*outcome.record.refusal);
}

std::optional<NotBooked> book(
    const fs::path& file, const partners::MessageProposal& approved, ledger::Ledger& points)
{
    std::ifstream stream{file, std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{stream}, {}};
    if (partners::digest_of(text) != approved.digest)
        return NotBooked{
            .code = {},
            .reason = fmt::format("{} is not the message that was approved", file.string())};
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

ledger::Result<ledger::HouseSequence, Fault> propose_message(
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
    if (!proposed)
        return std::unexpected(
            Fault{"message_id_reused", "Other content came for approval under this id"});
    if (const auto* decided = house.registry().find_decided(*proposed);
        decided && !decided->is_approved)
        return std::unexpected(Fault{"proposal_rejected", words_of(*proposed, *decided)});
    keep_proposal(house.folder(), *proposed, text);
    return *proposed;
}

std::string words_of(ledger::HouseSequence id, const partners::DecidedProposal& decided)
{
    return fmt::format(
        "proposal {} was {} by {}{}{}",
        id.value(),
        decided.is_approved ? "approved" : "turned down",
        decided.decided_by,
        decided.reason.empty() ? "" : ": ",
        decided.reason);
}

std::map<ledger::HouseSequence, NotBooked> book_approved_messages(
    const partners::Registry& registry, ledger::Ledger& points, const HouseFolder& folder)
{
    std::map<ledger::HouseSequence, NotBooked> faults;
    const auto& approved = registry.approved_messages();
    if (approved.empty() || !fs::exists(folder.proposals())) return faults;
    for (const auto& entry : fs::directory_iterator{folder.proposals()}) {
        const auto id = id_of(entry.path());
        const auto found = id ? approved.find(*id) : approved.end();
        if (found == approved.end()) continue;
        if (auto fault = book(entry.path(), found->second, points))
            faults.emplace(*id, std::move(*fault));
    }
    return faults;
}

} // namespace pointhouse::gateway
