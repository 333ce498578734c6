#include "answers.hpp"
#include "ledger/invariant.hpp"
#include "ledger/money.hpp"
#include "pointhouse/v1/answers.pb.h"
#include "problems.hpp"

namespace pointhouse::gateway {
namespace {

using ledger::MessageType;
using ledger::Record;

std::string text(std::string_view view)
{
    return std::string{view};
}

void fill_balance(v1::Balance& out, const ledger::Balance& balance)
{
    out.set_available(balance.available.count());
    out.set_pending(balance.pending.count());
    out.set_held(balance.held.count());
    out.set_debt(balance.debt.count());
}

template <class Rows, class Row>
void fill_row(Rows& out, const Row& row)
{
    v1::LotPoints& points = *out.Add();
    if (row.has_id) points.set_lot(text(row.id.text()));
    points.set_issuer(text(row.issuer));
    points.set_points(row.points);
}

} // namespace

void Answers::fill(v1::AccrualAnswer& out, const Subject& subject)
{
    const Record& record = subject.record;
    prepare(subject);
    out.set_posting_id(text(posting_id_.text()));
    out.set_message_id(text(record.message_id));
    out.set_member(text(subject.member));
    out.set_points(record.points.count());
    for (const Row& row : rows_) {
        v1::Lot& lot = *out.add_lots();
        lot.set_issuer(text(row.issuer));
        lot.set_points(row.points);
        if (!row.has_id) continue; // of the points of others their number is all
        lot.set_lot(text(row.id.text()));
        lot.set_state(row.is_pending ? "pending" : "active");
        lot.set_available_from(text(name_of_day(row.available_from)));
        if (row.expires_on != ledger::never) lot.set_expires_on(ledger::format_day(row.expires_on));
    }
    fill_balance(*out.mutable_balance(), record.balance);
}

void Answers::fill(v1::RedemptionAnswer& out, const Subject& subject)
{
    const Record& record = subject.record;
    prepare(subject);
    out.set_posting_id(text(posting_id_.text()));
    out.set_message_id(text(record.message_id));
    if (record.type == MessageType::donation)
        out.set_charity(terms_->partner(record.counterparty).name);
    out.set_points(record.points.count());
    const ledger::Minor value =
        ledger::minor_units_of(terms_->face_value * record.points.count(), terms_->currency);
    out.mutable_value()->set_amount_minor(value.count);
    out.mutable_value()->set_currency(terms_->currency.code);
    for (const Row& row : rows_) fill_row(*out.mutable_drawn(), row);
    fill_balance(*out.mutable_balance(), record.balance);
}

void Answers::fill(v1::ReversalAnswer& out, const Subject& subject)
{
    const Record& record = subject.record;
    prepare(subject);
    out.set_posting_id(text(posting_id_.text()));
    out.set_message_id(text(record.message_id));
    out.set_points(record.points.count());
    auto& rows = is_refund_ ? *out.mutable_restored() : *out.mutable_clawed_back();
    for (const Row& row : rows_) fill_row(rows, row);
    out.set_debt(debt_);
    fill_balance(*out.mutable_balance(), record.balance);
}

void Answers::fill(v1::HoldAnswer& out, const Subject& subject)
{
    const Record& record = subject.record;
    const bool is_open = record.type == MessageType::hold;
    out.set_hold_id(text(hold_id(subject).text()));
    out.set_message_id(text(record.message_id));
    out.set_state(is_open ? "open" : "released");
    out.set_points(record.points.count());
    if (is_open) out.set_expires_at_micros(ledger::micros_of(record.entries.front().until));
    fill_balance(*out.mutable_balance(), record.balance);
}

void Answers::fill(v1::EnrolmentAnswer& out, const Subject& subject)
{
    out.set_message_id(text(subject.record.message_id));
    out.set_member(text(subject.member));
    fill_balance(*out.mutable_balance(), subject.record.balance);
}

void Answers::fill(v1::MergeAnswer& out, const Subject& subject)
{
    prepare(subject);
    out.set_posting_id(text(posting_id_.text()));
    out.set_message_id(text(subject.record.message_id));
    out.set_member(text(subject.member));
    out.set_points(subject.record.points.count());
    out.set_debt(debt_);
}

void Answers::append_protobuf(std::string& out, const Subject& subject)
{
    const auto append = [&]<class Answer>(Answer answer) {
        fill(answer, subject);
        answer.AppendToString(&out);
    };
    switch (subject.record.type) {
    case MessageType::accrual:
    case MessageType::adjustment:
    case MessageType::reinstatement:
    case MessageType::accrual_release: return append(v1::AccrualAnswer{});
    case MessageType::hold:
    case MessageType::hold_release: return append(v1::HoldAnswer{});
    case MessageType::redemption:
    case MessageType::capture:
    case MessageType::transfer:
    case MessageType::donation: return append(v1::RedemptionAnswer{});
    case MessageType::reversal:
    case MessageType::clawback: return append(v1::ReversalAnswer{});
    case MessageType::block:
    case MessageType::unblock:
    case MessageType::close:
    case MessageType::enrolment:
    case MessageType::identification: return append(v1::EnrolmentAnswer{});
    case MessageType::merge: return append(v1::MergeAnswer{});
    case MessageType::maturity:
    case MessageType::expiry:
    case MessageType::hold_end:
    case MessageType::transfer_in:
    case MessageType::merge_in:
    case MessageType::fold:
    case MessageType::cut:
    case MessageType::drained:
    case MessageType::opening:
    case MessageType::house_entry:
    case MessageType::unwritten:
    case MessageType::clock: break;
    }
    ledger::invariant(false, "house steps are not answered to partners");
}

void Answers::fill_item(v1::Result& out, const Item& item)
{
    const Verdict& verdict = item.verdict;
    out.set_status(verdict.status);
    out.set_replayed(verdict.replayed);
    if (!verdict.is_booked())
        return fill_problem(*out.mutable_problem(), verdict.code, verdict.detail, item.message_id);

    const Subject subject{*verdict.record, item.member, item.reader};
    switch (verdict.record->type) {
    case MessageType::accrual:
    case MessageType::adjustment:
    case MessageType::reinstatement:
    case MessageType::accrual_release: return fill(*out.mutable_accrual(), subject);
    case MessageType::hold:
    case MessageType::hold_release: return fill(*out.mutable_hold(), subject);
    case MessageType::redemption:
    case MessageType::capture:
    case MessageType::transfer:
    case MessageType::donation: return fill(*out.mutable_redemption(), subject);
    case MessageType::reversal:
    case MessageType::clawback: return fill(*out.mutable_reversal(), subject);
    case MessageType::block:
    case MessageType::unblock:
    case MessageType::close:
    case MessageType::enrolment:
    case MessageType::identification: return fill(*out.mutable_enrolment(), subject);
    case MessageType::merge: return fill(*out.mutable_merge(), subject);
    case MessageType::maturity:
    case MessageType::expiry:
    case MessageType::hold_end:
    case MessageType::transfer_in:
    case MessageType::merge_in:
    case MessageType::fold:
    case MessageType::cut:
    case MessageType::drained:
    case MessageType::opening:
    case MessageType::house_entry:
    case MessageType::unwritten:
    case MessageType::clock: break;
    }
    ledger::invariant(false, "house steps are not answered to partners");
}

} // namespace pointhouse::gateway
