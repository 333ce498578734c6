#include "settlement/statement.hpp"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <map>
#include <tuple>

#include "ledger/accounts.hpp"
#include "ledger/invariant.hpp"
#include "vat_rules.hpp"
#include "vat_totals.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::DebtKind;
using ledger::EntryKind;
using ledger::invariant;
using ledger::Micro;
using ledger::Minor;
using ledger::PartnerId;
using ledger::PositionRow;
using ledger::TariffVersion;

/// Where an amount stands: which line of which statement, which detail of that line.
struct Place {
    StatementLineKey line{};
    EntryKind kind = EntryKind::issued;
    Micro price{};
    friend auto operator<=>(const Place&, const Place&) = default;
};

struct Quantity {
    std::int64_t points = 0;
    Micro amount{};
};

void add(Quantity& quantity, const LineShare& share)
{
    if (__builtin_add_overflow(quantity.points, share.points, &quantity.points))
        invariant(false, "sums of points fit 64 bits");
    quantity.amount += share.amount;
}

/// Distributes the money of one position over lines.
class Allotment {
public:
    Allotment(const PositionRow& row, const ledger::Terms& terms) : row_{row}, terms_{terms} {}

    std::vector<LineShare> done()
    {
        const ledger::MoneyEffect& money = row_.money;
        // What the issuer of the lot (or of the debt) owes. On a recovery the fee that is undone is
        // of the debt, not of the lot.
        const Micro fee = row_.kind == EntryKind::recovered ? Micro{0} : money.fee;
        StatementLineKey line{.partner = row_.partner, .tariff = row_.tariff};
        add(line, money.issuer - fee);
        line.charge = Charge::fee;
        add(line, fee);

        is_of_debt_ = row_.kind == EntryKind::recovered;
        if (money.counterparty == Micro{0}) return std::move(shares_);
        if (is_of_debt_ && row_.debt == DebtKind::issuer_bears) {
            credit_debt_issuer();
        } else {
            pay_counterparty();
        }
        return std::move(shares_);
    }

private:
    // The issuer whose points were clawed back too late gets its price and fee back.
    void credit_debt_issuer()
    {
        StatementLineKey line{.partner = row_.counterparty, .tariff = row_.counterpart};
        add(line, -(row_.money.counterparty + row_.money.fee));
        line.charge = Charge::fee;
        add(line, row_.money.fee);
    }

    void pay_counterparty()
    {
        const Micro amount = row_.money.counterparty;
        if (ledger::is_breakage(row_.kind)) {
            return add(
                {.partner = row_.counterparty,
                 .type = StatementType::breakage,
                 .tariff = row_.tariff,
                 .charge = Charge::breakage_shared},
                amount);
        }
        const TariffVersion redeemer =
            row_.kind == EntryKind::recovered ? row_.bearer : row_.counterpart;
        // A charity has no tariff of its own: its line is of the lot's.
        if (redeemer.is_none()) {
            return add(
                {.partner = row_.counterparty,
                 .type = StatementType::donation,
                 .tariff = row_.tariff,
                 .charge = Charge::donation},
                amount);
        }
        add({.partner = terms_.tariff(redeemer).partner,
             .type = StatementType::redemption,
             .tariff = redeemer,
             .charge = Charge::reimbursement},
            amount);
    }

    void add(const StatementLineKey& line, Micro amount)
    {
        if (amount == Micro{0}) return;
        // Price and fee of a block were paid when it was bought.
        if (line.type == StatementType::issuance && terms_.tariff(line.tariff).is_block()) return;
        const std::int64_t points = amount < Micro{0} ? -row_.points.count() : row_.points.count();
        invariant(points != 0, "money moves with points alone");
        invariant(amount.count() % points == 0, "all points of a position have one price");
        shares_.push_back(
            {.line = line,
             .price = Micro{amount.count() / points},
             .points = points,
             .amount = amount,
             .is_of_debt = is_of_debt_});
    }

    const PositionRow& row_;
    const ledger::Terms& terms_;
    bool is_of_debt_ = false;
    std::vector<LineShare> shares_;
};

