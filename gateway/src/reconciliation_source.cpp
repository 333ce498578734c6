#include "gateway/reconciliation_source.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_map>

#include <boost/unordered/unordered_flat_set.hpp>

#include "gateway/projector.hpp"
#include "member_numbers.hpp"
#include "opaque_ids.hpp"

namespace pointhouse::gateway {

using settlement::BreakClass;
using settlement::FileAuthor;
using settlement::FileFault;
using settlement::PartnerFile;
using settlement::Reconciliation;
using settlement::ReconciliationRow;

ReconciliationSource::ReconciliationSource(
    House& house,
    ledger::PartnerId partner,
    const settlement::ReconciliationPeriod& period,
    std::shared_ptr<MemberNumbers> members)
    : partner_{partner}, period_{period}, books_{house.books()}, projector_{house.projector()},
      members_{std::move(members)}, wire_key_{house.wire_key()}
{
    if (!members_)
        members_ = std::make_shared<MemberNumbers>(house.identity_store(), house.ledger_keys());
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
    name_members(rows);
    return settlement::partner_file(header(), rows);
}

void ReconciliationSource::name_members(std::span<ReconciliationRow> rows) const
{
    OpaqueIds references{wire_key_};
    std::array<OpaqueSubject, OpaqueIds::at_once_max> subjects;
    std::array<OpaqueId, OpaqueIds::at_once_max> ids;
    while (!rows.empty()) {
        const auto some = rows.first(std::min(rows.size(), OpaqueIds::at_once_max));
        for (std::size_t place = 0; place < some.size(); ++place)
            subjects.at(place) = {
                .kind = OpaqueKind::member,
                .partner = partner_,
                .sequence = ledger::Sequence{some[place].number.value()},
                .position = 0};
        references.encode(
            std::span{subjects}.first(some.size()), std::span{ids}.first(some.size()));
        for (std::size_t place = 0; place < some.size(); ++place)
            some[place].member = ids.at(place).text();
        rows = rows.subspan(some.size());
    }
}

void ReconciliationSource::find_members(PartnerFile& file) const
{
    if (file.header.author == FileAuthor::house) {
        OpaqueIds references{wire_key_};
        for (auto& row : file.rows)
            if (const auto member = references.decode(row.member, OpaqueKind::member, partner_))
                row.number = ledger::MemberNumber{member->sequence.value()};
        return;
    }
    std::vector<std::string_view> identifiers;
    identifiers.reserve(file.rows.size());
    for (const auto& row : file.rows) identifiers.push_back(row.member);
    const auto numbers = members_->find(identifiers);
    for (std::size_t place = 0; place < numbers.size(); ++place)
        file.rows[place].number = numbers[place];
}

void ReconciliationSource::add_other_windows(Rows& house, const Rows& partner) const
{
    boost::unordered_flat_set<std::string_view> booked;
    booked.reserve(house.size());
    for (const auto& row : house) booked.insert(row.message_id);
    boost::unordered_flat_set<std::string_view> unknown;
    for (const auto& row : partner)
        if (!booked.contains(row.message_id)) unknown.insert(row.message_id);
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
    if (found.period != expected.period) {
        return fault(
            "window",
            fmt::format(
                "the file is of {}, not of {}",
                format_period(found.period),
                format_period(expected.period)));
    }
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
