#include "wire_json.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>

#include "ledger/time.hpp"

namespace pointhouse::gateway {
namespace {

using boost::json::error_code;

constexpr std::size_t depth_max = 8;

/// Where in the form the parser is.
enum class Level : std::uint8_t { body, message, purchase, lines, line, value };

constexpr std::array message_fields{
    Field::message_id,
    Field::member,
    Field::occurred_at,
    Field::points,
    Field::purchase,
    Field::type,
    Field::value,
    Field::receipt,
    Field::reason,
    Field::reverses,
    Field::charity,
    Field::promotion,
    Field::pending_until,
    Field::hold_id,
    Field::accrual,
    Field::to_member,
    Field::expires_in_seconds,
    Field::funder,
    Field::kind,
    Field::identifier,
    Field::replaces,
    Field::into,
    Field::expires_on};

// The fields of the inner objects; the enumerators of each are places in its table of names.
namespace purchase_field {
enum : std::uint8_t { amount_minor, currency, channel, receipt, lines };
constexpr std::array<std::string_view, 5> names{
    "amount_minor", "currency", "channel", "receipt", "lines"};
} // namespace purchase_field
namespace line_field {
enum : std::uint8_t { sku, category, amount_minor, quantity, tender, vat_rate };
constexpr std::array<std::string_view, 6> names{
    "sku", "category", "amount_minor", "quantity", "tender", "vat_rate"};
} // namespace line_field
namespace value_field {
enum : std::uint8_t { amount_minor, currency };
constexpr std::array<std::string_view, 2> names{"amount_minor", "currency"};
} // namespace value_field

constexpr std::uint8_t no_field = 0xFF;

template <std::size_t size>
std::uint8_t find_name(const std::array<std::string_view, size>& names, std::string_view name)
{
    const auto* const found = std::ranges::find(names, name);
    return found == names.end() ? no_field : static_cast<std::uint8_t>(found - names.begin());
}

std::uint8_t find_message_field(std::string_view name)
{
    for (const Field field : message_fields)
        if (name_of(field) == name) return static_cast<std::uint8_t>(field);
    return no_field;
}

// What is echoed passes an allow-list; a stranger's key may be anything.
std::string_view echoable(std::string_view key)
{
    return fault_of_message_id(key) == nullptr ? key : std::string_view{"(key)"};
}

/// Receives the events of the parser and writes the message as they come.
class MessageHandler {
public:
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

    void start(
        std::string_view input,
        ledger::Message& message,
        std::pmr::memory_resource& scratch,
        bool takes_type)
    {
        input_ = input;
        message_ = &message;
        scratch_ = &scratch;
        takes_type_ = takes_type;
        level_ = Level::body;
        field_ = no_field;
        sent_ = inner_sent_ = line_sent_ = 0;
        hold_id_ = {};
        parts_.clear();
        lines_.clear();
        fault_.reset();
    }

    [[nodiscard]] FieldSet sent() const { return sent_; }
    [[nodiscard]] std::int64_t points() const { return points_; }
    [[nodiscard]] std::string_view hold_id() const { return hold_id_; }
    /// The first fault of the form; when there is none, the text is not JSON.
    [[nodiscard]] Fault fault() const
    {
        return fault_ ? *fault_ : malformed(path(), "is not valid JSON");
    }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }

    bool on_object_begin(error_code& error)
    {
        switch (level_) {
        case Level::body: return enter(Level::message);
        case Level::message:
            if (field_ == static_cast<std::uint8_t>(Field::purchase)) {
                message_->purchase.emplace();
                return enter(Level::purchase);
            }
            if (field_ == static_cast<std::uint8_t>(Field::value)) {
                message_->value.emplace();
                return enter(Level::value);
            }
            break;
        case Level::lines:
            if (lines_.size() == lines_max)
                return refuse(error, fmt::format("has more than {} lines", lines_max));
            lines_.emplace_back();
            line_sent_ = 0;
            level_ = Level::line;
            field_ = no_field;
            return true;
        case Level::purchase:
        case Level::line:
        case Level::value: break;
        }
        return wrong_type(error);
    }

