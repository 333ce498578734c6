#pragma once

#include "desk.hpp"
#include "exchange.hpp"
#include "gateway/house.hpp"

namespace pointhouse::gateway {

/// Comparing records with a partner, over the wire: the house's own file down, the partner's file
/// up. On the house's thread; the work is done at the desk.
class PartnerRecords {
public:
    PartnerRecords(House& house, Desk& desk) : house_{house}, desk_{desk} {}

    /// Begins to answer `/v1/reconciliation/{period}`, a window or a day. True: it was answered at
    /// once; else the desk finishes the exchange.
    [[nodiscard]] bool begin(Exchange& exchange, ledger::PartnerId partner) const;

private:
    House& house_;
    Desk& desk_;
};

} // namespace pointhouse::gateway
