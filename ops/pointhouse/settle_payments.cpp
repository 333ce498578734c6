#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <set>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "closed_window.hpp"
#include "named_net.hpp"
#include "settle_documents.hpp"
#include "settlement/net_statement.hpp"
#include "settlement/payer_default.hpp"

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::Console;
using gateway::House;
using gateway::NextStep;
using gateway::SettlementSource;
using settlement::NetKey;
using settlement::WindowNet;

struct Options {
    std::string window;
    std::string program;
    std::string partner;
    std::string amount;
    std::string evidence;
    std::string minimum = "0";
    std::string method = "multilateral";
    std::string pay_in;
    std::string currency;
    std::string rate;
    bool as_csv = false;
    std::string late_reason;
};

/// Partners that owe more, net, than their contracts allow. Nothing is refused for it: what they
/// did is done; who extends them credit has to know.
json::array over_limit(House& house, const WindowNet& net)
{
    const auto terms = house.registry().terms();
    settlement::NetPositions nets;
    for (const auto& [partner, payment] : net.payments) nets[partner] += payment.agreed();
    std::map<ledger::PartnerId, ledger::Minor> limits;
    for (const auto& contract : house.registry().contracts()) {
        const auto& limit = contract.settlement.net_debit_limit;
        // A limit counts in whole minor units: what is beyond it by less is beyond it.
        if (limit)
            limits.emplace(
                contract.terms.partner,
                ledger::Minor{limit->count() / ledger::micro_per_minor(terms->currency)});
    }
    json::array rows;
    for (const auto& breach : settlement::over_net_debit_limit(nets, limits))
        rows.push_back(json::object{
            {"partner", terms->partner(breach.party).name},
            {"net_debit_minor", breach.net_debit.count},
            {"limit_minor", breach.limit.count}});
    return rows;
}

