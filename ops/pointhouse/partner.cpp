#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <memory>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "commands.hpp"
#include "set_company.hpp"

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::House;

struct AddOptions {
    std::string id;
    bool standard = false;
    std::string terms;
};

struct BlockOptions {
    std::string id;
    std::int64_t points = 0;
    std::string price;
    std::string fee;
};

struct NameOptions {
    std::string id;
    std::string file;
};

json::array role_names(const ledger::Roles& roles)
{
    json::array names;
    if (roles.issuer) names.emplace_back("issuer");
    if (roles.redeemer) names.emplace_back("redeemer");
    if (roles.charity) names.emplace_back("charity");
    return names;
}

std::string roles_in_words(const ledger::Roles& roles)
{
    std::string words;
    for (const auto& name : role_names(roles)) {
        if (!words.empty()) words += ", ";
        words += std::string_view{name.as_string()};
    }
    return words;
}

json::object tariff_as_json(const ledger::Tariff& tariff)
{
    json::object expiry;
    if (tariff.expiry) {
        expiry["months"] = tariff.expiry->months;
        expiry["at"] = tariff.expiry->at_month_end ? "month_end" : "day";
    }
    return {
        {"version", tariff.version.value()},
        {"from", ledger::format_time(tariff.valid_from)},
        {"issue_price", ledger::format_micro(tariff.issue_price)},
        {"service_fee", ledger::format_micro(tariff.service_fee)},
        {"reimbursement", ledger::format_micro(tariff.reimbursement)},
        {"prefund_share",
         fmt::format("{}/{}", tariff.prefund_share.numerator, tariff.prefund_share.denominator)},
        {"pending_days", tariff.pending_days},
        {"expiry", tariff.expiry ? json::value(expiry) : json::value(nullptr)}};
}

bool is_prepaid(const partners::PartnerContract& contract)
{
    return contract.terms.billing == ledger::Billing::prepaid;
}

json::value limit_as_json(const partners::PartnerContract& contract)
{
    const auto& limit = contract.terms.credit_limit;
    return limit ? json::value(ledger::format_micro(*limit)) : json::value(nullptr);
}

/// From when on it grants and takes no points; null: it stays.
json::value leaves_at(const partners::PartnerContract& contract)
{
    const auto& at = contract.terms.leaves_at;
    return at ? json::value(ledger::format_time(*at)) : json::value(nullptr);
}

json::array blocks_as_json(const partners::PartnerContract& contract)
{
    json::array blocks;
    for (const auto& block : contract.blocks) {
        blocks.push_back(
            {{"version", block.version.value()},
             {"points", block.block.count()},
             {"price", ledger::format_micro(block.issue_price)},
             {"fee", ledger::format_micro(block.service_fee)}});
    }
    return blocks;
}

json::object contract_as_json(const partners::PartnerContract& contract)
{
    json::array tariffs;
    for (const auto& tariff : contract.tariffs) tariffs.push_back(tariff_as_json(tariff));
    json::array vat;
    for (const auto& row : contract.vat) {
        json::array flows;
        for (const auto& flow : row.flows) flows.emplace_back(flow);
        vat.push_back(
            {{"from", ledger::format_time(row.valid_from)},
             {"flows", flows},
             {"treatment", row.treatment},
             {"category", row.category},
             {"rate_bp", row.rate_basis_points},
             {"price", partners::price_form_of(row)},
             {"tax_point", row.tax_point}});
    }
    return {
        {"id", contract.terms.name},
        {"number", contract.terms.partner.value()},
        {"name", contract.display_name},
        {"roles", role_names(contract.terms.roles)},
        {"billing", is_prepaid(contract) ? "prepaid" : "postpaid"},
        {"credit_limit", limit_as_json(contract)},
        {"settlement", settlement_terms_as_json(contract.settlement)},
        {"notice_days", contract.notice_days},
        {"leaves_at", leaves_at(contract)},
        {"blocks", blocks_as_json(contract)},
        {"tariffs", tariffs},
        {"vat", vat}};
}

std::string contract_in_words(const partners::PartnerContract& contract)
{
    std::string text = fmt::format(
        "{}  {}\n  roles    {}\n  billing  {}\n",
        contract.terms.name,
        contract.display_name,
        roles_in_words(contract.terms.roles),
        is_prepaid(contract) ? "prepaid" : "postpaid");
    if (const auto& limit = contract.terms.credit_limit)
        text += fmt::format("  limit    {}\n", ledger::format_micro(*limit));
    if (const auto& at = contract.terms.leaves_at)
        text += fmt::format("  leaves   {}\n", ledger::format_time(*at));
    for (const auto& tariff : contract.tariffs) {
        text += fmt::format(
            "  tariff   {} from {}: issue price {}, fee {}, reimbursement {}, prefunded {}/{}\n",
            tariff.version.value(),
            ledger::format_time(tariff.valid_from),
            ledger::format_micro(tariff.issue_price),
            ledger::format_micro(tariff.service_fee),
            ledger::format_micro(tariff.reimbursement),
            tariff.prefund_share.numerator,
            tariff.prefund_share.denominator);
    }
    for (const auto& block : contract.blocks) {
        text += fmt::format(
            "  block    {} from {}: {} points at {}, fee {}\n",
            block.version.value(),
            ledger::format_time(block.valid_from),
            block.block.count(),
            ledger::format_micro(block.issue_price),
            ledger::format_micro(block.service_fee));
    }
    return text;
}

