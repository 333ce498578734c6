#include <algorithm>
#include <fmt/format.h>
#include <ranges>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "ledger/invariant.hpp"
#include "net_balance.hpp"
#include "register_lines.hpp"
#include "settlement/payer_default.hpp"
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

bool is_receivable(const IssuedDocument& issued)
{
    return issued.document.supply == StatementType::issuance;
}

} // namespace

/// How a default is taken, before it is written.
struct Register::DefaultPlan {
    /// So much of a document's part in the net is open again; in the sign of what is owed.
    struct Reopened {
        const IssuedDocument* issued = nullptr;
        Minor owed{};
    };
    /// A payment of the net afterwards.
    struct Change {
        NamedNet net{};
        Minor left{};    // of its net
        Minor settled{}; // by this
        bool is_on_one_side = false;
        /// What is then left of it in the currency of the payment: no more for who does not pay.
        [[nodiscard]] Minor foreign() const;
    };

    DefaultCover cover{};
    Minor set_off{}; // against what the house was to pay the partner in the same window
    std::vector<Reopened> reopened{};
    std::vector<Change> changes{};
    std::vector<AccountLine> lines{}; // in minor units

    void reopen(
        const std::vector<const IssuedDocument*>& documents, ledger::Month window, Minor owed);
    /// Books what is open again to the accounts where its documents stand; `left` is what of the
    /// payment stays open, in the sign of the net.
    void book_reopened(const NamedNet& net, const Balance& balance, Minor left);
};

Minor Register::DefaultPlan::Change::foreign() const
{
    const ForeignNet& before = *net.payment->foreign;
    if (before.net.count < 0 || left.count == 0) return before.settled;
    const ledger::Wide product = ledger::Wide{before.net.count} * left.count;
    return Minor{static_cast<std::int64_t>(product / net.payment->net.count)};
}

/// The newest document first, those of the account in which the net stands before others.
void Register::DefaultPlan::reopen(
    const std::vector<const IssuedDocument*>& documents, ledger::Month window, Minor owed)
{
    const bool is_owed_by_partner = owed.count > 0;
    const auto take = [&](bool is_of_account) {
        for (const auto* issued : std::views::reverse(documents)) {
            const Minor taken = issued->netted.at(window);
            const bool is_there = is_receivable(*issued) == is_owed_by_partner;
            if (is_there != is_of_account || (taken.count > 0) != is_owed_by_partner) continue;
            const Minor part = is_owed_by_partner ? std::min(taken, owed) : std::max(taken, owed);
            if (part.count == 0) continue;
            reopened.push_back({.issued = issued, .owed = part});
            owed -= part;
        }
    };
    take(true);
    take(false);
    ledger::invariant(owed.count == 0, "a net is no more than its documents");
}

void Register::DefaultPlan::book_reopened(const NamedNet& net, const Balance& balance, Minor left)
{
    Minor receivable;
    Minor payable;
    for (const auto& [issued, owed] : reopened) {
        if (issued->document.partner != net.partner) continue;
        (is_receivable(*issued) ? receivable : payable) += owed;
    }
    const Minor open = net.payment->open();
    (left.count > 0 ? payable : receivable) -= left;
    if (net.payment->is_on_one_side) {
        (open.count > 0 ? payable : receivable) += open;
    } else {
        receivable -= balance.receivable;
        payable += balance.payable;
    }
    lines.push_back(
        {.account = Account::receivable, .partner = net.partner, .amount = receivable.count});
    lines.push_back({.account = Account::payable, .partner = net.partner, .amount = payable.count});
}

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
    const Minor held = collateral_of(moved.partner);
    if ((held + moved.paid).count < 0)
        return refused(fmt::format(
            "{} has {} of collateral with the house",
            name,
            ledger::format_minor(held, terms.currency)));
    std::vector<AccountLine> lines{
        {.account = Account::cash_operating, .amount = moved.paid.count},
        {.account = Account::collateral, .partner = moved.partner, .amount = -moved.paid.count}};
    to_micro(lines, terms.currency);
    return NewEntry{
        .kind = "collateral_moved",
        .content = json::serialize(json::object{
            {"partner", moved.partner.value()},
            {"id", name},
            {"amount_minor", moved.paid.count},
            {"evidence", moved.evidence},
            {"lines_micro", lines_object(lines, terms)}})};
}

