#pragma once

#include "command_line.hpp"
#include "gateway/settlement_source.hpp"

namespace pointhouse::ops {

/// What the register accepted. Throws CommandFailure with its reason when it refused.
template <class T>
[[nodiscard]] T require(settlement::Registered<T> result)
{
    if (!result) throw CommandFailure{result.error().reason};
    return std::move(*result);
}

inline void require(const settlement::Registered<void>& result)
{
    if (!result) throw CommandFailure{result.error().reason};
}

/// What issuing needs to know of the house now.
[[nodiscard]] settlement::IssueTerms issue_terms(gateway::House& house);

/// Whether two people have to act where a sandbox lets one do it all.
[[nodiscard]] bool is_production(gateway::House& house);

/// What a command that takes two people in a production house may do now.
struct Permitted {
    std::optional<gateway::CommandResult> waiting; // for the other operator: nothing is done yet
    ledger::HouseSequence by{};                    // the proposal; none: a sandbox asks nobody
};

/// Asks for an act the first time, in words that name all of it; later says whether another
/// operator has approved it.
[[nodiscard]] Permitted ask_permission(
    gateway::House& house, const std::string& act, const Invocation& typed);

/// The act of a permitted change of the registry; it uses the permission up.
[[nodiscard]] partners::Registry::Act permitted_act(
    gateway::House& house, const Permitted& permitted);

/// Records what was permitted; that uses the permission up.
void record_permitted(
    gateway::House& house, const settlement::NewEntry& entry, const Permitted& permitted);

/// In which currency the net of a partner is paid; the house's, where none was agreed.
[[nodiscard]] ledger::Currency payment_currency_of(
    gateway::House& house, const settlement::NetKey& net, ledger::PartnerId partner);

/// What money in the currency of a partner's documents is worth today, from the house's currency;
/// none: its net is not paid in the currency of its documents.
[[nodiscard]] std::optional<settlement::ExchangeRate> rate_of_day(
    gateway::House& house, const settlement::NetKey& net, ledger::PartnerId partner);

/// The commands about documents: draft, issue, invoices, documents, credit, sent, answer.
void declare_settle_documents(CLI::App& settle, Invocation& invocation);
/// The commands about payments: net, nets, statement, paid.
void declare_settle_payments(CLI::App& settle, Invocation& invocation);
/// The command that writes pay-outs for the bank: payments.
void declare_settle_pay_outs(CLI::App& settle, Invocation& invocation);
/// The command that takes money out of trust: release-trust.
void declare_settle_trust(CLI::App& settle, Invocation& invocation);
/// The commands about partners that do not pay: collateral, default, unwind.
void declare_settle_defaults(CLI::App& settle, Invocation& invocation);
/// The command that writes to partners that are late: remind.
void declare_settle_reminders(CLI::App& settle, Invocation& invocation);
/// The commands about what closed windows have come to since: restate, restatements.
void declare_settle_restatements(CLI::App& settle, Invocation& invocation);

} // namespace pointhouse::ops
