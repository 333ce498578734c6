#include <fmt/format.h>
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "named_net.hpp"
#include "settle_documents.hpp"

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::House;

struct Options {
    std::string window;
    std::string program;
    std::string partner;
    std::string amount;
    std::string currency; // of the amount; empty: the house's
    std::string evidence;
    std::string reason;
    bool is_preview = false;
};

settlement::PayerInDefault payer_of(House& house, const Options& options)
{
    settlement::PayerInDefault payer{
        .partner = require_partner(house, options.partner).partner, .reason = options.reason};
    payer.net = named_net_of(house, read_window(options.window), options.program, payer.partner);
    payer.rate = rate_of_day(house, payer.net, payer.partner);
    for (const auto& contract : house.registry().contracts())
        if (contract.settlement.mutualised) payer.mutualised.insert(contract.terms.partner);
    return payer;
}

/// What an entry says of a default, without how the house keeps it.
json::object shown_of(const settlement::NewEntry& entry)
{
    auto content = json::parse(entry.content).as_object();
    content["partner"] = content.at("id");
    for (const auto* key : {"id", "payments", "lines_micro"}) content.erase(key);
    for (auto& share : content.at("loss_shares").as_array()) {
        auto& row = share.as_object();
        row["partner"] = row.at("id");
        row.erase("id");
    }
    return content;
}

/// The same of who is invoiced in another currency, in that.
std::string in_own_currency(const json::object& paid_in)
{
    const std::string code{std::string_view{paid_in.at("currency").as_string()}};
    const auto currency = ledger::find_currency(code).value();
    const auto amount = [&](std::string_view key) {
        return ledger::format_minor(
            ledger::Minor{paid_in.at(key).to_number<std::int64_t>()}, currency);
    };
    return fmt::format(
        "  in {} at {}: set off {}, covered by its collateral {}, owed in the next window {}\n",
        code,
        std::string_view{paid_in.at("rate_id").as_string()},
        amount("set_off_minor"),
        amount("collateral_minor"),
        amount("receivable_minor"));
}

std::string in_words(const json::object& shown, ledger::Currency currency)
{
    const auto amount = [&](const json::object& row, std::string_view key) {
        return ledger::format_minor(ledger::Minor{row.at(key).to_number<std::int64_t>()}, currency);
    };
    const auto text_of = [](const json::object& row, std::string_view key) {
        return std::string_view{row.at(key).as_string()};
    };
    std::string text = fmt::format(
        "{} for {}, in {}\n  set off against its own pay-out {:>16}\n  drawn from its collateral"
        " {:>20}\n  owed in the next window {:>22}\n  of it the house bears {:>24}\n",
        text_of(shown, "partner"),
        text_of(shown, "window"),
        currency.code,
        amount(shown, "set_off_minor"),
        amount(shown, "collateral_minor"),
        amount(shown, "receivable_minor"),
        amount(shown, "house_bears_minor"));
    for (const auto& share : shown.at("loss_shares").as_array())
        text += fmt::format(
            "  of it {} bears {:>{}}\n",
            text_of(share.as_object(), "partner"),
            amount(share.as_object(), "share_minor"),
            32 - static_cast<int>(text_of(share.as_object(), "partner").size()));
    if (const auto* paid_in = shown.if_contains("paid_in")) {
        text += in_own_currency(paid_in->as_object());
        currency = ledger::find_currency(text_of(paid_in->as_object(), "currency")).value();
    }
    for (const auto& document : shown.at("reopened").as_array())
        text += fmt::format(
            "  open again: {} {}\n",
            text_of(document.as_object(), "number"),
            amount(document.as_object(), "owed_minor"));
    return text;
}

/// Records a default once two people want it; shows it at any time.
CommandResult take(
    House& house,
    const settlement::NewEntry& entry,
    const std::string& act,
    const Options& options,
    const Invocation& typed)
{
    const auto currency = house.registry().terms()->currency;
    const auto shown = shown_of(entry);
    if (options.is_preview) return report(typed, shown, in_words(shown, currency));
    const auto permitted = ask_permission(house, act, typed);
    if (permitted.waiting) return *permitted.waiting;
    record_permitted(house, entry, permitted);
    return report(typed, shown, in_words(shown, currency));
}

CommandResult take_default(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "takes the default of a partner");
    const auto payer = payer_of(house, options);
    const auto entry = require(house.documents().take_default(payer, *house.registry().terms()));
    // The permission is for these figures: who pays meanwhile makes it another act.
    const auto shown = shown_of(entry);
    const auto act = fmt::format(
        "take the default of {} for {}, {} of set-off, {} of collateral, {} carried: {}",
        options.partner,
        settlement::name_of(payer.net),
        shown.at("set_off_minor").to_number<std::int64_t>(),
        shown.at("collateral_minor").to_number<std::int64_t>(),
        shown.at("receivable_minor").to_number<std::int64_t>(),
        options.reason);
    return take(house, entry, act, options, typed);
}

