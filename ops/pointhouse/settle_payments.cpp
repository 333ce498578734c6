#include <algorithm>
#include <fmt/format.h>
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "closed_window.hpp"
#include "settle_documents.hpp"
#include "settlement/payment_file.hpp"

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::CommandStep;
using gateway::Console;
using gateway::House;
using gateway::NextStep;
using gateway::SettlementSource;
using settlement::WindowNet;

struct Options {
    std::string window;
    std::string partner;
    std::string amount;
    std::string evidence;
    std::string file;
    std::string reissue;
    std::string minimum = "0";
    std::string late_reason;
};

json::array payments_of(House& house, const WindowNet& net)
{
    const auto terms = house.registry().terms();
    json::array rows;
    for (const auto& [partner, payment] : net.payments) {
        rows.push_back(json::object{
            {"partner", terms->partner(partner).name},
            {"net_minor", payment.net.count},
            {"settled_minor", payment.settled.count},
            {"open_minor", (payment.net - payment.settled).count},
            {"currency", terms->currency.code},
            {"reference", payment.reference}});
    }
    return rows;
}

std::string in_words(House& house, const WindowNet& net)
{
    const auto terms = house.registry().terms();
    std::string text = fmt::format(
        "{:<12}{:>14}{:>14}  {}\n",
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
    }
    return text + "net above zero: the house pays the partner\n";
}

const WindowNet& require_net(House& house, const Options& options)
{
    const auto* net = house.documents().net_of(read_window(options.window));
    if (!net)
        throw CommandFailure{fmt::format(
            "{} is not netted yet: pointhouse settle net {}", options.window, options.window)};
    return *net;
}

CommandResult show_nets(House& house, const Options& options, const Invocation& typed)
{
    const auto& net = require_net(house, options);
    json::array numbers;
    for (const auto& number : net.documents) numbers.emplace_back(number);
    return report(
        typed,
        {{"window", options.window},
         {"documents", numbers},
         {"payments", payments_of(house, net)},
         {"settled", net.is_settled()}},
        in_words(house, net));
}

CommandResult net_window(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "nets a window");
    const auto terms = house.registry().terms();
    const auto window = read_window(options.window);
    const auto entry = require(
        house.documents().net(window, read_amount(options.minimum, terms->currency), *terms));
    const LateEntry late{
        .window = window, .act = "net " + options.window, .reason = options.late_reason};
    const auto admitted = admit_late(house, late, typed);
    if (admitted.waiting) return *admitted.waiting;
    record_admitted(house, entry, late, admitted);
    return show_nets(house, options, typed);
}

CommandResult note_paid(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "notes payments");
    const auto terms = house.registry().terms();
    const auto& partner = require_partner(house, options.partner);
    if (options.evidence.empty())
        throw CommandFailure{"a payment is noted with what shows it: --evidence"};
    const auto entry = require(house.documents().settle(
        read_window(options.window),
        {.partner = partner.partner,
         .paid = read_amount(options.amount, terms->currency),
         .evidence = options.evidence},
        *terms));
    const auto permitted = ask_permission(
        house,
        fmt::format(
            "note {} paid {} for {}: {}",
            options.amount,
            options.partner,
            options.window,
            options.evidence),
        typed);
    if (permitted.waiting) return *permitted.waiting;
    record_permitted(house, entry, permitted);
    return show_nets(house, options, typed);
}

/// Issued, and in a sandbox netted, too.
void require_netted(House& house, const Options& options)
{
    const auto window = read_window(options.window);
    if (house.documents().net_of(window) || is_production(house)) return;
    const auto terms = house.registry().terms();
    house.record(require(house.documents().net(window, {}, *terms)));
}

settlement::AccountHolder holder_of(const settlement::LegalParty& party)
{
    return {
        .name = party.name,
        .iban = party.iban,
        .bic = party.bic,
        .town = party.city,
        .country = party.country};
}

