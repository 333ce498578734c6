#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "entry_fields.hpp"
#include "net_balance.hpp"
#include "net_draft.hpp"
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

} // namespace

Registered<NewEntry> Register::net(
    const NetKey& key, const NettingTerms& netting, const ledger::Terms& terms) const
{
    if (auto admitted = closings_.admit(key.window); !admitted)
        return std::unexpected(admitted.error());
    if (!is_issued(key.window))
        return refused(fmt::format(
            "the documents of {} are not issued yet", ledger::format_month(key.window)));
    if (net_of(key)) return refused(fmt::format("{} is netted already", name_of(key)));
    // A window in which nothing was sold is netted, too; a program with a wrong name is not.
    const auto to_come = nets_to_come(key.window);
    if (std::ranges::find(to_come, key) == to_come.end())
        return refused(fmt::format("{} has nothing open to net", name_of(key)));
    NetDraft draft{key, netting, terms};
    for (const auto* issued : documents()) draft.add(*issued);
    if (auto fault = draft.finish(); !fault.empty()) return refused(std::move(fault));
    return draft.entry();
}

std::vector<AccountLine> Register::settling_lines(const NamedNet& net, Minor paid) const
{
    return lines_of_payment(
        net.partner,
        balance_of(documents_of(net.key, net.partner, *net.payment), net.key.window),
        paid,
        !net.payment->is_on_one_side);
}

std::vector<const IssuedDocument*> Register::documents_of(
    const NetKey& key, ledger::PartnerId partner, const NetPayment& payment) const
{
    const WindowNet& net = nets_.at(key);
    std::vector<const IssuedDocument*> settled;
    for (const std::string& number : net.documents) {
        const auto& issued = issued_document(number);
        const bool is_out = issued.document.owed_by_partner().count < 0;
        if (issued.document.partner == partner && net.find(partner, is_out) == &payment)
            settled.push_back(&issued);
    }
    return settled;
}

std::vector<SettledDocument> Register::settled_documents(const NetKey& key) const
{
    std::vector<SettledDocument> settled;
    for (const std::string& number : nets_.at(key).documents) {
        const auto& issued = issued_document(number);
        const Document& document = issued.document;
        settled.push_back(
            {.number = number,
             .kind = document.kind,
             .partner = document.partner,
             .window = document.window,
             .gross = Minor{std::abs(document.total.count)},
             .held_back = issued.held_back.at(key.window),
             .effect = -issued.netted.at(key.window)});
    }
    return settled;
}

Registered<NewEntry> Register::settle(
    const NetKey& key, const NetPaid& payment, const ledger::Terms& terms) const
{
    const auto* net = net_of(key);
    if (!net) return refused(fmt::format("{} is not netted yet", name_of(key)));
    const auto* found = net->find(payment.partner, payment.paid.count > 0);
    const std::string& name = terms.partner(payment.partner).name;
    if (!found) return refused(fmt::format("{} has nothing to settle in {}", name, name_of(key)));
    const Minor left = found->due();
    const auto& currency = found->foreign ? found->foreign->rate.to : terms.currency;
    const bool is_other_way = (left.count < 0) != (payment.paid.count < 0);
    if (payment.paid.count == 0 || left.count == 0 || is_other_way ||
        std::abs(payment.paid.count) > std::abs(left.count)) {
        return refused(fmt::format(
            "{} has {} left to settle in {}, not {}",
            name,
            ledger::format_minor(left, currency),
            name_of(key),
            ledger::format_minor(payment.paid, currency)));
    }

    const Minor claim = claim_settled_by(payment.paid, *found);
    auto lines = settling_lines({.key = key, .partner = payment.partner, .payment = found}, claim);
    if (found->foreign)
        book_exchange(
            lines, claim, worth_of(payment.paid, payment.rate.value_or(found->foreign->rate)));
    to_micro(lines, terms.currency);
    json::object content{
        {"window", ledger::format_month(key.window)},
        {"partner", payment.partner.value()},
        {"id", name},
        {"reference", found->reference},
        {"paid_minor", claim.count},
        {"evidence", payment.evidence},
        {"lines_micro", lines_object(lines, terms)}};
    add_program(content, key);
    if (found->foreign) {
        content.emplace("foreign_minor", payment.paid.count);
        content.emplace("rate_id", payment.rate.value_or(found->foreign->rate).id);
    }
    return NewEntry{.kind = "net_paid", .content = json::serialize(content)};
}

Registered<PaymentFile> Register::payment_file(
    const NetKey& key, ledger::Time now, ledger::Day execute_on, std::string_view currency) const
{
    if (const auto* before = find_payment_file(key, currency)) return *before;
    const auto* net = net_of(key);
    if (!net) return refused(fmt::format("{} is not netted yet", name_of(key)));
    if (!net->are_pay_ins_settled())
        return refused(fmt::format(
            "pay-outs of {} wait for its pay-ins; see: pointhouse settle nets {}",
            name_of(key),
            ledger::format_month(key.window)));
    PaymentFile file{
        .currency = std::string{currency},
        .message_id =
            fmt::format("{}{}{}", reference_stem(key), currency.empty() ? "" : "-", currency),
        .created_at = now,
        .execute_on = execute_on};
    for (const auto& [partner, payment] : net->payments) {
        if (payment.currency() == currency && payment.due().count > 0)
            file.amounts.emplace(partner, payment.due());
    }
    return file;
}

Registered<NewEntry> Register::order_payments(
    const NetKey& key, const PaymentFile& file, std::string_view reason) const
{
    if (find_payment_file(key, file.currency) && reason.empty())
        return refused(fmt::format(
            "the payment file of {} left the house already ({}); to issue it once more, say why: "
            "--reissue REASON",
            name_of(key),
            file.message_id));
    json::array payments;
    for (const auto& [partner, amount] : file.amounts)
        payments.push_back(
            json::object{{"partner", partner.value()}, {"amount_minor", amount.count}});
    json::object content{
        {"window", ledger::format_month(key.window)},
        {"currency", file.currency},
        {"message_id", file.message_id},
        {"created_at", ledger::format_time(file.created_at)},
        {"execute_on", ledger::format_day(file.execute_on)},
        {"payments", std::move(payments)},
        {"reason", reason}};
    add_program(content, key);
    return NewEntry{.kind = "payments_ordered", .content = json::serialize(content)};
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
