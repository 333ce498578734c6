#include "set_company.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "answers.hpp"
#include "approvals.hpp"

namespace pointhouse::ops {

gateway::CommandResult set_company(
    gateway::House& house,
    ledger::PartnerId partner,
    const std::string& file,
    const Invocation& typed)
{
    const auto act = terms_act(house, typed, "changes who is paid");
    auto& registry = house.registry();
    const auto company =
        partners::parse_company(read_text(typed.path(file)), *registry.terms()->calendar);
    if (!company) return refused(fmt::format("{}: {}", file, company.error().reason));
    const auto changed = registry.set_company(partner, *company, act);
    if (!changed) return refused(changed.error().reason);
    if (act.prepares) return await_newest(house, typed);
    boost::json::object shown;
    std::string text;
    for (const auto& [key, field] : partners::company_keys) {
        shown.emplace(key, *company.*field);
        if (!(*company.*field).empty()) text += fmt::format("{:<20} {}\n", key, *company.*field);
    }
    boost::json::object accounts;
    for (const auto& [currency, account] : company->accounts) {
        accounts.emplace(
            currency, boost::json::object{{"iban", account.iban}, {"bic", account.bic}});
        text += fmt::format("{:<20} {} {}\n", "account in " + currency, account.iban, account.bic);
    }
    shown.emplace("accounts", std::move(accounts));
    return report(typed, shown, text);
}

boost::json::object settlement_terms_as_json(const partners::SettlementTerms& terms)
{
    boost::json::value limit;
    if (terms.net_debit_limit) limit = ledger::format_micro(*terms.net_debit_limit);
    boost::json::object shown{
        {"currency", terms.currency},
        {"net_debit_limit", std::move(limit)},
        {"mutualised", terms.mutualised}};
    if (!terms.program.empty()) shown.emplace("program", terms.program);
    return shown;
}

namespace {

/// A net takes documents of a partner in one currency alone: what is open in another is paid first.
void require_paid_documents(
    gateway::House& house, ledger::PartnerId partner, const std::string& currency)
{
    const auto wanted = currency.empty() ? house.registry().terms()->currency.code : currency;
    for (const auto* issued : house.documents().documents()) {
        const auto& document = issued->document;
        const bool is_open = issued->open().count != 0 || issued->open_claim().count != 0 ||
                             issued->disputed.count != 0;
        if (document.partner == partner && document.currency.code != wanted && is_open)
            throw CommandFailure{fmt::format(
                "{} is open in {}: the currency changes once all is netted",
                document.number,
                document.currency.code)};
    }
}

/// What is owed stays in the program under which it arose: all of it is paid before a partner
/// changes to another.
void require_paid_program(
    gateway::House& house, const partners::PartnerContract& contract, const std::string& program)
{
    const auto& own = contract.settlement.program;
    if (own == program) return;
    const auto refuse = [&](const std::string& what) {
        throw CommandFailure{fmt::format(
            "{} is open{}: the program changes once all is paid",
            what,
            own.empty() ? "" : " in " + own)};
    };
    const auto& documents = house.documents();
    for (const auto* issued : documents.documents()) {
        const bool is_open = issued->open().count != 0 || issued->open_claim().count != 0 ||
                             issued->disputed.count != 0;
        if (issued->document.partner == contract.terms.partner && is_open)
            refuse(issued->document.number);
    }
    for (const auto& item : documents.open_items())
        if (item.partner == contract.terms.partner) refuse(item.id);
}

} // namespace

gateway::CommandResult set_settlement_terms(
    gateway::House& house,
    ledger::PartnerId partner,
    const std::string& file,
    const Invocation& typed)
{
    const auto act = terms_act(house, typed, "changes how a partner is paid");
    auto& registry = house.registry();
    const auto terms =
        partners::parse_settlement_terms(read_text(typed.path(file)), *registry.terms()->calendar);
    if (!terms) return refused(fmt::format("{}: {}", file, terms.error().reason));
    require_paid_documents(house, partner, terms->currency);
    require_paid_program(house, registry.contracts().at(partner.value() - 1), terms->program);
    const auto changed = registry.set_settlement_terms(partner, *terms, act);
    if (!changed) return refused(changed.error().reason);
    if (act.prepares) return await_newest(house, typed);
    const auto shown = settlement_terms_as_json(*terms);
    return report(
        typed,
        shown,
        fmt::format(
            "currency         {}\nnet debit limit  {}\nmutualised       {}\n{}",
            terms->currency.empty() ? "of the house" : terms->currency,
            terms->net_debit_limit ? ledger::format_micro(*terms->net_debit_limit) : "none",
            terms->mutualised ? "yes" : "no",
            terms->program.empty() ? "" : "program          " + terms->program + "\n"));
}

} // namespace pointhouse::ops
