#include "wire_protobuf.hpp"

#include <concepts>
#include <cstring>
#include <fmt/format.h>
#include <string>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>

#include "ledger/time.hpp"
#include "pointhouse/v1/messages.pb.h"

namespace pointhouse::gateway {
namespace {

using google::protobuf::io::CodedInputStream;
using ledger::MessageType;

constexpr int depth_max = 16;
constexpr std::int64_t micros_end = 7'258'118'400'000'000; // 2200-01-01, as in JSON

constexpr int field_number_max = 31; // of our schema; the fields seen are a set of bits

/// The tag of a length-delimited field.
constexpr std::uint32_t tag_of(int field_number)
{
    return static_cast<std::uint32_t>(field_number) << 3 | 2;
}

std::optional<MessageType> type_of_tag(std::uint32_t tag)
{
    switch (tag) {
    case tag_of(v1::Message::kAccrualFieldNumber): return MessageType::accrual;
    case tag_of(v1::Message::kRedemptionFieldNumber): return MessageType::redemption;
    case tag_of(v1::Message::kReversalFieldNumber): return MessageType::reversal;
    case tag_of(v1::Message::kClawbackFieldNumber): return MessageType::clawback;
    case tag_of(v1::Message::kDonationFieldNumber): return MessageType::donation;
    case tag_of(v1::Message::kEnrolmentFieldNumber): return MessageType::enrolment;
    case tag_of(v1::Message::kHoldFieldNumber): return MessageType::hold;
    case tag_of(v1::Message::kCaptureFieldNumber): return MessageType::capture;
    case tag_of(v1::Message::kHoldReleaseFieldNumber): return MessageType::hold_release;
    case tag_of(v1::Message::kAccrualReleaseFieldNumber): return MessageType::accrual_release;
    case tag_of(v1::Message::kTransferFieldNumber): return MessageType::transfer;
    case tag_of(v1::Message::kIdentificationFieldNumber): return MessageType::identification;
    default: return std::nullopt;
    }
}

CodedInputStream stream_of(std::string_view bytes)
{
    return CodedInputStream{
        reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size())};
}

/// What follows the tag of a length-delimited field; none when the bytes end before it does.
std::optional<std::string_view> take_item(CodedInputStream& stream, std::string_view bytes)
{
    std::uint32_t length = 0;
    if (!stream.ReadVarint32(&length) || length > bytes.size()) return std::nullopt;
    const auto at = static_cast<std::size_t>(stream.CurrentPosition());
    if (!stream.Skip(static_cast<int>(length))) return std::nullopt;
    return bytes.substr(at, length);
}

/// Takes what was sent over into a ledger::Message. The first fault stays.
class Conversion {
public:
    /// `of_path`: the fields that the path of the request says already.
    Conversion(ledger::Message& message, std::pmr::memory_resource& scratch, FieldSet of_path = 0)
        : message_{message}, scratch_{scratch}, of_path_{of_path}
    {}

    [[nodiscard]] std::string_view hold_id() const { return hold_id_; }

    template <class Sent>
    std::optional<Fault> run(const Sent& sent)
    {
        take_id(sent);
        if constexpr (requires { sent.purchase(); })
            if (sent.has_purchase()) take_purchase(sent.purchase());
        if constexpr (requires { sent.value(); })
            if (sent.has_value()) take_value(sent.value());
        take_texts(sent);
        take_times(sent);
        if constexpr (requires { sent.points(); })
            if (sent.has_points()) {
                sent_ |= set_of(Field::points);
                points_ = sent.points();
            }
        if constexpr (requires { sent.expires_in_seconds(); }) {
            if (sent.has_expires_in_seconds()) {
                sent_ |= set_of(Field::expires_in_seconds);
                take_number(
                    name_of(Field::expires_in_seconds),
                    message_.expires_in_seconds,
                    sent.expires_in_seconds(),
                    {1, hold_seconds_max});
            }
        }
        if (fault_) return fault_;
        return complete(message_, sent_, points_, of_path_);
    }

