#include <algorithm>
#include <fmt/format.h>

#include <boost/json.hpp>

#include "../csv_row.hpp"
#include "settlement/net_statement.hpp"

// The three forms of a net statement.

namespace pointhouse::settlement {
namespace {

namespace json = boost::json;
using ledger::Minor;

json::object document_object(const SettledDocument& document)
{
    return {
        {"document", document.number},
        {"kind", name_of(document.kind)},
        {"window", format_month(document.window)},
        {"gross_minor", document.gross.count},
        {"held_back_minor", document.held_back.count},
        {"effect_minor", document.effect.count},
    };
}

} // namespace

std::string net_statement_json(const NetStatement& statement)
{
    json::array parties;
    for (const PartyStatement& party : statement.parties) {
        json::array documents;
        for (const SettledDocument& document : party.documents)
            documents.push_back(document_object(document));
        parties.push_back(json::object{
            {"party", party.id},
            {"documents", std::move(documents)},
            {"net_minor", party.net.count},
        });
    }
    json::object shown{
        {"window", format_month(statement.window)},
        {"currency", statement.currency.code},
        {"parties", std::move(parties)},
        {"paid_in_minor", statement.paid_in.count},
        {"house_share_minor", statement.house_share.count},
        {"paid_out_minor", statement.paid_out.count},
        {"clearing_minor", statement.clearing().count},
    };
    if (!statement.program.empty()) shown.emplace("program", statement.program);
    return json::serialize(shown);
}

namespace {

void append_csv(std::string& text, const NetStatement& statement, std::string_view end_of_row)
{
    const auto amount = [&statement](Minor minor) {
        return format_minor(minor, statement.currency);
    };
    for (const PartyStatement& party : statement.parties) {
        for (const SettledDocument& document : party.documents) {
            text += fmt::format(
                "document,{},{},{},{},{},{},{},{}{}",
                csv_cell(party.id),
                csv_cell(document.number),
                name_of(document.kind),
                format_month(document.window),
                amount(document.gross),
                amount(document.held_back),
                amount(document.effect),
                statement.currency.code,
                end_of_row);
        }
        text += fmt::format(
            "net,{},,,{},,,{},{}{}",
            csv_cell(party.id),
            format_month(statement.window),
            amount(party.net),
            statement.currency.code,
            end_of_row);
    }
}

} // namespace

std::string net_statements_csv(std::span<const NetStatement> statements)
{
    const bool has_programs = std::ranges::any_of(
        statements, [](const NetStatement& each) { return !each.program.empty(); });
    std::string text = "record,party,document,kind,window,gross,held_back,effect,currency";
    text += has_programs ? ",program\r\n" : "\r\n";
    for (const NetStatement& statement : statements)
        append_csv(text, statement, has_programs ? "," + statement.program + "\r\n" : "\r\n");
    return text;
}

std::string net_statement_text(const NetStatement& statement)
{
    std::string text = fmt::format(
        "Settlement of {} in {}. Above zero: the party receives.\n",
        name_of(NetKey{statement.window, statement.program}),
        statement.currency.code);
    const auto amount = [&statement](Minor minor) {
        return format_minor(minor, statement.currency);
    };
    for (const PartyStatement& party : statement.parties) {
        text +=
            fmt::format("\n{:<48}{:>14}{:>14}{:>14}\n", party.id, "gross", "held back", "effect");
        for (const SettledDocument& document : party.documents) {
            text += fmt::format(
                "  {:<23}{:<23}{:>14}{:>14}{:>14}\n",
                document.number,
                name_of(document.kind),
                amount(document.gross),
                amount(document.held_back),
                amount(document.effect));
        }
        text += fmt::format("  {:<74}{:>14}\n", "net", amount(party.net));
    }
    text += fmt::format(
        "\nPaid in {}, added by the house {}, paid out {}; left in the clearing account {}.\n",
        amount(statement.paid_in),
        amount(statement.house_share),
        amount(statement.paid_out),
        amount(statement.clearing()));
    return text;
}

} // namespace pointhouse::settlement
