#include "books_rows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ledger/accounts.hpp"
#include "ledger/invariant.hpp"
#include "ledger/money_effect.hpp"

namespace pointhouse::ledger::books {
namespace {

std::int64_t number_of(std::uint64_t value)
{
    return static_cast<std::int64_t>(value);
}

template <class Kind, class Representation>
std::int64_t number_of(Id<Kind, Representation> id)
{
    return static_cast<std::int64_t>(id.value());
}

template <class Enum>
    requires std::is_enum_v<Enum>
std::int64_t number_of(Enum value)
{
    return static_cast<std::int64_t>(value);
}

void append_money(const MoneyEffect& money, std::vector<Parameter>& cells)
{
    for (const Micro amount :
         {money.issuer, money.counterparty, money.liability, money.fee, money.margin})
        cells.emplace_back(amount.count());
}

// Whoever stands against the lot's issuer in an entry.
PartnerId counterparty_of(const Record& record, const Entry& entry, const Terms& terms)
{
    if (is_breakage(entry.kind)) return terms.tariff(entry.lot.tariff).partner;
    if (entry.kind == EntryKind::recovered) return terms.tariff(entry.debt.tariff).partner;
    if (!entry.counterpart.is_none()) return terms.tariff(entry.counterpart).partner;
    const bool is_spent = entry.kind == EntryKind::donated || entry.kind == EntryKind::refunded;
    return is_spent ? record.counterparty : PartnerId{};
}

std::int64_t int64_of(const Value& value)
{
    const auto* number = std::get_if<std::int64_t>(&value);
    if (number == nullptr) throw StoreFailure{"the books hold no number where one belongs"};
    return *number;
}

std::uint32_t uint32_of(const Value& value)
{
    return static_cast<std::uint32_t>(int64_of(value));
}

Month month_of(const Value& value)
{
    const auto* text = std::get_if<std::string>(&value);
    const auto month = text == nullptr ? std::nullopt : parse_month(*text);
    if (!month) throw StoreFailure{"the books hold no month where one belongs"};
    return *month;
}

} // namespace

void append_posting(const Record& record, std::vector<Parameter>& cells)
{
    const auto add = [&](std::int64_t value) { cells.emplace_back(value); };
    add(number_of(record.sequence));
    add(number_of(record.type));
    add(record.refusal ? number_of(*record.refusal) : 0);
    add(number_of(record.partner));
    cells.emplace_back(record.message_id);
    add(number_of(record.member));
    add(micros_of(record.occurred_at));
    add(micros_of(record.posted_at));
    add(record.points.count());
    add(number_of(record.tariff));
    add(number_of(record.counterparty));
    add(record.amount_minor);
    add(number_of(record.original));
    add(number_of(record.other_member));
    add(record.reversed_so_far.count());
    add(record.balance.available.count());
    add(record.balance.pending.count());
    add(record.balance.held.count());
    add(record.balance.debt.count());
}

void append_entry(
    const Record& record, std::size_t number, const Terms& terms, std::vector<Parameter>& cells)
{
    const Entry& entry = record.entries[number];
    const auto& issuer =
        terms.tariff(entry.lot.tariff.is_none() ? entry.debt.tariff : entry.lot.tariff);
    const auto add = [&](std::int64_t value) { cells.emplace_back(value); };
    add(number_of(record.sequence));
    add(number_of(number));
    add(number_of(entry.kind));
    add(entry.points.count());
    add(number_of(issuer.partner));
    add(number_of(counterparty_of(record, entry, terms)));
    add(number_of(entry.lot.key.origin));
    add(entry.lot.key.position);
    add(number_of(issuer.version));
    add(number_of(entry.counterpart));
    add(number_of(entry.debt.origin));
    add(number_of(entry.debt.tariff));
    add(number_of(entry.debt.kind));
    add(number_of(entry.state));
    add(micros_of(entry.until));
    add(number_of(entry.hold));
    add(entry.lot.vat_rate);
    add(number_of(entry.lot.funding));
    add(micros_of(entry.lot.activity));
    add(entry.lot.expires_on);
    append_money(money_effect(entry, terms), cells);
}

void append_position(
    const PositionRow& position, std::string_view month, std::vector<Parameter>& cells)
{
    const auto add = [&](std::int64_t value) { cells.emplace_back(value); };
    cells.emplace_back(month);
    add(number_of(position.kind));
    add(number_of(position.partner));
    add(number_of(position.counterparty));
    add(number_of(position.tariff));
    add(number_of(position.counterpart));
    add(number_of(position.bearer));
    add(number_of(position.debt));
    add(number_of(position.state));
    add(position.vat_rate);
    add(position.points.count());
    append_money(position.money, cells);
}

void append_partner(const PartnerTerms& partner, std::vector<Parameter>& cells)
{
    cells.emplace_back(number_of(partner.partner));
    cells.emplace_back(std::string_view{partner.name});
}

void append_tariff(const Tariff& tariff, std::vector<Parameter>& cells)
{
    const auto add = [&](std::int64_t value) { cells.emplace_back(value); };
    add(number_of(tariff.version));
    add(number_of(tariff.partner));
    add(micros_of(tariff.valid_from));
    add(tariff.issue_price.count());
    add(tariff.service_fee.count());
    add(tariff.reimbursement.count());
    add(tariff.prefund_share.numerator);
    add(tariff.prefund_share.denominator);
    add(tariff.block.count());
}

void take_house_lines(
    const Record& step,
    Month month,
    const TermsHistory& history,
    const Terms& terms,
    std::vector<HouseLine>& lines)
{
    std::int64_t number = 0;
    for (const AccountLine& line : history.money_of(step.terms)) {
        lines.push_back(
            {.sequence = step.sequence,
             .number = number++,
             .month = format_month(month),
             .entry = step.terms,
             .account = account_name(line.account, line.partner, terms),
             .amount = Micro{line.amount}});
    }
}

void append_house_line(const HouseLine& line, std::vector<Parameter>& cells)
{
    cells.emplace_back(number_of(line.sequence));
    cells.emplace_back(line.number);
    cells.emplace_back(std::string_view{line.month});
    cells.emplace_back(number_of(line.entry));
    cells.emplace_back(std::string_view{line.account});
    cells.emplace_back(line.amount.count());
}

std::string position_cells(std::string_view month, std::string_view sum)
{
    std::string cells = fmt::format(
        "{0} AS origin, kind, issuer, entries.counterparty, entries.tariff,"
        " CASE kind WHEN {1} THEN debt_tariff ELSE counterpart END AS against,"
        " CASE kind WHEN {1} THEN counterpart ELSE 0 END AS bearer, debt_kind, state, vat_rate",
        month,
        number_of(EntryKind::recovered));
    for (const std::string_view column : std::span{position_columns}.subspan(10))
        cells += fmt::format(", CAST({}(entries.{}) AS BIGINT)", sum, column);
    return cells;
}

std::string summed_positions(std::string_view origin, std::string_view from)
{
    return fmt::format(
        "SELECT {} FROM {} GROUP BY origin, kind, issuer, entries.counterparty, entries.tariff,"
        " against, bearer, debt_kind, state, vat_rate",
        position_cells(origin, "SUM"),
        from);
}

PositionRow position_from(const Row& row)
{
    invariant(row.size() == position_columns.size(), "a position row has all its columns");
    const auto micro = [&](std::size_t column) { return Micro{int64_of(row[column])}; };
    PositionRow position;
    if (std::holds_alternative<std::string>(row[0])) position.window = month_of(row[0]);
    position.kind = static_cast<EntryKind>(int64_of(row[1]));
    position.partner = PartnerId{uint32_of(row[2])};
    position.counterparty = PartnerId{uint32_of(row[3])};
    position.tariff = TariffVersion{uint32_of(row[4])};
    position.counterpart = TariffVersion{uint32_of(row[5])};
    position.bearer = TariffVersion{uint32_of(row[6])};
    position.debt = static_cast<DebtKind>(int64_of(row[7]));
    position.state = static_cast<LotState>(int64_of(row[8]));
    position.vat_rate = static_cast<std::int32_t>(int64_of(row[9]));
    position.points = Points{int64_of(row[10])};
    position.money = {
        .issuer = micro(11),
        .counterparty = micro(12),
        .liability = micro(13),
        .fee = micro(14),
        .margin = micro(15)};
    return position;
}

std::vector<WindowRow> read_windows(Transaction& transaction)
{
    std::vector<WindowRow> windows;
    transaction.for_each(
        "SELECT month, first, cut, drained FROM settlement_window ORDER BY month",
        {},
        [&](const Row& row) {
            const auto sequence = [&](std::size_t column) {
                return Sequence{static_cast<std::uint64_t>(int64_of(row[column]))};
            };
            windows.push_back(
                {.month = month_of(row[0]),
                 .first = sequence(1),
                 .cut = sequence(2),
                 .drained = sequence(3)});
        });
    return windows;
}

void write_window(Transaction& transaction, const WindowRow& window)
{
    const std::string month = format_month(window.month);
    const std::array<Parameter, 4> cells{
        month, number_of(window.first), number_of(window.cut), number_of(window.drained)};
    transaction.run(
        "INSERT INTO settlement_window (month, first, cut, drained)"
        " VALUES ($1, $2, $3, $4) ON CONFLICT (month) DO UPDATE SET"
        " cut = excluded.cut, drained = excluded.drained",
        cells);
}

void add_to_position(Transaction& transaction, const PositionRow& position)
{
    static const std::string sql = fmt::format(
        "INSERT INTO position ({})"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
        " ON CONFLICT (month, kind, partner, counterparty, tariff, counterpart, bearer, debt_kind,"
        " state, vat_rate) DO UPDATE SET"
        " points = position.points + excluded.points,"
        " issuer_micro = position.issuer_micro + excluded.issuer_micro,"
        " counterparty_micro = position.counterparty_micro + excluded.counterparty_micro,"
        " liability_micro = position.liability_micro + excluded.liability_micro,"
        " fee_micro = position.fee_micro + excluded.fee_micro,"
        " margin_micro = position.margin_micro + excluded.margin_micro",
        fmt::join(position_columns, ", "));
    const std::string month = format_month(position.window);
    std::vector<Parameter> cells;
    append_position(position, month, cells);
    transaction.run(sql, cells);
}

Projection read_projection(Transaction& transaction)
{
    const auto rows = transaction.run("SELECT format, sequence FROM projection", {});
    if (rows.empty()) return {};
    return {
        .format = int64_of(rows.front()[0]),
        .sequence = Sequence{static_cast<std::uint64_t>(int64_of(rows.front()[1]))}};
}

void write_projection(Transaction& transaction, Sequence sequence)
{
    const std::array<Parameter, 2> cells{books_format, number_of(sequence)};
    // One row without a key: every stored value says something that `verify` can check.
    transaction.run("DELETE FROM projection", {});
    transaction.run("INSERT INTO projection (format, sequence) VALUES ($1, $2)", cells);
}

} // namespace pointhouse::ledger::books
