#include "settlement/receivables.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <ranges>
#include <tuple>

namespace pointhouse::settlement {
namespace {

using ledger::Minor;

/// What is contested, in the house's currency.
Minor disputed_claim(const IssuedDocument& issued)
{
    if (!issued.document.booked || issued.document.total.count == 0) return issued.disputed;
    const ledger::Wide product =
        ledger::Wide{issued.disputed.count} * issued.document.booked->total.count;
    return Minor{static_cast<std::int64_t>(product / issued.document.total.count)};
}

/// Which subsidiary ledger, and whether nets that nobody paid yet offset already.
struct Side {
    bool is_receivable = true;
    bool is_offset_at_once = false;

    /// The documents of an issuance stand in `ar`, all others in `ap`; what credits them is there,
    /// too.
    [[nodiscard]] bool has(const IssuedDocument& issued) const
    {
        if (issued.document.is_prepaid()) return false;
        return (issued.document.supply == StatementType::issuance) == is_receivable;
    }
    /// Of an amount that partners owe: above zero is what the side is about.
    [[nodiscard]] Minor of(Minor owed) const { return is_receivable ? owed : -owed; }
};

Receivable item_of(const IssuedDocument& issued, const Side& side)
{
    const auto& document = issued.document;
    return {
        .document = document.number,
        .partner = document.partner,
        .open = side.of(issued.claim()),
        .disputed = disputed_claim(issued),
        .due_on = document.due_on};
}

/// What a net took of one receivable.
struct Taken {
    Receivable* receivable = nullptr;
    Minor amount{};
};

/// What of the items that a net took is still open on this side, and what of its other documents
/// the first payment brought here. None: nothing was paid yet, all stands where it was.
struct LeftOpen {
    Minor own{};
    Minor others{};
};

std::optional<LeftOpen> left_open(const NetPayment& payment, Minor own, const Side& side)
{
    const bool is_offset =
        side.is_offset_at_once || payment.is_on_one_side || payment.net.count == 0;
    if (!is_offset) return std::nullopt;
    // Nothing is left here when the net is the other side's.
    const Minor unpaid = side.of(-payment.net).count > 0 ? side.of(-payment.open()) : Minor{};
    const Minor left = std::clamp(unpaid, Minor{}, std::max(own, Minor{}));
    return LeftOpen{.own = left, .others = unpaid - left};
}

/// Takes what is paid off the receivables: credits first, then those that were due first.
void pay(std::vector<Taken> taken, Minor paid)
{
    std::ranges::sort(taken, {}, [](const Taken& each) {
        return std::tuple<bool, ledger::Day, std::string_view>{
            each.amount.count >= 0, each.receivable->due_on, each.receivable->document};
    });
    for (const auto& each : taken) {
        const std::int64_t part =
            each.amount.count < 0 ? each.amount.count : std::min(each.amount.count, paid.count);
        each.receivable->open.count -= part;
        paid.count -= part;
    }
}

/// What a net took of a document of the other side.
struct TakenElsewhere {
    const IssuedDocument* issued = nullptr;
    Minor amount{};
};

/// What one payment of a net settles.
struct Part {
    std::vector<Taken> taken{};
    std::vector<TakenElsewhere> others{};
};

/// A partner that owes more than its receivables owes it for others, too (a charity that got too
/// much): the first payment brought these here. The newest are open longest.
void move_here(
    std::vector<Receivable>& moved,
    std::span<const TakenElsewhere> others,
    Minor open,
    const Side& side)
{
    for (const auto& [issued, amount] : std::views::reverse(others)) {
        const Minor part = std::min(amount, open);
        if (part.count <= 0) continue;
        moved.push_back(item_of(*issued, side));
        moved.back().open = part;
        open -= part;
    }
}

/// A credit note reduces the document that it corrects, as far as that is open.
void apply_credits(std::vector<Receivable>& items, const Register& documents)
{
    for (auto& credit : items) {
        const auto& corrects = documents.find(credit.document)->document.corrects;
        if (credit.open.count >= 0 || !corrects) continue;
        const auto original = std::ranges::find(items, corrects->number, &Receivable::document);
        if (original == items.end()) continue;
        const std::int64_t part =
            std::min(-credit.open.count, std::max(original->open.count, std::int64_t{0}));
        credit.open.count += part;
        original->open.count -= part;
    }
}

std::vector<Receivable> items_of(const Register& documents, const Side& side)
{
    const auto all = documents.documents();
    std::vector<Receivable> items;
    for (const auto* const issued : all)
        if (side.has(*issued)) items.push_back(item_of(*issued, side));

    std::map<const NetPayment*, Part> parts;
    auto item = items.begin();
    for (const auto* const issued : all) {
        Receivable* const own = side.has(*issued) ? &*item++ : nullptr;
        const bool is_out = issued->document.owed_by_partner().count < 0;
        for (const auto& [window, owed] : issued->netted) {
            const Minor amount = issued->claimed_in(window);
            const auto* payment = documents.net_of(window)->find(issued->document.partner, is_out);
            Part& part = parts[payment];
            if (own)
                part.taken.push_back({.receivable = own, .amount = side.of(amount)});
            else
                part.others.push_back({.issued = issued, .amount = side.of(amount)});
        }
    }
    std::vector<Receivable> moved;
    for (const auto& [payment, part] : parts) {
        Minor own;
        for (const Taken& each : part.taken) own += each.amount;
        const auto left = left_open(*payment, own, side);
        if (!left) continue;
        pay(part.taken, own - left->own);
        move_here(moved, part.others, left->others, side);
    }
    items.insert(items.end(), moved.begin(), moved.end());
    apply_credits(items, documents);
    std::erase_if(items, [](const Receivable& item) { return item.open.count == 0; });
    std::ranges::sort(items, {}, [](const Receivable& item) {
        return std::tuple<ledger::PartnerId, ledger::Day, std::string_view>{
            item.partner, item.due_on, item.document};
    });
    return items;
}

} // namespace

std::vector<Receivable> receivables_of(const Register& documents)
{
    return items_of(documents, {.is_receivable = true});
}

std::vector<Receivable> payables_of(const Register& documents)
{
    return items_of(documents, {.is_receivable = false});
}

std::vector<Receivable> claims_of(const Register& documents)
{
    return items_of(documents, {.is_receivable = true, .is_offset_at_once = true});
}

std::vector<ReportTable> ageing_tables(
    std::span<const Receivable> receivables, ledger::Day today, const ledger::Terms& terms)
{
    const ledger::Micro per_minor{ledger::micro_per_minor(terms.currency)};
    ReportTable rows{
        .name = "items",
        .columns = {"partner", "document", "due_on", "days_overdue", "open", "disputed"},
        .rows = {}};
    for (const auto& each : receivables)
        rows.rows.push_back(
            {terms.partner(each.partner).name,
             each.document,
             ledger::format_day(each.due_on),
             std::int64_t{std::max(0, today - each.due_on)},
             per_minor * each.open.count,
             per_minor * each.disputed.count});

    ReportTable partners{.name = "partners", .columns = {"partner"}, .rows = {}};
    for (std::size_t age = 0; age < age_count; ++age)
        partners.columns.emplace_back(name_of(static_cast<Age>(age)));
    partners.columns.insert(partners.columns.end(), {"disputed", "open"});
    for (const auto& aged : aged_receivables(receivables, today).partners) {
        std::vector<ReportCell> row{terms.partner(aged.partner).name};
        for (const auto amount : aged.amounts.by_age) row.emplace_back(per_minor * amount.count);
        row.emplace_back(per_minor * aged.amounts.disputed.count);
        row.emplace_back(per_minor * aged.amounts.total.count);
        partners.rows.push_back(std::move(row));
    }
    return {std::move(rows), std::move(partners)};
}

} // namespace pointhouse::settlement
