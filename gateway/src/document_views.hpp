#pragma once

#include <optional>

#include "exchange.hpp"
#include "gateway/house.hpp"

namespace pointhouse::gateway {

/// What partners read of settlement: their documents and their nets, as issued. On the house's
/// thread.
class DocumentViews {
public:
    explicit DocumentViews(House& house) : house_{house} {}

    /// Answers `/v1/documents`, `/v1/documents/{number}` and `/v1/statements/{window}`. `reader`
    /// none: an operator, who sees all partners'. A foreign document is as absent.
    void answer(Exchange& exchange, std::optional<ledger::PartnerId> reader) const;

private:
    void list(Exchange& exchange, std::optional<ledger::PartnerId> reader) const;
    void show(Exchange& exchange, std::optional<ledger::PartnerId> reader) const;
    void show_nets(Exchange& exchange, std::optional<ledger::PartnerId> reader) const;

    House& house_;
};

} // namespace pointhouse::gateway
