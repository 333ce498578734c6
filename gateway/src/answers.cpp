#include "answers.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <span>

#include "json_text.hpp"
#include "ledger/invariant.hpp"
#include "ledger/money.hpp"
#include "problems.hpp"

namespace pointhouse::gateway {
namespace {

using ledger::EntryKind;
using ledger::MessageType;
using ledger::Record;
using ledger::Refusal;

constexpr std::size_t ids_at_once = 64;

// Whether an entry is one of the rows that its message's answer lists.
bool is_listed(MessageType type, EntryKind kind)
{
    switch (type) {
    case MessageType::accrual:
    case MessageType::adjustment: return kind == EntryKind::issued;
    case MessageType::reinstatement:
        return kind == EntryKind::reinstated || kind == EntryKind::reinstated_by_house;
    case MessageType::accrual_release: return kind == EntryKind::matured;
    case MessageType::redemption:
    case MessageType::capture: return kind == EntryKind::redeemed;
    case MessageType::transfer: return kind == EntryKind::moved_out;
    case MessageType::donation: return kind == EntryKind::donated;
    case MessageType::reversal:
    case MessageType::clawback:
        // What repays the debt of a clawback comes out of the member's other lots; what repays one
        // after a refund is not part of the refund.
        return kind == EntryKind::refunded || kind == EntryKind::clawed_back ||
               kind == EntryKind::recovered;
    case MessageType::enrolment:
    case MessageType::block:
    case MessageType::unblock:
    case MessageType::close:
    case MessageType::hold:
    case MessageType::hold_release:
    case MessageType::maturity:
    case MessageType::expiry:
    case MessageType::hold_end:
    case MessageType::identification:
    case MessageType::merge:
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
    return false;
}

// What moves no points of its own has no posting to name.
bool has_posting(MessageType type)
{
    return type != MessageType::enrolment && type != MessageType::identification &&
           type != MessageType::block && type != MessageType::unblock && type != MessageType::close;
}

// What acts on something that is there already creates nothing: 200, not 201.
int booked_status(MessageType type)
{
    const bool acts = type == MessageType::capture || type == MessageType::hold_release ||
                      type == MessageType::accrual_release;
    return acts ? 200 : 201;
}

std::string detail_of(const Record& record)
{
    const Refusal refusal = *record.refusal;
    if (refusal == Refusal::insufficient_points)
        return fmt::format("points: {} are available", record.balance.available.count());
    return std::string{problem_of(code_of(refusal)).title};
}

void append_balance_json(std::string& out, const ledger::Balance& balance)
{
    append_json_parts(
        out,
        R"("balance":{"available":)",
        balance.available.count(),
        R"(,"pending":)",
        balance.pending.count(),
        R"(,"held":)",
        balance.held.count(),
        R"(,"debt":)",
        balance.debt.count(),
        "}");
}

} // namespace

Verdict verdict_of(const ledger::Outcome& outcome)
{
    Verdict verdict;
    switch (outcome.disposition) {
    case ledger::Disposition::decided:
    case ledger::Disposition::replayed:
        verdict.replayed = outcome.disposition == ledger::Disposition::replayed;
        verdict.record = &outcome.record;
        verdict.status = booked_status(outcome.record.type);
        if (!outcome.record.refusal) return verdict;
        verdict.code = code_of(*outcome.record.refusal);
        verdict.detail = detail_of(outcome.record);
        break;
    case ledger::Disposition::refused:
        verdict.code = code_of(outcome.refusal);
        verdict.detail = problem_of(verdict.code).title;
        break;
    case ledger::Disposition::unavailable:
        verdict.code = "overloaded";
        verdict.detail = "The message may be sent again under the same id at any time";
        break;
    }
    verdict.status = status_of(verdict.code);
    return verdict;
}

std::string_view Answers::name_of_day(ledger::Time time)
{
    if (time < day_begin_ || time >= day_end_) {
        const ledger::Day day = terms_->calendar->day_of(time);
        day_begin_ = terms_->calendar->start_of(day);
        day_end_ = terms_->calendar->start_of(day + 1);
        day_ = ledger::format_day(day);
    }
    return day_;
}

void Answers::add_row(const Record& record, const ledger::Entry& entry, Reader reader)
{
    const ledger::PartnerId issuer = terms_->tariff(entry.lot.tariff).partner;
    const bool is_pending =
        entry.kind == EntryKind::issued && entry.state == ledger::LotState::pending;
    if (!reader.sees(issuer)) {
        others_points_ += entry.points.count();
        return;
    }
    rows_.push_back(
        {.id = {},
         .has_id = true,
         .issuer = terms_->partner(issuer).name,
         .points = entry.points.count(),
         .expires_on = entry.lot.expires_on,
         .available_from = is_pending ? entry.until : record.occurred_at,
         .is_pending = is_pending});
    subjects_.push_back(
        {.kind = OpaqueKind::lot,
         .partner = reader.partner,
         .sequence = entry.lot.key.origin,
         .position = entry.lot.key.position});
}

void Answers::prepare(const Subject& subject)
{
    const Record& record = subject.record;
    rows_.clear();
    subjects_.clear();
    others_points_ = 0;
    debt_ = 0;
    is_refund_ = false;
    subjects_.push_back(
        {.kind = OpaqueKind::posting,
         .partner = subject.reader.partner,
         .sequence = record.sequence,
         .position = 0});
    for (const ledger::Entry& entry : record.entries) {
        if (entry.kind == EntryKind::refunded) is_refund_ = true;
        if (entry.kind == EntryKind::debt_incurred || entry.kind == EntryKind::debt_moved_out)
            debt_ += entry.points.count();
        if (entry.kind == EntryKind::recovered && is_refund_) continue;
        if (entry.kind == EntryKind::recovered) debt_ -= entry.points.count();
        if (is_listed(record.type, entry.kind)) add_row(record, entry, subject.reader);
    }

    encoded_.resize(subjects_.size());
    for (std::size_t first = 0; first < subjects_.size(); first += ids_at_once) {
        const std::size_t count = std::min(ids_at_once, subjects_.size() - first);
        ids_.encode(
            std::span{subjects_}.subspan(first, count), std::span{encoded_}.subspan(first, count));
    }
    posting_id_ = encoded_.front();
    for (std::size_t index = 0; index < rows_.size(); ++index)
        rows_[index].id = encoded_[index + 1];
    if (others_points_ > 0)
        rows_.push_back({.id = {}, .has_id = false, .issuer = others, .points = others_points_});
}

OpaqueId Answers::hold_id(const Subject& subject)
{
    const Record& record = subject.record;
    return ids_.encode(
        {.kind = OpaqueKind::hold,
         .partner = subject.reader.partner,
         .sequence = record.type == MessageType::hold ? record.sequence : record.original,
         .position = 0});
}

void Answers::append_hold_json(std::string& out, const Record& record)
{
    const bool is_open = record.type == MessageType::hold;
    append_json_parts(
        out,
        R"("state":")",
        std::string_view{is_open ? "open" : "released"},
        R"(","points":)",
        record.points.count(),
        ",");
    if (is_open)
        append_json_parts(
            out, R"("expires_at":")", ledger::format_time(record.entries.front().until), "\",");
}

