#include "settlement/ageing.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <tuple>

namespace pointhouse::settlement {
namespace {

using ledger::Minor;

/// Days that an item is overdue at most, by bucket; beyond the last it is in one of its own.
constexpr std::array<std::pair<const char*, ledger::Day>, 4> buckets{
    {{"not_due", 0}, {"days_1_30", 30}, {"days_31_60", 60}, {"days_61_90", 90}}};
constexpr const char* oldest = "days_over_90";

std::size_t bucket_of(ledger::Day overdue)
{
    std::size_t bucket = 0;
    while (bucket < buckets.size() && overdue > buckets[bucket].second) ++bucket;
    return bucket;
}

/// The documents of an issuance stand in `ar`; what credits them is there, too.
bool is_receivable(const IssuedDocument& issued)
{
    return issued.document.supply == StatementType::issuance;
}

OpenItem item_of(const IssuedDocument& issued)
{
    const auto& document = issued.document;
    return {
        .partner = document.partner,
        .number = document.number,
        .issued_on = document.issued_on,
        .due_on = document.due_on,
        .open = document.owed_by_partner(),
        .disputed = issued.disputed};
}

/// How much of the receivables in a net is paid: by what the house owes the partner in the same
/// net, which the first payment offsets, and by payments. None: nothing was paid yet.
std::optional<Minor> paid_in(
    const WindowNet& net, ledger::PartnerId partner, const Register& documents)
{
    const auto found = net.payments.find(partner);
    if (found == net.payments.end()) return std::nullopt;
    const NetPayment& payment = found->second;
    const bool is_offset = payment.settled.count != 0 || payment.net.count == 0;
    if (!is_offset) return std::nullopt;
    Minor receivable;
    for (const auto& number : net.documents) {
        const auto* const issued = documents.find(number);
        if (issued->document.partner == partner && is_receivable(*issued))
            receivable.count += issued->open().count;
    }
    if (payment.net.count >= 0) return receivable;
    return Minor{receivable.count + payment.net.count - payment.settled.count};
}

/// Takes what is paid off the items: credits first, then those that were due first.
void pay(std::vector<OpenItem*> items, Minor paid)
{
    std::ranges::sort(items, {}, [](const OpenItem* item) {
        return std::tuple<bool, ledger::Day, std::string_view>{
            item->open.count >= 0, item->due_on, item->number};
    });
    for (auto* const item : items) {
        const std::int64_t payable = item->open.count - item->disputed.count;
        const std::int64_t part = payable < 0 ? payable : std::min(payable, paid.count);
        item->open.count -= part;
        paid.count -= part;
    }
}

/// A credit note reduces the document that it corrects, as far as that is open.
void apply_credits(std::vector<OpenItem>& items, const Register& documents)
{
    for (auto& credit : items) {
        const auto& corrects = documents.find(credit.number)->document.corrects;
        if (credit.open.count >= 0 || !corrects) continue;
        const auto original = std::ranges::find(items, corrects->number, &OpenItem::number);
        if (original == items.end()) continue;
        const std::int64_t part =
            std::min(-credit.open.count, std::max(original->open.count, std::int64_t{0}));
        credit.open.count += part;
        original->open.count -= part;
    }
}

} // namespace

std::vector<OpenItem> open_items(const Register& documents)
{
    std::vector<OpenItem> items;
    std::map<std::pair<ledger::Month, ledger::PartnerId>, std::vector<std::size_t>> netted;
    for (const auto* const issued : documents.documents()) {
        if (!is_receivable(*issued)) continue;
        if (issued->netted)
            netted[{*issued->netted, issued->document.partner}].push_back(items.size());
        items.push_back(item_of(*issued));
    }
    for (const auto& [key, places] : netted) {
        std::vector<OpenItem*> of_net;
        for (const auto place : places) of_net.push_back(&items[place]);
        const auto paid = paid_in(*documents.net_of(key.first), key.second, documents);
        if (paid) pay(std::move(of_net), *paid);
    }
    apply_credits(items, documents);
    std::erase_if(items, [](const OpenItem& item) { return item.open.count == 0; });
    std::ranges::sort(items, {}, [](const OpenItem& item) {
        return std::tuple<ledger::PartnerId, ledger::Day, std::string_view>{
            item.partner, item.due_on, item.number};
    });
    return items;
}

std::vector<ReportTable> ageing_tables(
    std::span<const OpenItem> items, ledger::Day today, const ledger::Terms& terms)
{
    const ledger::Micro per_minor{ledger::micro_per_minor(terms.currency)};
    ReportTable rows{
        .name = "items",
        .columns = {"partner", "number", "issued_on", "due_on", "days_overdue", "open", "disputed"},
        .rows = {}};
    using Sums = std::array<ledger::Micro, buckets.size() + 1>;
    std::map<ledger::PartnerId, Sums> sums;
    for (const auto& item : items) {
        const ledger::Day overdue = std::max(0, today - item.due_on);
        const auto open = per_minor * item.open.count;
        rows.rows.push_back(
            {terms.partner(item.partner).name,
             item.number,
             ledger::format_day(item.issued_on),
             ledger::format_day(item.due_on),
             std::int64_t{overdue},
             open,
             per_minor * item.disputed.count});
        sums[item.partner].at(bucket_of(overdue)) += open;
    }
    ReportTable partners{.name = "partners", .columns = {"partner"}, .rows = {}};
    for (const auto& [name, days] : buckets) partners.columns.emplace_back(name);
    partners.columns.emplace_back(oldest);
    partners.columns.emplace_back("open");
    for (const auto& [partner, by_age] : sums) {
        std::vector<ReportCell> row{terms.partner(partner).name};
        ledger::Micro whole;
        for (const auto amount : by_age) {
            row.emplace_back(amount);
            whole += amount;
        }
        row.emplace_back(whole);
        partners.rows.push_back(std::move(row));
    }
    return {std::move(rows), std::move(partners)};
}

} // namespace pointhouse::settlement
