#include "settlement/dispute_json.hpp"

namespace pointhouse::settlement {

boost::json::object dispute_json(const Dispute& dispute, ledger::Day today)
{
    return {
        {"dispute", dispute.id},
        {"document", dispute.document},
        {"line", dispute.line},
        {"billed", name_of(dispute.billed)},
        {"net_minor", dispute.net.count},
        {"held_minor", dispute.held.count},
        {"reason", dispute.reason},
        {"evidence", dispute.evidence},
        {"stage", name_of(dispute.stage)},
        {"words", dispute.words},
        {"act_by", ledger::format_day(dispute.act_by)},
        {"urgent", dispute.is_overdue(today) || dispute.is_due_soon(today)},
        {"due_soon", dispute.is_due_soon(today)},
        {"overdue", dispute.is_overdue(today)},
        {"agreed_minor", dispute.agreed.count},
        {"credit", dispute.credit}};
}

} // namespace pointhouse::settlement