Register::DefaultPlan Register::plan_default(const PayerInDefault& payer, const NamedNet& net) const
{
    const WindowNet& window = nets_.at(payer.window);
    const bool is_ordered = find_payment_file(payer.window) != nullptr;
    DefaultPlan plan;
    Minor missing = -net.payment->open();

    const auto* own = window.find(payer.partner, true);
    if (own != net.payment && own && !is_ordered) plan.set_off = std::min(missing, own->open());
    missing -= plan.set_off;

    // Pay-outs that left the house bear nothing any more.
    NetPositions positions{{payer.partner, -missing}, {the_house, missing}};
    std::set<PartnerId> exempt;
    for (const auto& [partner, payment] : window.payments) {
        if (is_ordered || partner == payer.partner || payment.open().count <= 0) continue;
        if (payment.foreign && payment.foreign->is_of_documents) continue;
        positions[partner] = payment.open();
        positions[the_house] -= payment.open();
        if (!payer.mutualised.contains(partner)) exempt.insert(partner);
    }
    const auto cover = settlement::cover_default(
        positions,
        {.payer = payer.partner,
         .collateral = collateral_of(payer.partner),
         .mutualised = !payer.mutualised.empty(),
         .exempt = std::move(exempt)});
    if (cover) plan.cover = *cover; // else what it is owed itself covers all

    const auto documents = documents_of(payer.window, payer.partner, *net.payment);
    plan.reopen(documents, payer.window, plan.cover.receivable);
    plan.book_reopened(net, balance_of(documents, payer.window), {});
    const Minor settled = -(plan.set_off + plan.cover.collateral_drawn);
    plan.lines.push_back(
        {.account = Account::collateral,
         .partner = payer.partner,
         .amount = plan.cover.collateral_drawn.count});
    plan.changes.push_back(
        {.net = net,
         .left = net.payment->net + plan.cover.receivable,
         .settled = settled,
         .is_on_one_side = true});
    if (plan.set_off.count == 0) return plan;

    const auto outs = documents_of(payer.window, payer.partner, *own);
    const auto offset = lines_of_payment(
        payer.partner, balance_of(outs, payer.window), plan.set_off, !own->is_on_one_side);
    std::ranges::copy(offset, std::back_inserter(plan.lines));
    plan.lines.push_back({.account = Account::cash_operating, .amount = plan.set_off.count});
    plan.changes.push_back(
        {.net = {.window = payer.window, .partner = payer.partner, .payment = own},
         .left = own->net,
         .settled = plan.set_off,
         .is_on_one_side = true});
    return plan;
}

Registered<NewEntry> Register::take_default(
    const PayerInDefault& payer, const ledger::Terms& terms) const
{
    const auto* window = net_of(payer.window);
    const auto month = ledger::format_month(payer.window);
    if (!window) return refused(fmt::format("{} is not netted yet", month));
    const auto* payment = window->find(payer.partner, false);
    if (!payment || payment->open().count >= 0)
        return refused(fmt::format(
            "{} has nothing to pay in for {}", terms.partner(payer.partner).name, month));
    if (payer.reason.empty()) return refused("a default is taken for a reason");
    if (payment->foreign && payment->foreign->is_of_documents)
        return refused(fmt::format(
            "{} is invoiced in {}: only unwind it, or wait",
            terms.partner(payer.partner).name,
            payment->foreign->rate.to.code));

    auto plan =
        plan_default(payer, {.window = payer.window, .partner = payer.partner, .payment = payment});
    for (const auto& [partner, share] : plan.cover.loss_shares) {
        const auto* receives = window->find(partner, true);
        const NamedNet net{.window = payer.window, .partner = partner, .payment = receives};
        const auto documents = documents_of(payer.window, partner, *receives);
        plan.reopen(documents, payer.window, -share);
        // Where nothing is left to be paid, its other documents cancel out now.
        const bool is_booked = receives->is_on_one_side || receives->net == share;
        if (is_booked)
            plan.book_reopened(net, balance_of(documents, payer.window), receives->open() - share);
        plan.changes.push_back(
            {.net = net,
             .left = receives->net - share,
             .settled = {},
             .is_on_one_side = is_booked});
    }
    return default_entry(payer, plan, terms);
}