StatementLine line_of(const Place& place, const Contracts& contracts, ledger::Time last_instant)
{
    const auto& [partner, type, tariff, charge] = place.line;
    StatementLine line{.charge = charge, .tariff = tariff};
    const auto issued = contracts.issued.find(place.line);
    if (issued != contracts.issued.end()) line.issued_at = issued->second;
    const auto* agreed = find_rule(contracts, partner, name_of(charge), last_instant);
    const bool is_later = agreed && agreed->tax_point != TaxPoint::period_end;
    const auto issue = issued == contracts.issued.end() ? contracts.issued_at : issued->second;
    const auto at = is_later ? std::max(last_instant, issue) : last_instant;
    line.vat = rate_of(agreed, find_rule(contracts, partner, name_of(charge), at));
    return line;
}

void add_detail(StatementLine& line, const Place& place, const Quantity& quantity)
{
    if (line.details.empty()) line.price = place.price;
    if (line.price != place.price) line.price.reset();
    line.points += quantity.points;
    line.exact += quantity.amount;
    line.details.push_back({
        .kind = place.kind,
        .price = place.price,
        .points = quantity.points,
        .amount = quantity.amount,
    });
}

void total(Statement& statement, const ledger::Currency& currency)
{
    Micro exact;
    Minor rounded;
    for (StatementLine& line : statement.lines) {
        set_rounded(line, minor_units_of(line.exact, currency));
        exact += line.exact;
        rounded += rounded_amount(line);
    }
    statement.vat = vat_totals(statement.lines);
    for (const VatTotal& vat : statement.vat) {
        statement.net += vat.net;
        statement.tax += vat.tax;
        statement.total += vat.total();
    }
    statement.rounding = Micro{micro_per_minor(currency)} * rounded.count - exact;
}

std::string_view suffix_of(StatementType type)
{
    switch (type) {
    case StatementType::issuance: return "ISS";
    case StatementType::redemption: return "RED";
    case StatementType::donation: return "DON";
    case StatementType::breakage: return "BRK";
    case StatementType::block: break;
    }
    return "";
}

Statement empty_statement(
    const StatementLineKey& line, ledger::Month month, const Contracts& contracts)
{
    invariant(
        line.partner.value() >= 1 && line.partner.value() <= contracts.partners.size(),
        "every partner of the terms is named in the contracts");
    const Party& partner = contracts.partners[line.partner.value() - 1];
    Statement statement{
        .number = fmt::format("PF-{}-{}-{}", format_month(month), partner.id, suffix_of(line.type)),
        .type = line.type,
        .partner = line.partner,
        .payer = contracts.house,
        .payee = partner,
    };
    if (statement.partner_pays()) std::swap(statement.payer, statement.payee);
    return statement;
}

/// The parts of each line that belong to earlier months. A recovery has two sides: its lot's are of
/// the month in which it happened, its debt's of the one whose points were clawed back.
std::map<StatementLineKey, std::vector<EarlierPart>> earlier_parts(
    std::span<const ledger::EarlierPosition> earlier, const ledger::Terms& terms)
{
    using Part = std::tuple<ledger::Month, EntryKind, bool>;
    std::map<StatementLineKey, std::map<Part, Quantity>> sums;
    for (const auto& [origin, undoes, row] : earlier) {
        for (const LineShare& share : line_shares(row, terms))
            if (row.kind != EntryKind::recovered || share.is_of_debt == undoes)
                add(sums[share.line][{origin, row.kind, undoes}], share);
    }
    std::map<StatementLineKey, std::vector<EarlierPart>> parts;
    for (const auto& [line, quantities] : sums) {
        for (const auto& [part, quantity] : quantities) {
            const auto& [origin, kind, undoes] = part;
            parts[line].push_back(
                {.origin = origin,
                 .kind = kind,
                 .undoes = undoes,
                 .points = quantity.points,
                 .amount = quantity.amount});
        }
    }
    return parts;
}

/// What the books say that partners owe, less what they are owed.
Micro owed_by_partners(std::span<const PositionRow> rows, const ledger::Terms& terms)
{
    Micro owed;
    for (const PositionRow& row : rows) {
        for (const ledger::AccountLine& line : ledger::lines_of(row, terms)) {
            const bool is_theirs = line.account == ledger::Account::unbilled ||
                                   line.account == ledger::Account::accrued_redemption ||
                                   line.account == ledger::Account::accrued_breakage_share;
            if (is_theirs) owed += Micro{line.amount};
        }
    }
    return owed;
}

