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

/// Which subsidiary ledger, whether nets that nobody paid yet offset already, and in which
/// currency.
struct Side {
    bool is_receivable = true;
    bool is_offset_at_once = false;
    Amounts amounts = Amounts::booked;

    [[nodiscard]] bool is_booked() const { return amounts == Amounts::booked; }
    /// What the net of a window took of a document.
    [[nodiscard]] Minor taken_of(const IssuedDocument& issued, ledger::Month window) const
    {
        return is_booked() ? issued.claimed_in(window) : issued.netted.at(window);
    }
    /// Whether a payment counts in another currency than the house's.
    [[nodiscard]] bool is_foreign(const NetPayment& payment) const
    {
        return !is_booked() && payment.foreign && payment.foreign->is_of_documents;
    }
    [[nodiscard]] Minor net_of(const NetPayment& payment) const
    {
        return is_foreign(payment) ? payment.foreign->net : payment.net;
    }
    [[nodiscard]] Minor open_of(const NetPayment& payment) const
    {
        return is_foreign(payment) ? payment.foreign->open() : payment.open();
    }

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
    const bool is_booked = side.is_booked();
    Receivable item{
        .document = document.number,
        .partner = document.partner,
        .open = side.of(is_booked ? issued.claim() : document.owed_by_partner()),
        .disputed = is_booked ? disputed_claim(issued) : issued.disputed,
        .due_on = document.due_on};
    if (!is_booked && document.booked) item.currency = document.currency;
    return item;
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
    const Minor net = side.net_of(payment);
    const bool is_offset = side.is_offset_at_once || payment.is_on_one_side || net.count == 0;
    if (!is_offset) return std::nullopt;
    // Nothing is left here when the net is the other side's.
    const Minor unpaid = side.of(-net).count > 0 ? side.of(-side.open_of(payment)) : Minor{};
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
    auto place = items.begin();
    for (const auto* const issued : all) {
        Receivable* const own = side.has(*issued) ? &*place++ : nullptr;
        const bool is_out = issued->document.owed_by_partner().count < 0;
        for (const auto& [window, owed] : issued->netted) {
            const Minor amount = side.taken_of(*issued, window);
            const auto* net = documents.net_of({window, issued->document.program});
            const auto* payment = net->find(issued->document.partner, is_out);
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

std::vector<std::string> columns_by_age(std::vector<std::string> columns)
{
    for (std::size_t age = 0; age < age_count; ++age)
        columns.emplace_back(name_of(static_cast<Age>(age)));
    columns.insert(columns.end(), {"disputed", "open"});
    return columns;
}

void add_ages(
    std::vector<ReportCell>& row, const AgedAmounts& amounts, const ledger::Currency& currency)
{
    const ledger::Micro per_minor{ledger::micro_per_minor(currency)};
    for (const auto amount : amounts.by_age) row.emplace_back(per_minor * amount.count);
    row.emplace_back(per_minor * amounts.disputed.count);
    row.emplace_back(per_minor * amounts.total.count);
}

} // namespace

std::vector<Receivable> receivables_of(const Register& documents, Amounts amounts)
{
    return items_of(documents, {.is_receivable = true, .amounts = amounts});
}

std::vector<Receivable> payables_of(const Register& documents)
{
    return items_of(documents, {.is_receivable = false});
}

std::vector<Receivable> claims_of(const Register& documents, Amounts amounts)
{
    return items_of(
        documents, {.is_receivable = true, .is_offset_at_once = true, .amounts = amounts});
}

std::vector<ReportTable> ageing_tables(
    std::span<const Receivable> receivables, ledger::Day today, const ledger::Terms& terms)
{
    const ledger::Micro per_minor{ledger::micro_per_minor(terms.currency)};
    ReportTable rows{
        .name = "items",
        .columns = {"partner", "document", "due_on", "days_overdue", "open", "disputed"},
        .rows = {}};
    for (const auto& each : receivables) {
        rows.rows.push_back(
            {terms.partner(each.partner).name,
             each.document,
             ledger::format_day(each.due_on),
             std::int64_t{std::max(0, today - each.due_on)},
             per_minor * each.open.count,
             per_minor * each.disputed.count});
    }

    ReportTable partners{.name = "partners", .columns = columns_by_age({"partner"}), .rows = {}};
    for (const auto& aged : aged_receivables(receivables, today).partners) {
        std::vector<ReportCell> row{terms.partner(aged.partner).name};
        add_ages(row, aged.amounts, terms.currency);
        partners.rows.push_back(std::move(row));
    }
    return {std::move(rows), std::move(partners)};
}

ReportTable ageing_by_currency(
    std::span<const Receivable> receivables, ledger::Day today, const ledger::Terms& terms)
{
    std::map<std::string, std::vector<Receivable>> by_currency;
    for (const auto& each : receivables)
        by_currency[each.currency.value_or(terms.currency).code].push_back(each);
    ReportTable table{
        .name = "currencies", .columns = columns_by_age({"currency", "partner"}), .rows = {}};
    for (const auto& [code, own] : by_currency) {
        const auto currency = own.front().currency.value_or(terms.currency);
        for (const auto& aged : aged_receivables(own, today).partners) {
            std::vector<ReportCell> row{code, terms.partner(aged.partner).name};
            add_ages(row, aged.amounts, currency);
            table.rows.push_back(std::move(row));
        }
    }
    return table;
}

} // namespace pointhouse::settlement
