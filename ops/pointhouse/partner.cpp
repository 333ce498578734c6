#include <fmt/format.h>
#include <memory>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "answers.hpp"
#include "commands.hpp"

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
        {"expiry", tariff.expiry ? json::value{expiry} : json::value{nullptr}}};
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
             {"rate_bp", row.rate_basis_points}});
    }
    return {
        {"id", contract.terms.name},
        {"number", contract.terms.partner.value()},
        {"name", contract.display_name},
        {"roles", role_names(contract.terms.roles)},
        {"billing", contract.billing},
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
        contract.billing);
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
    require_sandbox(house, "takes a new partner");
    auto& registry = house.registry();
    auto contract = partners::standard_contract(options.id);
    if (!options.standard) {
        auto read = partners::parse_contract(
            read_text(typed.path(options.terms)), options.id, *registry.terms()->calendar);
        if (!read) return refused(fmt::format("{}: {}", options.terms, read.error().reason));
        contract = std::move(*read);
    }
    const auto added = registry.add(contract, house.act());
    if (!added) return refused(added.error().reason);
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
    require_sandbox(house, "changes a tariff");
    auto& registry = house.registry();
    const auto partner = require_partner(house, options.id).partner;
    const auto tariff =
        partners::parse_tariff(read_text(typed.path(options.file)), *registry.terms()->calendar);
    if (!tariff) return refused(fmt::format("{}: {}", options.file, tariff.error().reason));
    const auto version = registry.set_tariff(partner, *tariff, house.act());
    if (!version) return refused(version.error().reason);
    return report(
        typed,
        contract_as_json(registered(house, options.id)),
        fmt::format(
            "{} has tariff {} from {}\n",
            options.id,
            version->value(),
            ledger::format_time(tariff->valid_from)));
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
}

} // namespace pointhouse::ops