    bool on_object_end(std::size_t, error_code& error)
    {
        field_ = no_field;
        switch (level_) {
        case Level::line:
            level_ = Level::lines;
            return has(line_sent_, line_field::amount_minor) ||
                   refuse_missing(error, line_path("amount_minor"));
        case Level::purchase:
            level_ = Level::message;
            store_lines();
            if (!has(inner_sent_, purchase_field::amount_minor))
                return refuse_missing(error, "purchase.amount_minor");
            return has(inner_sent_, purchase_field::currency) ||
                   refuse_missing(error, "purchase.currency");
        case Level::value:
            level_ = Level::message;
            if (!has(inner_sent_, value_field::amount_minor))
                return refuse_missing(error, "value.amount_minor");
            return has(inner_sent_, value_field::currency) ||
                   refuse_missing(error, "value.currency");
        case Level::body:
        case Level::message:
        case Level::lines: break;
        }
        return true;
    }

    bool on_array_begin(error_code& error)
    {
        if (level_ != Level::purchase || field_ != purchase_field::lines) return wrong_type(error);
        level_ = Level::lines;
        return true;
    }

    bool on_array_end(std::size_t, error_code&)
    {
        level_ = Level::purchase;
        field_ = no_field;
        return true;
    }

    bool on_key_part(boost::json::string_view part, std::size_t, error_code&)
    {
        parts_.append(part.data(), part.size());
        return true;
    }

    bool on_key(boost::json::string_view text, std::size_t, error_code& error)
    {
        const std::string_view name = whole(text);
        field_ = find_field(name);
        if (field_ == no_field)
            return refuse_at(error, path_of(echoable(name)), "is not a known field");
        FieldSet& seen = seen_here();
        const FieldSet bit = 1U << field_;
        if (seen & bit) return refuse(error, "is there twice");
        seen |= bit;
        parts_.clear();
        return true;
    }

    bool on_string_part(boost::json::string_view part, std::size_t, error_code&)
    {
        parts_.append(part.data(), part.size());
        return true;
    }

    bool on_string(boost::json::string_view text, std::size_t, error_code& error)
    {
        // A text with escapes comes out of a buffer of the parser, whole or in parts.
        std::string_view value = text;
        if (!parts_.empty() || !is_of_input(value)) {
            value = kept(whole(value));
            parts_.clear();
        }
        switch (level_) {
        case Level::message: return take_message_text(value, error);
        case Level::purchase: return take_purchase_text(value, error);
        case Level::line: return take_line_text(value, error);
        case Level::value:
            if (field_ != value_field::currency) return wrong_type(error);
            return take(message_->value->currency, value, fault_of_currency(value), error);
        case Level::body:
        case Level::lines: break;
        }
        return wrong_type(error);
    }

    bool on_number_part(boost::json::string_view, error_code&) { return true; }

    bool on_int64(std::int64_t number, boost::json::string_view, error_code& error)
    {
        switch (level_) {
        case Level::message:
            if (field_ == static_cast<std::uint8_t>(Field::expires_in_seconds))
                return take(message_->expires_in_seconds, number, {1, hold_seconds_max}, error);
            if (field_ != static_cast<std::uint8_t>(Field::points)) break;
            points_ = number; // its range is judged when the whole message is known
            return true;
        case Level::purchase:
            if (field_ != purchase_field::amount_minor) break;
            return take(message_->purchase->amount_minor, number, {0, amount_minor_max}, error);
        case Level::value:
            if (field_ != value_field::amount_minor) break;
            return take(message_->value->amount_minor, number, {1, amount_minor_max}, error);
        case Level::line: return take_line_number(number, error);
        case Level::body:
        case Level::lines: break;
        }
        return wrong_type(error);
    }