settlement::PaymentOrder order_of(
    House& house, ledger::Month window, const settlement::PaymentFile& file)
{
    const auto parties = gateway::legal_parties_of(house.registry());
    const auto& net = *house.documents().net_of(window);
    settlement::PaymentOrder order{
        .message_id = file.message_id,
        .created_at = file.created_at,
        .execute_on = file.execute_on,
        .currency = house.registry().terms()->currency,
        .debtor = holder_of(parties.house)};
    for (const auto& [partner, amount] : file.amounts) {
        settlement::CreditTransfer transfer{
            .end_to_end_id = net.payments.at(partner).reference,
            .amount = amount,
            .creditor = holder_of(parties.partners.at(partner.value() - 1))};
        for (const auto& number : net.documents) {
            if (house.documents().find(number)->document.partner == partner)
                transfer.documents.push_back(number);
        }
        order.transfers.push_back(std::move(transfer));
    }
    return order;
}

CommandResult write_payments(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "pays partners");
    require_netted(house, options);
    const auto window = read_window(options.window);
    const auto terms = house.registry().terms();
    const auto now = house.ledger().house_time();
    // A file that comes late is carried out on the next day on which the banks do.
    const auto today =
        settlement::rolled(terms->calendar->day_of(now), settlement::Roll::following);
    const auto pay_on = house.documents().calendar().dates_of(window).pay_on;
    const auto file = require(house.documents().payment_file(window, now, std::max(pay_on, today)));
    if (file.amounts.empty())
        return report(typed, {{"payments", 0}}, "no partner is paid: no file was written\n");
    const auto permitted = ask_permission(house, "pay out " + options.window, typed);
    if (permitted.waiting) return *permitted.waiting;
    const auto text = settlement::pain001(order_of(house, window, file));
    if (!text) throw CommandFailure{text.error().words};
    const auto entry = require(house.documents().order_payments(window, file, options.reissue));
    record_permitted(house, entry, permitted);
    write_text(typed.path(options.file), *text);
    return report(
        typed,
        {{"file", typed.path(options.file).string()},
         {"message_id", file.message_id},
         {"payments", file.amounts.size()}},
        fmt::format("{}: {} payments\n", typed.path(options.file).string(), file.amounts.size()));
}

CommandResult release_trust(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "moves money out of trust");
    const auto terms = house.registry().terms();
    const auto amount = ledger::parse_micro(options.amount);
    if (!amount || amount->count() <= 0)
        throw CommandFailure{fmt::format("{} is no amount to release", options.amount)};
    const auto permitted = ask_permission(
        house, fmt::format("release {} from trust", ledger::format_micro(*amount)), typed);
    if (permitted.waiting) return *permitted.waiting;
    record_permitted(house, settlement::Register::release_trust(*amount, *terms), permitted);
    return report(
        typed,
        {{"released_micro", amount->count()}},
        fmt::format("{} {} released\n", ledger::format_micro(*amount), terms->currency.code));
}

} // namespace

void declare_settle_payments(CLI::App& settle, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    const auto declare = [&](const char* name, const char* description, auto action) -> CLI::App& {
        auto& command = declare_in_house(
            settle,
            name,
            description,
            invocation,
            [options, action](House& house, const Invocation& typed) -> CommandStep {
                return action(house, *options, typed);
            });
        add_json_option(command, invocation);
        return command;
    };
    const auto with_window = [&](CLI::App& command) -> CLI::App& {
        command.add_option("WINDOW", options->window, "A month, 2026-06")->required();
        return command;
    };
    auto& netting =
        with_window(declare("net", "Net the issued documents of a window, once", net_window));
    netting
        .add_option("--minimum", options->minimum, "Nets closer to zero wait for the next window")
        ->capture_default_str();
    add_late_option(netting, options->late_reason);
    with_window(declare("nets", "What each partner pays or gets for a window", show_nets));
    auto& paying = with_window(
        declare("paid", "Note that a net was paid, where no bank statement says so", note_paid));
    paying.add_option("PARTNER", options->partner)->required();
    paying.add_option("AMOUNT", options->amount, "Above zero: paid out; below: paid in")
        ->required();
    paying.add_option("--evidence", options->evidence, "What shows it");
    auto& writing = with_window(
        declare("payments", "Write the pay-outs of a window as pain.001, once", write_payments));
    writing.add_option("--out", options->file)->required()->type_name("FILE");
    writing.add_option("--reissue", options->reissue, "Why the file is written once more");
    declare("release-trust", "Move what no points need any more out of trust", release_trust)
        .add_option("AMOUNT", options->amount)
        ->required();
}

} // namespace pointhouse::ops