    std::optional<Fault> run_lookup(const v1::MemberLookup& sent)
    {
        take(Field::member, message_.member, sent.member(), fault_of_member);
        if (fault_) return fault_;
        return complete_lookup(sent_);
    }

private:
    // First, so that a problem can name the message.
    template <class Sent>
    void take_id(const Sent& sent)
    {
        take(Field::message_id, message_.message_id, sent.message_id(), fault_of_message_id);
    }

    template <class Sent>
    void take_texts(const Sent& sent)
    {
        if constexpr (requires { sent.member(); })
            take(Field::member, message_.member, sent.member(), fault_of_member);
        if constexpr (requires { sent.reverses(); })
            take(Field::reverses, message_.reverses, sent.reverses(), fault_of_message_id);
        if constexpr (requires { sent.reason(); })
            take(Field::reason, message_.reason, sent.reason(), [](std::string_view text) {
                return fault_of_text(text, reason_bytes_max);
            });
        if constexpr (requires { sent.receipt(); })
            take(Field::receipt, message_.receipt, sent.receipt(), fault_of_short_text);
        if constexpr (requires { sent.promotion(); })
            take(Field::promotion, message_.promotion, sent.promotion(), fault_of_short_text);
        if constexpr (requires { sent.funder(); })
            take(Field::funder, message_.funder, sent.funder(), fault_of_short_text);
        if constexpr (requires { sent.to_member(); })
            take(Field::to_member, message_.to_member, sent.to_member(), fault_of_member);
        if constexpr (requires { sent.into(); })
            take(Field::into, message_.to_member, sent.into(), fault_of_member);
        if constexpr (requires { sent.identifier(); }) take_identifier(sent);
        if constexpr (requires { sent.accrual(); })
            take(Field::accrual, message_.reverses, sent.accrual(), fault_of_message_id);
        if constexpr (requires { sent.hold_id(); })
            take(Field::hold_id, hold_id_, sent.hold_id(), fault_of_short_text);
        if constexpr (requires { sent.charity(); })
            take(Field::charity, message_.charity, sent.charity(), fault_of_short_text);
    }

    template <class Sent>
    void take_identifier(const Sent& sent)
    {
        std::string_view kind;
        take(Field::kind, kind, sent.kind(), fault_of_kind);
        message_.identifier_kind = identifier_kind_of(kind);
        take(Field::identifier, message_.identifier, sent.identifier(), fault_of_member);
        take(Field::replaces, message_.replaces, sent.replaces(), fault_of_member);
    }

    template <class Sent>
    void take_times(const Sent& sent)
    {
        if constexpr (requires { sent.occurred_at_micros(); })
            if (sent.has_occurred_at_micros())
                take_time(Field::occurred_at, message_.occurred_at, sent.occurred_at_micros());
        if constexpr (requires { sent.pending_until_micros(); })
            if (sent.has_pending_until_micros())
                take_time(
                    Field::pending_until,
                    message_.pending_until.emplace(),
                    sent.pending_until_micros());
        if constexpr (requires { sent.expires_on(); })
            if (!sent.expires_on().empty())
                take_day(message_.expires_on.emplace(), sent.expires_on());
    }

    void take_purchase(const v1::Purchase& sent)
    {
        sent_ |= set_of(Field::purchase);
        ledger::Purchase& purchase = message_.purchase.emplace();
        take_number(
            "purchase.amount_minor",
            purchase.amount_minor,
            sent.has_amount_minor() ? std::optional{sent.amount_minor()} : std::nullopt,
            {0, amount_minor_max});
        take_text("purchase.currency", purchase.currency, sent.currency(), fault_of_currency);
        if (sent.currency().empty()) refuse("purchase.currency", "is required");
        take_text("purchase.channel", purchase.channel, sent.channel(), fault_of_short_text);
        take_text("purchase.receipt", purchase.receipt, sent.receipt(), fault_of_short_text);
        take_lines(sent, purchase);
    }

