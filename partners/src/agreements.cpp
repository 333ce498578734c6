#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "contract_rules.hpp"
#include "house_entries.hpp"
#include "ledger/invariant.hpp"
#include "opening_rules.hpp"
#include "partners/opening.hpp"
#include "registry_state.hpp"

// What partners buy and agree on once they are registered, and what two operators have to approve.

namespace pointhouse::partners {
namespace {

namespace json = boost::json;
using ledger::Micro;

constexpr std::string_view promotion_kind = "promotion";
constexpr std::string_view opening_kind = "opening";
constexpr std::string_view house_terms_kind = "house_terms";

json::object proposal(std::string_view what, std::string_view summary, json::object content)
{
    return {{"what", what}, {"summary", summary}, {"content", std::move(content)}};
}

/// What a block costs, as lines of the house's books: price into trust, fee and VAT to the
/// operator. Where its price holds the VAT, no more is paid than price and fee, the points have the
/// whole price, and the VAT comes out of what the operator earns by them.
std::optional<json::object> lines_of_block(
    const ledger::Tariff& block, const VatTerms* row, const ledger::Terms& terms)
{
    const std::string& name = terms.partner(block.partner).name;
    const Micro price = block.issue_price * block.block.count();
    const Micro fee = block.service_fee * block.block.count();
    const auto per_minor = ledger::micro_per_minor(terms.currency);
    if (price.count() % per_minor != 0 || fee.count() % per_minor != 0) return std::nullopt;
    const bool is_gross = row && row->is_gross;
    const auto rate = row ? row->rate_basis_points : 0;
    const auto minor = [&](Micro amount) { return ledger::minor_units_of(amount, terms.currency); };
    const auto net_of = [&](Micro amount) {
        return is_gross ? ledger::net_of(minor(amount), rate) : minor(amount);
    };
    const auto net = net_of(price + fee);
    const Micro vat = Micro{per_minor} * ledger::tax_of(net, rate).count;
    // As its invoice has it: the fee's net is what it adds to that of the price.
    const auto within_fee = minor(fee) - (net - net_of(price));
    const Micro of_fee = is_gross ? Micro{per_minor} * within_fee.count : Micro{};
    const Micro of_price = is_gross ? vat - of_fee : Micro{};

    json::object lines;
    const auto add = [&lines](const std::string& account, Micro amount) {
        if (amount != Micro{}) lines.emplace(account, amount.count());
    };
    add("cash:trust", price);
    add("cash:operating", is_gross ? fee : fee + vat);
    add("prepaid_block:" + name, -price);
    add("prepaid_fee:" + name, -fee);
    add("vat:output", -vat);
    add("revenue:service_fee", of_fee);
    add("revenue:redemption_margin", of_price);
    return lines;
}

json::object points_by_issuer(const Opening& opening, const ledger::Terms& terms)
{
    std::map<std::string, std::int64_t> points;
    for (const auto& lot : opening.lots) {
        points[terms.partner(lot.issuer).name] += lot.points.count();
    }
    json::object content;
    for (const auto& [name, count] : points) content.emplace(name, count);
    return content;
}

json::object content_of(const Opening& opening, std::string_view digest, const ledger::Terms& terms)
{
    std::set<std::pair<ledger::PartnerId, Micro>> priced;
    for (const auto& lot : opening.lots) priced.emplace(lot.issuer, lot.price);
    json::array tariffs;
    for (const auto& [issuer, price] : priced) {
        tariffs.push_back(
            {{"partner", issuer.value()},
             {"id", terms.partner(issuer).name},
             {"issue_price", ledger::format_micro(price)}});
    }
    json::array blocks;
    for (const auto& block : opening.blocks) {
        blocks.push_back(
            {{"partner", block.partner.value()},
             {"id", terms.partner(block.partner).name},
             {"points", block.points.count()},
             {"price", ledger::format_micro(block.price)},
             {"fee", ledger::format_micro(block.fee)}});
    }
    json::object balances;
    for (const auto& [account, amount] : opening.balances) {
        balances.emplace(account, amount.count());
    }
    return {
        {"as_of", ledger::format_day(opening.as_of)},
        {"digest", digest},
        {"members", opening.members.size()},
        {"points", points_by_issuer(opening, terms)},
        {"tariffs", std::move(tariffs)},
        {"blocks", std::move(blocks)},
        {"balances_micro", std::move(balances)}};
}

/// Gives the tariffs and blocks of a prepared opening their versions, from `next` on.
void number_tariffs(json::object& content, const ledger::Terms& terms)
{
    const auto as_of = ledger::parse_day(text_in(content, "as_of")).value();
    auto version = static_cast<std::uint32_t>(terms.tariffs.size());
    const auto tariff_of = [&](const json::object& row, std::string_view price) {
        const ledger::PartnerId partner{row.at("partner").to_number<std::uint32_t>()};
        const auto micro = ledger::parse_micro(text_in(row, price)).value();
        return opening_tariff(partner, micro, as_of, terms).value();
    };
    for (auto& value : content.at("tariffs").as_array()) {
        auto& row = value.as_object();
        auto tariff = tariff_of(row, "issue_price");
        if (!tariff.version.is_none()) {
            row.emplace("version", tariff.version.value());
            continue;
        }
        tariff.version = ledger::TariffVersion{++version};
        row.emplace("tariff", to_json(tariff));
    }
    for (auto& value : content.at("blocks").as_array()) {
        auto& row = value.as_object();
        auto tariff = tariff_of(row, "price");
        tariff.version = ledger::TariffVersion{++version};
        tariff.service_fee = ledger::parse_micro(text_in(row, "fee")).value();
        tariff.block = ledger::Points{row.at("points").to_number<std::int64_t>()};
        row.emplace("tariff", to_json(tariff));
    }
}

} // namespace

bool PromotionTerms::is_funded_by(std::string_view partner) const
{
    return std::ranges::any_of(
        funders, [&](const auto& funder) { return funder.first == partner; });
}

Registry::Accepted<ledger::TariffVersion> Registry::buy_block(
    ledger::PartnerId partner, const BlockPurchase& purchase, Act act)
{
    const auto terms = this->terms();
    if (partner.is_none() || partner.value() > state_->contracts.size()) {
        return refused("there is no such partner");
    }
    const auto& buyer = terms->partner(partner);
    if (buyer.billing != ledger::Billing::prepaid) {
        return refused(fmt::format("{} is not prepaid: it buys no blocks", buyer.name));
    }
    if (buyer.leaves_at) return refused(fmt::format("{} leaves: it buys no more", buyer.name));
    const auto* dated = terms->find_tariff(partner, purchase.at);
    if (!dated) return refused(fmt::format("{} has no tariff yet", buyer.name));
    if (purchase.points.count() < 1 || purchase.points.count() > block_points_max) {
        return refused(fmt::format("points: from 1 to {}", block_points_max));
    }
    auto block = *dated;
    block.version = ledger::TariffVersion{static_cast<std::uint32_t>(terms->tariffs.size() + 1)};
    block.valid_from = purchase.at;
    block.issue_price = purchase.price.value_or(dated->issue_price);
    block.service_fee = purchase.fee.value_or(dated->service_fee);
    block.block = purchase.points;
    if (auto fault = fault_of(block)) return refused(std::move(*fault));

    const auto* vat = find_vat(partner, "block", purchase.at);
    ledger::Wide sold = 0;
    const auto worth = [](const ledger::Tariff& each) {
        return (ledger::Wide{each.issue_price.count()} + each.service_fee.count()) *
               each.block.count();
    };
    for (const auto& tariff : terms->tariffs) sold += worth(tariff);
    if (sold + worth(block) > house_money_max)
        return refused("points: blocks of so much money are more than the books can hold");

    auto lines = lines_of_block(block, vat, *terms);
    if (!lines) {
        return refused("points: price and fee of the block must be whole minor units of money");
    }
    state_->commit(
        kind::block_bought,
        {{"partner", partner.value()},
         {"id", buyer.name},
         {"tariff", to_json(block)},
         {"lines_micro", std::move(*lines)}},
        act);
    return block.version;
}

std::optional<std::string> Registry::fault_among_others(const PromotionTerms& promotion) const
{
    const auto differs = [&](const PromotionTerms& other) {
        return other.id == promotion.id && other != promotion;
    };
    bool has_other = std::ranges::any_of(state_->promotions, differs);
    for (const auto& contract : state_->contracts) {
        has_other = has_other || std::ranges::any_of(contract.promotions, differs);
    }
    if (has_other) {
        return fmt::format("promotion: {} was agreed on with other terms", promotion.id);
    }
    for (const auto& [name, share] : promotion.funders) {
        const auto* funder = find_contract(name);
        if (funder && !funder->terms.roles.issuer) {
            return fmt::format("promotion: {}: {} is no issuer", promotion.id, name);
        }
    }
    return std::nullopt;
}

Registry::Accepted<ledger::HouseSequence> Registry::propose_promotion(
    const PromotionTerms& promotion, Act act)
{
    if (!state_->founding) return refused("the house is not founded yet");
    if (auto fault = fault_of(promotion)) return refused("promotion: " + *fault);
    for (const auto& [name, share] : promotion.funders) {
        if (!find_contract(name)) {
            return refused(
                fmt::format("promotion: {}: the house knows no partner {}", promotion.id, name));
        }
    }
    if (auto fault = fault_among_others(promotion)) return refused(std::move(*fault));
    if (terms()->find_promotion(promotion.id)) {
        return refused(fmt::format("promotion: {} is in force already", promotion.id));
    }
    std::string funders;
    for (const auto& [name, share] : promotion.funders) {
        funders += fmt::format("{}{} {}", funders.empty() ? "" : ", ", name, share);
    }
    const auto summary = fmt::format(
        "promotion {} from {} to {}, funded by {}",
        promotion.id,
        ledger::format_day(promotion.from),
        ledger::format_day(promotion.to),
        funders);
    state_->commit(
        kind::proposal_made,
        proposal(promotion_kind, summary, {{"promotion", to_json(promotion)}}),
        act);
    return state_->record.head();
}

Registry::Accepted<ledger::HouseSequence> Registry::propose_opening(
    const Opening& opening, std::string_view digest, Act act)
{
    if (!state_->founding) return refused("the house is not founded yet");
    if (state_->opening) return refused("this house has its opening already");
    for (const auto& [id, waiting] : state_->proposals) {
        if (waiting.kind != opening_kind) continue;
        if (waiting.digest == digest) return id;
        return refused("another opening waits for approval already");
    }
    if (auto fault = fault_of(opening, *terms())) return refused(std::move(*fault));
    std::int64_t points = 0;
    for (const auto& lot : opening.lots) points += lot.points.count();
    const auto summary = fmt::format(
        "opening of {}: {} members, {} lots, {} points, {} blocks",
        ledger::format_day(opening.as_of),
        opening.members.size(),
        opening.lots.size(),
        points,
        opening.blocks.size());
    state_->commit(
        kind::proposal_made,
        proposal(opening_kind, summary, content_of(opening, digest, *terms())),
        act);
    return state_->record.head();
}

std::vector<Proposal> Registry::proposals() const
{
    std::vector<Proposal> waiting;
    for (const auto& [id, proposal] : state_->proposals) waiting.push_back(proposal);
    return waiting;
}

Registry::Accepted<void> Registry::approve(ledger::HouseSequence id, bool as_both, Act act)
{
    const auto found = state_->proposals.find(id);
    if (found == state_->proposals.end()) {
        return refused(fmt::format("nothing waits for approval under {}", id.value()));
    }
    const Proposal proposal = found->second;
    if (as_both && founding().production) {
        return refused("in a production house another operator approves");
    }
    if (!as_both && proposal.actor == act.actor) {
        return refused(fmt::format(
            "{} prepared it: another operator approves{}",
            act.actor,
            founding().production ? "" : ", or --as-both in a sandbox"));
    }
    // Whoever stole a certificate may have prepared it: that it was revoked undoes that, too.
    if (state_->was_revoked(proposal.actor)) {
        return refused(fmt::format(
            "{} prepared it and has no certificate any more: reject it, and prepare it anew",
            proposal.actor));
    }
    if (proposal.kind == promotion_kind) return agree_promotion(proposal, act);
    if (proposal.kind == opening_kind) return import_opening(proposal, act);
    if (proposal.kind == house_terms_kind) return change_house_terms(proposal, act);
    if (proposal.kind == kind::logo_set || proposal.kind == kind::logo_withdrawn) {
        return change_logo(proposal, act);
    }
    if (proposal.kind == kind::partner_added || proposal.kind == kind::tariff_set ||
        proposal.kind == kind::vat_set || proposal.kind == kind::block_bought ||
        proposal.kind == kind::company_set || proposal.kind == kind::settlement_terms_set ||
        proposal.kind == kind::partner_leaves) {
        return change_contract(proposal, act);
    }
    if (!state_->waiting_messages.contains(id)) {
        state_->commit(proposal.kind + "_approved", {{"proposal", id.value()}}, act);
        return {};
    }
    auto content = json::parse(proposal.content).as_object();
    content.emplace("proposal", proposal.id.value());
    state_->commit(kind::message_approved, content, act);
    return {};
}

Registry::Accepted<void> Registry::reject(
    ledger::HouseSequence id, std::string_view reason, Act act)
{
    const auto found = state_->proposals.find(id);
    if (found == state_->proposals.end())
        return refused(fmt::format("nothing waits for approval under {}", id.value()));
    state_->commit(
        kind::proposal_rejected,
        {{"proposal", id.value()}, {"what", found->second.kind}, {"reason", reason}},
        act);
    return {};
}

const DecidedProposal* Registry::find_decided(ledger::HouseSequence proposal) const
{
    const auto found = state_->decided.find(proposal);
    return found == state_->decided.end() ? nullptr : &found->second;
}

// The house may have moved on since it was prepared: it is judged again, and numbered.
Registry::Accepted<void> Registry::change_contract(const Proposal& proposal, Act act)
{
    act.approves = proposal.id;
    const auto content = json::parse(proposal.content).as_object();
    const auto accepted = [](const auto& result) -> Accepted<void> {
        if (!result) return std::unexpected(result.error());
        return {};
    };
    if (proposal.kind == kind::partner_added) return accepted(add(contract_from(content), act));
    const ledger::PartnerId partner{content.at("partner").to_number<std::uint32_t>()};
    if (proposal.kind == kind::company_set)
        return set_company(partner, company_from(content.at("company").as_object()), act);
    if (proposal.kind == kind::partner_leaves) {
        const auto on = ledger::parse_day(std::string_view{content.at("on").as_string()});
        return leave(partner, on.value(), act);
    }
    if (proposal.kind == kind::vat_set)
        return set_vat(partner, vat_rows_from(content.at("vat").as_array(), partner), act);
    if (proposal.kind == kind::settlement_terms_set) {
        const auto& settlement = content.at("settlement").as_object();
        return set_settlement_terms(partner, settlement_terms_from(settlement), act);
    }
    const auto tariff = tariff_from(content.at("tariff").as_object(), partner);
    if (proposal.kind == kind::tariff_set) return accepted(set_tariff(partner, tariff, act));
    return accepted(buy_block(
        partner,
        {.points = tariff.block,
         .price = tariff.issue_price,
         .fee = tariff.service_fee,
         .at = tariff.valid_from},
        act));
}

std::optional<std::string> Registry::fault_of_programs_left(
    const std::vector<std::string>& left) const
{
    for (const auto& contract : contracts()) {
        const auto& program = contract.settlement.program;
        if (program.empty() || std::ranges::find(left, program) != left.end()) continue;
        return fmt::format("programs: {} is in {}", contract.terms.name, program);
    }
    return std::nullopt;
}

Registry::Accepted<void> Registry::change_house_terms(const Proposal& proposal, Act act)
{
    const auto table = json::parse(proposal.content).as_object();
    const auto number = [&](std::string_view key) -> std::optional<std::int64_t> {
        const auto* value = table.if_contains(key);
        return value ? std::optional{value->to_number<std::int64_t>()} : std::nullopt;
    };
    const auto small = [&](std::string_view key) -> std::optional<std::int32_t> {
        const auto value = number(key);
        return value ? std::optional{static_cast<std::int32_t>(*value)} : std::nullopt;
    };
    HouseTable named;
    named.refund_grace_days = small("refund_grace_days");
    named.inactivity_months = small("inactivity_months");
    named.approval_above_points = number("approval_above_points");
    if (const auto* acts = table.if_contains("approval_of"))
        named.approval_of = member_acts_from(acts->as_array());
    auto content = to_json(changed(terms()->house, named, act.today));
    if (const auto* wanted = table.if_contains("programs")) {
        // A contract may have named one of the old ones since.
        if (auto fault = fault_of_programs_left(programs_from(*wanted))) {
            return refused(std::move(*fault));
        }
        content.emplace("programs", *wanted);
    }
    content.emplace("proposal", proposal.id.value());
    state_->commit(kind::house_terms_set, content, act);
    return {};
}

Registry::Accepted<ledger::HouseSequence> Registry::propose_house_terms(
    const HouseTable& table, Act act)
{
    if (!state_->founding) return refused("the house is not founded yet");
    HouseTable fixed = table;
    fixed.refund_grace_days.reset();
    fixed.inactivity_months.reset();
    fixed.approval_above_points.reset();
    fixed.approval_of.reset();
    fixed.programs.reset();
    const auto& now = terms()->house;
    if (auto fault = fault_of(fixed, *state_->founding, now)) return refused(std::move(*fault));
    const auto wanted = changed(now, table, act.today);
    if (auto fault = fault_of(wanted)) return refused(std::move(*fault));
    const auto wanted_programs = table.programs.value_or(programs());
    if (auto fault = fault_of_programs(wanted_programs)) return refused(std::move(*fault));
    if (auto fault = fault_of_programs_left(wanted_programs)) return refused(std::move(*fault));
    if (wanted == now && wanted_programs == programs())
        return refused("house: these terms are in force already");

    json::object content;
    std::string summary = "terms of the house:";
    const auto name = [&](std::string_view key, auto value) {
        if (!value) return;
        content.emplace(key, *value);
        summary += fmt::format(" {} {}", key, *value);
    };
    name("refund_grace_days", table.refund_grace_days);
    name("inactivity_months", table.inactivity_months);
    name("approval_above_points", table.approval_above_points);
    if (table.approval_of) {
        content.emplace("approval_of", names_of(*table.approval_of));
        summary += " approval_of";
        for (const auto each : *table.approval_of) summary += fmt::format(" {}", name_of(each));
        if (table.approval_of->empty()) summary += " none";
    }
    if (table.programs) {
        content.emplace("programs", json::array(table.programs->begin(), table.programs->end()));
        summary += " programs";
        for (const auto& each : *table.programs) summary += " " + each;
        if (table.programs->empty()) summary += " none";
    }
    state_->commit(
        kind::proposal_made, proposal(house_terms_kind, summary, std::move(content)), act);
    return state_->record.head();
}

Registry::Accepted<ledger::HouseSequence> Registry::propose_message(
    const MessageProposal& message, Act act)
{
    for (const auto* known : {&state_->waiting_messages, &state_->approved_messages}) {
        for (const auto& [id, other] : *known) {
            if (other.message_id != message.message_id) continue;
            if (other.digest == message.digest) return id;
            return refused("another message waits under this id");
        }
    }
    for (const auto& [id, other] : state_->decided) {
        if (other.is_approved || other.message_id != message.message_id) continue;
        if (other.digest == message.digest) return id;
        return refused("another message was turned down under this id");
    }
    state_->commit(
        kind::proposal_made,
        proposal(
            message.kind,
            message.summary,
            {{"message_id", message.message_id}, {"digest", message.digest}}),
        act);
    return state_->record.head();
}

ledger::HouseSequence Registry::propose_settlement(
    std::string_view what, std::string_view summary, std::string_view content, Act act)
{
    state_->commit(
        kind::proposal_made, proposal(what, summary, json::parse(content).as_object()), act);
    return state_->record.head();
}

const ledger::HouseEntry& Registry::append(std::string_view kind, std::string_view content, Act act)
{
    return state_->append(kind, content, act);
}

Registry::Accepted<void> Registry::set_company(
    ledger::PartnerId partner, const Company& company, Act act)
{
    if (auto fault = fault_of(company)) return refused("company: " + *fault);
    const auto id = partner.is_none() ? "house" : contracts().at(partner.value() - 1).terms.name;
    state_->commit(
        kind::company_set,
        {{"partner", partner.value()}, {"id", id}, {"company", to_json(company)}},
        act);
    return {};
}

Registry::Accepted<void> Registry::leave(ledger::PartnerId partner, ledger::Day on, Act act)
{
    if (partner.is_none() || partner.value() > contracts().size()) {
        return refused("there is no such partner");
    }
    const auto& leaving = contracts()[partner.value() - 1].terms;
    if (leaving.leaves_at) {
        return refused(fmt::format(
            "{} leaves on {} already",
            leaving.name,
            ledger::format_day(terms()->calendar->day_of(*leaving.leaves_at))));
    }
    // What was decided under the terms of before stays decided.
    if (on <= act.today) {
        return refused(fmt::format(
            "a partner leaves on a day to come, not on {}: what happened is booked",
            ledger::format_day(on)));
    }
    state_->commit(
        kind::partner_leaves,
        {{"partner", partner.value()}, {"id", leaving.name}, {"on", ledger::format_day(on)}},
        act);
    return {};
}

Registry::Accepted<void> Registry::set_settlement_terms(
    ledger::PartnerId partner, const SettlementTerms& terms, Act act)
{
    if (auto fault = fault_of(terms)) return refused("settlement: " + *fault);
    if (auto fault = fault_of_program(terms.program, programs())) {
        return refused(std::move(*fault));
    }
    if (partner.is_none() || partner.value() > contracts().size()) {
        return refused("there is no such partner");
    }
    state_->commit(
        kind::settlement_terms_set,
        {{"partner", partner.value()},
         {"id", contracts()[partner.value() - 1].terms.name},
         {"settlement", to_json(terms)}},
        act);
    return {};
}

const std::map<ledger::HouseSequence, MessageProposal>& Registry::approved_messages() const
{
    return state_->approved_messages;
}

Registry::Accepted<void> Registry::agree_promotion(const Proposal& proposal, Act act)
{
    auto content = json::parse(proposal.content).as_object();
    const auto promotion = promotion_from(content.at("promotion").as_object());
    // The house may have moved on since it was prepared.
    if (auto fault = fault_among_others(promotion)) return refused(std::move(*fault));
    if (terms()->find_promotion(promotion.id)) {
        return refused(fmt::format("promotion: {} is in force already", promotion.id));
    }
    content.emplace("proposal", proposal.id.value());
    state_->commit(kind::promotion_agreed, content, act);
    return {};
}

Registry::Accepted<void> Registry::import_opening(const Proposal& proposal, Act act)
{
    auto content = json::parse(proposal.content).as_object();
    content.emplace("proposal", proposal.id.value());
    number_tariffs(content, *terms());
    state_->commit(kind::opening_imported, content, act);
    return {};
}

} // namespace pointhouse::partners