/// The registry's own numbers are newer than the contract that was handed in.
const partners::PartnerContract& registered(House& house, std::string_view id)
{
    static_cast<void>(require_partner(house, id));
    return *house.registry().find_contract(id);
}

CommandResult add_partner(House& house, const AddOptions& options, const Invocation& typed)
{
    const auto act = terms_act(house, typed, "takes a new partner");
    auto& registry = house.registry();
    auto contract = partners::standard_contract(options.id);
    if (options.standard && registry.founding().production)
        return refused(
            "the standard tariff is for sandboxes; write the contract: --terms FILE.toml");
    if (!options.standard) {
        auto read = partners::parse_contract(
            read_text(typed.path(options.terms)), options.id, *registry.terms()->calendar);
        if (!read) return refused(fmt::format("{}: {}", options.terms, read.error().reason));
        contract = std::move(*read);
    }
    const auto added = registry.add(contract, act);
    if (!added) return refused(added.error().reason);
    if (act.prepares) return await_newest(house, typed);
    return report(
        typed,
        contract_as_json(registered(house, options.id)),
        fmt::format(
            "{} is partner {}\nnext: pointhouse cert issue {} --data {}\n",
            options.id,
            added->value(),
            options.id,
            typed.data.string()));
}

CommandResult list_partners(House& house, const Invocation& typed)
{
    json::array all;
    std::string text;
    for (const auto& contract : house.registry().contracts()) {
        all.push_back(contract_as_json(contract));
        text += fmt::format(
            "{:<4} {:<32} {:<28} {}\n",
            contract.terms.partner.value(),
            contract.terms.name,
            roles_in_words(contract.terms.roles),
            contract.display_name);
    }
    if (text.empty()) text = "no partners yet\n";
    return report(typed, all, text);
}

CommandResult show_partner(House& house, const NameOptions& options, const Invocation& typed)
{
    const auto& contract = registered(house, options.id);
    return report(typed, contract_as_json(contract), contract_in_words(contract));
}

CommandResult set_tariff(House& house, const NameOptions& options, const Invocation& typed)
{
    const auto act = terms_act(house, typed, "changes a tariff");
    auto& registry = house.registry();
    const auto partner = require_partner(house, options.id).partner;
    const auto tariff =
        partners::parse_tariff(read_text(typed.path(options.file)), *registry.terms()->calendar);
    if (!tariff) return refused(fmt::format("{}: {}", options.file, tariff.error().reason));
    const auto version = registry.set_tariff(partner, *tariff, act);
    if (!version) return refused(version.error().reason);
    if (act.prepares) return await_newest(house, typed);
    return report(
        typed,
        contract_as_json(registered(house, options.id)),
        fmt::format(
            "{} has tariff {} from {}\n",
            options.id,
            version->value(),
            ledger::format_time(tariff->valid_from)));
}

CommandResult set_vat(House& house, const NameOptions& options, const Invocation& typed)
{
    const auto act = terms_act(house, typed, "changes how a partner is taxed");
    auto& registry = house.registry();
    const auto partner = require_partner(house, options.id).partner;
    const auto rows =
        partners::parse_vat(read_text(typed.path(options.file)), *registry.terms()->calendar);
    if (!rows) return refused(fmt::format("{}: {}", options.file, rows.error().reason));
    const auto changed = registry.set_vat(partner, *rows, act);
    if (!changed) return refused(changed.error().reason);
    if (act.prepares) return await_newest(house, typed);
    std::string text;
    for (const auto& row : *rows)
        text += fmt::format(
            "{} from {}: {} {} {}.{:02} %{}{}\n",
            fmt::join(row.flows, ", "),
            ledger::format_day(registry.terms()->calendar->day_of(row.valid_from)),
            row.treatment,
            row.category,
            row.rate_basis_points / 100,
            row.rate_basis_points % 100,
            row.is_gross ? ", in the price" : "",
            row.tax_point == partners::VatTerms{}.tax_point ? "" : ", tax point " + row.tax_point);
    return report(typed, contract_as_json(registered(house, options.id)), text);
}

ledger::Micro read_price(const std::string& typed)
{
    const auto price = ledger::parse_micro(typed);
    if (!price) throw CommandFailure{"a price is a decimal of at most six places, as 0.0095"};
    return *price;
}