    bool on_uint64(std::uint64_t, boost::json::string_view, error_code& error)
    {
        return not_an_integer(error);
    }
    bool on_double(double, boost::json::string_view, error_code& error)
    {
        return not_an_integer(error);
    }
    bool on_bool(bool, error_code& error) { return wrong_type(error); }
    bool on_null(error_code& error) { return wrong_type(error); }
    bool on_comment_part(boost::json::string_view, error_code&) { return true; }
    bool on_comment(boost::json::string_view, error_code&) { return true; }

private:
    struct Range {
        std::int64_t least;
        std::int64_t most;
    };

    static bool has(FieldSet seen, std::uint8_t field) { return (seen >> field & 1U) != 0; }

    bool enter(Level level)
    {
        level_ = level;
        field_ = no_field;
        inner_sent_ = 0;
        return true;
    }

    [[nodiscard]] std::uint8_t find_field(std::string_view name) const
    {
        switch (level_) {
        case Level::message: {
            const std::uint8_t field = find_message_field(name);
            const bool is_type = field == static_cast<std::uint8_t>(Field::type);
            return is_type && !takes_type_ ? no_field : field;
        }
        case Level::purchase: return find_name(purchase_field::names, name);
        case Level::line: return find_name(line_field::names, name);
        case Level::value: return find_name(value_field::names, name);
        case Level::body:
        case Level::lines: break;
        }
        return no_field;
    }

    FieldSet& seen_here()
    {
        if (level_ == Level::message) return sent_;
        return level_ == Level::line ? line_sent_ : inner_sent_;
    }

    bool take_message_text(std::string_view text, error_code& error)
    {
        ledger::Message& message = *message_;
        switch (static_cast<Field>(field_)) {
        case Field::type: return take_type(text, error);
        case Field::message_id:
            return take(message.message_id, text, fault_of_message_id(text), error);
        case Field::member: return take(message.member, text, fault_of_member(text), error);
        case Field::occurred_at: return take_time(message.occurred_at, text, error);
        case Field::pending_until: return take_time(message.pending_until.emplace(), text, error);
        case Field::expires_on: return take_day(message.expires_on.emplace(), text, error);
        case Field::reverses:
        case Field::accrual: return take(message.reverses, text, fault_of_message_id(text), error);
        case Field::funder: return take_text(message.funder, text, error);
        case Field::to_member:
        case Field::into: return take(message.to_member, text, fault_of_member(text), error);
        case Field::identifier: return take(message.identifier, text, fault_of_member(text), error);
        case Field::replaces: return take(message.replaces, text, fault_of_member(text), error);
        case Field::kind:
            if (const char* const fault = fault_of_kind(text)) return refuse(error, fault);
            message.identifier_kind = identifier_kind_of(text);
            return true;
        case Field::hold_id: return take_text(hold_id_, text, error);
        case Field::receipt: return take_text(message.receipt, text, error);
        case Field::promotion: return take_text(message.promotion, text, error);
        case Field::charity: return take_text(message.charity, text, error);
        case Field::reason:
            return take(message.reason, text, fault_of_text(text, reason_bytes_max), error);
        case Field::points:
        case Field::purchase:
        case Field::expires_in_seconds:
        case Field::value: break;
        }
        return wrong_type(error);
    }

    bool take_purchase_text(std::string_view text, error_code& error)
    {
        ledger::Purchase& purchase = *message_->purchase;
        switch (field_) {
        case purchase_field::currency:
            return take(purchase.currency, text, fault_of_currency(text), error);
        case purchase_field::channel: return take_text(purchase.channel, text, error);
        case purchase_field::receipt: return take_text(purchase.receipt, text, error);
        default: return wrong_type(error);
        }
    }

    bool take_line_text(std::string_view text, error_code& error)
    {
        ledger::PurchaseLine& line = lines_.back();
        switch (field_) {
        case line_field::sku: return take_text(line.sku, text, error);
        case line_field::category: return take_text(line.category, text, error);
        case line_field::tender: return take_text(line.tender, text, error);
        default: return wrong_type(error);
        }
    }

