#include "settlement/message_log.hpp"

#include <stdexcept>
#include <unordered_set>

#include <boost/json.hpp>

namespace pointhouse::settlement {
namespace {

namespace json = boost::json;
using ledger::MessageType;

/// What is wrong with a line, before it is known which one it is.
class LineFault : public std::runtime_error {
public:
    LineFault(std::string_view at, const std::string& reason)
        : std::runtime_error{reason}, field{at}
    {}
    std::string field;
};

const json::value* find(const json::object& object, std::string_view key)
{
    const auto* const found = object.if_contains(key);
    return found == nullptr || found->is_null() ? nullptr : found;
}

const json::object& object_in(const json::object& object, std::string_view key)
{
    const auto* const found = find(object, key);
    if (found == nullptr || !found->is_object()) throw LineFault{key, "must be an object"};
    return found->get_object();
}

std::string text_in(const json::object& object, std::string_view key, bool may_be_missing = false)
{
    const auto* const found = find(object, key);
    if (found == nullptr && may_be_missing) return {};
    if (found == nullptr || !found->is_string()) throw LineFault{key, "must be a text"};
    return std::string{found->get_string()};
}

std::int64_t number_in(const json::object& object, std::string_view key)
{
    const auto* const found = find(object, key);
    if (found == nullptr || !found->is_int64() || found->get_int64() < 0)
        throw LineFault{key, "must be a whole number"};
    return found->get_int64();
}

ledger::Time time_in(const json::object& object, std::string_view key)
{
    const auto time = ledger::parse_time(text_in(object, key));
    if (!time) throw LineFault{key, "must be a time, written 2026-06-14T10:00:00Z"};
    return *time;
}

std::optional<MessageType> find_type(std::string_view name)
{
    for (auto number = 1; number <= static_cast<int>(MessageType::reinstatement); ++number)
        if (ledger::name_of(static_cast<MessageType>(number)) == name)
            return static_cast<MessageType>(number);
    return std::nullopt;
}

void read_lots(const json::object& answer, LoggedMessage& message)
{
    for (const std::string_view name : {"lots", "drawn", "restored", "clawed_back"}) {
        const auto* const rows = find(answer, name);
        if (rows == nullptr) continue;
        if (!rows->is_array()) throw LineFault{name, "must be a list"};
        message.is_refund |= name == "restored";
        for (const auto& row : rows->get_array()) {
            if (!row.is_object()) throw LineFault{name, "must be of objects"};
            const auto& lot = row.get_object();
            message.lots.push_back(
                {.lot = text_in(lot, "lot", true),
                 .issuer = text_in(lot, "issuer"),
                 .points = number_in(lot, "points")});
        }
    }
}

/// None: it was not booked, or moves no points for good.
std::optional<LoggedMessage> read_message(const json::object& line)
{
    const std::string type_name = text_in(line, "type");
    const auto type = find_type(type_name);
    if (!type) throw LineFault{"type", "is none that a partner sends"};
    const auto status = number_in(line, "status");
    if ((status != 200 && status != 201) || !is_reconciled(*type)) return std::nullopt;

    const auto& sent = object_in(line, "message");
    const auto& answer = object_in(line, "answer");
    LoggedMessage message{.type = *type};
    message.message_id = text_in(sent, "message_id");
    message.member = text_in(sent, "member", true);
    message.reverses = text_in(sent, "reverses", *type != MessageType::reversal);
    message.occurred_at = time_in(sent, "occurred_at");
    message.answered_at = time_in(line, "answered_at");
    message.points = number_in(answer, "points");
    if (*type == MessageType::accrual && find(sent, "purchase") != nullptr)
        message.amount_minor = number_in(object_in(sent, "purchase"), "amount_minor");
    read_lots(answer, message);
    return message;
}

} // namespace

std::expected<std::vector<LoggedMessage>, FileFault> parse_message_log(std::string_view text)
{
    std::vector<LoggedMessage> log;
    std::unordered_set<std::string> seen;
    std::size_t number = 0;
    const auto fault = [&](std::string field, std::string reason) {
        return std::unexpected(
            FileFault{.line = number, .field = std::move(field), .reason = std::move(reason)});
    };
    while (!text.empty()) {
        ++number;
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.empty()) continue;
        boost::system::error_code error;
        const auto parsed = json::parse(line, error);
        if (error || !parsed.is_object()) return fault("", "must be a JSON object");
        try {
            auto message = read_message(parsed.get_object());
            if (!message || !seen.insert(message->message_id).second) continue;
            message->line = number;
            log.push_back(std::move(*message));
        } catch (const LineFault& found) {
            return fault(found.field, found.what());
        }
    }
    return log;
}

std::vector<ReconciliationRow> rows_of(
    std::span<const LoggedMessage> log, const ledger::Calendar& calendar)
{
    std::vector<ReconciliationRow> rows;
    rows.reserve(log.size());
    for (const auto& message : log) {
        rows.push_back(
            {.message_id = message.message_id,
             .type = message.type,
             .member = {},
             .number = {},
             .occurred_at = message.occurred_at,
             .booked_on = calendar.day_of(message.answered_at),
             .points = message.points,
             .amount_minor = message.amount_minor,
             .line = message.line});
    }
    return rows;
}

} // namespace pointhouse::settlement
