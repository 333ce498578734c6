#include "settlement/bank_json.hpp"

#include <array>
#include <fmt/format.h>
#include <stdexcept>

#include <boost/json.hpp>

namespace pointhouse::settlement {
namespace {

namespace json = boost::json;
using ledger::Minor;

/// The texts of a row and their keys.
struct TextField {
    const char* key;
    std::string BankRow::* member;
};
constexpr std::array text_fields{
    TextField{"servicer_reference", &BankRow::servicer_reference},
    TextField{"entry_reference", &BankRow::entry_reference},
    TextField{"end_to_end_id", &BankRow::end_to_end_id},
    TextField{"payment_block", &BankRow::payment_block},
    TextField{"creditor_reference", &BankRow::creditor_reference},
    TextField{"remittance", &BankRow::remittance},
    TextField{"counterparty", &BankRow::counterparty},
    TextField{"counterparty_account", &BankRow::counterparty_account},
    TextField{"return_reason", &BankRow::return_reason},
    TextField{"code", &BankRow::code},
};

json::object row_object(const BankRow& row)
{
    json::object object{
        {"entry", row.entry},
        {"amount_minor", row.amount.count},
        {"booked_on", ledger::format_day(row.booked_on)},
        {"value_on", ledger::format_day(row.value_on)},
    };
    if (row.detail != 0) object.emplace("detail", row.detail);
    if (row.is_reversal) object.emplace("is_reversal", true);
    for (const TextField& field : text_fields)
        if (!(row.*field.member).empty()) object.emplace(field.key, row.*field.member);
    return object;
}

json::object balance_object(const BookedBalance& balance)
{
    return {{"amount_minor", balance.amount.count}, {"day", ledger::format_day(balance.day)}};
}

// Reading: what is missing or of another type throws; `read` turns that into words.

std::string text_of(const json::object& object, const char* key)
{
    const json::value* value = object.if_contains(key);
    return value == nullptr ? std::string{} : std::string{std::string_view{value->as_string()}};
}

template <class Integer>
Integer number_of(const json::object& object, const char* key, Integer missing)
{
    const json::value* value = object.if_contains(key);
    return value == nullptr ? missing : value->to_number<Integer>();
}

Minor minor_of(const json::object& object)
{
    return Minor{object.at("amount_minor").to_number<std::int64_t>()};
}

ledger::Day day_of(const json::object& object, const char* key)
{
    const auto day = ledger::parse_day(std::string_view{object.at(key).as_string()});
    if (!day) throw std::runtime_error{fmt::format("{} is no day", key)};
    return *day;
}

BankRow row_of(const json::object& object)
{
    BankRow row{
        .entry = object.at("entry").to_number<std::int32_t>(),
        .detail = number_of(object, "detail", 0),
        .amount = minor_of(object),
        .booked_on = day_of(object, "booked_on"),
        .value_on = day_of(object, "value_on"),
    };
    row.is_reversal = object.contains("is_reversal") && object.at("is_reversal").as_bool();
    for (const TextField& field : text_fields) row.*field.member = text_of(object, field.key);
    return row;
}

BookedBalance balance_of(const json::object& object)
{
    return {.amount = minor_of(object), .day = day_of(object, "day")};
}

std::optional<std::int64_t> sequence_of(const json::object& object, const char* key)
{
    if (!object.contains(key)) return std::nullopt;
    return object.at(key).to_number<std::int64_t>();
}

BankStatement statement_of(const json::object& object)
{
    const auto currency =
        ledger::find_currency(std::string_view{object.at("currency").as_string()});
    if (!currency) throw std::runtime_error{"currency is unknown"};
    BankStatement statement{
        .account = std::string{std::string_view{object.at("account").as_string()}},
        .currency = *currency,
        .id = std::string{std::string_view{object.at("id").as_string()}},
        .electronic_sequence = sequence_of(object, "electronic_sequence"),
        .legal_sequence = sequence_of(object, "legal_sequence"),
        .page = number_of(object, "page", 1),
        .from = text_of(object, "from"),
        .to = text_of(object, "to"),
        .opening = balance_of(object.at("opening").as_object()),
        .closing = balance_of(object.at("closing").as_object()),
        .entries_pending = number_of(object, "entries_pending", 0),
    };
    for (const json::value& row : object.at("rows").as_array())
        statement.rows.push_back(row_of(row.as_object()));
    return statement;
}

MatchKind kind_of(std::string_view name)
{
    using enum MatchKind;
    for (const MatchKind kind :
         {by_reference, exact, one_to_many, many_to_one, tolerated, only_item, returned, by_hand})
        if (name_of(kind) == name) return kind;
    throw std::runtime_error{fmt::format("kind \"{}\" is unknown", name)};
}

Match match_of(const json::object& object)
{
    Match match{.kind = kind_of(std::string_view{object.at("kind").as_string()})};
    for (const json::value& value : object.at("parts").as_array()) {
        const json::object& part = value.as_object();
        match.parts.push_back(
            {.row = part.at("row").to_number<BankRowNumber>(),
             .item = text_of(part, "item"),
             .amount = minor_of(part)});
    }
    if (const json::value* value = object.if_contains("write_off")) {
        const json::object& residual = value->as_object();
        match.write_off = WriteOff{
            .item = text_of(residual, "item"),
            .row = number_of(residual, "row", BankRowNumber{0}),
            .amount = minor_of(residual),
            .account = text_of(residual, "account")};
    }
    return match;
}

template <class Value, class Read>
std::expected<Value, std::string> read(std::string_view text, const Read& of_object)
{
    try {
        return of_object(json::parse(json::string_view{text}).as_object());
    } catch (const std::exception& unreadable) {
        return std::unexpected{std::string{unreadable.what()}};
    }
}

} // namespace

std::string bank_statement_json(const BankStatement& statement)
{
    json::object object{
        {"account", statement.account},
        {"currency", statement.currency.code},
        {"id", statement.id},
        {"page", statement.page},
        {"opening", balance_object(statement.opening)},
        {"closing", balance_object(statement.closing)},
        {"entries_pending", statement.entries_pending},
    };
    if (statement.electronic_sequence)
        object.emplace("electronic_sequence", *statement.electronic_sequence);
    if (statement.legal_sequence) object.emplace("legal_sequence", *statement.legal_sequence);
    if (!statement.from.empty()) object.emplace("from", statement.from);
    if (!statement.to.empty()) object.emplace("to", statement.to);
    json::array rows;
    for (const BankRow& row : statement.rows) rows.push_back(row_object(row));
    object.emplace("rows", std::move(rows));
    return json::serialize(object);
}

std::expected<BankStatement, std::string> bank_statement_from_json(std::string_view text)
{
    return read<BankStatement>(text, statement_of);
}

std::string match_json(const Match& match)
{
    json::array parts;
    for (const MatchPart& part : match.parts)
        parts.push_back(json::object{
            {"row", part.row}, {"item", part.item}, {"amount_minor", part.amount.count}});
    json::object object{{"kind", name_of(match.kind)}, {"parts", std::move(parts)}};
    if (match.write_off) {
        json::object residual{
            {"amount_minor", match.write_off->amount.count}, {"account", match.write_off->account}};
        if (match.write_off->item.empty())
            residual.emplace("row", match.write_off->row);
        else
            residual.emplace("item", match.write_off->item);
        object.emplace("write_off", std::move(residual));
    }
    return json::serialize(object);
}

std::expected<Match, std::string> match_from_json(std::string_view text)
{
    return read<Match>(text, match_of);
}

std::string suggestion_json(const Suggestion& suggestion)
{
    json::array choices;
    for (const std::vector<std::string>& choice : suggestion.choices)
        choices.push_back(json::value_from(choice));
    return json::serialize(json::object{
        {"row", suggestion.row},
        {"doubt", name_of(suggestion.doubt)},
        {"choices", std::move(choices)}});
}

} // namespace pointhouse::settlement