// Of the points of others their number is all that a partner learns.
void Answers::append_row_json(std::string& out, const Row& row)
{
    if (row.has_id) append_json_parts(out, R"("lot":")", row.id.text(), "\",");
    append_json_parts(out, R"("issuer":")", row.issuer, R"(","points":)", row.points);
}

void Answers::append_lots_json(std::string& out)
{
    std::string_view separator;
    for (const Row& row : rows_) {
        append_json_parts(out, separator, "{");
        append_row_json(out, row);
        separator = ",";
        if (row.has_id) {
            append_json_parts(
                out,
                R"(,"state":")",
                std::string_view{row.is_pending ? "pending" : "active"},
                R"(","available_from":")",
                name_of_day(row.available_from),
                R"(","expires_on":)");
            if (row.expires_on == ledger::never)
                out += "null";
            else
                append_json_parts(out, "\"", ledger::format_day(row.expires_on), "\"");
        }
        out += '}';
    }
}

void Answers::append_rows_json(std::string& out)
{
    std::string_view separator;
    for (const Row& row : rows_) {
        append_json_parts(out, separator, "{");
        append_row_json(out, row);
        separator = ",";
        out += '}';
    }
}

void Answers::append_redemption_json(std::string& out, const Record& record)
{
    if (record.type == MessageType::donation)
        append_json_parts(out, R"("charity":")", terms_->partner(record.counterparty).name, "\",");
    const ledger::Minor value =
        ledger::minor_units_of(terms_->face_value * record.points.count(), terms_->currency);
    append_json_parts(
        out,
        R"("points":)",
        record.points.count(),
        R"(,"value":{"amount_minor":)",
        value.count,
        R"(,"currency":")",
        terms_->currency.code,
        R"("},"drawn":[)");
    append_rows_json(out);
    out += "],";
}