    bool take_line_number(std::int64_t number, error_code& error)
    {
        ledger::PurchaseLine& line = lines_.back();
        switch (field_) {
        case line_field::amount_minor:
            return take(line.amount_minor, number, {-amount_minor_max, amount_minor_max}, error);
        case line_field::quantity: return take(line.quantity, number, {1, quantity_max}, error);
        case line_field::vat_rate: {
            std::int64_t rate = 0;
            if (!take(rate, number, {0, vat_rate_max}, error)) return false;
            line.vat_rate = static_cast<std::int32_t>(rate);
            return true;
        }
        default: return wrong_type(error);
        }
    }

    bool take(std::string_view& to, std::string_view text, const char* fault, error_code& error)
    {
        if (fault != nullptr) return refuse(error, fault);
        to = text;
        return true;
    }

    bool take_text(std::string_view& to, std::string_view text, error_code& error)
    {
        return take(to, text, fault_of_text(text, text_bytes_max), error);
    }

    bool take(std::int64_t& to, std::int64_t number, Range range, error_code& error)
    {
        if (number < range.least || number > range.most)
            return refuse(error, fmt::format("must be {} to {}", range.least, range.most));
        to = number;
        return true;
    }

    bool take_time(ledger::Time& to, std::string_view text, error_code& error)
    {
        const auto time = ledger::parse_time(text);
        if (!time)
            return refuse(
                error, "must be an RFC 3339 time from 1970 to 2199, e.g. 2026-06-02T10:00:00Z");
        to = *time;
        return true;
    }

    bool take_day(ledger::Day& to, std::string_view text, error_code& error)
    {
        const auto day = ledger::parse_day(text);
        if (!day) return refuse(error, fault_of_day);
        to = *day;
        return true;
    }

    bool take_type(std::string_view text, error_code& error)
    {
        const auto type = find_message_type(text);
        if (!type) return refuse(error, "is not a type of message");
        message_->type = *type;
        return true;
    }

    // Lines are collected in a vector of the handler and moved where they outlive the next message.
    void store_lines()
    {
        if (lines_.empty()) return;
        const std::size_t bytes = lines_.size() * sizeof(ledger::PurchaseLine);
        auto* const stored = static_cast<ledger::PurchaseLine*>(
            scratch_->allocate(bytes, alignof(ledger::PurchaseLine)));
        std::ranges::uninitialized_copy(lines_, std::span{stored, lines_.size()});
        message_->purchase->lines = {stored, lines_.size()};
    }

    [[nodiscard]] bool is_of_input(std::string_view text) const
    {
        const std::less_equal<> is_before; // of pointers into different objects, too
        return is_before(input_.data(), text.data()) &&
               is_before(text.data() + text.size(), input_.data() + input_.size());
    }

    // The whole of a text that came in parts.
    std::string_view whole(std::string_view last)
    {
        if (parts_.empty()) return last;
        return parts_.append(last);
    }

    std::string_view kept(std::string_view text)
    {
        auto* const stored = static_cast<char*>(scratch_->allocate(text.size(), 1));
        std::memcpy(stored, text.data(), text.size());
        return {stored, text.size()};
    }

    bool not_an_integer(error_code& error)
    {
        return refuse(error, "must be a whole number of 64 bits");
    }

    bool wrong_type(error_code& error)
    {
        if (level_ == Level::body) return refuse(error, "must be a JSON object");
        return refuse(error, "is not of the right type");
    }

    bool refuse(error_code& error, std::string_view what) { return refuse_at(error, path(), what); }
    bool refuse_missing(error_code& error, std::string_view at)
    {
        return refuse_at(error, at, "is required");
    }
    bool refuse_at(error_code& error, std::string_view at, std::string_view what)
    {
        fault_ = malformed(at, what);
        error = boost::json::error::syntax; // any: what went wrong is in fault_
        return false;
    }