    void take_lines(const v1::Purchase& sent, ledger::Purchase& purchase)
    {
        if (fault_ || sent.lines().empty()) return;
        const auto count = static_cast<std::size_t>(sent.lines_size());
        if (count > lines_max)
            return refuse("purchase.lines", fmt::format("has more than {} lines", lines_max));
        auto* const lines = static_cast<ledger::PurchaseLine*>(
            scratch_.allocate(count * sizeof(ledger::PurchaseLine), alignof(ledger::PurchaseLine)));
        std::uninitialized_value_construct_n(lines, count);
        for (std::size_t index = 0; index < count && !fault_; ++index)
            take_line(sent.lines(static_cast<int>(index)), lines[index], index);
        purchase.lines = {lines, count};
    }

    void take_line(const v1::PurchaseLine& sent, ledger::PurchaseLine& line, std::size_t index)
    {
        const auto at = [index](std::string_view name) {
            return fmt::format("purchase.lines[{}]{}", index, name);
        };
        take_text(at(".sku"), line.sku, sent.sku(), fault_of_short_text);
        take_text(at(".category"), line.category, sent.category(), fault_of_short_text);
        take_text(at(".tender"), line.tender, sent.tender(), fault_of_short_text);
        take_number(
            at(".amount_minor"),
            line.amount_minor,
            sent.has_amount_minor() ? std::optional{sent.amount_minor()} : std::nullopt,
            {-amount_minor_max, amount_minor_max});
        if (sent.has_quantity())
            take_number(at(".quantity"), line.quantity, sent.quantity(), {1, quantity_max});
        if (sent.has_vat_rate()) {
            std::int64_t rate = 0;
            take_number(at(".vat_rate"), rate, sent.vat_rate(), {0, vat_rate_max});
            line.vat_rate = static_cast<std::int32_t>(rate);
        }
    }

    void take_value(const v1::Money& sent)
    {
        sent_ |= set_of(Field::value);
        ledger::MoneyValue& value = message_.value.emplace();
        take_number(
            "value.amount_minor",
            value.amount_minor,
            sent.has_amount_minor() ? std::optional{sent.amount_minor()} : std::nullopt,
            {1, amount_minor_max});
        take_text("value.currency", value.currency, sent.currency(), fault_of_currency);
        if (sent.currency().empty()) refuse("value.currency", "is required");
    }

    static const char* fault_of_short_text(std::string_view text)
    {
        return fault_of_text(text, text_bytes_max);
    }

    using Check = const char* (*)(std::string_view);

    // An empty text was not sent.
    void take(Field field, std::string_view& to, std::string_view text, Check fault_of)
    {
        if (text.empty()) return;
        sent_ |= set_of(field);
        take_text(name_of(field), to, text, fault_of);
    }

    void take_text(std::string_view at, std::string_view& to, std::string_view text, Check fault_of)
    {
        if (fault_ || text.empty()) return;
        if (const char* const fault = fault_of(text)) return refuse(at, fault);
        auto* const stored = static_cast<char*>(scratch_.allocate(text.size(), 1));
        std::memcpy(stored, text.data(), text.size());
        to = {stored, text.size()};
    }

    void take_time(Field field, ledger::Time& to, std::int64_t micros)
    {
        sent_ |= set_of(field);
        if (micros < 0 || micros >= micros_end)
            return refuse(name_of(field), "must be microseconds from 1970 to 2199");
        to = ledger::time_of_micros(micros);
    }

    void take_day(ledger::Day& to, std::string_view text)
    {
        sent_ |= set_of(Field::expires_on);
        const auto day = ledger::parse_day(text);
        if (!day) return refuse(name_of(Field::expires_on), fault_of_day);
        to = *day;
    }

    struct Range {
        std::int64_t least;
        std::int64_t most;
    };

    void take_number(
        std::string_view at, std::int64_t& to, std::optional<std::int64_t> number, Range range)
    {
        if (!number) return refuse(at, "is required");
        if (*number < range.least || *number > range.most)
            return refuse(at, fmt::format("must be {} to {}", range.least, range.most));
        to = *number;
    }

