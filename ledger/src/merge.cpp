#include "decision.hpp"
#include "draft.hpp"
#include "ledger/invariant.hpp"

namespace pointhouse::ledger {
namespace {

/// Sends away all that a member has, each part with what it carries.
class Departure {
public:
    Departure(const Member& member, const Terms& terms, Record& posting)
        : member_{member}, terms_{terms}, posting_{posting}
    {}

    void send_lots()
    {
        const LotList& lots = member_.lots();
        for (std::size_t place = 0; place < lots.size(); ++place) send(lots[place].lot(), {});
        for (const PendingLot& one : member_.pending())
            send(one.lot, {.state = LotState::pending, .until = one.until});
        for (const Hold& hold : member_.holds()) {
            for (const Lot& lot : hold.lots) {
                send(
                    lot,
                    {.counterpart = hold.redeemer,
                     .state = LotState::held,
                     .until = hold.until,
                     .hold = hold.origin});
            }
        }
    }

    void send_debts()
    {
        for (const Debt& debt : member_.debts())
            posting_.entries.push_back(
                {.kind = EntryKind::debt_moved_out,
                 .points = debt.points,
                 .counterpart = debt.counterpart,
                 .debt = debt.key});
    }

    // An issuer is named by its first tariff, because entries name no partner.
    void send_creditable()
    {
        for (const Creditable& creditable : member_.creditable()) {
            if (creditable.points.is_zero()) continue;
            Entry entry{.kind = EntryKind::creditable_moved, .points = creditable.points};
            const PartnerTerms& issuer = terms_.partner(creditable.issuer);
            invariant(!issuer.tariffs.empty(), "who issued points has a tariff");
            entry.lot.tariff = terms_.tariffs[issuer.tariffs.front()].version;
            posting_.entries.push_back(entry);
        }
    }

private:
    void send(const Lot& lot, Entry like)
    {
        like.kind = EntryKind::moved_out;
        like.points = lot.remaining;
        like.lot = lot.provenance;
        posting_.points += lot.remaining;
        posting_.entries.push_back(like);
    }

    const Member& member_;
    const Terms& terms_;
    Record& posting_;
};

EntryKind arriving(EntryKind sent)
{
    if (sent == EntryKind::moved_out) return EntryKind::moved_in;
    return sent == EntryKind::debt_moved_out ? EntryKind::debt_moved_in : sent;
}

} // namespace

std::optional<Refusal> decide_merge(
    const Question& question, const DecisionContext& context, Record& posting)
{
    const Member* member = question.member;
    const Member* other = question.receiver;
    if (member == nullptr || other == nullptr) return Refusal::member_unknown;
    posting.other_member = other->number();
    if (member->number() == other->number()) return Refusal::already_merged;
    for (const Member* each : {member, other})
        if (const auto refused = check_status(each)) return refused;
    if (const auto refused = check_time(*question.message, context)) return refused;

    Departure departure{*member, *context.terms, posting};
    departure.send_lots();
    departure.send_debts();
    departure.send_creditable();
    return std::nullopt;
}

void receive(
    const Record& sent, const Member& receiver, const DecisionContext& context, Record& posting)
{
    posting.type =
        sent.type == MessageType::merge ? MessageType::merge_in : MessageType::transfer_in;
    posting.points = sent.points;
    posting.original = sent.sequence;
    posting.other_member = sent.member;
    Draft draft{&receiver, context, posting};
    for (Entry entry : sent.entries) {
        entry.kind = arriving(entry.kind);
        draft.add(entry);
    }
    draft.settle();
}

} // namespace pointhouse::ledger