json::array payments_of(House& house, const WindowNet& net)
{
    const auto terms = house.registry().terms();
    json::array rows;
    for (const auto& [partner, payment] : net.payments) {
        json::object row{
            {"partner", terms->partner(partner).name},
            {"net_minor", payment.net.count},
            {"settled_minor", payment.settled.count},
            {"open_minor", payment.open().count},
            {"carried_minor", payment.carried.count},
            {"currency", terms->currency.code},
            {"reference", payment.reference}};
        if (const auto& foreign = payment.foreign) {
            row.emplace(
                "paid_in",
                json::object{
                    {"currency", foreign->rate.to.code},
                    {"net_minor", foreign->net.count},
                    {"settled_minor", foreign->settled.count},
                    {"open_minor", foreign->open().count},
                    {"rate", foreign->rate.id}});
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

std::string in_words(House& house, const WindowNet& net)
{
    if (net.payments.empty())
        return fmt::format("{} netting: nothing is to be paid\n", settlement::name_of(net.method));
    const auto terms = house.registry().terms();
    std::set<std::string_view> currencies;
    for (const auto& [partner, payment] : net.payments)
        currencies.insert(payment.foreign ? payment.foreign->rate.to.code : terms->currency.code);
    std::string text = fmt::format(
        "{} netting, paid in {}\n{:<12}{:>14}{:>14}  {}\n",
        settlement::name_of(net.method),
        fmt::join(currencies, ", "),
        "partner",
        "net " + terms->currency.code,
        "settled",
        "reference");
    for (const auto& [partner, payment] : net.payments) {
        text += fmt::format(
            "{:<12}{:>14}{:>14}  {}\n",
            terms->partner(partner).name,
            ledger::format_minor(payment.net, terms->currency),
            ledger::format_minor(payment.settled, terms->currency),
            payment.reference);
        if (const auto& foreign = payment.foreign) {
            text += fmt::format(
                "{:<12}{:>14}{:>14}  in {} at {}\n",
                "",
                ledger::format_minor(foreign->net, foreign->rate.to),
                ledger::format_minor(foreign->settled, foreign->rate.to),
                foreign->rate.to.code,
                foreign->rate.id);
        }
    }
    for (const auto& row : over_limit(house, net)) {
        const auto& breach = row.as_object();
        const auto amount = [&](std::string_view key) {
            return ledger::format_minor(
                ledger::Minor{breach.at(key).to_number<std::int64_t>()}, terms->currency);
        };
        text += fmt::format(
            "{} owes {}, more than its limit of {}\n",
            std::string_view{breach.at("partner").as_string()},
            amount("net_debit_minor"),
            amount("limit_minor"));
    }
    return text + "net above zero: the house pays the partner\n";
}

const WindowNet& require_net(House& house, const NetKey& key)
{
    const auto* net = house.documents().net_of(key);
    if (!net)
        throw CommandFailure{fmt::format(
            "{} is not netted yet: pointhouse settle net {}{}",
            settlement::name_of(key),
            ledger::format_month(key.window),
            program_typed(key))};
    return *net;
}

json::object net_as_json(House& house, const NetKey& key)
{
    const auto& net = require_net(house, key);
    json::array numbers;
    for (const auto& number : net.documents) numbers.emplace_back(number);
    const auto clearing = settlement::clearing_of(net);
    json::object shown{
        {"window", ledger::format_month(key.window)},
        {"method", settlement::name_of(net.method)},
        {"documents", numbers},
        {"payments", payments_of(house, net)},
        {"due_in_minor", clearing.due_in.count},
        {"due_out_minor", clearing.due_out.count},
        {"paid_in_minor", clearing.paid_in.count},
        {"paid_out_minor", clearing.paid_out.count},
        {"house_share_minor", clearing.house_share().count},
        {"clearing_minor", clearing.left().count},
        {"over_limit", over_limit(house, net)},
        {"settled", net.is_settled()}};
    if (!key.program.empty()) shown.emplace("program", key.program);
    return shown;
}

/// The nets that a command is about: of one program, or of all that the window has.
std::vector<NetKey> nets_shown(House& house, const Options& options)
{
    const auto window = read_window(options.window);
    if (!options.program.empty()) return {named_net(house, window, options.program)};
    auto nets = house.documents().nets_of(window);
    if (nets.empty()) nets.emplace_back(window);
    return nets;
}

/// Whether what is shown is one net, without a list around it.
bool is_alone(const std::vector<NetKey>& nets, const Options& options)
{
    return !options.program.empty() || (nets.size() == 1 && nets.front().program.empty());
}

CommandResult show_nets(House& house, const Options& options, const Invocation& typed)
{
    const auto nets = nets_shown(house, options);
    const bool is_one = is_alone(nets, options);
    json::array shown;
    std::string text;
    for (const auto& key : nets) {
        shown.push_back(net_as_json(house, key));
        if (!is_one) text += (text.empty() ? "" : "\n") + program_in_words(key) + ": ";
        text += in_words(house, require_net(house, key));
    }
    if (is_one) return report(typed, shown.front().as_object(), text);
    return report(typed, {{"window", options.window}, {"programs", std::move(shown)}}, text);
}

/// The rate at which nets are converted: the one that is named, else the newest. None: they are
/// paid in the house's currency.
std::optional<settlement::ExchangeRate> rate_of(House& house, const Options& options)
{
    const auto terms = house.registry().terms();
    if (options.pay_in.empty() || options.pay_in == terms->currency.code) return std::nullopt;
    const auto& documents = house.documents();
    const auto rate =
        options.rate.empty()
            ? documents.find_rate(terms->currency.code, options.pay_in, issue_terms(house).today)
            : documents.stored_rate(options.rate, options.pay_in);
    if (!rate || rate->from != terms->currency)
        throw CommandFailure{fmt::format(
            "no such rate from {} to {} is recorded: pointhouse fx set",
            terms->currency.code,
            options.pay_in)};
    return rate;
}

/// How a partner's net is paid in another currency; null: it is not.
const settlement::ForeignNet* find_foreign(
    House& house, const NetKey& key, ledger::PartnerId partner)
{
    const auto* net = house.documents().net_of(key);
    if (!net) return nullptr;
    // Gross, both of its payments are in one currency.
    const auto found = net->payments.find(partner);
    const bool is_foreign = found != net->payments.end() && found->second.foreign;
    return is_foreign ? &*found->second.foreign : nullptr;
}

/// Those that are still to be made; of a window that has all, the one that it has.
std::vector<NetKey> nets_to_make(House& house, const Options& options)
{
    const auto window = read_window(options.window);
    if (!options.program.empty()) return {NetKey{window, read_program(options.program)}};
    auto nets = house.documents().nets_to_come(window);
    return nets.empty() ? house.documents().nets_of(window) : nets;
}

CommandResult net_window(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "nets a window");
    const auto terms = house.registry().terms();
    const auto method = settlement::find_netting_method(options.method);
    if (!method) throw CommandFailure{"a window is netted gross, bilateral or multilateral"};
    const auto minimum = read_amount(options.minimum, terms->currency);
    if (minimum.count < 0) throw CommandFailure{"a minimum is not below zero"};
    const settlement::NettingTerms netting{
        .minimum = minimum, .method = *method, .rate = rate_of(house, options)};
    // All or none: they take different documents, so that each is judged as if it were alone.
    std::vector<settlement::NewEntry> entries;
    std::vector<std::string> names;
    for (const auto& key : nets_to_make(house, options)) {
        entries.push_back(require(house.documents().net(key, netting, *terms)));
        names.push_back(settlement::name_of(key));
    }
    const LateEntry late{
        .window = read_window(options.window),
        .act = fmt::format("net {}", fmt::join(names, ", ")),
        .reason = options.late_reason};
    const auto admitted = admit_late(house, late, typed);
    if (admitted.waiting) return *admitted.waiting;
    for (const auto& entry : entries) record_admitted(house, entry, late, admitted);
    return show_nets(house, options, typed);
}

/// The documents of a net in one currency, by party.
settlement::NetStatement statement_of(
    House& house, const NetKey& key, const ledger::Currency& currency)
{
    static_cast<void>(require_net(house, key));
    const auto contracts = gateway::contracts_of(house.registry(), *house.registry().terms());
    auto settled = house.documents().settled_documents(key);
    std::erase_if(settled, [&](const auto& each) {
        return house.documents().find(each.number)->document.currency != currency;
    });
    auto statement = settlement::net_statement(key, currency, settled, contracts.partners);
    if (!statement) throw CommandFailure{"the sums of this window are too large to be stated"};
    return std::move(*statement);
}

CommandResult show_statement(House& house, const Options& options, const Invocation& typed)
{
    auto currency = house.registry().terms()->currency;
    if (!options.currency.empty()) {
        const auto found = ledger::find_currency(options.currency);
        if (!found) throw CommandFailure{options.currency + " is no currency"};
        currency = *found;
    }
    const auto nets = nets_shown(house, options);
    std::vector<settlement::NetStatement> statements;
    for (const auto& key : nets) statements.push_back(statement_of(house, key, currency));
    if (options.as_csv && !typed.json) return done(settlement::net_statements_csv(statements));
    std::string text;
    json::array shown;
    for (const auto& statement : statements) {
        shown.push_back(json::parse(settlement::net_statement_json(statement)));
        text += (text.empty() ? "" : "\n") + settlement::net_statement_text(statement);
    }
    if (is_alone(nets, options)) return report(typed, shown.front().as_object(), text);
    return report(typed, {{"window", options.window}, {"programs", std::move(shown)}}, text);
}

CommandResult note_paid(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "notes payments");
    const auto terms = house.registry().terms();
    const auto& partner = require_partner(house, options.partner);
    if (options.evidence.empty())
        throw CommandFailure{"a payment is noted with what shows it: --evidence"};
    const auto net =
        named_net_of(house, read_window(options.window), options.program, partner.partner);
    const auto entry = require(house.documents().settle(
        net,
        {.partner = partner.partner,
         .paid = read_amount(options.amount, payment_currency_of(house, net, partner.partner)),
         .evidence = options.evidence,
         .rate = rate_of_day(house, net, partner.partner)},
        *terms));
    const auto permitted = ask_permission(
        house,
        fmt::format(
            "note {} paid {} for {}: {}",
            options.amount,
            options.partner,
            settlement::name_of(net),
            options.evidence),
        typed);
    if (permitted.waiting) return *permitted.waiting;
    record_permitted(house, entry, permitted);
    return show_nets(house, options, typed);
}

} // namespace