    [[nodiscard]] std::string line_path(std::string_view name) const
    {
        return fmt::format("purchase.lines[{}].{}", lines_.size() - 1, name);
    }

    [[nodiscard]] std::string path_of(std::string_view name) const
    {
        switch (level_) {
        case Level::purchase: return fmt::format("purchase.{}", name);
        case Level::value: return fmt::format("value.{}", name);
        case Level::line: return line_path(name);
        case Level::body:
        case Level::message:
        case Level::lines: break;
        }
        return std::string{name};
    }

    [[nodiscard]] std::string path() const
    {
        switch (level_) {
        case Level::body: return "body";
        case Level::message:
            return field_ == no_field ? "body" : std::string{name_of(static_cast<Field>(field_))};
        case Level::purchase:
            return field_ == no_field ? "purchase" : path_of(purchase_field::names.at(field_));
        case Level::lines: return "purchase.lines";
        case Level::line:
            return field_ == no_field ? fmt::format("purchase.lines[{}]", lines_.size() - 1)
                                      : path_of(line_field::names.at(field_));
        case Level::value:
            return field_ == no_field ? "value" : path_of(value_field::names.at(field_));
        }
        return {};
    }

    std::string_view input_;
    ledger::Message* message_ = nullptr;
    std::pmr::memory_resource* scratch_ = nullptr;
    bool takes_type_ = false;
    Level level_ = Level::body;
    std::uint8_t field_ = no_field; // whose value comes next, of the level's fields
    FieldSet sent_ = 0;             // of the message
    FieldSet inner_sent_ = 0;       // of the purchase or the value
    FieldSet line_sent_ = 0;
    std::int64_t points_ = 0;
    std::string_view hold_id_;
    std::string parts_;
    std::vector<ledger::PurchaseLine> lines_;
    std::optional<Fault> fault_;
};

boost::json::parse_options strict_options()
{
    boost::json::parse_options options;
    options.max_depth = depth_max;
    return options;
}

} // namespace

struct JsonReader::Parser {
    boost::json::basic_parser<MessageHandler> events{strict_options()};

    /// The events of the whole text, which is one document with nothing after it.
    std::optional<Fault> run(
        std::string_view text,
        ledger::Message& message,
        std::pmr::memory_resource& scratch,
        bool typed)
    {
        events.reset();
        events.handler().start(text, message, scratch, typed);
        error_code error;
        const std::size_t read = events.write_some(false, text.data(), text.size(), error);
        if (error) return events.handler().fault();
        if (read != text.size()) return malformed("body", "has bytes after the JSON document");
        return std::nullopt;
    }
};

JsonReader::JsonReader() : parser_{std::make_unique<Parser>()} {}
JsonReader::~JsonReader() = default;

std::optional<Fault> JsonReader::read(
    std::string_view text, ledger::Message& message, std::pmr::memory_resource& scratch)
{
    if (auto fault = parser_->run(text, message, scratch, false)) return fault;
    const MessageHandler& handler = parser_->events.handler();
    return complete(message, handler.sent(), handler.points(), fields_of_path(message.type));
}

std::string_view JsonReader::hold_id() const
{
    return parser_->events.handler().hold_id();
}

std::optional<Fault> JsonReader::read_typed(
    std::string_view text, ledger::Message& message, std::pmr::memory_resource& scratch)
{
    if (auto fault = parser_->run(text, message, scratch, true)) return fault;
    const MessageHandler& handler = parser_->events.handler();
    if (!(handler.sent() & set_of(Field::type))) return malformed("type", "is required");
    return complete(message, handler.sent(), handler.points());
}

std::optional<Fault> JsonReader::read_member(
    std::string_view text, ledger::Message& message, std::pmr::memory_resource& scratch)
{
    if (auto fault = parser_->run(text, message, scratch, false)) return fault;
    return complete_lookup(parser_->events.handler().sent());
}

} // namespace pointhouse::gateway