    void refuse(std::string_view at, std::string_view what)
    {
        if (!fault_) fault_ = malformed(at, what);
    }

    ledger::Message& message_;
    std::pmr::memory_resource& scratch_;
    FieldSet of_path_ = 0;
    FieldSet sent_ = 0;
    std::int64_t points_ = 0;
    std::string_view hold_id_;
    std::optional<Fault> fault_;
};

/// Walks the wire before the library parses it, and refuses what the library would let pass: fields
/// that the schema does not have, other wire types, a single field sent twice, too many items.
/// Depth is bounded by the schema, which does not recurse.
std::optional<Fault> walk(std::string_view bytes, const google::protobuf::Descriptor& schema)
{
    using google::protobuf::FieldDescriptor;
    CodedInputStream stream = stream_of(bytes);
    std::uint32_t seen = 0;
    std::size_t items = 0;
    while (const std::uint32_t tag = stream.ReadTag()) {
        const int number = static_cast<int>(tag >> 3);
        const FieldDescriptor* const field =
            number <= field_number_max ? schema.FindFieldByNumber(number) : nullptr;
        if (field == nullptr)
            return malformed(fmt::format("field {}", number), "is not a known field");

        const bool is_number = field->cpp_type() == FieldDescriptor::CPPTYPE_INT64;
        if ((tag & 7U) != (is_number ? 0U : 2U))
            return malformed(field->name(), "is not of the right type");
        if (field->is_repeated()) {
            if (++items > lines_max)
                return malformed(field->name(), fmt::format("has more than {} lines", lines_max));
        } else if (seen & 1U << number) {
            return malformed(field->name(), "is there twice");
        }
        seen |= 1U << number;

        if (is_number) {
            std::uint64_t ignored = 0;
            if (!stream.ReadVarint64(&ignored)) return malformed(field->name(), "is not Protobuf");
            continue;
        }
        const auto item = take_item(stream, bytes);
        if (!item) return malformed(field->name(), "is not Protobuf");
        if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
        if (auto fault = walk(*item, *field->message_type())) {
            fault->detail.insert(0, field->name() + '.');
            return fault;
        }
    }
    if (!stream.ConsumedEntireMessage()) return malformed("content", "is not Protobuf");
    return std::nullopt;
}

} // namespace

std::optional<Fault> read_strictly(std::string_view bytes, google::protobuf::Message& sent)
{
    if (auto fault = walk(bytes, *sent.GetDescriptor())) return fault;
    CodedInputStream stream = stream_of(bytes);
    stream.SetRecursionLimit(depth_max);
    if (!sent.ParseFromCodedStream(&stream)) return malformed("body", "has text that is not UTF-8");
    return std::nullopt;
}

struct ProtobufReader::Objects {
    v1::Accrual accrual;
    v1::Redemption redemption;
    v1::Reversal reversal;
    v1::Clawback clawback;
    v1::Donation donation;
    v1::Enrolment enrolment;
    v1::Hold hold;
    v1::Capture capture;
    v1::HoldRelease hold_release;
    v1::AccrualRelease accrual_release;
    v1::Transfer transfer;
    v1::Identification identification;
    v1::StatusChange status_change;
    v1::Merge merge;
    v1::Adjustment adjustment;
    v1::Reinstatement reinstatement;
    v1::MemberLookup lookup;
    std::string_view hold_id; // of the message read last
};

ProtobufReader::ProtobufReader() : objects_{std::make_unique<Objects>()}
{
    // What a client sends wrong is its own affair: the library must not write it to our log.
    google::protobuf::SetLogHandler(nullptr);
}
ProtobufReader::~ProtobufReader() = default;

std::optional<Fault> ProtobufReader::read(
    std::string_view bytes, ledger::Message& message, std::pmr::memory_resource& scratch)
{
    return read_content(bytes, message, scratch, fields_of_path(message.type));
}

std::string_view ProtobufReader::hold_id() const
{
    return objects_->hold_id;
}

