#include "statement_xml.hpp"

#include <charconv>
#include <fmt/format.h>

namespace pointhouse::settlement {

using ledger::Day;
using ledger::Minor;
using pugi::xml_node;

std::string excerpt_of(std::string_view text)
{
    return fmt::format("\"{}\"{}", text.substr(0, 40), text.size() > 40 ? "…" : "");
}

void StatementReader::refuse(StatementRefusal refusal, std::string_view why)
{
    if (!fault_) fault_ = StatementFault{refusal, fmt::format("{}: {}", place_, why)};
}

xml_node StatementReader::find(xml_node parent, std::initializer_list<const char*> path)
{
    for (const char* name : path) {
        xml_node found;
        for (const xml_node child : parent.children()) {
            if (child.type() != pugi::node_element || local_name(child) != name) continue;
            if (found) {
                refuse(
                    StatementRefusal::element_repeated,
                    fmt::format("{} stands more than once in {}", name, local_name(parent)));
                return {};
            }
            found = child;
        }
        if (!found) return {};
        parent = found;
    }
    return parent;
}

xml_node StatementReader::at(xml_node parent, std::initializer_list<const char*> path)
{
    const xml_node node = find(parent, path);
    if (!node)
        refuse(
            StatementRefusal::element_missing,
            fmt::format("{} has no {}", local_name(parent), fmt::join(path, "/")));
    return node;
}

std::string StatementReader::text(xml_node parent, std::initializer_list<const char*> path)
{
    return drawn_together(find(parent, path).text().as_string());
}

std::string StatementReader::reference(xml_node parent, std::initializer_list<const char*> path)
{
    std::string reference = text(parent, path);
    if (reference == "NOTPROVIDED" || reference == "NONREF" || reference == "NOREF") return {};
    return reference;
}

std::optional<std::int64_t> StatementReader::number(xml_node parent, const char* name)
{
    const std::string digits = text(parent, {name});
    if (digits.empty()) return std::nullopt;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size() || value < 0) {
        refuse(
            StatementRefusal::value_invalid,
            fmt::format("{} {} is no number", name, excerpt_of(digits)));
        return std::nullopt;
    }
    return value;
}

bool StatementReader::flag(xml_node parent, const char* name)
{
    const std::string value = text(parent, {name});
    if (value == "true" || value == "1") return true;
    if (!value.empty() && value != "false" && value != "0")
        refuse(
            StatementRefusal::value_invalid,
            fmt::format("{} {} is neither true nor false", name, excerpt_of(value)));
    return false;
}

std::optional<Day> StatementReader::day(xml_node parent, const char* name)
{
    const xml_node choice = find(parent, {name});
    if (!choice) return std::nullopt;
    std::string written = text(choice, {"Dt"});
    if (written.empty()) written = text(choice, {"DtTm"});
    // A time zone or a time may follow: the day is the bank's own.
    const std::string_view end =
        std::string_view{written}.substr(std::min<std::size_t>(10, written.size()));
    const auto found = ledger::parse_day(std::string_view{written}.substr(0, 10));
    if (!found || (!end.empty() && std::string_view{"TZ+-"}.find(end[0]) == std::string_view::npos))
        refuse(
            StatementRefusal::value_invalid,
            fmt::format("{} {} is no day", name, excerpt_of(written)));
    return found;
}

Minor StatementReader::amount(xml_node node, const ledger::Currency& currency)
{
    const std::string written = drawn_together(node.text().as_string());
    const std::string_view code = node.attribute("Ccy").as_string();
    if (code != currency.code) {
        refuse(
            StatementRefusal::currency_differs,
            fmt::format("an amount in {} on an account in {}", excerpt_of(code), currency.code));
        return {};
    }
    const auto micro = written.starts_with('-') ? std::nullopt : ledger::parse_micro(written);
    const std::int64_t unit = ledger::micro_per_minor(currency);
    if (!micro || micro->count() % unit != 0) {
        refuse(
            StatementRefusal::value_invalid,
            fmt::format("{} is no amount of {}", excerpt_of(written), currency.code));
        return {};
    }
    return Minor{micro->count() / unit};
}

bool StatementReader::is_debit(xml_node parent)
{
    const std::string side = text(parent, {"CdtDbtInd"});
    if (side != "CRDT" && side != "DBIT")
        refuse(
            StatementRefusal::value_invalid,
            fmt::format("CdtDbtInd {} is neither CRDT nor DBIT", excerpt_of(side)));
    return side == "DBIT";
}

Minor StatementReader::signed_amount(xml_node parent, const ledger::Currency& currency)
{
    const Minor size = amount(at(parent, {"Amt"}), currency);
    return is_debit(parent) ? Minor{-size.count} : size;
}

std::string_view local_name(xml_node node)
{
    const std::string_view name = node.name();
    const std::size_t colon = name.find(':');
    return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

std::string drawn_together(std::string_view text)
{
    std::string drawn;
    bool space = false;
    for (const char character : text) {
        // References may have brought in control characters that no text has.
        if (static_cast<unsigned char>(character) <= ' ') {
            space = !drawn.empty();
            continue;
        }
        if (space) drawn += ' ';
        space = false;
        drawn += character;
    }
    return drawn;
}

std::string joined_texts(xml_node parent, const char* name)
{
    std::string joined;
    for (const xml_node child : parent.children())
        if (local_name(child) == name) joined += fmt::format(" {}", child.text().as_string());
    return drawn_together(joined);
}

} // namespace pointhouse::settlement
