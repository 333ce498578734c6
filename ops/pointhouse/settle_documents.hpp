#pragma once

#include "command_line.hpp"
#include "gateway/settlement_source.hpp"

namespace pointhouse::ops {

/// What issuing needs to know of the house now.
[[nodiscard]] settlement::IssueTerms issue_terms(gateway::House& house);

/// Whether two people have to act where a sandbox lets one do it all.
[[nodiscard]] bool is_production(gateway::House& house);

/// Prepares the documents of a closed window, and in a sandbox approves and issues them. Throws
/// CommandFailure with the reason of a refusal.
void issue_in_one_go(
    gateway::House& house, ledger::Month window, std::span<const settlement::Document> drafts);

/// The commands about documents: draft, issue, invoices, documents, credit, sent, answer.
void declare_settle_documents(CLI::App& settle, Invocation& invocation);
/// The commands about payments: net, nets, paid, payments, release-trust.
void declare_settle_payments(CLI::App& settle, Invocation& invocation);

} // namespace pointhouse::ops
