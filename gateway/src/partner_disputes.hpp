#pragma once

#include <optional>

#include "exchange.hpp"
#include "gateway/house.hpp"

namespace pointhouse::gateway {

/// What partners say of their documents, over the wire: they accept, query and reject them, open
/// disputes and escalate them; the house's operators answer. What a partner sends has a message id,
/// so that it can be sent again. On the house's thread.
class PartnerDisputes {
public:
    explicit PartnerDisputes(House& house) : house_{house} {}

    /// Answers `/v1/documents/{number}/answer`, `/v1/disputes` and what is below it. `partner`
    /// none: an operator, who sees all. A foreign dispute is as absent. Throws
    /// ledger::StoreFailure.
    void answer(Exchange& exchange, std::optional<ledger::PartnerId> partner) const;

private:
    void take_answer(Exchange& exchange, ledger::PartnerId partner) const;
    void list(Exchange& exchange, std::optional<ledger::PartnerId> partner) const;
    void show(Exchange& exchange, std::optional<ledger::PartnerId> partner) const;
    void open(Exchange& exchange, ledger::PartnerId partner) const;
    void escalate(Exchange& exchange, ledger::PartnerId partner) const;
    void reply(Exchange& exchange) const;

    [[nodiscard]] const settlement::Dispute* find(
        std::string_view id, std::optional<ledger::PartnerId> partner) const;
    [[nodiscard]] ledger::Day today() const;
    void record(const Exchange& exchange, const settlement::NewEntry& entry) const;

    House& house_;
};

} // namespace pointhouse::gateway