CommandResult unwind(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "unwinds a partner");
    const auto payer = payer_of(house, options);
    const auto entry = require(house.documents().unwind_partner(payer, *house.registry().terms()));
    const auto act = fmt::format(
        "unwind {} in {}: {}", options.partner, settlement::name_of(payer.net), options.reason);
    return take(house, entry, act, options, typed);
}

CommandResult show_collateral(House& house, const Invocation& typed)
{
    const auto terms = house.registry().terms();
    json::array rows;
    std::string text;
    for (const auto& partner : terms->partners) {
        const auto held = house.documents().collateral_of(partner.partner);
        if (held.count == 0) continue;
        rows.push_back(json::object{
            {"partner", partner.name},
            {"held_minor", held.count},
            {"currency", terms->currency.code}});
        text += fmt::format(
            "{:<12}{:>14} {}\n",
            partner.name,
            ledger::format_minor(held, terms->currency),
            terms->currency.code);
    }
    if (text.empty()) text = "no partner has collateral with the house\n";
    return report(typed, rows, text);
}

/// The rate of the day at which collateral in another currency is taken; none: it is in the
/// house's.
std::optional<settlement::ExchangeRate> collateral_rate(
    House& house, const std::string& code, const ledger::Currency& own)
{
    if (code.empty() || code == own.code) return std::nullopt;
    if (!ledger::find_currency(code))
        throw CommandFailure{fmt::format("--currency: the house does not know \"{}\"", code)};
    auto rate = house.documents().find_rate(own.code, code, issue_terms(house).today);
    if (!rate)
        throw CommandFailure{fmt::format(
            "no rate of {} until today: pointhouse fx set DAY {} {}", code, own.code, code)};
    return rate;
}

CommandResult move_collateral(House& house, const Options& options, const Invocation& typed)
{
    if (options.partner.empty()) return show_collateral(house, typed);
    require_operator(house, typed, "takes collateral");
    if (options.amount.empty()) throw CommandFailure{"how much: above zero it is brought"};
    if (options.evidence.empty())
        throw CommandFailure{"collateral is noted with what shows it: --evidence"};
    const auto terms = house.registry().terms();
    const auto& partner = require_partner(house, options.partner);
    const auto rate = collateral_rate(house, options.currency, terms->currency);
    const auto amount = read_amount(options.amount, rate ? rate->to : terms->currency);
    if (partner.leaves_at && amount.count < 0)
        throw CommandFailure{fmt::format(
            "{} leaves: it gets its collateral back once nothing is open, with pointhouse partner "
            "release",
            options.partner)};
    const auto entry = require(house.documents().move_collateral(
        {.partner = partner.partner, .paid = amount, .evidence = options.evidence, .rate = rate},
        *terms));
    const auto act = fmt::format(
        "move {}{}{} of collateral of {}: {}",
        options.amount,
        rate ? " " : "",
        rate ? rate->to.code : "",
        options.partner,
        options.evidence);
    const auto permitted = ask_permission(house, act, typed);
    if (permitted.waiting) return *permitted.waiting;
    record_permitted(house, entry, permitted);
    return show_collateral(house, typed);
}

} // namespace

void declare_settle_defaults(CLI::App& settle, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    const auto declare = declarer_of(settle, invocation, options);
    const auto with_payer = [&](CLI::App& command) {
        command.add_option("WINDOW", options->window, "A month, 2026-06")->required();
        command.add_option("PARTNER", options->partner)->required();
        command.add_option("--reason", options->reason);
        command.add_flag("--preview", options->is_preview, "Show what it comes to, record nothing");
        add_program_option(command, options->program);
    };
    with_payer(declare(
        "default",
        "A partner does not pay its net: draw collateral, carry the rest, free the pay-outs",
        take_default));
    with_payer(declare(
        "unwind", "Take a partner out of a window's net: its documents are open again", unwind));
    auto& moving = declare(
        "collateral",
        "What partners brought as security; with PARTNER and AMOUNT, note that it moved",
        move_collateral);
    moving.add_option("PARTNER", options->partner);
    moving.add_option("AMOUNT", options->amount, "Above zero: brought; below: given back");
    moving.add_option(
        "--currency",
        options->currency,
        "Of the amount; it is held at what the day's rate makes it");
    moving.add_option("--evidence", options->evidence, "What shows it");
}

} // namespace pointhouse::ops