std::optional<settlement::ExchangeRate> rate_of_day(
    House& house, const NetKey& net, ledger::PartnerId partner)
{
    const auto* foreign = find_foreign(house, net, partner);
    if (!foreign || !foreign->is_of_documents) return std::nullopt;
    return house.documents().find_rate(
        foreign->rate.from.code, foreign->rate.to.code, issue_terms(house).today);
}

ledger::Currency payment_currency_of(House& house, const NetKey& net, ledger::PartnerId partner)
{
    const auto* foreign = find_foreign(house, net, partner);
    return foreign ? foreign->rate.to : house.registry().terms()->currency;
}

void declare_settle_payments(CLI::App& settle, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    const auto declare = declarer_of(settle, invocation, options);
    const auto with_window = [&](CLI::App& command) -> CLI::App& {
        command.add_option("WINDOW", options->window, "A month, 2026-06")->required();
        return command;
    };
    auto& netting = with_window(declare(
        "net", "Net the issued documents of a window, once, each program for itself", net_window));
    netting
        .add_option("--minimum", options->minimum, "Nets closer to zero wait for the next window")
        ->capture_default_str();
    netting.add_option("--method", options->method, "gross, bilateral or multilateral")
        ->capture_default_str();
    netting.add_option("--pay-in", options->pay_in, "The currency in which nets are paid, as USD");
    netting.add_option("--rate", options->rate, "The recorded rate; else the newest until today");
    add_program_option(netting, options->program);
    add_late_option(netting, options->late_reason);
    auto& stating = with_window(declare(
        "statement",
        "Every document of a netted window, and what it does to each party",
        show_statement));
    stating.add_flag("--csv", options->as_csv, "As a table for a spreadsheet");
    stating.add_option("--currency", options->currency, "Of the documents; else the house's");
    add_program_option(stating, options->program);
    add_program_option(
        with_window(declare("nets", "What each partner pays or gets for a window", show_nets)),
        options->program);
    auto& paying = with_window(
        declare("paid", "Note that a net was paid, where no bank statement says so", note_paid));
    paying.add_option("PARTNER", options->partner)->required();
    paying.add_option("AMOUNT", options->amount, "Above zero: paid out; below: paid in")
        ->required();
    paying.add_option("--evidence", options->evidence, "What shows it");
    add_program_option(paying, options->program);
}

} // namespace pointhouse::ops
