#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json.hpp>

#include "settlement/invoice_replay.hpp"

namespace pointhouse::settlement {
namespace {

namespace json = boost::json;

std::string_view in_words(ReplayVerdict verdict)
{
    switch (verdict) {
    case ReplayVerdict::equal: return "equal";
    case ReplayVerdict::as_stated: return "taken as stated";
    case ReplayVerdict::of_others: return "the rest is of others' messages";
    case ReplayVerdict::differs: return "DIFFERS";
    }
    return "";
}

} // namespace

std::string invoice_replay_json(const InvoiceReplay& replay)
{
    json::array figures;
    for (const auto& figure : replay.figures) {
        figures.push_back(json::object{
            {"statement", name_of(figure.type)},
            {"flow", name_of(figure.charge)},
            {"kind", ledger::name_of(figure.kind)},
            {"price_micro", figure.price.count()},
            {"stated_points", figure.stated},
            {"log_points", figure.logged},
            {"verdict", name_of(figure.verdict)},
            {"messages", json::array(figure.candidates.begin(), figure.candidates.end())}});
    }
    json::array arithmetic;
    for (const auto& fault : replay.arithmetic)
        arithmetic.push_back(json::object{
            {"document", fault.document},
            {"figure", fault.figure},
            {"stated", fault.stated},
            {"computed", fault.computed}});
    json::value messages;
    if (replay.messages) {
        json::array breaks;
        for (const auto& found : replay.messages->breaks)
            breaks.push_back(json::object{
                {"class", name_of(found.kind)},
                {"message_id", found.message_id},
                {"fields", json::array(found.fields.begin(), found.fields.end())}});
        messages = std::move(breaks);
    }
    return json::serialize(json::object{
        {"ok", replay.agrees()},
        {"figures", std::move(figures)},
        {"arithmetic", std::move(arithmetic)},
        {"messages", std::move(messages)}});
}

std::string invoice_replay_in_words(const InvoiceReplay& replay)
{
    std::string text = fmt::format(
        "{:<22}{:<17}{:<15}{:>10}{:>14}{:>14}\n",
        "statement",
        "flow",
        "kind",
        "price",
        "stated",
        "log");
    for (const auto& figure : replay.figures) {
        text += fmt::format(
            "{:<22}{:<17}{:<15}{:>10}{:>14}{:>14}  {}\n",
            name_of(figure.type),
            name_of(figure.charge),
            ledger::name_of(figure.kind),
            ledger::format_micro(figure.price),
            figure.stated,
            figure.logged,
            in_words(figure.verdict));
        if (!figure.candidates.empty())
            text +=
                fmt::format("    exactly the difference: {}\n", fmt::join(figure.candidates, ", "));
    }
    for (const auto& fault : replay.arithmetic) {
        text += fmt::format(
            "{}, {}: states {}, is {}\n",
            fault.document,
            fault.figure,
            fault.stated,
            fault.computed);
    }
    if (replay.messages) {
        for (const auto& found : replay.messages->breaks)
            text += fmt::format("message {}: {}\n", found.message_id, name_of(found.kind));
        if (replay.messages->agrees()) text += "every message of the house's file is in the log\n";
    }
    text += replay.agrees() ? "the statements follow from the log\n"
                            : "the statements do not follow from the log\n";
    return text;
}

} // namespace pointhouse::settlement
