#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "register_lines.hpp"
#include "settlement/register.hpp"

// How documents are paid: netted once, then settled as the bank says.

namespace pointhouse::settlement {

namespace json = boost::json;
using ledger::Account;
using ledger::AccountLine;
using ledger::Minor;

namespace {

std::unexpected<RegisterFault> refused(std::string reason)
{
    return std::unexpected(RegisterFault{std::move(reason)});
}

/// What a partner's documents in a net come to, by the account that they stand in.
struct Balance {
    Minor receivable{}; // owed by the partner
    Minor payable{};    // owed to it
    [[nodiscard]] Minor net() const { return payable - receivable; }
};

/// `owed` by the partner; below zero: to it.
void add(Balance& balance, const IssuedDocument& issued, Minor owed)
{
    if (issued.document.supply == StatementType::issuance) {
        balance.receivable += owed;
    } else {
        balance.payable -= owed;
    }
}

/// Books `paid` against the account on whose side the net stands. The first payment brings the
/// other account there, too: what stood in it is paid by that.
std::vector<AccountLine> lines_of_payment(
    ledger::PartnerId partner, const Balance& balance, Minor paid, bool is_first)
{
    const bool house_pays = balance.net().count > 0;
    Minor moved; // between the two
    if (is_first) moved = house_pays ? balance.receivable : balance.payable;
    const Minor of_payable = house_pays ? moved + paid : moved;
    const Minor of_receivable = house_pays ? moved : moved - paid;
    return {
        {.account = Account::payable, .partner = partner, .amount = of_payable.count},
        {.account = Account::cash_operating, .amount = -paid.count},
        {.account = Account::receivable, .partner = partner, .amount = -of_receivable.count}};
}

/// What a payment of the net bears as its end-to-end id: SEPA takes 35 of its characters.
std::string reference_of(ledger::Month window, const ledger::PartnerTerms& partner)
{
    constexpr std::string_view carried =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.";
    const auto reference = fmt::format("PH-{}-{}", ledger::format_month(window), partner.name);
    const bool is_carried = partner.name.find_first_not_of(carried) == std::string::npos;
    if (is_carried && reference.size() <= 35) return reference;
    return fmt::format("PH-{}-P.{}", ledger::format_month(window), partner.partner.value());
}

void to_micro(std::vector<AccountLine>& lines, const ledger::Currency& currency)
{
    for (AccountLine& line : lines) line.amount *= ledger::micro_per_minor(currency);
    std::erase_if(lines, [](const AccountLine& line) { return line.amount == 0; });
}

} // namespace

Registered<NewEntry> Register::net(
    ledger::Month window, Minor minimum, const ledger::Terms& terms) const
{
    if (auto admitted = closings_.admit(window); !admitted)
        return std::unexpected(admitted.error());
    if (!is_issued(window))
        return refused(
            fmt::format("the documents of {} are not issued yet", ledger::format_month(window)));
    if (net_of(window))
        return refused(fmt::format("{} is netted already", ledger::format_month(window)));
    std::map<ledger::PartnerId, Balance> balances;
    const auto is_included = [&](const IssuedDocument& issued) {
        return issued.document.window <= window && issued.open().count != 0;
    };
    for (const auto* issued : documents()) {
        if (is_included(*issued)) add(balances[issued->document.partner], *issued, issued->open());
    }
    std::erase_if(balances, [&](const auto& each) {
        const auto net = each.second.net().count;
        return net != 0 && std::abs(net) < minimum.count;
    });
    json::array numbers;
    for (const auto* issued : documents()) {
        if (is_included(*issued) && balances.contains(issued->document.partner))
            numbers.push_back(json::object{
                {"number", issued->document.number}, {"owed_minor", issued->open().count}});
    }
    json::array nets;
    std::vector<AccountLine> lines;
    for (const auto& [partner, balance] : balances) {
        const std::string& name = terms.partner(partner).name;
        nets.push_back(json::object{
            {"partner", partner.value()},
            {"id", name},
            {"net_minor", balance.net().count},
            {"reference", reference_of(window, terms.partner(partner))}});
        if (balance.net().count != 0) continue;
        // Nothing will be paid: the documents cancel out now.
        std::ranges::copy(lines_of_payment(partner, balance, {}, true), std::back_inserter(lines));
    }
    to_micro(lines, terms.currency);
    json::object content{
        {"window", ledger::format_month(window)},
        {"minimum_minor", minimum.count},
        {"documents", std::move(numbers)},
        {"nets", std::move(nets)}};
    if (!lines.empty()) content.emplace("lines_micro", lines_object(lines, terms));
    return NewEntry{.kind = "window_netted", .content = json::serialize(content)};
}

std::vector<AccountLine> Register::settling_lines(const NamedNet& net, Minor paid) const
{
    Balance balance;
    for (const std::string& number : nets_.at(net.window).documents) {
        const auto& issued = issued_document(number);
        if (issued.document.partner == net.partner)
            add(balance, issued, issued.netted.at(net.window));
    }
    return lines_of_payment(net.partner, balance, paid, !net.payment->is_on_one_side);
}

Registered<NewEntry> Register::settle(
    ledger::Month window, const NetPaid& payment, const ledger::Terms& terms) const
{
    const auto* net = net_of(window);
    if (!net) return refused(fmt::format("{} is not netted yet", ledger::format_month(window)));
    const auto found = net->payments.find(payment.partner);
    const std::string& name = terms.partner(payment.partner).name;
    if (found == net->payments.end())
        return refused(
            fmt::format("{} has nothing to settle in {}", name, ledger::format_month(window)));
    const Minor left = found->second.net - found->second.settled;
    const bool is_other_way = (left.count < 0) != (payment.paid.count < 0);
    if (payment.paid.count == 0 || left.count == 0 || is_other_way ||
        std::abs(payment.paid.count) > std::abs(left.count))
        return refused(fmt::format(
            "{} has {} left to settle in {}, not {}",
            name,
            ledger::format_minor(left, terms.currency),
            ledger::format_month(window),
            ledger::format_minor(payment.paid, terms.currency)));

    auto lines = settling_lines(
        {.window = window, .partner = payment.partner, .payment = &found->second}, payment.paid);
    to_micro(lines, terms.currency);
    return NewEntry{
        .kind = "net_paid",
        .content = json::serialize(json::object{
            {"window", ledger::format_month(window)},
            {"partner", payment.partner.value()},
            {"id", name},
            {"paid_minor", payment.paid.count},
            {"evidence", payment.evidence},
            {"lines_micro", lines_object(lines, terms)}})};
}

Registered<PaymentFile> Register::payment_file(
    ledger::Month window, ledger::Time now, ledger::Day execute_on) const
{
    if (const auto* before = find_payment_file(window)) return *before;
    const auto* net = net_of(window);
    if (!net) return refused(fmt::format("{} is not netted yet", ledger::format_month(window)));
    if (!net->are_pay_ins_settled())
        return refused(fmt::format(
            "pay-outs of {} wait for its pay-ins; see: pointhouse settle nets {}",
            ledger::format_month(window),
            ledger::format_month(window)));
    PaymentFile file{
        .message_id = fmt::format("PH-{}", ledger::format_month(window)),
        .created_at = now,
        .execute_on = execute_on};
    for (const auto& [partner, payment] : net->payments) {
        const Minor left = payment.net - payment.settled;
        if (left.count > 0) file.amounts.emplace(partner, left);
    }
    return file;
}

Registered<NewEntry> Register::order_payments(
    ledger::Month window, const PaymentFile& file, std::string_view reason) const
{
    if (find_payment_file(window) && reason.empty())
        return refused(fmt::format(
            "the payment file of {} left the house already ({}); to issue it once more, say why: "
            "--reissue REASON",
            ledger::format_month(window),
            file.message_id));
    json::array payments;
    for (const auto& [partner, amount] : file.amounts)
        payments.push_back(
            json::object{{"partner", partner.value()}, {"amount_minor", amount.count}});
    return NewEntry{
        .kind = "payments_ordered",
        .content = json::serialize(json::object{
            {"window", ledger::format_month(window)},
            {"message_id", file.message_id},
            {"created_at", ledger::format_time(file.created_at)},
            {"execute_on", ledger::format_day(file.execute_on)},
            {"payments", std::move(payments)},
            {"reason", reason}})};
}

NewEntry Register::release_trust(ledger::Micro amount, const ledger::Terms& terms)
{
    const std::array<AccountLine, 2> lines{
        {{.account = Account::cash_operating, .amount = amount.count()},
         {.account = Account::cash_trust, .amount = -amount.count()}}};
    return {
        .kind = "trust_released",
        .content = json::serialize(json::object{{"lines_micro", lines_object(lines, terms)}})};
}

} // namespace pointhouse::settlement
