#pragma once

#include <cstdint>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "decision.hpp"
#include "funding.hpp"
#include "ledger/message.hpp"
#include "ledger/posting.hpp"
#include "ledger/terms.hpp"
#include "verify_blocks.hpp"
#include "verify_members.hpp"

namespace pointhouse::ledger {

/// Decides what was booked once more, with the terms and the state that the first decision saw. A
/// refusal keeps no question to ask again, so only what was booked is asked for.
class SecondDecision {
public:
    SecondDecision(RecomputedMembers& members, const FundingCounters& funding, BlocksBehind& blocks)
        : members_{members}, blocks_{blocks}, context_{.funding = &funding}
    {}

    /// Before the record is applied to its member and to the counters.
    void require_same(const Record& record, const Terms& terms);
    /// A record of a partner that was checked: what later ones build on.
    void note(const Record& record);

private:
    /// What was returned of a message before the one at hand.
    struct Reversals {
        Sequence newest;
        Points reversed;
        std::int64_t returned_minor = 0;
    };

    [[nodiscard]] static Points points_asked(const Record& record, const Reversals& before);
    [[nodiscard]] Message message_of(
        const Record& record, const Reversals& before, const Terms& terms);
    void ask_for_amount(
        const Record& record, const Reversals& before, const Terms& terms, Message& message);
    void move_context(const Record& record, const Reversals& before, const Terms& terms);
    [[nodiscard]] MemberPast past_of(const Record& record);

    RecomputedMembers& members_;
    BlocksBehind& blocks_;
    DecisionContext context_;
    boost::unordered_flat_map<std::uint64_t, Reversals> reversals_; // by original
    std::vector<PurchaseLine> lines_;                               // of the message at hand
};

} // namespace pointhouse::ledger
