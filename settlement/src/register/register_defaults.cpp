#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "default_plan.hpp"
#include "entry_fields.hpp"
#include "net_balance.hpp"
#include "register_lines.hpp"
#include "settlement/exchange.hpp"
#include "settlement/register.hpp"

// Partners that do not pay, and what secures the house against it.

namespace pointhouse::settlement {

namespace json = boost::json;
using ledger::Account;
using ledger::AccountLine;
using ledger::Minor;
using ledger::PartnerId;

namespace {

std::unexpected<RegisterFault> refused(std::string reason)
{
    return std::unexpected(RegisterFault{std::move(reason)});
}

} // namespace

Minor Register::collateral_of(PartnerId partner) const
{
    const auto found = collateral_.find(partner);
    return found == collateral_.end() ? Minor{} : found->second;
}

Registered<NewEntry> Register::move_collateral(
    const NetPaid& moved, const ledger::Terms& terms) const
{
    const std::string& name = terms.partner(moved.partner).name;
    if (moved.paid.count == 0)
        return refused("collateral: above zero it is brought, below given back");
    // Held in the house's currency, whatever it was brought in: that is what it secures.
    const auto worth = moved.rate ? convert(moved.paid, inverse_of(*moved.rate)) : moved.paid;
    const auto is_too_much = [&](ledger::Wide count) {
        return (count < 0 ? -count : count) * ledger::micro_per_minor(terms.currency) >
               movement_amount_max;
    };
    if (!worth || worth->count == 0 || is_too_much(worth->count))
        return refused("collateral: it is worth nothing, or too much, at the rate of the day");
    const Minor held = collateral_of(moved.partner);
    if ((held + *worth).count < 0)
        return refused(fmt::format(
            "{} has {} of collateral with the house",
            name,
            ledger::format_minor(held, terms.currency)));
    std::vector<AccountLine> lines{
        {.account = Account::cash_operating, .amount = worth->count},
        {.account = Account::collateral, .partner = moved.partner, .amount = -worth->count}};
    to_micro(lines, terms.currency);
    json::object content{
        {"partner", moved.partner.value()},
        {"id", name},
        {"amount_minor", worth->count},
        {"evidence", moved.evidence},
        {"lines_micro", lines_object(lines, terms)}};
    if (moved.rate) {
        content.emplace(
            "paid_in",
            json::object{
                {"currency", moved.rate->to.code},
                {"amount_minor", moved.paid.count},
                {"rate_id", moved.rate->id}});
    }
    return NewEntry{.kind = "collateral_moved", .content = json::serialize(content)};
}

std::optional<DefaultCover> Register::cover_of(
    const PayerInDefault& payer, Minor missing, Minor collateral) const
{
    // Pay-outs that left the house bear nothing any more.
    NetPositions positions{{payer.partner, -missing}, {the_house, missing}};
    std::set<PartnerId> exempt;
    for (const auto& [partner, payment] : nets_.at(payer.net).payments) {
        if (partner == payer.partner || payment.open().count <= 0) continue;
        if (is_ordered(payer.net, partner)) continue;
        if (payment.foreign && payment.foreign->is_of_documents) continue;
        positions[partner] = payment.open();
        positions[the_house] -= payment.open();
        if (!payer.mutualised.contains(partner)) exempt.insert(partner);
    }
    const auto cover = settlement::cover_default(
        positions,
        {.payer = payer.partner,
         .collateral = collateral,
         .mutualised = !payer.mutualised.empty(),
         .exempt = std::move(exempt)});
    if (!cover) return std::nullopt; // nothing is missing
    return *cover;
}

const NetPayment* Register::own_pay_out(const PayerInDefault& payer, const NamedNet& net) const
{
    const auto* own = nets_.at(payer.net).find(payer.partner, true);
    const bool is_left = own && own != net.payment && !is_ordered(payer.net, payer.partner);
    return is_left ? own : nullptr;
}

/// Settles so much of what the house was to pay.
void Register::set_off(const NamedNet& own, Minor amount, DefaultPlan& plan) const
{
    const auto documents = documents_of(own.key, own.partner, *own.payment);
    const auto lines = lines_of_payment(
        own.partner, balance_of(documents, own.key.window), amount, !own.payment->is_on_one_side);
    std::ranges::copy(lines, std::back_inserter(plan.lines));
    plan.lines.push_back({.account = Account::cash_operating, .amount = amount.count});
    plan.set_off = amount;
    plan.changes.push_back(
        {.net = own, .left = own.payment->net, .settled = amount, .is_on_one_side = true});
}

Register::DefaultPlan Register::plan_default(const PayerInDefault& payer, const NamedNet& net) const
{
    DefaultPlan plan;
    Minor missing = -net.payment->open();
    const auto* own = own_pay_out(payer, net);
    const Minor set_off = own ? std::min(missing, own->open()) : Minor{};
    missing -= set_off;
    // Else what it is owed itself covers all.
    if (const auto cover = cover_of(payer, missing, collateral_of(payer.partner)))
        plan.cover = *cover;

    const auto documents = documents_of(payer.net, payer.partner, *net.payment);
    plan.reopen(documents, payer.net.window, plan.cover.receivable);
    plan.book_reopened(net, balance_of(documents, payer.net.window), {});
    plan.lines.push_back(
        {.account = Account::collateral,
         .partner = payer.partner,
         .amount = plan.cover.collateral_drawn.count});
    plan.changes.push_back(
        {.net = net,
         .left = net.payment->net + plan.cover.receivable,
         .settled = -(set_off + plan.cover.collateral_drawn),
         .is_on_one_side = true});
    if (set_off.count != 0)
        this->set_off({.key = payer.net, .partner = payer.partner, .payment = own}, set_off, plan);
    return plan;
}

/// Its debt is in its own currency: what it is owed is in the same, and its collateral is worth
/// there what the rate of the day says. What is left is open again, at the worth that its documents
/// were booked with; what the rates moved goes to the account for exchange differences.
Register::DefaultPlan Register::plan_foreign_default(
    const PayerInDefault& payer, const NamedNet& net) const
{
    const ForeignNet& foreign = *net.payment->foreign;
    const ExchangeRate rate = payer.rate.value_or(foreign.rate);
    const auto* own = own_pay_out(payer, net);
    DefaultPlan plan;
    auto& part = plan.foreign.emplace(DefaultPlan::ForeignPart{.rate = rate});
    Minor missing = -net.payment->due();
    if (own) part.set_off = std::min(missing, own->due());
    missing -= part.set_off;
    const Minor held = collateral_of(payer.partner);
    const Minor needed = worth_of(missing, rate);
    const Minor drawn = std::min(held, needed);
    if (drawn.count > 0)
        part.covered =
            held >= needed ? missing : std::min(missing, convert(held, rate).value_or(missing));
    part.reopened = missing - part.covered;

    const auto documents = documents_of(payer.net, payer.partner, *net.payment);
    plan.reopen(documents, payer.net.window, part.reopened);
    Minor claims;
    for (const auto& each : plan.reopened) claims += each.claim;
    if (const auto cover = cover_of(payer, claims, {})) plan.cover = *cover;
    plan.cover.collateral_drawn = drawn;
    plan.book_reopened(net, balance_of(documents, payer.net.window), {});
    plan.lines.push_back(
        {.account = Account::collateral, .partner = payer.partner, .amount = drawn.count});
    const Minor left = net.payment->net + claims;
    plan.changes.push_back(
        {.net = net,
         .left = left,
         .settled = left - net.payment->settled,
         .is_on_one_side = true,
         .foreign_left = foreign.net + part.reopened,
         .foreign_settled = -(part.set_off + part.covered)});
    if (part.set_off.count != 0) {
        set_off(
            {.key = payer.net, .partner = payer.partner, .payment = own},
            claim_settled_by(part.set_off, *own),
            plan);
        plan.changes.back().foreign_left = own->foreign->net;
        plan.changes.back().foreign_settled = part.set_off;
    }
    std::int64_t sum = 0;
    for (const AccountLine& line : plan.lines) sum += line.amount;
    plan.lines.push_back({.account = Account::exchange, .amount = -sum});
    return plan;
}

Registered<NewEntry> Register::take_default(
    const PayerInDefault& payer, const ledger::Terms& terms) const
{
    const auto* window = net_of(payer.net);
    const auto net_name = name_of(payer.net);
    if (!window) return refused(fmt::format("{} is not netted yet", net_name));
    const auto* payment = window->find(payer.partner, false);
    if (!payment || payment->open().count >= 0)
        return refused(fmt::format(
            "{} has nothing to pay in for {}", terms.partner(payer.partner).name, net_name));
    if (payer.reason.empty()) return refused("a default is taken for a reason");

    const NamedNet net{.key = payer.net, .partner = payer.partner, .payment = payment};
    const bool is_foreign = payment->foreign && payment->foreign->is_of_documents;
    auto plan = is_foreign ? plan_foreign_default(payer, net) : plan_default(payer, net);
    for (const auto& [partner, share] : plan.cover.loss_shares) {
        const auto* receives = window->find(partner, true);
        const NamedNet other{.key = payer.net, .partner = partner, .payment = receives};
        const auto documents = documents_of(payer.net, partner, *receives);
        plan.reopen(documents, payer.net.window, -share);
        // Where nothing is left to be paid, its other documents cancel out now.
        const bool is_booked = receives->is_on_one_side || receives->net == share;
        if (is_booked)
            plan.book_reopened(
                other, balance_of(documents, payer.net.window), receives->open() - share);
        plan.changes.push_back(
            {.net = other,
             .left = receives->net - share,
             .settled = {},
             .is_on_one_side = is_booked});
    }
    return default_entry(payer, plan, terms);
}

Registered<NewEntry> Register::unwind_partner(
    const PayerInDefault& payer, const ledger::Terms& terms) const
{
    const auto* window = net_of(payer.net);
    const auto net_name = name_of(payer.net);
    const std::string& name = terms.partner(payer.partner).name;
    if (!window) return refused(fmt::format("{} is not netted yet", net_name));
    if (payer.reason.empty()) return refused("a partner is unwound for a reason");
    DefaultPlan plan;
    const auto [first, last] = window->payments.equal_range(payer.partner);
    for (const auto& [partner, payment] : std::ranges::subrange(first, last)) {
        if (payment.is_on_one_side || payment.net.count == 0)
            return refused(fmt::format("a part of {} in {} is settled already", name, net_name));
        if (is_ordered(payer.net, partner))
            return refused(fmt::format("{} is paid for {} already", name, net_name));
        for (const auto* issued : documents_of(payer.net, partner, payment))
            plan.reopened.push_back(
                {.issued = issued,
                 .owed = issued->netted.at(payer.net.window),
                 .claim = issued->claimed_in(payer.net.window)});
        plan.changes.push_back(
            {.net = {.key = payer.net, .partner = partner, .payment = &payment}});
    }
    if (plan.changes.empty())
        return refused(fmt::format("{} has nothing to unwind in {}", name, net_name));
    return default_entry(payer, plan, terms);
}

NewEntry Register::default_entry(
    const PayerInDefault& payer, const DefaultPlan& plan, const ledger::Terms& terms) const
{
    json::array reopened;
    for (const auto& [issued, owed, claim] : plan.reopened) {
        json::object row{{"number", issued->document.number}, {"owed_minor", owed.count}};
        if (issued->document.booked) row.emplace("claim_minor", claim.count);
        reopened.push_back(std::move(row));
    }
    json::array payments;
    for (const auto& change : plan.changes) {
        json::object row{
            {"partner", change.net.partner.value()},
            {"reference", change.net.payment->reference},
            {"net_minor", change.left.count},
            {"settled_minor", change.settled.count},
            {"on_one_side", change.is_on_one_side}};
        if (change.net.payment->foreign) row.emplace("foreign_minor", change.foreign().count);
        if (change.foreign_settled.count != 0)
            row.emplace("foreign_settled_minor", change.foreign_settled.count);
        payments.push_back(std::move(row));
    }
    json::array losses;
    for (const auto& [partner, share] : plan.cover.loss_shares)
        losses.push_back(json::object{
            {"partner", partner.value()},
            {"id", terms.partner(partner).name},
            {"share_minor", share.count}});
    json::object content{
        {"window", ledger::format_month(payer.net.window)},
        {"partner", payer.partner.value()},
        {"id", terms.partner(payer.partner).name},
        {"reason", payer.reason},
        {"set_off_minor", plan.set_off.count},
        {"collateral_minor", plan.cover.collateral_drawn.count},
        {"receivable_minor", plan.cover.receivable.count},
        {"house_bears_minor", plan.cover.house_bears.count},
        {"loss_shares", std::move(losses)},
        {"reopened", std::move(reopened)},
        {"payments", std::move(payments)}};
    add_program(content, payer.net);
    if (const auto& part = plan.foreign) {
        content.emplace(
            "paid_in",
            json::object{
                {"currency", part->rate.to.code},
                {"rate_id", part->rate.id},
                {"set_off_minor", part->set_off.count},
                {"collateral_minor", part->covered.count},
                {"receivable_minor", part->reopened.count}});
    }
    auto lines = plan.lines;
    to_micro(lines, terms.currency);
    if (!lines.empty()) content.emplace("lines_micro", lines_object(lines, terms));
    return {.kind = "payer_defaulted", .content = json::serialize(content)};
}

void Register::apply_collateral(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    collateral_[partner_at(content)] += minor_at(content, "amount_minor");
}

void Register::apply_default(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    const NetKey key = net_at(content);
    for (const auto& each : content.at("reopened").as_array()) {
        const auto& row = each.as_object();
        auto& issued = issued_.find(std::string_view{row.at("number").as_string()})->second;
        issued.netted.at(key.window) -= minor_at(row, "owed_minor");
        if (row.contains("claim_minor"))
            issued.claimed.at(key.window) -= minor_at(row, "claim_minor");
    }
    WindowNet& net = nets_.at(key);
    for (const auto& each : content.at("payments").as_array()) {
        const auto& row = each.as_object();
        const std::string_view reference = row.at("reference").as_string();
        for (auto& [partner, payment] : net.payments) {
            if (payment.reference != reference) continue;
            const Minor left = minor_at(row, "net_minor");
            payment.carried += payment.net - left;
            payment.net = left;
            payment.settled += minor_at(row, "settled_minor");
            payment.is_on_one_side = row.at("on_one_side").as_bool();
            if (payment.foreign) payment.foreign->net = minor_at(row, "foreign_minor");
            if (row.contains("foreign_settled_minor"))
                payment.foreign->settled += minor_at(row, "foreign_settled_minor");
        }
    }
    collateral_[partner_at(content)] -= minor_at(content, "collateral_minor");
}

} // namespace pointhouse::settlement