// Texts are of checked characters: ids, names of partners.
void Answers::append_json(std::string& out, const Subject& subject)
{
    const Record& record = subject.record;
    prepare(subject);
    out += '{';
    const bool is_hold =
        record.type == MessageType::hold || record.type == MessageType::hold_release;
    if (is_hold)
        append_json_parts(out, R"("hold_id":")", hold_id(subject).text(), "\",");
    else if (has_posting(record.type))
        append_json_parts(out, R"("posting_id":")", posting_id_.text(), "\",");
    append_json_parts(out, R"("message_id":")", record.message_id, "\",");
    const bool names_member = record.type == MessageType::accrual || !has_posting(record.type) ||
                              record.type == MessageType::adjustment ||
                              record.type == MessageType::merge ||
                              record.type == MessageType::reinstatement;
    if (names_member && !subject.member.empty())
        append_json_parts(out, R"("member":")", subject.member, "\",");

    switch (record.type) {
    case MessageType::accrual:
    case MessageType::adjustment:
    case MessageType::reinstatement:
    case MessageType::accrual_release:
        append_json_parts(out, R"("points":)", record.points.count(), R"(,"lots":[)");
        append_lots_json(out);
        out += "],";
        break;
    case MessageType::hold:
    case MessageType::hold_release: append_hold_json(out, record); break;
    case MessageType::redemption:
    case MessageType::capture:
    case MessageType::transfer:
    case MessageType::donation: append_redemption_json(out, record); break;
    case MessageType::reversal:
    case MessageType::clawback:
        append_json_parts(
            out,
            R"("points":)",
            record.points.count(),
            std::string_view{is_refund_ ? R"(,"restored":[)" : R"(,"clawed_back":[)"});
        append_rows_json(out);
        append_json_parts(out, R"(],"debt":)", debt_, ",");
        break;
    case MessageType::block:
    case MessageType::unblock:
    case MessageType::close:
    case MessageType::enrolment:
    case MessageType::identification: break;
    case MessageType::merge:
        append_json_parts(out, R"("points":)", record.points.count(), R"(,"debt":)", debt_, "}");
        return; // a balance is the other member's now
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
    case MessageType::clock: ledger::invariant(false, "house steps are not answered to partners");
    }
    append_balance_json(out, record.balance);
    out += '}';
}

void Answers::append_item_json(std::string& out, const Item& item)
{
    const Verdict& verdict = item.verdict;
    const std::string_view replayed = verdict.replayed ? "true" : "false";
    append_json_parts(out, R"({"status":)", verdict.status, R"(,"replayed":)", replayed, ",");
    if (verdict.is_booked()) {
        out += R"("answer":)";
        append_json(out, {*verdict.record, item.member, item.reader});
    } else {
        out += R"("problem":)";
        append_problem(out, verdict.code, verdict.detail, item.message_id);
    }
    out += '}';
}

} // namespace pointhouse::gateway