Registered<NewEntry> Register::unwind_partner(
    const PayerInDefault& payer, const ledger::Terms& terms) const
{
    const auto* window = net_of(payer.window);
    const auto month = ledger::format_month(payer.window);
    const std::string& name = terms.partner(payer.partner).name;
    if (!window) return refused(fmt::format("{} is not netted yet", month));
    if (payer.reason.empty()) return refused("a partner is unwound for a reason");
    DefaultPlan plan;
    const auto [first, last] = window->payments.equal_range(payer.partner);
    for (const auto& [partner, payment] : std::ranges::subrange(first, last)) {
        if (payment.is_on_one_side || payment.net.count == 0)
            return refused(fmt::format("a part of {} in {} is settled already", name, month));
        if (const auto* file = find_payment_file(payer.window))
            if (file->amounts.contains(partner))
                return refused(fmt::format("{} is paid for {} already", name, month));
        for (const auto* issued : documents_of(payer.window, partner, payment))
            plan.reopened.push_back({.issued = issued, .owed = issued->netted.at(payer.window)});
        plan.changes.push_back(
            {.net = {.window = payer.window, .partner = partner, .payment = &payment}});
    }
    if (plan.changes.empty())
        return refused(fmt::format("{} has nothing to unwind in {}", name, month));
    return default_entry(payer, plan, terms);
}

NewEntry Register::default_entry(
    const PayerInDefault& payer, const DefaultPlan& plan, const ledger::Terms& terms) const
{
    json::array reopened;
    for (const auto& [issued, owed] : plan.reopened) {
        json::object row{{"number", issued->document.number}, {"owed_minor", owed.count}};
        // All of it: such a document is only unwound.
        if (issued->document.booked)
            row.emplace("claim_minor", issued->claimed_in(payer.window).count);
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
        payments.push_back(std::move(row));
    }
    json::array losses;
    for (const auto& [partner, share] : plan.cover.loss_shares)
        losses.push_back(json::object{
            {"partner", partner.value()},
            {"id", terms.partner(partner).name},
            {"share_minor", share.count}});
    json::object content{
        {"window", ledger::format_month(payer.window)},
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
    auto lines = plan.lines;
    to_micro(lines, terms.currency);
    if (!lines.empty()) content.emplace("lines_micro", lines_object(lines, terms));
    return {.kind = "payer_defaulted", .content = json::serialize(content)};
}

void Register::apply_collateral(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    const PartnerId partner{content.at("partner").to_number<std::uint32_t>()};
    collateral_[partner] += Minor{content.at("amount_minor").to_number<std::int64_t>()};
}

void Register::apply_default(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    const auto window = ledger::parse_month(std::string_view{content.at("window").as_string()});
    const auto minor = [](const json::object& row, std::string_view key) {
        return Minor{row.at(key).to_number<std::int64_t>()};
    };
    for (const auto& each : content.at("reopened").as_array()) {
        const auto& row = each.as_object();
        auto& issued = issued_.find(std::string_view{row.at("number").as_string()})->second;
        issued.netted.at(*window) -= minor(row, "owed_minor");
        if (row.contains("claim_minor")) issued.claimed.at(*window) -= minor(row, "claim_minor");
    }
    WindowNet& net = nets_.at(*window);
    for (const auto& each : content.at("payments").as_array()) {
        const auto& row = each.as_object();
        const std::string_view reference = row.at("reference").as_string();
        for (auto& [partner, payment] : net.payments) {
            if (payment.reference != reference) continue;
            const Minor left = minor(row, "net_minor");
            payment.carried += payment.net - left;
            payment.net = left;
            payment.settled += minor(row, "settled_minor");
            payment.is_on_one_side = row.at("on_one_side").as_bool();
            if (payment.foreign) payment.foreign->net = minor(row, "foreign_minor");
        }
    }
    collateral_[PartnerId{content.at("partner").to_number<std::uint32_t>()}] -=
        minor(content, "collateral_minor");
}

} // namespace pointhouse::settlement
