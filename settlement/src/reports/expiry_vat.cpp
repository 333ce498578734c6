#include "settlement/expiry_vat.hpp"

#include <chrono>
#include <string>
#include <tuple>

#include "../vat_rules.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::EntryKind;
using ledger::Micro;
using ledger::Minor;

/// How an amount is taxed, and when its tax became or becomes chargeable.
struct Treatment {
    VatRate rate{};
    std::string taxed{}; // "with_the_price", "at_expiry", "on_the_document"; empty: not at all
};

Treatment of_shared(const VatRule* row)
{
    auto rate = rate_of(row, row);
    return {.rate = rate, .taxed = rate.basis_points == 0 ? "" : "on_the_document"};
}

/// Without a row of its own, what is kept is taxed as the price is.
Treatment of_retained(const VatRule* own, const VatRule* price)
{
    auto rate = rate_of(own ? own : price, own ? own : price);
    if (rate.basis_points == 0) return {.rate = rate};
    if (rate_of(price, price).basis_points != 0) return {.rate = rate, .taxed = "with_the_price"};
    // It was paid long ago, without tax on top: nobody can be billed more.
    rate.is_gross = true;
    return {.rate = rate, .taxed = "at_expiry"};
}

struct Part {
    std::int64_t points = 0;
    Micro amount{};
    Minor rounded{}; // line by line
};

} // namespace

void ExpiryVat::add(const ledger::PositionRow& row)
{
    if (!ledger::is_breakage(row.kind) || row.kind == EntryKind::reinstated_by_house) return;
    auto& sum = sums_[{row.window, row.partner, row.tariff}];
    const bool is_undone = row.kind != EntryKind::expired;
    sum.points += is_undone ? -row.points.count() : row.points.count();
    sum.retained += row.money.margin;
    sum.shared += row.money.counterparty;
}

ReportTable ExpiryVat::table(
    const ledger::Terms& terms,
    const Contracts& contracts,
    std::optional<ledger::PartnerId> issuer) const
{
    using PartKey =
        std::tuple<ledger::Month, ledger::PartnerId, std::string_view, VatRate, std::string>;
    std::map<PartKey, Part> parts;
    for (const auto& entry : sums_) {
        const Key& key = entry.first;
        const Sum& sum = entry.second;
        if (issuer && key.issuer != *issuer) continue;
        const auto last_instant =
            terms.calendar->start_of(key.window.next()) - std::chrono::microseconds{1};
        const auto row_of = [&](std::string_view flow) {
            return find_rule(contracts, key.issuer, flow, last_instant);
        };
        const auto add_part = [&](std::string_view name, const Treatment& treatment, Micro amount) {
            auto& part = parts[{key.window, key.issuer, name, treatment.rate, treatment.taxed}];
            part.points += sum.points;
            part.amount += amount;
            part.rounded += ledger::minor_units_of(amount, terms.currency);
        };
        const auto* const price = row_of(terms.tariff(key.tariff).is_block() ? "block" : "price");
        add_part("retained", of_retained(row_of("breakage_retained"), price), sum.retained);
        if (sum.shared != Micro{})
            add_part("shared", of_shared(row_of(name_of(Charge::breakage_shared))), sum.shared);
    }
    ReportTable table{
        .name = "expired",
        .columns =
            {"window",
             "issuer",
             "part",
             "vat_category",
             "vat_rate_basis_points",
             "taxed",
             "points",
             "exact",
             "net",
             "vat",
             "gross"},
        .rows = {}};
    const Micro per_minor{ledger::micro_per_minor(terms.currency)};
    for (const auto& [key, part] : parts) {
        const auto& [window, partner, name, rate, taxed] = key;
        if (part.points == 0 && part.amount == Micro{}) continue; // all of it came back
        const Minor net =
            rate.is_gross ? ledger::net_of(part.rounded, rate.basis_points) : part.rounded;
        const Minor tax =
            rate.is_gross ? part.rounded - net : ledger::tax_of(net, rate.basis_points);
        table.rows.push_back(
            {ledger::format_month(window),
             terms.partner(partner).name,
             std::string{name},
             rate.category,
             std::int64_t{rate.basis_points},
             taxed,
             part.points,
             part.amount,
             per_minor * net.count,
             per_minor * tax.count,
             per_minor * (net + tax).count});
    }
    return table;
}

} // namespace pointhouse::settlement