/// What the statements charge partners, less what they credit or pay them.
Micro charged(std::span<const Statement> statements)
{
    Micro sum;
    for (const Statement& statement : statements) {
        for (const StatementLine& line : statement.lines)
            sum += statement.partner_pays() ? line.exact : -line.exact;
    }
    return sum;
}

} // namespace

const VatRule* find_rule(
    const Contracts& contracts, PartnerId partner, std::string_view charge, ledger::Time at)
{
    const VatRule* found = nullptr;
    for (const VatRule& rule : contracts.vat) {
        if (rule.partner != partner || rule.charge != charge || rule.valid_from > at) continue;
        if (found == nullptr || rule.valid_from >= found->valid_from) found = &rule;
    }
    return found;
}

VatRate rate_of(const VatRule* agreed, const VatRule* rule)
{
    if (rule == nullptr) return {.category = "O"};
    const bool is_taxed = rule->treatment == "taxed";
    VatRate rate{
        .category = rule->category,
        .basis_points = is_taxed ? rule->rate_basis_points : 0,
        .is_gross = is_taxed && agreed->is_gross};
    if (rate.category.empty()) rate.category = is_taxed ? "S" : "O";
    if (rate.category != "O") rate.tax_point = agreed->tax_point;
    return rate;
}

std::string_view name_of(Charge charge) noexcept
{
    switch (charge) {
    case Charge::price: return "price";
    case Charge::fee: return "fee";
    case Charge::reimbursement: return "reimbursement";
    case Charge::donation: return "donation";
    case Charge::breakage_shared: return "breakage_shared";
    }
    return "unknown";
}

std::string_view name_of(TaxPoint point) noexcept
{
    switch (point) {
    case TaxPoint::period_end: return "period_end";
    case TaxPoint::issue: return "issue";
    case TaxPoint::payment: return "payment";
    }
    return "unknown";
}

std::optional<TaxPoint> find_tax_point(std::string_view name) noexcept
{
    for (const auto point : {TaxPoint::period_end, TaxPoint::issue, TaxPoint::payment})
        if (name_of(point) == name) return point;
    return std::nullopt;
}

std::string_view name_of(StatementType type) noexcept
{
    switch (type) {
    case StatementType::issuance: return "issuance_statement";
    case StatementType::redemption: return "redemption_statement";
    case StatementType::donation: return "donation_statement";
    case StatementType::breakage: return "breakage_statement";
    case StatementType::block: return "block_purchase";
    }
    return "unknown";
}

std::vector<LineShare> line_shares(const PositionRow& row, const ledger::Terms& terms)
{
    return Allotment{row, terms}.done();
}

std::vector<Statement> statements(
    const Window& window,
    std::span<const PositionRow> rows,
    const ledger::Terms& terms,
    const Contracts& contracts,
    std::span<const ledger::EarlierPosition> earlier)
{
    std::map<Place, Quantity> quantities;
    for (const PositionRow& row : rows)
        for (const LineShare& share : line_shares(row, terms))
            add(quantities[{share.line, row.kind, share.price}], share);
    const auto parts = earlier_parts(earlier, terms);
    const Micro owed = owed_by_partners(rows, terms);

    // The map is in the order of documents, lines and details.
    const ledger::Time last_instant = window.to - std::chrono::microseconds{1};
    std::vector<Statement> made;
    for (const auto& [place, quantity] : quantities) {
        const StatementLineKey& key = place.line;
        if (made.empty() || made.back().partner != key.partner || made.back().type != key.type)
            made.push_back(empty_statement(key, window.month, contracts));
        std::vector<StatementLine>& lines = made.back().lines;
        if (lines.empty() || lines.back().tariff != key.tariff ||
            lines.back().charge != key.charge) {
            lines.push_back(line_of(place, contracts, last_instant));
            const auto found = parts.find(key);
            if (found != parts.end()) lines.back().earlier = found->second;
        }
        add_detail(lines.back(), place, quantity);
    }
    for (Statement& statement : made) total(statement, terms.currency);
    invariant(charged(made) == owed, "every micro-unit stands on exactly one statement");
    return made;
}

} // namespace pointhouse::settlement