std::optional<Fault> ProtobufReader::read_content(
    std::string_view bytes,
    ledger::Message& message,
    std::pmr::memory_resource& scratch,
    FieldSet of_path)
{
    const auto read_as = [&](auto& sent) -> std::optional<Fault> {
        if (auto fault = read_strictly(bytes, sent)) return fault;
        Conversion conversion{message, scratch, of_path};
        auto fault = conversion.run(sent);
        objects_->hold_id = conversion.hold_id();
        return fault;
    };
    switch (message.type) {
    case MessageType::accrual: return read_as(objects_->accrual);
    case MessageType::redemption: return read_as(objects_->redemption);
    case MessageType::reversal: return read_as(objects_->reversal);
    case MessageType::clawback: return read_as(objects_->clawback);
    case MessageType::donation: return read_as(objects_->donation);
    case MessageType::enrolment: return read_as(objects_->enrolment);
    case MessageType::hold: return read_as(objects_->hold);
    case MessageType::capture: return read_as(objects_->capture);
    case MessageType::hold_release: return read_as(objects_->hold_release);
    case MessageType::accrual_release: return read_as(objects_->accrual_release);
    case MessageType::transfer: return read_as(objects_->transfer);
    case MessageType::block:
    case MessageType::unblock:
    case MessageType::close: return read_as(objects_->status_change);
    case MessageType::adjustment: return read_as(objects_->adjustment);
    case MessageType::identification: return read_as(objects_->identification);
    case MessageType::merge: return read_as(objects_->merge);
    case MessageType::reinstatement: return read_as(objects_->reinstatement);
    case MessageType::maturity:
    case MessageType::expiry:
    case MessageType::hold_end:
    case MessageType::transfer_in:
    case MessageType::merge_in:
    case MessageType::fold:
    case MessageType::cut:
    case MessageType::drained:
    case MessageType::opening:
    case MessageType::house_entry:
    case MessageType::unwritten:
    case MessageType::clock: break;
    }
    return malformed("body", "is not a message of a partner");
}

// The wrapper is read by hand, so that the objects of its content can be reused.
std::optional<Fault> ProtobufReader::read_typed(
    std::string_view bytes, ledger::Message& message, std::pmr::memory_resource& scratch)
{
    CodedInputStream stream = stream_of(bytes);
    const std::uint32_t tag = stream.ReadTag();
    if (tag == 0) return malformed("content", "is required");
    const auto type = type_of_tag(tag);
    if (!type) return malformed("content", "is not a type of message");
    const auto content = take_item(stream, bytes);
    if (!content) return malformed("body", "is not Protobuf of this message");
    if (stream.ReadTag() != 0 || !stream.ConsumedEntireMessage())
        return malformed("content", "must be there once, with nothing beside it");
    message.type = *type;
    return read_content(*content, message, scratch, 0);
}

std::optional<Fault> ProtobufReader::read_member(
    std::string_view bytes, ledger::Message& message, std::pmr::memory_resource& scratch)
{
    if (auto fault = read_strictly(bytes, objects_->lookup)) return fault;
    return Conversion{message, scratch}.run_lookup(objects_->lookup);
}

std::optional<Fault> ProtobufReader::split_batch(
    std::string_view bytes, std::vector<std::string_view>& items)
{
    CodedInputStream stream = stream_of(bytes);
    while (const std::uint32_t tag = stream.ReadTag()) {
        if (tag != tag_of(v1::Batch::kMessagesFieldNumber))
            return malformed("body", "has unknown fields");
        const auto item = take_item(stream, bytes);
        if (!item) return malformed("body", "is not a Protobuf Batch");
        if (items.size() == batch_messages_max)
            return Fault{.code = "too_large", .detail = "messages: has more than 10,000"};
        items.push_back(*item);
    }
    if (!stream.ConsumedEntireMessage()) return malformed("body", "is not a Protobuf Batch");
    return std::nullopt;
}

} // namespace pointhouse::gateway
