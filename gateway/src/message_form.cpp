#include "message_form.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <fmt/format.h>

#include "ledger/printable.hpp"

namespace pointhouse::gateway {
namespace {

using ledger::MessageType;
using enum Field;

constexpr std::array<std::string_view, 23> field_names{
    "type",
    "message_id",
    "member",
    "occurred_at",
    "points",
    "purchase",
    "value",
    "receipt",
    "reason",
    "pending_until",
    "promotion",
    "reverses",
    "charity",
    "hold_id",
    "accrual",
    "to_member",
    "expires_in_seconds",
    "funder",
    "kind",
    "identifier",
    "replaces",
    "into",
    "expires_on"};

template <class... Fields>
constexpr FieldSet all_of(Fields... fields)
{
    return (set_of(fields) | ...);
}

/// What CONTRACT.md says of one type. `amount`: the fields that say how much, of which one at most.
struct Form {
    MessageType type;
    std::string_view name;
    FieldSet required;
    FieldSet optional;
    FieldSet amount;
    bool needs_amount;
};

constexpr FieldSet of_operator = all_of(message_id, member, reason);
constexpr FieldSet of_identifier = all_of(kind, identifier);
constexpr FieldSet always = all_of(message_id, member, occurred_at);

constexpr std::array forms{
    Form{
        MessageType::accrual,
        "accrual",
        always,
        all_of(reason, pending_until, promotion),
        all_of(points, purchase),
        true},
    Form{
        MessageType::redemption,
        "redemption",
        always,
        set_of(receipt),
        all_of(points, value),
        true},
    Form{
        MessageType::reversal,
        "reversal",
        all_of(message_id, occurred_at, reverses),
        0,
        all_of(points, purchase),
        false},
    Form{MessageType::clawback, "clawback", always, set_of(reason), all_of(points, purchase), true},
    Form{
        MessageType::donation,
        "donation",
        always | set_of(charity),
        set_of(receipt),
        all_of(points, value),
        true},
    Form{
        MessageType::enrolment,
        "enrolment",
        all_of(message_id, member),
        of_identifier | set_of(replaces),
        0,
        false},
    Form{
        MessageType::identification,
        "identification",
        all_of(message_id, member) | of_identifier,
        set_of(replaces),
        0,
        false},
    Form{
        MessageType::hold,
        "hold",
        always | all_of(points, expires_in_seconds),
        0,
        set_of(points),
        true},
    Form{
        MessageType::capture,
        "capture",
        all_of(message_id, occurred_at, hold_id),
        0,
        set_of(points),
        false},
    Form{
        MessageType::hold_release,
        "hold_release",
        all_of(message_id, occurred_at, hold_id),
        0,
        0,
        false},
    Form{
        MessageType::accrual_release,
        "accrual_release",
        all_of(message_id, occurred_at, accrual),
        0,
        0,
        false},
    Form{
        MessageType::transfer,
        "transfer",
        always | all_of(points, to_member),
        0,
        set_of(points),
        true},
    Form{MessageType::block, "block", of_operator, set_of(occurred_at), 0, false},
    Form{MessageType::unblock, "unblock", of_operator, set_of(occurred_at), 0, false},
    Form{MessageType::close, "close", of_operator, set_of(occurred_at), 0, false},
    Form{MessageType::merge, "merge", of_operator | set_of(into), set_of(occurred_at), 0, false},
    Form{
        MessageType::adjustment,
        "adjustment",
        of_operator | all_of(occurred_at, points, funder),
        0,
        set_of(points),
        true},
    Form{
        MessageType::reinstatement,
        "reinstatement",
        of_operator | all_of(occurred_at, points, expires_on),
        set_of(funder),
        set_of(points),
        true},
};

const Form& form_of(MessageType type)
{
    const auto* const found = std::ranges::find(forms, type, &Form::type);
    ledger::invariant(found != forms.end(), "only partners' messages are decoded");
    return *found;
}

Field first_of(FieldSet set)
{
    return static_cast<Field>(std::countr_zero(set));
}

// A set of bytes as a table, so that a check costs one look-up a character.
using CharacterSet = std::array<bool, 256>;

constexpr CharacterSet letters_digits_and(std::string_view others)
{
    CharacterSet set{};
    for (unsigned char character = 'a'; character <= 'z'; ++character) set[character] = true;
    for (unsigned char character = 'A'; character <= 'Z'; ++character) set[character] = true;
    for (unsigned char character = '0'; character <= '9'; ++character) set[character] = true;
    for (const char other : others) set[static_cast<unsigned char>(other)] = true;
    return set;
}

constexpr CharacterSet message_id_characters = letters_digits_and("._:-");
constexpr CharacterSet member_characters = letters_digits_and("._:@+-");

bool is_of(std::string_view text, const CharacterSet& set, std::size_t characters_max)
{
    if (text.empty() || text.size() > characters_max) return false;
    return std::ranges::all_of(
        text, [&](char character) { return set[static_cast<unsigned char>(character)]; });
}

} // namespace

std::string_view name_of(Field field)
{
    return field_names[static_cast<std::size_t>(field)];
}

Fault malformed(std::string_view field, std::string_view what)
{
    return {.code = "malformed", .detail = fmt::format("{}: {}", field, what)};
}

const char* fault_of_message_id(std::string_view text)
{
    return is_of(text, message_id_characters, message_id_characters_max)
               ? nullptr
               : "must be 1 to 64 of A-Z a-z 0-9 . _ : -";
}

const char* fault_of_member(std::string_view text)
{
    return is_of(text, member_characters, member_characters_max)
               ? nullptr
               : "must be 1 to 64 of A-Z a-z 0-9 . _ : @ + -";
}

const char* fault_of_text(std::string_view text, std::size_t bytes_max)
{
    if (text.empty()) return "must not be empty";
    if (text.size() > bytes_max) return "is too long";
    return ledger::is_printable(text) ? nullptr : "must be text that can be printed";
}

const char* fault_of_currency(std::string_view text)
{
    const bool is_code = text.size() == 3 && std::ranges::all_of(text, [](char character) {
                             return character >= 'A' && character <= 'Z';
                         });
    return is_code ? nullptr : "must be three capital letters of ISO 4217";
}

const char* fault_of_kind(std::string_view text)
{
    return identifier_kind_of(text) == ledger::IdentifierKind::unknown
               ? "must be card, phone or token"
               : nullptr;
}

ledger::IdentifierKind identifier_kind_of(std::string_view text)
{
    using enum ledger::IdentifierKind;
    for (const auto each : {card, phone, token})
        if (name_of(each) == text) return each;
    return unknown;
}

FieldSet fields_of_path(MessageType type)
{
    constexpr std::array about_member{
        MessageType::block,
        MessageType::unblock,
        MessageType::close,
        MessageType::merge,
        MessageType::reinstatement,
        MessageType::identification};
    if (type == MessageType::accrual_release) return set_of(accrual);
    if (std::ranges::find(about_member, type) != about_member.end()) return set_of(member);
    const bool is_of_hold = type == MessageType::capture || type == MessageType::hold_release;
    return is_of_hold ? set_of(hold_id) : 0;
}

std::optional<Fault> complete(
    ledger::Message& message, FieldSet sent, std::int64_t points_sent, FieldSet of_path)
{
    const Form& form = form_of(message.type);
    sent &= ~set_of(type);
    if (const FieldSet doubled = sent & of_path)
        return malformed(name_of(first_of(doubled)), "is in the path");
    sent |= of_path;

    if (const FieldSet foreign = sent & ~(form.required | form.optional | form.amount))
        return malformed(
            name_of(first_of(foreign)),
            fmt::format("is not a field of this message ({})", form.name));
    // An identifier comes with its kind, also where neither is required.
    const bool identifies = (sent & (of_identifier | set_of(replaces))) != 0;
    if (const FieldSet missing = (form.required | (identifies ? of_identifier : 0)) & ~sent)
        return malformed(name_of(first_of(missing)), "is required");

    if (!message.replaces.empty() && message.replaces == message.identifier)
        return malformed("replaces", "must not be the identifier itself");

    if (!message.to_member.empty() && message.to_member == message.member)
        return malformed("to_member", "must be another member");

    const FieldSet amounts = sent & form.amount;
    if (std::popcount(amounts) > 1) {
        const Field first = first_of(amounts);
        return malformed(
            name_of(first),
            fmt::format("excludes {}", name_of(first_of(amounts & ~set_of(first)))));
    }
    if (form.needs_amount && amounts == 0) {
        const Field first = first_of(form.amount);
        return malformed(
            name_of(first),
            fmt::format("is required, or {}", name_of(first_of(form.amount & ~set_of(first)))));
    }
    // Out of range is a refusal of the house, frozen like any other; below zero counts as zero.
    if (sent & set_of(points))
        message.points = ledger::Points{std::max<std::int64_t>(points_sent, 0)};
    return std::nullopt;
}

std::optional<Fault> complete_lookup(FieldSet sent)
{
    if (const FieldSet foreign = sent & ~set_of(member))
        return malformed(name_of(first_of(foreign)), "is not a field of a look-up");
    if (sent == 0) return malformed("member", "is required");
    return std::nullopt;
}

std::optional<MessageType> find_message_type(std::string_view name)
{
    const auto* const found = std::ranges::find(forms, name, &Form::name);
    if (found == forms.end() || ledger::is_of_operator(found->type)) return std::nullopt;
    return found->type;
}

} // namespace pointhouse::gateway