CommandResult buy_block(House& house, const BlockOptions& options, const Invocation& typed)
{
    const auto act = terms_act(house, typed, "sells a block");
    auto& registry = house.registry();
    const auto& contract = registered(house, options.id);
    const auto partner = contract.terms.partner;
    if (options.points < 1) return refused("points: 1 or more");
    // A sandbox that has booked nothing has no time yet.
    const auto first = contract.tariffs.empty() ? ledger::Time{} : contract.tariffs[0].valid_from;
    partners::BlockPurchase purchase{
        .points = ledger::Points{options.points},
        .at = std::max(house.ledger().house_time(), first)};
    if (!options.price.empty()) purchase.price = read_price(options.price);
    if (!options.fee.empty()) purchase.fee = read_price(options.fee);
    const auto version = registry.buy_block(partner, purchase, act);
    if (!version) return refused(version.error().reason);
    if (act.prepares) return await_newest(house, typed);
    house.tend();
    return report(
        typed,
        contract_as_json(registered(house, options.id)),
        fmt::format(
            "{} has a block of {} points, paid: tariff {}\n",
            options.id,
            options.points,
            version->value()));
}

void declare_buy_block(CLI::App& partner, Invocation& invocation)
{
    const auto options = std::make_shared<BlockOptions>();
    auto& buy = declare_in_house(
        partner,
        "buy-block",
        "Register points that a prepaid partner bought and paid",
        invocation,
        [options](House& house, const Invocation& typed) {
            return buy_block(house, *options, typed);
        });
    buy.add_option("ID", options->id)->required();
    buy.add_option("--points", options->points, "How many")->required();
    buy.add_option("--price", options->price, "Per point; default: of its tariff");
    buy.add_option("--fee", options->fee, "Per point; default: of its tariff");
    add_json_option(buy, invocation);
}

void declare_add(CLI::App& partner, Invocation& invocation)
{
    const auto options = std::make_shared<AddOptions>();
    auto& add = declare_in_house(
        partner,
        "add",
        "Register a partner with its contract",
        invocation,
        [options](House& house, const Invocation& typed) {
            return add_partner(house, *options, typed);
        });
    add.add_option("ID", options->id, "As in its certificate, e.g. GRO")->required();
    auto* const terms = add.add_option_group("terms", "Its contract, one of");
    terms->add_flag("--standard", options->standard, "The sandbox's standard tariff");
    terms->add_option("--terms", options->terms, "A file with a [[partner]] table for it")
        ->type_name("FILE.toml");
    terms->require_option(1);
    add_json_option(add, invocation);
}

} // namespace

void declare_partner(CLI::App& app, Invocation& invocation)
{
    auto& partner = declare_group(app, "partner", "Partners, their contracts and tariffs");
    declare_add(partner, invocation);
    declare_buy_block(partner, invocation);
    declare_partner_exit(partner, invocation);

    auto& list = declare_in_house(
        partner, "list", "All partners", invocation, [](House& house, const Invocation& typed) {
            return list_partners(house, typed);
        });
    add_json_option(list, invocation);

    const auto options = std::make_shared<NameOptions>();
    auto& show = declare_in_house(
        partner,
        "show",
        "One partner's contract",
        invocation,
        [options](House& house, const Invocation& typed) {
            return show_partner(house, *options, typed);
        });
    show.add_option("ID", options->id)->required();
    add_json_option(show, invocation);

    auto& set = declare_in_house(
        partner,
        "set-tariff",
        "Publish a further, dated tariff",
        invocation,
        [options](House& house, const Invocation& typed) {
            return set_tariff(house, *options, typed);
        });
    set.add_option("ID", options->id)->required();
    set.add_option("FILE", options->file, "With one [tariff] table")
        ->required()
        ->type_name("FILE.toml");
    add_json_option(set, invocation);

    auto& vat = declare_in_house(
        partner,
        "set-vat",
        "Say how a partner's flows are taxed from a day on",
        invocation,
        [options](House& house, const Invocation& typed) {
            return set_vat(house, *options, typed);
        });
    vat.add_option("ID", options->id)->required();
    vat.add_option("FILE", options->file, "With [[vat]] tables")
        ->required()
        ->type_name("FILE.toml");
    add_json_option(vat, invocation);

    auto& settlement = declare_in_house(
        partner,
        "set-settlement",
        "Say in which currency a partner is invoiced, and how its net is secured",
        invocation,
        [options](House& house, const Invocation& typed) {
            return set_settlement_terms(
                house, require_partner(house, options->id).partner, options->file, typed);
        });
    settlement.add_option("ID", options->id)->required();
    settlement.add_option("FILE", options->file, "With one [settlement] table")
        ->required()
        ->type_name("FILE.toml");
    add_json_option(settlement, invocation);

    auto& company = declare_in_house(
        partner,
        "set-company",
        "Say who a partner is before the law and to its bank",
        invocation,
        [options](House& house, const Invocation& typed) {
            return set_company(
                house, require_partner(house, options->id).partner, options->file, typed);
        });
    company.add_option("ID", options->id)->required();
    company.add_option("FILE", options->file, "With one [company] table")
        ->required()
        ->type_name("FILE.toml");
    add_json_option(company, invocation);
}

} // namespace pointhouse::ops
