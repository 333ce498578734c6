#include "gateway/reconciliation_source.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_map>
#include <unordered_set>

#include "gateway/projector.hpp"
#include "ledger/identity_lookup.hpp"
#include "opaque_ids.hpp"

namespace pointhouse::gateway {

using settlement::BreakClass;
using settlement::FileAuthor;
using settlement::FileFault;
using settlement::PartnerFile;
using settlement::Reconciliation;
using settlement::ReconciliationRow;

ReconciliationSource::ReconciliationSource(
    House& house, ledger::PartnerId partner, const settlement::ReconciliationPeriod& period)
    : partner_{partner}, period_{period}, books_{house.books()}, projector_{house.projector()},
      identities_{house.identity_store()}, keys_{house.ledger_keys()}, wire_key_{house.wire_key()}
{
    const auto& points = house.ledger();
    house.tend();
    terms_ = house.registry().terms();
    end_ = points.head();
    for (const auto& window : points.windows()) windows_.push_back(window.month);
    if (std::ranges::find(windows_, period.window) == windows_.end())
        throw HouseFailure{
            fmt::format("the house has no window {}", ledger::format_month(period.window))};
}

settlement::FileHeader ReconciliationSource::header() const
{
    return {
        .author = FileAuthor::house,
        .partner = terms_->partner(partner_).name,
        .period = period_,
        .currency = terms_->currency.code};
}

void ReconciliationSource::append_row(
    const ledger::BookedMessage& booked, const ledger::Calendar& calendar, Rows& rows)
{
    if (!settlement::is_reconciled(booked.type)) return;
    const bool is_accrual = booked.type == ledger::MessageType::accrual;
    rows.push_back(
        {.message_id = booked.message_id,
         .type = booked.type,
         .member = {},
         .number = booked.member,
         .occurred_at = booked.occurred_at,
         .booked_on = calendar.day_of(booked.posted_at),
         .points = booked.points.count(),
         .amount_minor = is_accrual ? booked.amount_minor : 0,
         .line = 0});
}

ReconciliationSource::Rows ReconciliationSource::rows_of(ledger::Month window) const
{
    Rows rows;
    books_.for_each_message(window, partner_, [&](const ledger::BookedMessage& booked) {
        append_row(booked, *terms_->calendar, rows);
    });
    return rows;
}

std::string ReconciliationSource::house_file(Console& console) const
{
    projector_.wait_for(end_, console);
    return house_file(rows_of(period_.window));
}

std::string ReconciliationSource::house_file(Rows rows) const
{
    std::erase_if(
        rows, [&](const ReconciliationRow& row) { return !period_.contains(row.booked_on); });
    if (rows.size() > settlement::file_rows_max)
        throw HouseFailure{fmt::format(
            "{} messages are more than one file holds ({}); ask for one day",
            rows.size(),
            settlement::file_rows_max)};
    OpaqueIds references{wire_key_};
    for (auto& row : rows) {
        const ledger::Sequence number{row.number.value()};
        row.member = references
                         .encode(
                             {.kind = OpaqueKind::member,
                              .partner = partner_,
                              .sequence = number,
                              .position = 0})
                         .text();
    }
    return settlement::partner_file(header(), rows);
}

void ReconciliationSource::find_members(PartnerFile& file) const
{
    std::unordered_map<std::string_view, ledger::MemberNumber> numbers;
    if (file.header.author == FileAuthor::house) {
        OpaqueIds references{wire_key_};
        for (const auto& row : file.rows) {
            const auto member = references.decode(row.member, OpaqueKind::member, partner_);
            if (member) numbers[row.member] = ledger::MemberNumber{member->sequence.value()};
        }
    } else {
        std::unordered_set<std::string_view> named;
        for (const auto& row : file.rows)
            if (!row.member.empty()) named.insert(row.member);
        const std::vector<std::string_view> identifiers{named.begin(), named.end()};
        const auto members = ledger::members_of(identities_, keys_, identifiers);
        for (std::size_t place = 0; place < identifiers.size(); ++place)
            numbers[identifiers[place]] = members[place];
    }
    for (auto& row : file.rows)
        if (const auto found = numbers.find(row.member); found != numbers.end())
            row.number = found->second;
}

void ReconciliationSource::add_other_windows(Rows& house, const Rows& partner) const
{
    std::unordered_set<std::string_view> unknown;
    for (const auto& row : partner) unknown.insert(row.message_id);
    for (const auto& row : house) unknown.erase(row.message_id);
    // Most of them were just before or after: the newest first.
    for (auto window = windows_.rbegin(); window != windows_.rend() && !unknown.empty(); ++window) {
        if (*window == period_.window) continue;
        for (auto& row : rows_of(*window))
            if (unknown.erase(row.message_id) != 0) house.push_back(std::move(row));
    }
}

void ReconciliationSource::follow_merges(Rows& house, Rows& partner) const
{
    std::unordered_map<ledger::MemberNumber, ledger::MemberNumber> into;
    for (const auto& merge : books_.merges()) into[merge.from] = merge.into;
    const auto follow = [&](Rows& rows) {
        for (auto& row : rows)
            for (auto found = into.find(row.number); found != into.end();
                 found = into.find(row.number))
                row.number = found->second;
    };
    follow(house);
    follow(partner);
}

std::optional<FileFault> ReconciliationSource::fault_of(const settlement::FileHeader& found) const
{
    const auto fault = [](std::string_view field, std::string reason) {
        return FileFault{.line = 1, .field = std::string{field}, .reason = std::move(reason)};
    };
    const auto expected = header();
    if (found.partner != expected.partner)
        return fault("partner", fmt::format("is {}, not {}", found.partner, expected.partner));
    if (found.period != expected.period)
        return fault(
            "window",
            fmt::format(
                "the file is of {}, not of {}",
                format_period(found.period),
                format_period(expected.period)));
    if (found.currency != expected.currency)
        return fault("currency", fmt::format("is {}, not {}", found.currency, expected.currency));
    return std::nullopt;
}

std::expected<Reconciliation, FileFault> ReconciliationSource::reconcile(
    std::string_view text, Console& console) const
{
    projector_.wait_for(end_, console);
    return reconcile(text, rows_of(period_.window));
}

std::expected<Reconciliation, FileFault> ReconciliationSource::reconcile(
    std::string_view text, Rows house) const
{
    auto file = settlement::parse_partner_file(text);
    if (!file) return std::unexpected(file.error());
    if (auto fault = fault_of(file->header)) return std::unexpected(*std::move(fault));

    add_other_windows(house, file->rows);
    find_members(*file);
    const auto compare = [&] {
        return settlement::reconcile(period_, house, file->rows, *terms_->calendar);
    };
    auto result = compare();
    const bool has_wrong_member = std::ranges::any_of(
        result.breaks, [](const auto& each) { return each.kind == BreakClass::wrong_member; });
    if (!has_wrong_member) return result;
    follow_merges(house, file->rows);
    return compare();
}

} // namespace pointhouse::gateway
