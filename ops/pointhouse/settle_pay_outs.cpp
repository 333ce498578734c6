#include <fmt/format.h>
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "named_net.hpp"
#include "settle_documents.hpp"
#include "settlement/payment_file.hpp"
#include "whole_file.hpp"

// Pay-outs as files for the bank: one of each currency, because a file in euro is a file of SEPA.

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::House;
using settlement::NetKey;

struct Options {
    std::string window;
    std::string program;
    std::string file;
    std::string currency;
    std::string reissue;
};

/// Issued, and in a sandbox netted, too.
void require_netted(House& house, ledger::Month window)
{
    if (is_production(house)) return;
    const auto terms = house.registry().terms();
    for (const auto& key : house.documents().nets_to_come(window))
        house.record(require(house.documents().net(key, {}, *terms)));
}

/// As nets name it: empty for the house's own.
std::string read_currency(House& house, const std::string& typed)
{
    if (typed.empty() || typed == house.registry().terms()->currency.code) return {};
    if (!ledger::find_currency(typed)) throw CommandFailure{typed + " is no currency"};
    return typed;
}

ledger::Currency currency_named(House& house, const std::string& code)
{
    return code.empty() ? house.registry().terms()->currency : ledger::find_currency(code).value();
}

settlement::AccountHolder holder_of(
    const settlement::LegalParty& party, const partners::Company& company, const std::string& code)
{
    auto account = partners::account_for(company, code);
    // Who a sandbox invented has one account for all.
    if (account.iban.empty()) account = {.iban = party.iban, .bic = party.bic};
    return {
        .name = party.name,
        .iban = account.iban,
        .bic = account.bic,
        .town = party.city,
        .country = party.country};
}

/// The account from which the house pays. One in another currency would pay in that.
settlement::AccountHolder debtor_of(
    House& house, const settlement::LegalParty& party, const std::string& code)
{
    const auto& company = house.registry().house_company();
    const bool is_known = company == partners::Company{} || company.accounts.contains(code);
    if (code != house.registry().terms()->currency.code && !is_known)
        throw CommandFailure{fmt::format(
            "the house has no account in {}: add [company.account.{}] with pointhouse house "
            "set-company, or pay by hand and note it with pointhouse settle paid",
            code,
            code)};
    return holder_of(party, company, code);
}

settlement::PaymentOrder order_of(
    House& house, const NetKey& key, const settlement::PaymentFile& file)
{
    const auto parties = gateway::legal_parties_of(house.registry());
    const auto& net = *house.documents().net_of(key);
    const auto currency = currency_named(house, file.currency);
    settlement::PaymentOrder order{
        .message_id = file.message_id,
        .created_at = file.created_at,
        .execute_on = file.execute_on,
        .currency = currency,
        .debtor = debtor_of(house, parties.house, currency.code)};
    for (const auto& [partner, amount] : file.amounts) {
        const auto& payment = *net.find(partner, true);
        const auto& contract = house.registry().contracts().at(partner.value() - 1);
        settlement::CreditTransfer transfer{
            .end_to_end_id = payment.reference,
            .amount = amount,
            .creditor = holder_of(
                parties.partners.at(partner.value() - 1), contract.company, currency.code)};
        for (const auto* issued : house.documents().documents_of(key, partner, payment))
            transfer.documents.push_back(issued->document.number);
        order.transfers.push_back(std::move(transfer));
    }
    return order;
}

/// Pay-outs that this file leaves out, because they are in other currencies.
struct OtherPayOuts {
    std::size_t payments = 0;
    ledger::Minor amount{};
};

std::map<std::string, OtherPayOuts> pay_outs_beside(
    House& house, const NetKey& key, const std::string& code)
{
    std::map<std::string, OtherPayOuts> others;
    const auto own = house.registry().terms()->currency.code;
    for (const auto& [partner, payment] : house.documents().net_of(key)->payments) {
        if (payment.currency() == code || payment.due().count <= 0) continue;
        const std::string named{payment.currency()};
        if (house.documents().find_payment_file(key, named)) continue;
        auto& other = others[named.empty() ? own : named];
        ++other.payments;
        other.amount += payment.due();
    }
    return others;
}

struct Beside {
    json::array rows{};
    std::string text{};
};

Beside beside(House& house, const NetKey& key, const std::string& code)
{
    Beside shown;
    for (const auto& [currency, other] : pay_outs_beside(house, key, code)) {
        shown.rows.push_back(json::object{
            {"currency", currency},
            {"payments", other.payments},
            {"amount_minor", other.amount.count}});
        shown.text += fmt::format(
            "not in it: {} payments of {} {}, a file of their own: pointhouse settle payments {}{} "
            "--currency {}\n",
            other.payments,
            ledger::format_minor(other.amount, currency_named(house, currency)),
            currency,
            ledger::format_month(key.window),
            program_typed(key),
            currency);
    }
    return shown;
}

CommandResult write_payments(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "pays partners");
    const auto window = read_window(options.window);
    require_netted(house, window);
    const auto net = named_net(house, window, options.program);
    const auto code = read_currency(house, options.currency);
    const auto currency = currency_named(house, code);
    const auto terms = house.registry().terms();
    const auto now = house.ledger().house_time();
    const auto& calendar = house.documents().calendar();
    // A file that comes late is carried out on the next day on which the banks do.
    const auto today = settlement::rolled(
        terms->calendar->day_of(now),
        settlement::Roll::following,
        calendar.terms_of(terms->calendar->month_of(now), net.program).holidays);
    const auto pay_on = calendar.dates_of(window, net.program).pay_on;
    const auto file =
        require(house.documents().payment_file(net, now, std::max(pay_on, today), code));
    auto others = beside(house, net, code);
    if (file.amounts.empty())
        return report(
            typed,
            {{"payments", 0}, {"currency", currency.code}, {"others", std::move(others.rows)}},
            fmt::format("no partner is paid in {}: no file was written\n", currency.code) +
                others.text);
    const auto text = settlement::pain001(order_of(house, net, file));
    if (!text) throw CommandFailure{text.error().words};
    const auto permitted = ask_permission(
        house,
        fmt::format("pay out {}{}", settlement::name_of(net), code.empty() ? "" : " in " + code),
        typed);
    if (permitted.waiting) return *permitted.waiting;
    const auto entry = require(house.documents().order_payments(net, file, options.reissue));
    const auto path = typed.path(options.file).string();
    // A file that cannot be written did not leave the house.
    WholeFile written{path, WholeFile::Readers::owner};
    written.write(*text);
    written.flush();
    record_permitted(house, entry, permitted);
    written.finish();
    return report(
        typed,
        {{"file", path},
         {"message_id", file.message_id},
         {"currency", currency.code},
         {"payments", file.amounts.size()},
         {"others", std::move(others.rows)}},
        fmt::format("{}: {} payments in {}\n", path, file.amounts.size(), currency.code) +
            others.text);
}

} // namespace

void declare_settle_pay_outs(CLI::App& settle, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    auto& writing = declare_in_house(
        settle,
        "payments",
        "Write the pay-outs of a window as pain.001, once for each program and currency",
        invocation,
        [options](House& house, const Invocation& typed) {
            return write_payments(house, *options, typed);
        });
    writing.add_option("WINDOW", options->window, "A month, 2026-06")->required();
    writing.add_option("--out", options->file)->required()->type_name("FILE");
    writing.add_option("--currency", options->currency, "Of the payments; else the house's");
    add_program_option(writing, options->program);
    writing.add_option("--reissue", options->reissue, "Why the file is written once more");
    add_json_option(writing, invocation);
}

} // namespace pointhouse::ops
